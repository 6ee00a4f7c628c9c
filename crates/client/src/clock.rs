//! The time, as a host hands it in.
//!
//! Owns the trait and a default for hosts without a clock of their own. Never sleeps.

/// Where the library reads the time of day: whole seconds since 1970-01-01T00:00:00Z.
pub trait Clock: Send + Sync {
    /// Seconds since the epoch.
    fn now(&self) -> i64;
}

impl<F: Fn() -> i64 + Send + Sync> Clock for F {
    fn now(&self) -> i64 {
        self()
    }
}

/// The clock of the operating system, for hosts that bring none. Before 1970 it stands at zero.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        std::time::UNIX_EPOCH
            .elapsed()
            .ok()
            .and_then(|since| i64::try_from(since.as_secs()).ok())
            .unwrap_or(0)
    }
}
