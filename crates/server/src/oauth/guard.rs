//! What anonymous traffic may cost: failed authentications per source, and how many refusals are written down.
//!
//! Owns the counters, per process. Never locks a client out: a counter belongs to the source of the failures.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use lanyard_core::clock::{Clock, Timestamp};

/// How much anonymous traffic may cost.
#[derive(Debug, Clone)]
pub struct GuardSettings {
    /// Failed authentications that one source may cause at once for one client or account.
    pub failures_at_once: NonZeroU32,
    /// How many of them come back in a minute. The attempt that finds the bucket empty was heard as well, so a minute
    /// has at most `failures_at_once + 1 + 2 * failures_per_minute` full checks: under twenty by default.
    pub failures_per_minute: NonZeroU32,
    /// Failed authentications that one source may cause in a minute whatever client it names.
    pub failures_of_source: NonZeroU32,
    /// Refusals without an authenticated client that are written down per source and minute; the rest is counted.
    pub refusals_recorded: NonZeroU32,
}

impl Default for GuardSettings {
    fn default() -> Self {
        let of = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            failures_at_once: of(8),
            failures_per_minute: of(5),
            failures_of_source: of(200),
            refusals_recorded: of(10),
        }
    }
}

/// Sign-ins at identity providers that one source may begin in a minute.
const STARTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(300).unwrap();
/// Sources that are told apart; the rest share one counter, so that memory is bounded.
const MAX_SOURCES: usize = 20_000;

/// The clock of the program as the limiter reads it.
#[derive(Clone)]
struct Ticks(Arc<dyn Clock>);

impl governor::clock::Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let micros = u64::try_from(self.0.now().micros()).unwrap_or(0);
        Nanos::from(micros.saturating_mul(1000))
    }
}

/// A source, and the hash of the client it names; zero stands for all clients.
type Key = (IpAddr, u64);
type Limiter = RateLimiter<Key, DashMapStateStore<Key>, Ticks, NoOpMiddleware<Nanos>>;

/// The counters of one process.
pub struct Guard {
    ticks: Ticks,
    per_client: Limiter,
    per_source: Limiter,
    /// Sign-ins at identity providers that begin: each is a row for some minutes.
    starts: Limiter,
    /// Until when a source that used up its failures is turned away unheard.
    waiting: Mutex<HashMap<Key, Timestamp>>,
    refusals: Mutex<HashMap<IpAddr, Window>>,
    recorded: u32,
}

#[derive(Clone, Copy)]
struct Window {
    began: Timestamp,
    count: u32,
}

/// Refusals of one source in one minute that were counted and not written down one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The source; `None` for callers without an address.
    pub source: Option<IpAddr>,
    /// When the minute began.
    pub since: Timestamp,
    /// How many were not written down.
    pub unrecorded: u32,
}

impl Guard {
    /// Counters that read this clock.
    pub fn new(clock: Arc<dyn Clock>, settings: &GuardSettings) -> Self {
        let ticks = Ticks(clock);
        let client = Quota::per_minute(settings.failures_per_minute).allow_burst(settings.failures_at_once);
        let source = Quota::per_minute(settings.failures_of_source);
        Self {
            per_client: RateLimiter::dashmap_with_clock(client, ticks.clone()),
            per_source: RateLimiter::dashmap_with_clock(source, ticks.clone()),
            starts: RateLimiter::dashmap_with_clock(Quota::per_minute(STARTS_PER_MINUTE), ticks.clone()),
            ticks,
            recorded: settings.refusals_recorded.get(),
            waiting: Mutex::default(),
            refusals: Mutex::default(),
        }
    }

    /// Whether a source must wait before the credentials it sends for `client` are looked at.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn admit(&self, source: Option<IpAddr>, client: Option<&str>, now: Timestamp) -> Result<(), u64> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return Ok(());
        }
        let source = network(source);
        let until = [(source, 0), (source, named(client))]
            .iter()
            .filter_map(|key| waiting.get(key))
            .max()
            .copied();
        match until {
            Some(until) if until > now => Err(until.since(now).as_secs().saturating_add(1)),
            _ => Ok(()),
        }
    }

    /// Whether this source may begin another sign-in at an identity provider; an office behind one address may begin many.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn begin(&self, source: Option<IpAddr>) -> Result<(), u64> {
        self.starts.check_key(&(network(source), 0)).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.ticks.now());
            wait.as_secs().saturating_add(1)
        })
    }

    /// Counts a failed authentication of this source for this client.
    pub fn failed(&self, source: Option<IpAddr>, client: Option<&str>, now: Timestamp) {
        let source = network(source);
        self.count(&self.per_client, (source, named(client)), now);
        self.count(&self.per_source, (source, 0), now);
    }

    fn count(&self, limiter: &Limiter, key: Key, now: Timestamp) {
        let Err(not_until) = limiter.check_key(&key) else {
            return;
        };
        let wait = not_until.wait_time_from(self.ticks.now()).max(Duration::from_secs(1));
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MAX_SOURCES || waiting.contains_key(&key) {
            waiting.insert(key, now.plus(wait));
        }
    }

    /// Whether a refusal of this source is worth a row (the first of a minute are).
    pub fn record_refusal(&self, source: Option<IpAddr>, now: Timestamp) -> bool {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = network(source);
        if refusals.len() >= MAX_SOURCES && !refusals.contains_key(&key) {
            key = unknown();
        }
        let window = refusals.entry(key).or_insert(Window { began: now, count: 0 });
        window.count = window.count.saturating_add(1);
        window.count <= self.recorded
    }

    /// Ends the minutes that are over; what was not written down in them is told once. Also forgets sources that
    /// behave.
    pub fn end_minutes(&self, now: Timestamp) -> Vec<Summary> {
        self.per_client.retain_recent();
        self.per_source.retain_recent();
        self.starts.retain_recent();
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, until| *until > now);
        let mut over = Vec::new();
        self.refusals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|source, window| {
                if now.since(window.began) < Duration::from_secs(60) {
                    return true;
                }
                let unrecorded = window.count.saturating_sub(self.recorded);
                if unrecorded > 0 {
                    let source = (*source != unknown()).then_some(*source);
                    over.push(Summary {
                        source,
                        since: window.began,
                        unrecorded,
                    });
                }
                false
            });
        over
    }
}

