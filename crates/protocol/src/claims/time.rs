//! Numeric dates (RFC 7519, section 2) and bounded identifiers in claims.
//!
//! Owns "whole seconds, in a sane range" and "non-empty, bounded text". Never reads a clock.

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z; whole, not negative, before the year 10000 (TOK-GN-02).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct NumericDate(i64);

impl NumericDate {
    /// Makes a date of `seconds`; values out of range are moved to the nearest end.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.clamp(0, 253_402_300_799))
    }

    /// Seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for NumericDate {
    type Error = InvalidClaim;

    fn try_from(seconds: i64) -> Result<Self, Self::Error> {
        if (0..=253_402_300_799).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(InvalidClaim("a date is out of range"))
        }
    }
}

impl From<NumericDate> for i64 {
    fn from(date: NumericDate) -> Self {
        date.0
    }
}

/// A `jti`: 1 to 256 characters (RAS-JB-14).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId(String);

impl TokenId {
    /// The identifier as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TokenId {
    type Error = InvalidClaim;

    fn try_from(value: String) -> Result<Self, Self::Error> {
        if value.is_empty() || value.len() > 256 || value.chars().any(char::is_control) {
            return Err(InvalidClaim("a jti must have 1 to 256 characters"));
        }
        Ok(Self(value))
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.0
    }
}

/// A `sub`: 1 to 255 characters without controls (OpenID Connect Core, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject(String);

impl Subject {
    /// Parses a subject identifier.
    ///
    /// # Errors
    /// [`InvalidClaim`] when it is empty, too long or has control characters.
    pub fn parse(value: impl Into<String>) -> Result<Self, InvalidClaim> {
        Self::try_from(value.into())
    }

    /// The identifier as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Subject {
    type Error = InvalidClaim;

    fn try_from(value: String) -> Result<Self, Self::Error> {
        if value.is_empty() || value.len() > 255 || value.chars().any(char::is_control) {
            return Err(InvalidClaim("a sub must have 1 to 255 characters"));
        }
        Ok(Self(value))
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.0
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A claim has a value that the specification does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidClaim(pub(crate) &'static str);
