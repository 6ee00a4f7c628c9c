//! The system clock: the one place that asks for the time.

use lanyard_core::clock::{Clock, Timestamp};

/// The wall clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
    }
}

/// Seconds since the epoch, for parts that take a plain function.
pub(crate) fn unix_seconds() -> i64 {
    SystemClock.now().seconds()
}
