//! Durations as people write them: `90s`, `10m`, `8h`, `14d`.

use std::time::Duration;

pub(crate) use lanyard_core::clock::parse_duration;
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
