//! Client identifiers (RFC 6749, section 2.2).
//!
//! Owns their syntax. Never knows whether a client is registered.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A client identifier: 1 to 512 printable ASCII characters, compared byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(String);

impl ClientId {
    /// Parses a client identifier.
    ///
    /// # Errors
    /// [`InvalidClientId`] when it is empty, too long or not printable ASCII.
    pub fn parse(value: impl Into<String>) -> Result<Self, InvalidClientId> {
        Self::try_from(value.into())
    }

    /// The identifier as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClientId {
    type Error = InvalidClientId;

    fn try_from(value: String) -> Result<Self, Self::Error> {
        let printable = value.bytes().all(|b| (0x20..=0x7e).contains(&b));
        if value.is_empty() || value.len() > 512 || !printable {
            return Err(InvalidClientId);
        }
        Ok(Self(value))
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a client identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a client identifier: 1 to 512 printable ASCII characters are needed")]
pub struct InvalidClientId;
