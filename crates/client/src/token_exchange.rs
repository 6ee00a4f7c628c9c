//! Leg 1: the token exchange that gets an ID-JAG from the enterprise IdP (RFC 8693; ID-JAG draft, section 4.3).
//!
//! Owns the request's parameters and what an acceptable answer is. Never reads the ID-JAG (see [`crate::id_jag`]).

use lanyard_fetch::{FetchRequest, FetchResponse};
use lanyard_protocol::form::Form;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_response::TOKEN_TYPE_NA;
use lanyard_protocol::oauth::token_type::TokenTypeUri;
use lanyard_protocol::scope::ScopeSet;
use secrecy::{ExposeSecret as _, SecretString};

use crate::credentials::Caller;
use crate::token_endpoint::{TokenError, token_request, token_response};

/// Whose access is asked for.
#[derive(Clone)]
#[non_exhaustive]
pub enum SubjectToken {
    /// The ID token of the sign-in.
    IdToken(SecretString),
    /// A refresh token of the sign-in (JAG, section 4.3.3).
    RefreshToken(SecretString),
}

/// The parameters of a token exchange.
pub struct Exchange<'a> {
    /// Whose access.
    pub subject: &'a SubjectToken,
    /// The issuer of the RAS, from its validated metadata (CL-TX-01).
    pub audience: &'a Issuer,
    /// The resource exactly as its metadata publishes it (interop finding 6).
    pub resource: &'a str,
    /// What is asked for; the parameter is left out for the empty set (CL-SC-01).
    pub scope: &'a ScopeSet,
}

/// An ID-JAG as the IdP answered it. Not yet looked into.
pub struct IssuedIdJag {
    /// The compact JWT.
    pub id_jag: SecretString,
    /// What was granted, when the answer says so.
    pub scope: Option<ScopeSet>,
    /// Its lifetime in seconds, when the answer says so.
    pub expires_in: Option<u64>,
}

/// Builds the request (CL-TX-01).
///
/// # Errors
/// [`TokenError::Endpoint`] for an endpoint that may not be sent credentials.
pub fn exchange_request(
    endpoint: &str,
    caller: &Caller<'_>,
    exchange: &Exchange<'_>,
) -> Result<FetchRequest, TokenError> {
    let (subject, kind) = match exchange.subject {
        SubjectToken::IdToken(token) => (token, TokenTypeUri::IdToken),
        SubjectToken::RefreshToken(token) => (token, TokenTypeUri::RefreshToken),
    };
    let mut form = Form::default()
        .with("grant_type", GrantType::TokenExchange.as_str())
        .with("requested_token_type", TokenTypeUri::IdJag.as_str())
        .with("audience", exchange.audience.as_str())
        .with("resource", exchange.resource)
        .with("subject_token", subject.expose_secret())
        .with("subject_token_type", kind.as_str());
    if let Some(scope) = exchange.scope.to_wire() {
        form = form.with("scope", scope);
    }
    token_request(endpoint, caller, form)
}

/// Accepts the answer only when it is an ID-JAG (CL-TX-02).
///
/// # Errors
/// [`TokenError::Kind`] for any other token, and what [`token_response`] refuses.
pub fn exchange_response(response: &FetchResponse) -> Result<IssuedIdJag, TokenError> {
    let token = token_response(response)?;
    if token.issued_token_type.as_deref() != Some(TokenTypeUri::IdJag.as_str()) {
        return Err(TokenError::Kind("issued_token_type is not the ID-JAG type"));
    }
    if !token.token_type.eq_ignore_ascii_case(TOKEN_TYPE_NA) {
        return Err(TokenError::Kind("token_type of an ID-JAG is not N_A"));
    }
    Ok(IssuedIdJag {
        id_jag: SecretString::from(token.access_token),
        scope: token.scope,
        expires_in: token.expires_in,
    })
}
