//! Times in words.
//!
//! Owns how an instant is written for people. Never reads a clock.

use jiff::Timestamp;

/// `2026-09-14T12:00:00Z`.
pub(crate) fn instant(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}

/// `in 5 minutes`, `2 days ago`.
pub(crate) fn relative(seconds: i64, now: i64) -> String {
    let difference = seconds.saturating_sub(now);
    if difference.unsigned_abs() < 2 {
        return "just now".to_owned();
    }
    let amount = match difference.unsigned_abs() {
        n @ 0..=119 => format!("{n} seconds"),
        n @ 120..=7199 => format!("{} minutes", n / 60),
        n @ 7200..=172_799 => format!("{} hours", n / 3600),
        n => format!("{} days", n / 86_400),
    };
    if difference >= 0 {
        format!("in {amount}")
    } else {
        format!("{amount} ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_distances_read_well() {
        assert_eq!(instant(1_789_387_200), "2026-09-14T12:00:00Z");
        assert_eq!(relative(1000, 1000), "just now");
        assert_eq!(relative(1300, 1000), "in 5 minutes");
        assert_eq!(relative(1000, 1_000_000), "11 days ago");
    }
}
