//! Successful token responses (RFC 6749, section 5.1; RFC 8693, section 2.2.1; ID-JAG draft, section 4.3.4).

use serde::{Deserialize, Serialize};

use crate::audience::OneOrMany;
use crate::scope::ScopeSet;

/// The `token_type` of an answer whose token is not an access token (RFC 8693, section 2.2.1).
pub const TOKEN_TYPE_NA: &str = "N_A";
/// The `token_type` of a bearer token (RFC 6750).
pub const TOKEN_TYPE_BEARER: &str = "Bearer";

/// A successful answer of a token endpoint. Its tokens are secrets: the type has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The token: an access token, or the ID-JAG of a token exchange.
    pub access_token: String,
    /// `Bearer`, `DPoP` or `N_A`.
    pub token_type: String,
    /// What was issued, on a token exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<String>,
    /// Lifetime in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// What was granted; never an empty string (interop finding 8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeSet>,
    /// The granted resource (D-15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<OneOrMany<String>>,
    /// A refresh token; on neither leg of the ID-JAG flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// An ID token, from the code and refresh grants of the issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}
