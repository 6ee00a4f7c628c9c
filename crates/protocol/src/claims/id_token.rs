//! Claims of an ID token (OpenID Connect Core, section 2).
//!
//! Owns their JSON types. Never checks their values against a context.

use serde::{Deserialize, Serialize};

use crate::audience::OneOrMany;
use crate::claims::time::{NumericDate, Subject};
use crate::issuer::Issuer;

/// The `typ` of an ID token, when present (TOK-ID-01).
pub const TYP: &str = "JWT";

/// What an ID token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdTokenClaims {
    /// The IdP.
    pub iss: Issuer,
    /// The user, possibly pairwise for the client.
    pub sub: Subject,
    /// The client's id at the IdP.
    pub aud: OneOrMany<String>,
    /// Expiry.
    pub exp: NumericDate,
    /// Time of issue.
    pub iat: NumericDate,
    /// Not valid before, when present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<NumericDate>,
    /// When the user signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<NumericDate>,
    /// Echo of the authorization request's nonce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Authentication context class reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Authentication methods used (RFC 8176).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amr: Option<Vec<String>>,
    /// The authorized party when there are several audiences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azp: Option<String>,
    /// Left half of the hash of the access token issued beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// Session identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Unique identifier, when present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// E-mail address, only when scope `email` was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the address was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Display name, only when scope `profile` was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// User name, only when scope `profile` was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
}
