//! OAuth error codes and bodies (RFC 6749, section 5.2; requirements, section 16).
//!
//! Owns the codes and the JSON shape. Never decides which code a denial gets.

use serde::{Deserialize, Serialize};

/// An error code of the token, authorization, revocation or introspection endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// Row 1 of the error table.
    InvalidRequest,
    /// Row 2.
    InvalidClient,
    /// Rows 5, 11 to 13, 15, 17.
    InvalidGrant,
    /// Row 3.
    UnauthorizedClient,
    /// Row 4.
    UnsupportedGrantType,
    /// Row 8.
    InvalidScope,
    /// Rows 6 and 14 (RFC 8707).
    InvalidTarget,
    /// Row 7 (D-08).
    AccessDenied,
    /// Row 9 (RFC 9470).
    InsufficientUserAuthentication,
    /// Row 10 (RFC 9396).
    InvalidAuthorizationDetails,
    /// RFC 6749, section 4.1.2.1.
    UnsupportedResponseType,
    /// OpenID Connect Core, section 3.1.2.6.
    LoginRequired,
    /// OpenID Connect Core, section 3.1.2.6.
    InteractionRequired,
    /// OpenID Connect Core, section 3.1.2.6.
    RequestNotSupported,
    /// OpenID Connect Core, section 3.1.2.6.
    RequestUriNotSupported,
    /// OpenID Connect Core Error Code unmet_authentication_requirements; RFC 9470, section 5.
    UnmetAuthenticationRequirements,
    /// RFC 6750, section 3.1.
    InvalidToken,
    /// RFC 6750, section 3.1.
    InsufficientScope,
    /// RFC 7009, section 2.2.1.
    UnsupportedTokenType,
    /// A failure of ours.
    ServerError,
    /// Overload or an unreachable store (row 18).
    TemporarilyUnavailable,
}

impl ErrorCode {
    /// The code as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::LoginRequired => "login_required",
            Self::InteractionRequired => "interaction_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

/// The JSON body of an error (ER-01): fixed words and the request id by which an administrator finds the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The code.
    pub error: String,
    /// A short neutral sentence in ASCII.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// Names the audit event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Step-up: what authentication is needed (SU-02).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr_values: Option<String>,
    /// Step-up: how fresh it must be, in seconds (SU-02).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
}
