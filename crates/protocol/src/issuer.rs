//! Issuer identifiers (RFC 8414, section 2).
//!
//! Owns the syntax of issuers. Never decides whether an issuer is trusted.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::url_rules;

/// The identifier of an authorization server: an `https` URL without query or fragment.
///
/// Two issuers are equal when their strings are equal, code point by code point
/// (RFC 8414, section 3.3; D-07). They are never normalised: a trailing slash makes a
/// different issuer. `http` is accepted on loopback only; whether the deployment may use
/// it is decided at start (HT-01, SEC-09).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Issuer(String);

impl Issuer {
    /// Parses an issuer.
    ///
    /// # Errors
    /// [`InvalidIssuer`] says which rule the text breaks.
    pub fn parse(value: impl Into<String>) -> Result<Self, InvalidIssuer> {
        Self::try_from(value.into())
    }

    /// The identifier exactly as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the issuer is served over plain `http` (loopback only).
    pub fn is_plain_http(&self) -> bool {
        self.0.starts_with("http://")
    }

    /// An endpoint below this issuer: `{issuer}{path}` with `path` starting with a slash.
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.0.trim_end_matches('/'))
    }

    /// The path of the issuer URL without a final slash; empty for an issuer at the root.
    pub fn path(&self) -> String {
        Url::parse(&self.0)
            .map(|url| url.path().trim_end_matches('/').to_owned())
            .unwrap_or_default()
    }

    /// Scheme, host and port: `https://login.example` or `http://127.0.0.1:4500`.
    pub fn origin(&self) -> String {
        Url::parse(&self.0)
            .map(|url| url.origin().ascii_serialization())
            .unwrap_or_default()
    }

    /// The well-known URL of `suffix` with the suffix **inserted** between host and path (RFC 8414, section 3.1).
    pub fn well_known_inserted(&self, suffix: &str) -> String {
        format!("{}/.well-known/{suffix}{}", self.origin(), self.path())
    }

    /// The well-known URL of `suffix` **appended** to the issuer (OpenID Connect Discovery, section 4).
    pub fn well_known_appended(&self, suffix: &str) -> String {
        format!("{}{}/.well-known/{suffix}", self.origin(), self.path())
    }
}

impl TryFrom<String> for Issuer {
    type Error = InvalidIssuer;

    fn try_from(value: String) -> Result<Self, Self::Error> {
        if url_rules::is_common(&value) {
            return Ok(Self(value));
        }
        let url = Url::parse(&value).map_err(|_| InvalidIssuer("it is not an absolute URL"))?;
        if value.len() > 1024 {
            return Err(InvalidIssuer("it is longer than 1024 characters"));
        }
        if value.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(InvalidIssuer("it contains white space or control characters"));
        }
        if !url_rules::is_protected(&url) {
            return Err(InvalidIssuer("the scheme is not https (http is for loopback only)"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidIssuer("it carries user information"));
        }
        if value.contains('?') || value.contains('#') {
            return Err(InvalidIssuer("it has a query or a fragment"));
        }
        Ok(Self(value))
    }
}

impl From<Issuer> for String {
    fn from(issuer: Issuer) -> Self {
        issuer.0
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not an issuer identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an issuer identifier: {0}")]
pub struct InvalidIssuer(&'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_makes_a_different_issuer() {
        assert_ne!(
            Issuer::parse("https://a.example").unwrap(),
            Issuer::parse("https://a.example/").unwrap()
        );
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        assert!(Issuer::parse("http://127.0.0.1:4500").is_ok());
        assert!(Issuer::parse("http://login.example").is_err());
    }

    #[test]
    fn queries_fragments_and_user_information_are_refused() {
        for bad in [
            "https://a.example?x",
            "https://a.example#x",
            "https://u@a.example",
            "a.example",
            "https://a b",
        ] {
            assert!(Issuer::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn well_known_urls_have_both_forms_for_an_issuer_with_a_path() {
        let issuer = Issuer::parse("https://a.example/t1").unwrap();
        assert_eq!(
            issuer.well_known_inserted("openid-configuration"),
            "https://a.example/.well-known/openid-configuration/t1"
        );
        assert_eq!(
            issuer.well_known_appended("openid-configuration"),
            "https://a.example/t1/.well-known/openid-configuration"
        );
    }
}
