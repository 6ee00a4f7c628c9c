//! A revocation view in memory, fed with entries.
//!
//! Owns the index and its age. Never forgets an entry that can still hit a live token: when there are too many it
//! says that it does not know.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use lanyard_protocol::gateway::{RevocationEntry, RevocationFeed, Revoked};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{RevocationView, Standing, TokenFacts};
use crate::clock::Clock;

/// How many entries a list holds unless told otherwise: about 100 MB at worst.
const DEFAULT_CAPACITY: usize = 500_000;
const NEVER: u64 = u64::MAX;

/// What happens when the source was silent for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnStale {
    /// Calls are refused with 503.
    #[default]
    Refuse,
    /// Calls are accepted as if nothing had been revoked since. A recorded choice of the operator.
    Allow,
}

/// Revocations in memory.
pub struct RevocationList {
    clock: Clock,
    index: RwLock<Index>,
    capacity: usize,
    overflowed: AtomicBool,
    age: Age,
    changed: watch::Sender<u64>,
}

/// `None` in `bound` means that the list is fed by the same process and cannot be stale.
struct Age {
    started: Instant,
    last_contact: AtomicU64,
    bound: Option<Duration>,
    on_stale: OnStale,
}

#[derive(Default)]
struct Index {
    issuers: HashMap<String, OfIssuer>,
    position: i64,
    entries: usize,
    purge_at: usize,
}

/// Values are instants in seconds; the second of a pair is `keep_until`.
#[derive(Default)]
struct OfIssuer {
    tokens: HashMap<String, i64>,
    subjects: HashMap<String, (i64, i64)>,
    clients: HashMap<String, (i64, i64)>,
    keys: HashMap<String, i64>,
}

impl RevocationList {
    /// A list that the same process feeds before it acknowledges a revocation: never stale.
    pub fn local(clock: Clock) -> Self {
        Self::with_age(clock, None, OnStale::Refuse)
    }

    /// A list that is fed from elsewhere. Until the first contact, and when the last one is older than `stale_after`
    /// (5 s is usual), it does not know.
    pub fn remote(clock: Clock, stale_after: Duration, on_stale: OnStale) -> Self {
        Self::with_age(clock, Some(stale_after), on_stale)
    }

    fn with_age(clock: Clock, bound: Option<Duration>, on_stale: OnStale) -> Self {
        Self {
            clock,
            index: RwLock::new(Index::default()),
            capacity: DEFAULT_CAPACITY,
            overflowed: AtomicBool::new(false),
            age: Age {
                started: Instant::now(),
                last_contact: AtomicU64::new(NEVER),
                bound,
                on_stale,
            },
            changed: watch::Sender::new(0),
        }
    }

    /// Sets how many entries are held at most.
    #[must_use]
    pub fn with_capacity(mut self, entries: usize) -> Self {
        self.capacity = entries;
        self
    }

    /// Adds one revocation. When it returns, the next call sees it.
    pub fn revoke(&self, revoked: &Revoked, keep_until: i64) {
        self.insert(std::iter::once((revoked, keep_until)), None);
    }

    /// Adds entries and marks the contact. When it returns, the next call sees them.
    pub fn apply(&self, feed: &RevocationFeed) {
        let entries = feed.entries.iter().map(
            |RevocationEntry {
                 revoked, keep_until, ..
             }| (revoked, *keep_until),
        );
        let last = feed.entries.iter().map(|entry| entry.sequence).max();
        self.insert(entries, Some((feed.head, last)));
        self.touch();
    }

    /// Marks that the source answered and had nothing new.
    pub fn touch(&self) {
        let now = u64::try_from(self.age.started.elapsed().as_millis()).unwrap_or(NEVER - 1);
        self.age.last_contact.store(now, Ordering::Release);
    }

    /// The position in the feed up to which entries were taken.
    pub fn position(&self) -> i64 {
        self.index.read().unwrap_or_else(PoisonError::into_inner).position
    }

    /// Whether the list is as fresh as it must be.
    pub fn is_fresh(&self) -> bool {
        let Some(bound) = self.age.bound else { return true };
        let last = self.age.last_contact.load(Ordering::Acquire);
        if last == NEVER {
            return false;
        }
        self.age.started.elapsed().saturating_sub(Duration::from_millis(last)) <= bound
    }

