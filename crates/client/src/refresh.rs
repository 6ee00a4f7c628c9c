//! Renewing a sign-in with its refresh token (RFC 6749, section 6; OpenID Connect Core, section 12).
//!
//! Owns the request and the judgement. Never decides when to renew.

use lanyard_fetch::{FetchRequest, FetchResponse};
use lanyard_protocol::form::Form;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_response::TokenResponse;
use secrecy::{ExposeSecret as _, SecretString};

use crate::credentials::Caller;
use crate::token_endpoint::{TokenError, token_request, token_response};

/// Builds the request. Without `scope` the token allows what was granted, with it that part alone (RFC 6749, section 6).
///
/// # Errors
/// [`TokenError::Endpoint`].
pub fn refresh_request(
    endpoint: &str,
    caller: &Caller<'_>,
    refresh_token: &SecretString,
    scope: Option<&str>,
) -> Result<FetchRequest, TokenError> {
    let mut form = Form::default()
        .with("grant_type", GrantType::RefreshToken.as_str())
        .with("refresh_token", refresh_token.expose_secret());
    if let Some(scope) = scope {
        form = form.with("scope", scope);
    }
    token_request(endpoint, caller, form)
}

/// Judges the answer. A new refresh token replaces the old one, which must not be used again.
///
/// # Errors
/// What [`token_response`] refuses.
pub fn refresh_response(response: &FetchResponse) -> Result<TokenResponse, TokenError> {
    token_response(response)
}
