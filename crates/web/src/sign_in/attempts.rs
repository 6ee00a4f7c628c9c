//! How often a password may be guessed: growing delays for each source and account together.
//!
//! Owns the counters, per process. A browser in which the person signed in before counts for itself, so that nobody who
//! guesses elsewhere, or behind the same address, keeps the person out.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lanyard_core::clock::Timestamp;

/// Failures that cost nothing but a new try.
const FREE: u32 = 5;
/// The wait after the last free failure; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(15);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(900);
/// After so long without a failure they are forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(3600);
/// Counters that are told apart, so that memory is bounded.
const MAX_COUNTERS: usize = 50_000;

/// Whose attempts are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Tried {
    /// Those of a source at an account, by its folded name.
    Source(Option<IpAddr>, String),
    /// Those of a known browser at an account.
    Browser(String, String),
}

#[derive(Debug, Clone, Copy)]
struct Counter {
    failures: u32,
    last: Timestamp,
    wait_until: Timestamp,
}

/// The counters of one process.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<u64, Counter>>);

impl Attempts {
    /// Whether an attempt is heard now.
    ///
    /// # Errors
    /// The seconds to wait.
    pub(crate) fn admit(&self, tried: &Tried, now: Timestamp) -> Result<(), u64> {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counters.get(&key(tried)) {
            Some(counter) if counter.wait_until > now => Err(counter.wait_until.since(now).as_secs().saturating_add(1)),
            _ => Ok(()),
        }
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, tried: &Tried, now: Timestamp) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(tried);
        if counters.len() >= MAX_COUNTERS && !counters.contains_key(&key) {
            counters.retain(|_, counter| now.since(counter.last) < FORGET_AFTER);
            if counters.len() >= MAX_COUNTERS {
                return;
            }
        }
        let fresh = Counter {
            failures: 0,
            last: now,
            wait_until: now,
        };
        let counter = counters.entry(key).or_insert(fresh);
        if now.since(counter.last) >= FORGET_AFTER {
            *counter = fresh;
        }
        counter.failures = counter.failures.saturating_add(1);
        counter.last = now;
        if counter.failures >= FREE {
            let doubled = (counter.failures - FREE).min(16);
            counter.wait_until = now.plus(FIRST_WAIT.saturating_mul(1 << doubled).min(LONGEST_WAIT));
        }
    }

    /// Forgets the failures of whoever was right in the end.
    pub(crate) fn succeeded(&self, tried: &Tried) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&key(tried));
    }
}

fn key(tried: &Tried) -> u64 {
    let mut hasher = DefaultHasher::new();
    match tried {
        // Callers behind one IPv6 prefix are one source: a host owns 2^64 addresses.
        Tried::Source(Some(IpAddr::V6(address)), account) => {
            let [a, b, c, d, ..] = address.segments();
            ([a, b, c, d], account).hash(&mut hasher);
        }
        Tried::Source(..) | Tried::Browser(..) => tried.hash(&mut hasher),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_789_387_200 + seconds)
    }

    fn source(last: u8, account: &str) -> Tried {
        Tried::Source(Some(IpAddr::from([192, 0, 2, last])), account.to_owned())
    }

    #[test]
    fn delays_grow_with_each_failure_and_have_an_end() {
        let attempts = Attempts::default();
        let guesser = source(1, "alice");
        for _ in 0..4 {
            attempts.failed(&guesser, at(0));
            assert_eq!(attempts.admit(&guesser, at(0)), Ok(()));
        }
        let mut waits = Vec::new();
        let mut now = 0;
        for _ in 0..10 {
            attempts.failed(&guesser, at(now));
            let wait = attempts.admit(&guesser, at(now)).unwrap_err();
            waits.push(wait - 1);
            now += i64::try_from(wait).unwrap();
            assert_eq!(attempts.admit(&guesser, at(now)), Ok(()));
        }
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 900, 900, 900, 900]);
        attempts.failed(&guesser, at(now + 3600));
        assert_eq!(
            attempts.admit(&guesser, at(now + 3600)),
            Ok(()),
            "an hour later it begins anew"
        );
    }

    #[test]
    fn a_guesser_keeps_neither_other_sources_nor_known_browsers_nor_other_accounts_out() {
        let attempts = Attempts::default();
        for _ in 0..20 {
            attempts.failed(&source(1, "alice"), at(0));
        }
        assert!(attempts.admit(&source(1, "alice"), at(1)).is_err());
        assert!(attempts.admit(&source(2, "alice"), at(1)).is_ok());
        assert!(attempts.admit(&source(1, "carol"), at(1)).is_ok());
        let known = Tried::Browser("n".repeat(22), "alice".to_owned());
        assert!(attempts.admit(&known, at(1)).is_ok());
    }

    #[test]
    fn a_host_with_many_addresses_is_one_source_and_success_forgets() {
        let attempts = Attempts::default();
        let from = |text: &str| Tried::Source(Some(text.parse().unwrap()), "alice".to_owned());
        for n in 0..6 {
            attempts.failed(&from(&format!("2001:db8::{n}")), at(0));
        }
        assert!(attempts.admit(&from("2001:db8::ffff"), at(0)).is_err());
        assert!(attempts.admit(&from("2001:db8:0:1::1"), at(0)).is_ok());
        attempts.succeeded(&from("2001:db8::1"));
        assert!(attempts.admit(&from("2001:db8::ffff"), at(0)).is_ok());
    }
}
