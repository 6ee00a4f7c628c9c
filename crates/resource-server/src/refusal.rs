//! Why a request is refused, and the answer that says so (requirements, section 16, rows 20 to 26).
//!
//! Owns the table from reason to status and challenge. Never puts anything of a token into an answer (RS-CH-05).

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use lanyard_jose::verify::VerifyError;
use lanyard_protocol::challenge::Challenge;
use lanyard_protocol::scope::ScopeSet;
use lanyard_protocol::step_up::AuthenticationNeed;

use crate::credential::MalformedCredentials;
use crate::resource::ProtectedResource;

/// A decided "no" of a resource server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No credentials (row 20).
    NoCredentials,
    /// Several or malformed credentials, or a token in the query (row 25).
    Malformed(MalformedCredentials),
    /// The token failed a check (row 21).
    Token(VerifyError),
    /// The token is revoked (row 21).
    Revoked,
    /// The token is bound to a key whose proof this server does not take (row 21).
    Bound,
    /// The token lacks scopes that the operation needs (row 22).
    Scope(ScopeSet),
    /// The sign-in behind the token is too weak or too old for the operation (row 24).
    Authentication(AuthenticationNeed),
    /// The `Origin` may not call (row 26).
    Origin,
    /// The keys cannot be had.
    Keys,
    /// The revocation view is older than its bound.
    Stale,
}

impl Refusal {
    /// The stable name, for records and metrics. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::Malformed(_) => "malformed_credentials",
            Self::Token(error) => error.code(),
            Self::Revoked => "revoked",
            Self::Bound => "proof_of_possession",
            Self::Scope(_) => "insufficient_scope",
            Self::Authentication(_) => "insufficient_user_authentication",
            Self::Origin => "origin",
            Self::Keys => "keys_unavailable",
            Self::Stale => "revocation_stale",
        }
    }

    /// The HTTP status.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NoCredentials | Self::Token(_) | Self::Revoked | Self::Bound | Self::Authentication(_) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Scope(_) | Self::Origin => StatusCode::FORBIDDEN,
            Self::Keys | Self::Stale => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The challenge, where one belongs.
    pub fn challenge(&self, resource: &ProtectedResource) -> Option<Challenge> {
        match self {
            Self::NoCredentials => Some(resource.challenge()),
            Self::Malformed(_) => Some(resource.invalid_request(self.description())),
            Self::Token(_) | Self::Revoked | Self::Bound => Some(resource.invalid_token(self.description())),
            Self::Scope(needed) => Some(resource.insufficient_scope(needed, self.description())),
            Self::Authentication(need) => Some(resource.insufficient_authentication(need, self.description())),
            Self::Origin | Self::Keys | Self::Stale => None,
        }
    }

    /// The whole answer. The body is an OAuth error or empty, never a JSON-RPC error (D-21).
    pub fn response(&self, resource: &ProtectedResource) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge(resource)
            && let Ok(value) = HeaderValue::try_from(challenge.to_string())
        {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(error) = self.error() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let body = serde_json::json!({ "error": error, "error_description": self.description() });
            *response.body_mut() = Full::new(Bytes::from(body.to_string()));
        }
        response
    }

    /// The code on the wire. Without credentials there is none (RFC 6750, section 3.1).
    const fn error(&self) -> Option<&'static str> {
        match self {
            Self::NoCredentials => None,
            Self::Malformed(_) => Some("invalid_request"),
            Self::Token(_) | Self::Revoked | Self::Bound => Some("invalid_token"),
            Self::Scope(_) => Some("insufficient_scope"),
            Self::Authentication(_) => Some("insufficient_user_authentication"),
            Self::Origin => Some("access_denied"),
            Self::Keys | Self::Stale => Some("temporarily_unavailable"),
        }
    }

    const fn description(&self) -> &'static str {
        match self {
            Self::NoCredentials => "an access token is needed",
            Self::Malformed(reason) => reason.0,
            Self::Token(VerifyError::Expired) => "the access token expired",
            Self::Token(_) => "the access token is not valid for this resource",
            Self::Revoked => "the access token was revoked",
            Self::Bound => "key-bound access tokens are not accepted here",
            Self::Scope(_) => "the access token lacks a scope that this operation needs",
            Self::Authentication(_) => "this operation needs a stronger or more recent sign-in",
            Self::Origin => "this origin may not call",
            Self::Keys | Self::Stale => "the access token cannot be checked at the moment, try again",
        }
    }
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        Self::Token(error)
    }
}

impl From<MalformedCredentials> for Refusal {
    fn from(error: MalformedCredentials) -> Self {
        Self::Malformed(error)
    }
}
