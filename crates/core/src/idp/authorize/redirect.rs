//! What is appended to a redirect URI (IDP-AU-04, IDP-AU-05; RFC 9207).
//!
//! Owns the encoding. Never decides whether a redirect URI is registered.

use lanyard_protocol::form::Form;
use lanyard_protocol::oauth::error::ErrorCode;
use secrecy::{ExposeSecret, SecretString};

use crate::idp::authorize::ValidAuthorize;
use crate::idp::settings::IdpSettings;

/// The location of a successful answer.
pub(super) fn code_location(settings: &IdpSettings, valid: &ValidAuthorize, code: &SecretString) -> SecretString {
    let mut answer = Form::default().with("code", code.expose_secret());
    if let Some(state) = &valid.state {
        answer = answer.with("state", state);
    }
    answer = answer.with("iss", settings.issuer.as_str());
    SecretString::from(appended(&valid.redirect_uri, &answer))
}

/// The location of an error, with `state` and `iss` (RFC 9207).
pub fn error_location(
    settings: &IdpSettings,
    redirect_uri: &str,
    state: Option<&str>,
    code: ErrorCode,
    description: Option<&str>,
) -> String {
    let mut answer = Form::default().with("error", code.as_str());
    if let Some(description) = description {
        answer = answer.with("error_description", description);
    }
    if let Some(state) = state {
        answer = answer.with("state", state);
    }
    appended(redirect_uri, &answer.with("iss", settings.issuer.as_str()))
}

fn appended(redirect_uri: &str, answer: &Form) -> String {
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{separator}{}", answer.encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_carries_state_and_iss_idp_au_04_idp_au_05() {
        let issuer = lanyard_protocol::issuer::Issuer::parse("https://login.example").unwrap();
        let settings = IdpSettings::new(issuer);
        let location = error_location(
            &settings,
            "https://app.example/cb?a=b",
            Some("x y&z"),
            ErrorCode::LoginRequired,
            None,
        );
        assert_eq!(
            location,
            "https://app.example/cb?a=b&error=login_required&state=x+y%26z&iss=https%3A%2F%2Flogin.example"
        );
    }
}
