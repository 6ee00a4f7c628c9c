//! Token type identifiers (RFC 8693, section 3; ID-JAG draft, section 9.2).

/// A token type of RFC 8693 that appears in Lanyard's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenTypeUri {
    /// An ID-JAG.
    IdJag,
    /// An ID token.
    IdToken,
    /// A refresh token.
    RefreshToken,
    /// A SAML 2.0 assertion.
    Saml2,
    /// An access token; never a subject here (IDP-TX-08).
    AccessToken,
    /// A JWT of unnamed kind; never a subject here (IDP-TX-08).
    Jwt,
}

impl TokenTypeUri {
    /// The identifier on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdJag => "urn:ietf:params:oauth:token-type:id-jag",
            Self::IdToken => "urn:ietf:params:oauth:token-type:id_token",
            Self::RefreshToken => "urn:ietf:params:oauth:token-type:refresh_token",
            Self::Saml2 => "urn:ietf:params:oauth:token-type:saml2",
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }

    /// Reads an identifier; `None` for an unknown one.
    pub fn parse(value: &str) -> Option<Self> {
        [
            Self::IdJag,
            Self::IdToken,
            Self::RefreshToken,
            Self::Saml2,
            Self::AccessToken,
            Self::Jwt,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == value)
    }
}