    fn insert<'a>(&self, entries: impl Iterator<Item = (&'a Revoked, i64)>, feed: Option<(i64, Option<i64>)>) {
        let now = (self.clock)();
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        let mut added = false;
        for (revoked, keep_until) in entries {
            if index.entries >= self.capacity.min(index.purge_at.max(1024)) {
                index.purge(now);
            }
            if index.entries >= self.capacity {
                self.overflowed.store(true, Ordering::Release);
                tracing::error!(
                    capacity = self.capacity,
                    "the revocation list is full; calls are refused"
                );
                break;
            }
            index.add(revoked, keep_until);
            added = true;
        }
        if let Some((head, last)) = feed {
            // A head behind us is another history, such as a restored backup: read it from its start.
            index.position = if head < index.position {
                0
            } else {
                last.unwrap_or(index.position).max(index.position)
            };
        }
        drop(index);
        if added {
            self.changed.send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}

impl RevocationView for RevocationList {
    fn standing(&self, token: &TokenFacts<'_>, _: i64) -> Standing {
        if self.index.read().unwrap_or_else(PoisonError::into_inner).hits(token) {
            return Standing::Revoked;
        }
        if self.overflowed.load(Ordering::Acquire) || (self.age.on_stale == OnStale::Refuse && !self.is_fresh()) {
            return Standing::Unknown;
        }
        Standing::Live
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

impl Index {
    fn hits(&self, token: &TokenFacts<'_>) -> bool {
        let Some(own) = self.issuers.get(token.issuer) else {
            return false;
        };
        own.tokens.contains_key(token.jti)
            || own
                .subjects
                .get(token.subject)
                .is_some_and(|(not_after, _)| token.issued_at <= *not_after)
            || own
                .clients
                .get(token.client_id)
                .is_some_and(|(not_after, _)| token.issued_at <= *not_after)
            || own.keys.contains_key(token.kid)
    }

    fn add(&mut self, revoked: &Revoked, keep_until: i64) {
        let issuer = match revoked {
            Revoked::Token { issuer, .. }
            | Revoked::Subject { issuer, .. }
            | Revoked::Client { issuer, .. }
            | Revoked::Key { issuer, .. } => issuer,
        };
        let own = self.issuers.entry(issuer.as_str().to_owned()).or_default();
        let is_new = match revoked {
            Revoked::Token { jti, .. } => latest(&mut own.tokens, jti, keep_until),
            Revoked::Subject { subject, not_after, .. } => later(&mut own.subjects, subject, (*not_after, keep_until)),
            Revoked::Client {
                client_id, not_after, ..
            } => later(&mut own.clients, client_id, (*not_after, keep_until)),
            Revoked::Key { kid, .. } => latest(&mut own.keys, kid, keep_until),
        };
        self.entries += usize::from(is_new);
    }

    /// Drops what cannot hit anything any more. Runs when the list has doubled, so that it costs little per entry.
    fn purge(&mut self, now: i64) {
        let mut left = 0;
        for own in self.issuers.values_mut() {
            own.tokens.retain(|_, keep_until| *keep_until >= now);
            own.subjects.retain(|_, (_, keep_until)| *keep_until >= now);
            own.clients.retain(|_, (_, keep_until)| *keep_until >= now);
            own.keys.retain(|_, keep_until| *keep_until >= now);
            left += own.tokens.len() + own.subjects.len() + own.clients.len() + own.keys.len();
        }
        self.entries = left;
        self.purge_at = left.saturating_mul(2);
    }
}

/// Keeps the latest end of an entry. Says whether it is new.
fn latest(map: &mut HashMap<String, i64>, key: &str, keep_until: i64) -> bool {
    if let Some(known) = map.get_mut(key) {
        *known = (*known).max(keep_until);
        return false;
    }
    map.insert(key.to_owned(), keep_until);
    true
}

/// Keeps the widest reach of an entry. Says whether it is new.
fn later(map: &mut HashMap<String, (i64, i64)>, key: &str, (not_after, keep_until): (i64, i64)) -> bool {
    if let Some(known) = map.get_mut(key) {
        *known = (known.0.max(not_after), known.1.max(keep_until));
        return false;
    }
    map.insert(key.to_owned(), (not_after, keep_until));
    true
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lanyard_protocol::issuer::Issuer;

    use super::*;

    const ISSUER: &str = "https://ras.example";

    fn issuer() -> Issuer {
        Issuer::parse(ISSUER).unwrap()
    }

    fn facts(jti: &str, issued_at: i64) -> TokenFacts<'_> {
        TokenFacts {
            issuer: ISSUER,
            jti,
            subject: "acct",
            client_id: "app",
            issued_at,
            kid: "k1",
        }
    }

    fn clock(now: i64) -> Clock {
        Arc::new(move || now)
    }

    #[test]
    fn each_kind_hits_its_tokens_and_no_other_rv_02() {
        let list = RevocationList::local(clock(100));
        assert_eq!(list.standing(&facts("a", 50), 100), Standing::Live);
        list.revoke(
            &Revoked::Token {
                issuer: issuer(),
                jti: "a".into(),
            },
            200,
        );
        assert_eq!(list.standing(&facts("a", 50), 100), Standing::Revoked);
        assert_eq!(list.standing(&facts("b", 50), 100), Standing::Live);
        list.revoke(
            &Revoked::Subject {
                issuer: issuer(),
                subject: "acct".into(),
                not_after: 60,
            },
            200,
        );
        assert_eq!(list.standing(&facts("b", 60), 100), Standing::Revoked);
        assert_eq!(list.standing(&facts("b", 61), 100), Standing::Live);
        list.revoke(
            &Revoked::Client {
                issuer: issuer(),
                client_id: "app".into(),
                not_after: 70,
            },
            200,
        );
        assert_eq!(list.standing(&facts("b", 70), 100), Standing::Revoked);
        list.revoke(
            &Revoked::Key {
                issuer: issuer(),
                kid: "k1".into(),
            },
            200,
        );
        assert_eq!(list.standing(&facts("b", 99), 100), Standing::Revoked);
        let foreign = TokenFacts {
            issuer: "https://other.example",
            ..facts("a", 1)
        };
        assert_eq!(list.standing(&foreign, 100), Standing::Live);
    }

    #[test]
    fn a_full_list_says_that_it_does_not_know_instead_of_forgetting() {
        let list = RevocationList::local(clock(100)).with_capacity(2);
        for n in 0..3 {
            list.revoke(
                &Revoked::Token {
                    issuer: issuer(),
                    jti: n.to_string(),
                },
                200,
            );
        }
        assert_eq!(list.standing(&facts("0", 1), 100), Standing::Revoked);
        assert_eq!(list.standing(&facts("x", 1), 100), Standing::Unknown);
    }

    #[test]
    fn entries_that_cannot_hit_any_more_make_room() {
        let list = RevocationList::local(clock(100)).with_capacity(2);
        list.revoke(
            &Revoked::Token {
                issuer: issuer(),
                jti: "old".into(),
            },
            99,
        );
        list.revoke(
            &Revoked::Token {
                issuer: issuer(),
                jti: "a".into(),
            },
            200,
        );
        list.revoke(
            &Revoked::Token {
                issuer: issuer(),
                jti: "b".into(),
            },
            200,
        );
        assert_eq!(list.standing(&facts("b", 1), 100), Standing::Revoked);
        assert_eq!(list.standing(&facts("x", 1), 100), Standing::Live);
    }

    #[tokio::test(start_paused = true)]
    async fn a_view_older_than_its_bound_does_not_know() {
        let list = RevocationList::remote(clock(100), Duration::from_secs(5), OnStale::Refuse);
        assert_eq!(
            list.standing(&facts("a", 1), 100),
            Standing::Unknown,
            "before the first contact"
        );
        list.apply(&RevocationFeed {
            head: 0,
            entries: vec![],
        });
        assert_eq!(list.standing(&facts("a", 1), 100), Standing::Live);
        tokio::time::advance(Duration::from_millis(5001)).await;
        assert_eq!(list.standing(&facts("a", 1), 100), Standing::Unknown);
        list.touch();
        assert_eq!(list.standing(&facts("a", 1), 100), Standing::Live);
    }

    #[tokio::test(start_paused = true)]
    async fn on_stale_allow_accepts_but_still_refuses_what_is_known_to_be_revoked() {
        let list = RevocationList::remote(clock(100), Duration::from_secs(5), OnStale::Allow);
        list.revoke(
            &Revoked::Token {
                issuer: issuer(),
                jti: "a".into(),
            },
            200,
        );
        assert_eq!(list.standing(&facts("a", 1), 100), Standing::Revoked);
        assert_eq!(list.standing(&facts("b", 1), 100), Standing::Live);
    }

    #[test]
    fn a_history_that_starts_anew_is_read_from_its_start() {
        let list = RevocationList::local(clock(100));
        let entry = |sequence| RevocationEntry {
            sequence,
            revoked: Revoked::Token {
                issuer: issuer(),
                jti: sequence.to_string(),
            },
            keep_until: 200,
        };
        list.apply(&RevocationFeed {
            head: 9,
            entries: vec![entry(8), entry(9)],
        });
        assert_eq!(list.position(), 9);
        list.apply(&RevocationFeed {
            head: 3,
            entries: vec![],
        });
        assert_eq!(list.position(), 0);
    }
}