/// Callers behind one IPv6 prefix are one source: a host owns 2^64 addresses.
fn network(source: Option<IpAddr>) -> IpAddr {
    match source {
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        Some(address) => address,
        None => unknown(),
    }
}

fn named(client: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    client.unwrap_or_default().hash(&mut hasher);
    hasher.finish().max(1)
}

const fn unknown() -> IpAddr {
    IpAddr::V4(Ipv4Addr::UNSPECIFIED)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.load(Ordering::Relaxed))
        }
    }

    impl Hand {
        fn advance(&self, seconds: i64) {
            self.advance_millis(seconds * 1000);
        }

        fn advance_millis(&self, millis: i64) {
            self.0.fetch_add(millis * 1000, Ordering::Relaxed);
        }
    }

    fn guard() -> (Arc<Hand>, Guard) {
        guard_of(&GuardSettings::default())
    }

    fn guard_of(settings: &GuardSettings) -> (Arc<Hand>, Guard) {
        let clock = Arc::new(Hand(AtomicI64::new(1_789_387_200_000_000)));
        let guard = Guard::new(clock.clone(), settings);
        (clock, guard)
    }

    fn source(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_minute_has_at_most_twenty_full_checks_and_others_do_not_wait_idp_tk_04() {
        let (clock, guard) = guard();
        let (bad, good) = (source("192.0.2.1"), source("192.0.2.2"));
        let mut heard = 0;
        for _ in 0..600 {
            if guard.admit(bad, Some("agent"), clock.now()).is_ok() {
                heard += 1;
                guard.failed(bad, Some("agent"), clock.now());
            }
            clock.advance_millis(100);
        }
        assert!((10..=20).contains(&heard), "{heard}");
        while guard.admit(bad, Some("agent"), clock.now()).is_ok() {
            guard.failed(bad, Some("agent"), clock.now());
        }
        assert!(guard.admit(bad, Some("agent"), clock.now()).is_err());
        assert!(guard.admit(good, Some("agent"), clock.now()).is_ok());
        assert!(guard.admit(bad, Some("another"), clock.now()).is_ok());
        clock.advance(61);
        assert!(guard.admit(bad, Some("agent"), clock.now()).is_ok());
    }

    #[test]
    fn naming_many_clients_does_not_help_a_source() {
        let (clock, guard) = guard();
        let bad = source("192.0.2.1");
        for n in 0..220 {
            guard.failed(bad, Some(&format!("client-{n}")), clock.now());
        }
        assert!(guard.admit(bad, Some("yet-another"), clock.now()).is_err());
    }

    #[test]
    fn ten_refusals_are_written_down_and_the_rest_is_told_in_one_sum() {
        let (clock, guard) = guard();
        let from = source("192.0.2.1");
        let recorded = (0..25).filter(|_| guard.record_refusal(from, clock.now())).count();
        assert_eq!(recorded, 10);
        assert!(guard.end_minutes(clock.now()).is_empty(), "the minute is not over");
        clock.advance(60);
        let told = guard.end_minutes(clock.now());
        assert_eq!(
            told.iter().map(|sum| (sum.source, sum.unrecorded)).collect::<Vec<_>>(),
            [(from, 15)]
        );
        assert!(guard.record_refusal(from, clock.now()));
    }

    #[test]
    fn an_operator_may_choose_other_numbers() {
        let of = |number| NonZeroU32::new(number).unwrap();
        let (clock, guard) = guard_of(&GuardSettings {
            failures_at_once: of(1),
            failures_per_minute: of(1),
            failures_of_source: of(3),
            refusals_recorded: of(2),
        });
        let (one, other) = (source("192.0.2.1"), source("192.0.2.2"));
        for _ in 0..2 {
            guard.failed(one, Some("agent"), clock.now());
        }
        assert!(guard.admit(one, Some("agent"), clock.now()).is_err());
        assert!(guard.admit(one, Some("another"), clock.now()).is_ok());
        for name in ["a", "b", "c", "d"] {
            guard.failed(other, Some(name), clock.now());
        }
        assert!(guard.admit(other, Some("e"), clock.now()).is_err());
        assert_eq!((0..5).filter(|_| guard.record_refusal(one, clock.now())).count(), 2);
    }

    #[test]
    fn a_host_with_many_addresses_is_one_source() {
        let (clock, guard) = guard();
        for n in 0..30 {
            guard.failed(source(&format!("2001:db8::{n:x}")), Some("agent"), clock.now());
        }
        assert!(
            guard
                .admit(source("2001:db8::ffff"), Some("agent"), clock.now())
                .is_err()
        );
        assert!(
            guard
                .admit(source("2001:db8:0:1::1"), Some("agent"), clock.now())
                .is_ok()
        );
    }
}
