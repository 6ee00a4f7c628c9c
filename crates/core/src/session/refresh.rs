//! Refresh token families (IDP-AU-09; BCP, section 4.14).

use lanyard_protocol::scope::ScopeSet;

use crate::clock::Timestamp;
use crate::id::{ClientKey, FamilyId, SessionId, UserId};
use crate::session::record::Authentication;

/// Everything that descends from one sign-in of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshFamily {
    /// Server-made.
    pub id: FamilyId,
    /// Bound to this client.
    pub client: ClientKey,
    /// For a native client: the key it is bound to, once enrolled.
    pub bound_kid: Option<String>,
    /// Whose.
    pub user: UserId,
    /// The session it began in.
    pub session: SessionId,
    /// Whether it outlives the person's own logout (`offline_access`, RV-07).
    pub offline: bool,
    /// Scopes granted at the start.
    pub scope: ScopeSet,
    /// The original sign-in; refreshing never moves it (SU-04).
    pub authentication: Authentication,
    /// The nonce of the sign-in is not repeated; this is the start.
    pub created_at: Timestamp,
    /// Absolute end, 30 days.
    pub expires_at: Timestamp,
    /// Ended by reuse, revocation, logout or deactivation.
    pub ended_at: Option<Timestamp>,
}

/// One refresh token of a family. The token is stored as SHA-256; its successor is derived from it, so that
/// the immediate predecessor gets the same successor again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Its family.
    pub family: FamilyId,
    /// Position in the family, from 1.
    pub generation: i64,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Idle end, 14 days after issue.
    pub expires_at: Timestamp,
    /// When it was first rotated.
    pub rotated_at: Option<Timestamp>,
}
