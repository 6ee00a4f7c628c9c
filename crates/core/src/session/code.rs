//! An authorization code: single use, at most 60 seconds, bound to client, redirect URI and challenge (IDP-AU-06).

use lanyard_protocol::scope::ScopeSet;

use crate::clock::Timestamp;
use crate::id::{ClientKey, FamilyId, SessionId, UserId};
use crate::session::record::Authentication;

/// What a code stands for. The code itself is stored as SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// SHA-256 of the code.
    pub hash: [u8; 32],
    /// For which client.
    pub client: ClientKey,
    /// Who signed in.
    pub user: UserId,
    /// In which session.
    pub session: SessionId,
    /// The redirect URI of the request, byte for byte.
    pub redirect_uri: String,
    /// Scopes granted.
    pub scope: ScopeSet,
    /// Echoed in the ID token.
    pub nonce: Option<String>,
    /// PKCE S256 challenge.
    pub code_challenge: String,
    /// The sign-in.
    pub authentication: Authentication,
    /// Resource indicators are not taken here; this is when the code was made.
    pub created_at: Timestamp,
    /// When it dies.
    pub expires_at: Timestamp,
    /// When it was redeemed.
    pub used_at: Option<Timestamp>,
    /// The refresh family issued from it, ended on a second use.
    pub family: Option<FamilyId>,
}
