//! A signing key as it rests.

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::Jwk;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// Which party signs with a key. Rings are never shared (architecture, rule 5; TOK-GN-03).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ring {
    /// ID tokens and ID-JAGs.
    Idp,
    /// Access tokens.
    Ras,
    /// Audit checkpoints.
    Audit,
    /// Requests to SAML identity providers, and what they encrypt to us.
    Saml,
}

impl Ring {
    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idp => "idp",
            Self::Ras => "ras",
            Self::Audit => "audit",
            Self::Saml => "saml",
        }
    }
}

/// Where a key is in its life (MD-KEY-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Published, not signing yet.
    Next,
    /// Published and signing.
    Active,
    /// Published, no longer signing; removed when the last token it signed is expired.
    Retired,
    /// Not published, not accepted. Never comes back (SEC-17).
    Removed,
}

impl KeyState {
    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Removed => "removed",
        }
    }
}

/// A signing key with its private half sealed under the key-encryption key.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredKey {
    /// Thumbprint (RFC 7638).
    pub kid: String,
    /// Its ring.
    pub ring: Ring,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// The public half.
    pub public: Jwk,
    /// PKCS #8, sealed; bound to table `signing_keys`, row = kid, column `private`. Emptied on removal.
    pub sealed_private: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it begins, or began, to sign.
    pub activates_at: Timestamp,
    /// When it stopped signing.
    pub retired_at: Option<Timestamp>,
    /// When a retired key leaves the published set.
    pub remove_after: Option<Timestamp>,
}
