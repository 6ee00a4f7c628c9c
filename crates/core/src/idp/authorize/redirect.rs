//! Redirect URIs: which are registered, and what is appended to them (IDP-AU-03 to IDP-AU-05; RFC 8252, section 7.3).
//!
//! Owns comparison and encoding. Never redirects.

use lanyard_protocol::form::Form;
use lanyard_protocol::oauth::error::ErrorCode;
use secrecy::{ExposeSecret, SecretString};

use crate::idp::authorize::ValidAuthorize;
use crate::idp::settings::IdpSettings;

/// The loopback literals whose port may vary: a native program takes whichever is free. Never `localhost`.
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// Whether `uri` is a registered one, byte for byte; on loopback literals but for the port.
pub fn matches_registered(registered: &[String], uri: &str) -> bool {
    registered.iter().any(|own| {
        own == uri || matches!((loopback(own), loopback(uri)), (Some(own), Some(uri)) if own == uri)
    })
}

/// Host and rest of a loopback URI, without its port.
fn loopback(uri: &str) -> Option<(&'static str, &str)> {
    LOOPBACK.into_iter().find_map(|host| {
        let rest = uri.strip_prefix(host)?;
        let rest = match rest.strip_prefix(':') {
            None => rest,
            Some(port) => {
                let digits = port.bytes().take_while(u8::is_ascii_digit).count();
                let (number, rest) = port.split_at_checked(digits)?;
                number.parse::<u16>().ok()?;
                rest
            }
        };
        let ends_authority = rest.is_empty() || rest.starts_with(['/', '?']);
        (ends_authority && !rest.contains('#')).then_some((host, rest))
    })
}

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

    fn registered(uri: &str) -> Vec<String> {
        vec![uri.to_owned()]
    }

    #[test]
    fn a_redirect_uri_matches_byte_for_byte_idp_au_03() {
        let own = registered("https://app.example/cb");
        assert!(matches_registered(&own, "https://app.example/cb"));
        for other in [
            "https://app.example/cb/",
            "https://app.example/cb/x",
            "https://app.example/cb?x=1",
            "https://app.example/CB",
            "https://app.example:443/cb",
            "https://app.example/cb#x",
            "https://app.example.evil.example/cb",
            "http://app.example/cb",
            "",
        ] {
            assert!(!matches_registered(&own, other), "{other}");
        }
    }

    #[test]
    fn only_loopback_literals_may_vary_in_port_idp_au_03() {
        for own in ["http://127.0.0.1/cb", "http://127.0.0.1:8080/cb"] {
            for good in ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"] {
                assert!(matches_registered(&registered(own), good), "{own} {good}");
            }
        }
        assert!(matches_registered(&registered("http://[::1]/cb"), "http://[::1]:4711/cb"));
        for (own, bad) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:80"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:80/cb/x"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:80/cb#x"),
            ("http://127.0.0.1/cb", "https://127.0.0.1:80/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.2/cb"),
            ("http://127.0.0.1/cb", "http://[::1]/cb"),
            ("http://127.0.0.1/cb", "http://localhost/cb"),
            ("http://localhost/cb", "http://localhost:80/cb"),
            ("https://127.0.0.1/cb", "https://127.0.0.1:80/cb"),
        ] {
            assert!(!matches_registered(&registered(own), bad), "{own} {bad}");
        }
    }

    #[test]
    fn an_error_carries_state_and_iss_idp_au_04_idp_au_05() {
        let issuer = lanyard_protocol::issuer::Issuer::parse("https://login.example").unwrap();
        let settings = IdpSettings::new(issuer);
        let location =
            error_location(&settings, "https://app.example/cb?a=b", Some("x y&z"), ErrorCode::LoginRequired, None);
        assert_eq!(
            location,
            "https://app.example/cb?a=b&error=login_required&state=x+y%26z&iss=https%3A%2F%2Flogin.example"
        );
    }
}
