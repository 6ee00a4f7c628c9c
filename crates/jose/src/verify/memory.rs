//! What is remembered of tokens, until they end.
//!
//! Owns how many are remembered and for how long. Never knows what is remembered.

use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;

/// Something of a token, by a SHA-256.
pub(super) type Memory<V> = Cache<[u8; 32], Remembered<V>>;

/// What is remembered, and how long the token was still valid when it was verified, in seconds.
#[derive(Clone)]
pub(super) struct Remembered<V> {
    pub(super) value: V,
    left: u64,
}

impl<V> Remembered<V> {
    /// Of a token that ends at `exp`, verified at `now`.
    pub(super) fn new(value: V, exp: i64, now: i64) -> Self {
        Self {
            value,
            left: u64::try_from(exp.saturating_sub(now)).unwrap_or(0),
        }
    }
}

/// A memory of at most `max_entries` tokens.
pub(super) fn memory<V: Clone + Send + Sync + 'static>(max_entries: u64) -> Memory<V> {
    Cache::builder()
        .max_capacity(max_entries)
        .expire_after(AtExpiry)
        .build()
}

struct AtExpiry;

impl<V> Expiry<[u8; 32], Remembered<V>> for AtExpiry {
    fn expire_after_create(&self, _: &[u8; 32], of: &Remembered<V>, _: Instant) -> Option<Duration> {
        Some(Duration::from_secs(of.left))
    }

    fn expire_after_update(
        &self,
        _: &[u8; 32],
        of: &Remembered<V>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(Duration::from_secs(of.left))
    }
}
