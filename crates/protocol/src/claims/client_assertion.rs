//! Claims of a client assertion (RFC 7523, section 3, as tightened by 7523bis; D-09).
//!
//! Owns their JSON types. Never checks their values against a context.

use serde::{Deserialize, Serialize};

use crate::audience::OneOrMany;
use crate::claims::time::{NumericDate, TokenId};
use crate::client_id::ClientId;

/// The `typ` that Lanyard's clients send (7523bis). Servers also accept an absent or `JWT` typ (D-09).
pub const TYP: &str = "client-authentication+jwt";

/// The value of `client_assertion_type` (RFC 7523, section 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client assertion says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientAssertionClaims {
    /// The client.
    pub iss: ClientId,
    /// The client again.
    pub sub: ClientId,
    /// The issuer of the authorization server, as the sole value.
    pub aud: OneOrMany<String>,
    /// Unique identifier; used once.
    pub jti: TokenId,
    /// Expiry, at most five minutes ahead.
    pub exp: NumericDate,
    /// Time of issue, when present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<NumericDate>,
    /// Not valid before, when present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<NumericDate>,
}
