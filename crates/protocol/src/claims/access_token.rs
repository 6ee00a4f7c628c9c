//! Claims of a JWT access token (RFC 9068, section 2.2).
//!
//! Owns their JSON types. Never checks their values against a context.

use serde::{Deserialize, Serialize};

use crate::audience::OneOrMany;
use crate::claims::time::{NumericDate, Subject, TokenId};
use crate::client_id::ClientId;
use crate::issuer::Issuer;
use crate::scope::ScopeSet;

/// The `typ` of an access token (RFC 9068, section 2.1; TOK-AT-01).
pub const TYP: &str = "at+jwt";

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// The authorization server.
    pub iss: Issuer,
    /// The account at that authorization server, never the IdP's `sub`.
    pub sub: Subject,
    /// The resource identifiers (RAS-AT-01).
    pub aud: OneOrMany<String>,
    /// The client that redeemed.
    pub client_id: ClientId,
    /// Unique identifier, for revocation and audit.
    pub jti: TokenId,
    /// Time of issue.
    pub iat: NumericDate,
    /// Expiry.
    pub exp: NumericDate,
    /// Not valid before, when present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<NumericDate>,
    /// Granted scopes; absent means no privileges (RS-TK-06).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeSet>,
    /// When the user signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<NumericDate>,
    /// Authentication context class reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Authentication methods used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amr: Option<Vec<String>>,
    /// Proof-of-possession key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<serde_json::Value>,
    /// Tenant of the authorization server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Sign-in session, on the issuer's own access tokens only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}
