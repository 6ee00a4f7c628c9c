//! Values fetched from elsewhere and refreshed (MD-KEY-02).
//!
//! Owns when a value is fetched again: after its time, or when it does not hold what is sought, but at most once per
//! interval and by one caller at a time; and that an old value serves while its source is down. Entries wait for
//! nobody but themselves, so that one dead source delays nobody else.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use moka::sync::Cache;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// After this time a value is fetched again.
const TTL: Duration = Duration::from_secs(300);
/// At most one attempt per source in this time, whatever is asked.
const INTERVAL: Duration = Duration::from_secs(10);
/// For this long an old value serves while its source fails.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// More sources than this push out the least used.
const MAX_SOURCES: u64 = 4096;

pub(crate) struct Refreshing<T, E> {
    entries: Cache<String, Arc<Entry<T, E>>>,
}

struct Entry<T, E> {
    held: ArcSwapOption<Held<T>>,
    last_attempt: Mutex<Option<Attempt<E>>>,
}

struct Held<T> {
    value: Arc<T>,
    fetched_at: Instant,
}

struct Attempt<E> {
    at: Instant,
    failure: Option<E>,
}

impl<T: Send + Sync + 'static, E: Clone + Send + Sync + 'static> Refreshing<T, E> {
    pub(crate) fn new() -> Self {
        Self {
            entries: Cache::new(MAX_SOURCES),
        }
    }

    /// The value of `source`, fetched with `load` when needed. A value that is not `enough` is worth an early attempt;
    /// if that brings nothing better, it is returned as it is.
    pub(crate) async fn get<F>(
        &self,
        source: &str,
        enough: impl Fn(&T) -> bool + Send,
        load: impl FnOnce() -> F + Send,
    ) -> Result<Arc<T>, E>
    where
        F: Future<Output = Result<T, E>> + Send,
    {
        let entry = match self.entries.get(source) {
            Some(entry) => entry,
            None => self.entries.get_with(source.to_owned(), || {
                Arc::new(Entry {
                    held: ArcSwapOption::empty(),
                    last_attempt: Mutex::new(None),
                })
            }),
        };
        let held = entry.held.load_full();
        if let Some(value) = held.as_ref().and_then(|held| held.fresh(&enough)) {
            return Ok(value);
        }
        let mut last_attempt = match entry.last_attempt.try_lock() {
            Ok(guard) => guard,
            // Somebody is fetching. An old value that has what is sought need not wait.
            Err(_) => match held
                .as_ref()
                .and_then(|held| held.stale().filter(|value| enough(value)))
            {
                Some(value) => return Ok(value),
                None => entry.last_attempt.lock().await,
            },
        };
        // Whoever held the lock before may have fetched it.
        let held = entry.held.load_full();
        if let Some(value) = held.as_ref().and_then(|held| held.fresh(&enough)) {
            return Ok(value);
        }
        if let Some(last) = last_attempt.as_ref().filter(|last| last.at.elapsed() < INTERVAL) {
            return match (held.as_ref().and_then(|held| held.stale()), &last.failure) {
                (Some(value), _) => Ok(value),
                (None, Some(failure)) => Err(failure.clone()),
                // A success whose value has been forgotten: fetch as if for the first time.
                (None, None) => entry.attempt(&mut last_attempt, load).await,
            };
        }
        entry.attempt(&mut last_attempt, load).await
    }

    pub(crate) fn forget(&self, source: &str) {
        self.entries.invalidate(source);
    }
}

impl<T, E: Clone> Entry<T, E> {
    async fn attempt<F>(&self, last_attempt: &mut Option<Attempt<E>>, load: impl FnOnce() -> F) -> Result<Arc<T>, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        match load().await {
            Ok(value) => {
                let value = Arc::new(value);
                let now = Instant::now();
                // The new value replaces the old one whole: a key that has vanished is gone (SEC-17).
                self.held.store(Some(Arc::new(Held {
                    value: Arc::clone(&value),
                    fetched_at: now,
                })));
                *last_attempt = Some(Attempt { at: now, failure: None });
                Ok(value)
            }
            Err(failure) => {
                *last_attempt = Some(Attempt {
                    at: Instant::now(),
                    failure: Some(failure.clone()),
                });
                self.held.load_full().and_then(|held| held.stale()).ok_or(failure)
            }
        }
    }
}

impl<T> Held<T> {
    fn fresh(&self, enough: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        (self.fetched_at.elapsed() < TTL && enough(&self.value)).then(|| Arc::clone(&self.value))
    }

    fn stale(&self) -> Option<Arc<T>> {
        (self.fetched_at.elapsed() < STALE).then(|| Arc::clone(&self.value))
    }
}
