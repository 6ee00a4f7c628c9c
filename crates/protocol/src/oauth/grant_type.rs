//! Grant types (RFC 6749; RFC 8693; RFC 7523).

/// A grant type that Lanyard knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum GrantType {
    /// `authorization_code` (RFC 6749, section 4.1).
    AuthorizationCode,
    /// `refresh_token` (RFC 6749, section 6).
    RefreshToken,
    /// RFC 8693.
    TokenExchange,
    /// RFC 7523, section 2.1.
    JwtBearer,
}

impl GrantType {
    /// The value of `grant_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }

    /// Reads a value of `grant_type`; `None` for one that Lanyard does not know.
    pub fn parse(value: &str) -> Option<Self> {
        [
            Self::AuthorizationCode,
            Self::RefreshToken,
            Self::TokenExchange,
            Self::JwtBearer,
        ]
        .into_iter()
        .find(|grant| grant.as_str() == value)
    }
}

/// The grant profile of ID-JAG, advertised by the RAS (EMA, section 6; MD-RAS-02).
pub const ID_JAG_PROFILE: &str = "urn:ietf:params:oauth:grant-profile:id-jag";
