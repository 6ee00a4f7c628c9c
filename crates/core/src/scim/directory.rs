//! A provisioning client and its tokens, as they rest.

use crate::clock::Timestamp;
use crate::id::{DirectoryId, DirectoryTokenId};

/// A provisioning client: Okta, Entra ID, a script. It owns the people and groups that it made or adopted, and sees no
/// others (SC-20).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Server-made.
    pub id: DirectoryId,
    /// For people; unique.
    pub name: String,
    /// Whether it may take over people and groups of the administrator by their name. Those of another directory it
    /// never may.
    pub adopts: bool,
    /// Whether a path that meets no element is refused, as RFC 7644 has it; else the element is made, as Entra ID
    /// needs it (SC-11).
    pub strict_paths: bool,
    /// Whether its tokens are accepted.
    pub enabled: bool,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A bearer token of a directory, stored as SHA-256. Several may be live, so that one can be replaced without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryToken {
    /// Server-made.
    pub id: DirectoryTokenId,
    /// Whose it is.
    pub directory: DirectoryId,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// For people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops being accepted.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last accepted, to the minute.
    pub last_used_at: Option<Timestamp>,
}
