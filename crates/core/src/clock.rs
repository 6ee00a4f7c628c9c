//! Time as the rules see it.
//!
//! Owns the instant type and the clock trait. Never asks the system for the time.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant: microseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in JSON for people and APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Reads `2026-09-14T12:00:00Z`, with a fraction of a second or without: UTC only, as SAML has it.
    pub fn parse_utc(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let (seconds, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let plain = |text: &str, marks: &[u8]| text.bytes().all(|b| b.is_ascii_digit() || marks.contains(&b));
        if date.len() != 10 || seconds.len() != 8 || !(plain(date, b"-") && plain(seconds, b":")) {
            return None;
        }
        if fraction.is_empty() || fraction.len() > 9 || !plain(fraction, b"") {
            return None;
        }
        Self::parse(text)
    }

    /// From an RFC 3339 text; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let instant: jiff::Timestamp = text.parse().ok()?;
        Some(Self(instant.as_microsecond()))
    }

    /// From the date of an HTTP header (RFC 9110, section 5.6.7); `None` for anything else.
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
        Some(Self::from_seconds(zoned.timestamp().as_second()))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down: what tokens carry.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant moved forward.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// This instant moved back.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let instant: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(instant.as_microsecond()))
    }
}

/// Reads a duration as people write them: a whole number with one unit, `90s`, `10m`, `8h`, `14d`.
///
/// # Errors
/// In words for whoever wrote it.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let words = "is not a duration: write a whole number and s, m, h or d, as in \"10m\"";
    read_duration(text).ok_or_else(|| format!("{text:?} {words}"))
}

fn read_duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    let (_, seconds) = UNITS.into_iter().find(|(own, _)| *own == unit)?;
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

/// The units of a duration, largest first, in seconds.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// Whole seconds as [`parse_duration`] reads them, in the largest unit that is exact.
pub fn duration_text(seconds: u64) -> String {
    let exact = UNITS
        .into_iter()
        .find(|(_, unit)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (unit, size) = exact.unwrap_or(('s', 1));
    format!("{}{unit}", seconds / size)
}

/// Where `now` comes from: the system in the program, a hand-moved clock in tests.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_unit_is_no_duration() {
        assert_eq!(read_duration("10m"), Some(Duration::from_secs(600)));
        for bad in ["10", "m", "", "1.5h", "-1s", "10 weeks"] {
            assert_eq!(read_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_duration_is_written_in_its_largest_exact_unit() {
        for text in ["0s", "90s", "15m", "2h", "14d"] {
            assert_eq!(duration_text(read_duration(text).unwrap().as_secs()), text);
        }
        assert_eq!(duration_text(3601), "3601s");
    }

    #[test]
    fn only_utc_in_its_plain_form_is_read() {
        let noon = Timestamp::from_seconds(1_789_387_200);
        assert_eq!(Timestamp::parse_utc("2026-09-14T12:00:00Z"), Some(noon));
        assert_eq!(
            Timestamp::parse_utc("2026-09-14T12:00:00.250Z"),
            Some(noon.plus(Duration::from_millis(250)))
        );
        for text in [
            "",
            "2026-09-14T12:00:00",
            "2026-09-14T12:00:00+00:00",
            "2026-09-14t12:00:00Z",
            "2026-09-14 12:00:00Z",
            "2026-09-14T12:00Z",
            "2026-09-14T12:00:00.Z",
            "2026-13-14T12:00:00Z",
            "+2026-09-14T12:00:00Z",
            "2026-09-14T12:00:00Z[UTC]",
            "12026-09-14T12:00:00Z",
        ] {
            assert_eq!(Timestamp::parse_utc(text), None, "{text}");
        }
    }
}
