//! Administrator tokens and the one-time owner token.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::AdminTokenId;

/// The authenticated administrator, given to every admin service: a call without an actor does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Which token acted.
    pub token: AdminTokenId,
    /// What it may do.
    pub role: AdminRole,
}

/// What an administrator may do.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminRole {
    /// Everything.
    Owner,
    /// Reads everything, changes nothing.
    Auditor,
    /// A gateway process: reads routes and revocations, delivers call events.
    Gateway,
}

impl AdminRole {
    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Auditor => "auditor",
            Self::Gateway => "gateway",
        }
    }
}

/// An administrator token as it rests; the token is stored as SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminToken {
    /// Server-made.
    pub id: AdminTokenId,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// For people.
    pub name: String,
    /// What it may do.
    pub role: AdminRole,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops being accepted.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The one-time token of the first start (or of a reset), traded for an owner token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerClaim {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// One hour later.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}
