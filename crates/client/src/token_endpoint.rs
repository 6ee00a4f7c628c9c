//! One request to a token endpoint and its answer (RFC 6749, sections 3.2 and 5).
//!
//! Owns the HTTP form of both. Never chooses a grant and never retries.

use std::fmt;

use http::header::{AUTHORIZATION, HeaderValue};
use lanyard_fetch::{FetchError, FetchRequest, FetchResponse};
use lanyard_protocol::form::Form;
use lanyard_protocol::json;
use lanyard_protocol::oauth::error::{ErrorBody, ErrorCode};
use lanyard_protocol::oauth::token_response::TokenResponse;
use lanyard_protocol::url_rules;
use secrecy::ExposeSecret as _;
use url::Url;

use crate::credentials::{Caller, CredentialError, authenticate};

/// Builds the POST with `form` and the caller's credential.
///
/// # Errors
/// [`TokenError::Endpoint`] unless the endpoint is `https` (or loopback) without a fragment; nothing is sent then.
pub fn token_request(endpoint: &str, caller: &Caller<'_>, form: Form) -> Result<FetchRequest, TokenError> {
    let url = protected_url(endpoint)?;
    let sent = authenticate(caller, form)?;
    let mut request = FetchRequest::post_form(url, &sent.form);
    if let Some(authorization) = sent.authorization {
        let mut value = HeaderValue::from_str(authorization.expose_secret())
            .map_err(|_| TokenError::Credential(CredentialError))?;
        value.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, value);
    }
    Ok(request)
}

/// An endpoint that may be sent credentials.
///
/// # Errors
/// [`TokenError::Endpoint`].
pub fn protected_url(endpoint: &str) -> Result<Url, TokenError> {
    let url = Url::parse(endpoint).map_err(|_| TokenError::Endpoint)?;
    let clean = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if clean && url_rules::is_protected(&url) {
        Ok(url)
    } else {
        Err(TokenError::Endpoint)
    }
}

/// Judges the answer: 200 with a token, or an OAuth error. Redirects are never followed (CL-WR-03).
///
/// # Errors
/// [`TokenError`].
pub fn token_response(response: &FetchResponse) -> Result<TokenResponse, TokenError> {
    if response.status == http::StatusCode::OK {
        let token: TokenResponse = json::from_slice(&response.body).map_err(|_| TokenError::Unreadable)?;
        if token.access_token.is_empty() {
            return Err(TokenError::Unreadable);
        }
        if token.expires_in == Some(0) {
            return Err(TokenError::DeadOnArrival);
        }
        return Ok(token);
    }
    Err(error_response(response))
}

/// Reads an OAuth error; a body that is none leaves the status.
pub fn error_response(response: &FetchResponse) -> TokenError {
    let status = response.status.as_u16();
    match json::from_slice::<ErrorBody>(&response.body) {
        Ok(body) => TokenError::Refused(Box::new(Refusal::of(status, body))),
        Err(_) => TokenError::Status(status),
    }
}

/// An OAuth error of a server, its texts reduced to short printable ASCII (SEC-21).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `error`.
    pub code: String,
    /// `error_description`.
    pub description: Option<String>,
    /// By which an administrator finds the reason.
    pub request_id: Option<String>,
    /// Step-up: the authentication asked for (SU-02).
    pub acr_values: Option<String>,
    /// Step-up: how fresh it must be.
    pub max_age: Option<u64>,
}

impl Refusal {
    fn of(status: u16, body: ErrorBody) -> Self {
        Self {
            status,
            code: plain(&body.error),
            description: body.error_description.as_deref().map(plain),
            request_id: body.request_id.as_deref().map(plain),
            acr_values: body.acr_values.as_deref().map(plain),
            max_age: body.max_age,
        }
    }

    /// Whether the code is `code`.
    pub fn is(&self, code: ErrorCode) -> bool {
        self.code == code.as_str()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        if let Some(description) = &self.description {
            write!(f, ": {description}")?;
        }
        if let Some(request_id) = &self.request_id {
            write!(f, " (request {request_id})")?;
        }
        Ok(())
    }
}

/// Foreign text for people: printable ASCII, at most 300 characters. What else there is becomes a space.
pub fn plain(text: &str) -> String {
    text.chars()
        .take(300)
        .map(|c| if matches!(c, ' '..='~') { c } else { ' ' })
        .collect()
}

/// Why a token request gave no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The endpoint may not be sent credentials (HT-01).
    #[error("the token endpoint is not an https URL")]
    Endpoint,
    /// The client's credential cannot be used.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// Not reached.
    #[error("the token endpoint could not be reached: {0}")]
    Fetch(#[from] FetchError),
    /// The server refused, with an OAuth error.
    #[error("the server refused: {0}")]
    Refused(Box<Refusal>),
    /// Another status without an OAuth error.
    #[error("the token endpoint answered with status {0}")]
    Status(u16),
    /// The answer is not a token response.
    #[error("the answer of the token endpoint is not a token response")]
    Unreadable,
    /// `expires_in` is zero.
    #[error("the server gave a token that has expired already")]
    DeadOnArrival,
    /// `token_type` or `issued_token_type` is not what was asked for (CL-TX-02).
    #[error("the server gave another kind of token: {0}")]
    Kind(&'static str),
}

impl TokenError {
    /// The OAuth error, when there is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_off_loopback_gets_no_credentials_ht_01() {
        for bad in [
            "http://as.example/token",
            "ftp://as.example/",
            "https://u:p@as.example/",
            "https://a.example/#x",
        ] {
            assert!(protected_url(bad).is_err(), "{bad}");
        }
        assert!(protected_url("http://127.0.0.1:4501/oauth2/token").is_ok());
    }

    #[test]
    fn foreign_text_cannot_reach_the_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\n"), "a [31mb ");
    }
}
