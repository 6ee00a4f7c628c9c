//! Durations as people write them: `90s`, `10m`, `8h`, `14d`.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// A duration read from text. Whole numbers with one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Reads a duration, for keys and for command-line options.
///
/// # Errors
/// In words for the operator.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let words = "is not a duration: write a whole number and s, m, h or d, as in \"10m\"";
    parse(text).ok_or_else(|| format!("{text:?} {words}"))
}

fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_unit_is_refused() {
        assert_eq!(parse("10m"), Some(Duration::from_secs(600)));
        for bad in ["10", "m", "", "1.5h", "-1s", "10 weeks"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
