//! Leg 2: the redemption of an ID-JAG at the RAS (RFC 7523; ID-JAG draft, section 4.4).
//!
//! Owns the request's parameters and what an acceptable answer is. Never reuses an ID-JAG: the request consumes it.

use lanyard_fetch::{FetchRequest, FetchResponse};
use lanyard_protocol::form::Form;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_response::TOKEN_TYPE_BEARER;
use lanyard_protocol::scope::ScopeSet;
use secrecy::{ExposeSecret as _, SecretString};

use crate::cache::AccessToken;
use crate::credentials::Caller;
use crate::id_jag::CheckedIdJag;
use crate::token_endpoint::{TokenError, token_request, token_response};

/// What `scope` a redemption carries (CL-JB-02).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedemptionScope {
    /// No parameter: the request equals the ID-JAG's scopes (D-04).
    #[default]
    Omit,
    /// The scopes that the token exchange asked for.
    Inherit,
    /// This list, for servers that want one.
    Explicit(ScopeSet),
}

/// How redemptions are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedemptionStyle {
    /// The `scope` parameter.
    pub scope: RedemptionScope,
    /// Whether `resource` is sent as on leg 1.
    pub resource: bool,
}

impl Default for RedemptionStyle {
    fn default() -> Self {
        Self {
            scope: RedemptionScope::Omit,
            resource: true,
        }
    }
}

/// Builds the request. The ID-JAG is consumed: it is redeemed once (CL-JB-03).
///
/// # Errors
/// [`TokenError::Endpoint`] for an endpoint that may not be sent credentials.
pub fn redeem_request(
    endpoint: &str,
    caller: &Caller<'_>,
    id_jag: CheckedIdJag,
    style: &RedemptionStyle,
) -> Result<FetchRequest, TokenError> {
    let mut form = Form::default()
        .with("grant_type", GrantType::JwtBearer.as_str())
        .with("assertion", id_jag.token.expose_secret());
    if style.resource {
        form = form.with("resource", id_jag.resource.as_str());
    }
    let scope = match &style.scope {
        RedemptionScope::Omit => None,
        RedemptionScope::Inherit => id_jag.requested.to_wire(),
        RedemptionScope::Explicit(scope) => scope.to_wire(),
    };
    if let Some(scope) = scope {
        form = form.with("scope", scope);
    }
    token_request(endpoint, caller, form)
}

/// Accepts a bearer token (EMA, section 5).
///
/// # Errors
/// [`TokenError::Kind`] for any other kind of token, and what [`token_response`] refuses.
pub fn redeem_response(response: &FetchResponse, now: i64) -> Result<AccessToken, TokenError> {
    bearer(token_response(response)?, now)
}

/// Turns a token response into an access token.
///
/// # Errors
/// [`TokenError::Kind`] unless the token is a bearer token.
pub(crate) fn bearer(
    token: lanyard_protocol::oauth::token_response::TokenResponse,
    now: i64,
) -> Result<AccessToken, TokenError> {
    if !token.token_type.eq_ignore_ascii_case(TOKEN_TYPE_BEARER) {
        return Err(TokenError::Kind("token_type of an access token is not Bearer"));
    }
    let lifetime = token
        .expires_in
        .map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    Ok(AccessToken {
        token: SecretString::from(token.access_token),
        issued_at: now,
        expires_at: lifetime.map(|seconds| now.saturating_add(seconds)),
        scope: token.scope,
    })
}
