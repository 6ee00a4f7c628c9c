//! A browser session at the IdP.

use crate::clock::Timestamp;
use crate::id::{ConnectionId, SessionId, UserId};
use crate::session::strength::Strength;

/// How and when a person signed in; copied into tokens (IDP-MN-05, SU-04).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentication {
    /// The instant of the sign-in.
    pub auth_time: Timestamp,
    /// Authentication context class reached, as whoever authenticated the person named it.
    pub acr: String,
    /// Methods used (RFC 8176).
    pub amr: Vec<String>,
    /// What it counts as for step-up.
    pub strength: Strength,
}

/// A signed-in browser. The cookie's secret is stored as SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The `sid` of ID tokens.
    pub id: SessionId,
    /// Who.
    pub user: UserId,
    /// SHA-256 of the cookie's secret.
    pub secret_hash: [u8; 32],
    /// The sign-in.
    pub authentication: Authentication,
    /// The identity provider that authenticated the person; `None` for the built-in directory.
    pub connection: Option<ConnectionId>,
    /// What that identity provider calls its session (`sid`, `SessionIndex`): for logout from there.
    pub upstream_session: Option<String>,
    /// The browser in words, for the person's list of sessions.
    pub agent: Option<String>,
    /// The address it began from, for the same list.
    pub peer: Option<String>,
    /// When the session began.
    pub created_at: Timestamp,
    /// Last use, written at most once a minute.
    pub last_used_at: Timestamp,
    /// The absolute end.
    pub expires_at: Timestamp,
    /// Ended by logout, deactivation or an administrator.
    pub ended_at: Option<Timestamp>,
    /// Whether the person ended it, or somebody else did (RV-07).
    pub ended_by_admin: bool,
}
