//! The kinds of token and what makes each one recognisable (SEC-01; RFC 8725, sections 3.11 and 3.12).
//!
//! Owns the accepted `typ` values and the rules that hold inside one token. Never compares with a context.

use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::claims::access_token::{self, AccessTokenClaims};
use lanyard_protocol::claims::client_assertion::{self, ClientAssertionClaims};
use lanyard_protocol::claims::id_jag::{self, IdJagClaims};
use lanyard_protocol::claims::id_token::{self, IdTokenClaims};
use lanyard_protocol::claims::logout_token::{self, LogoutTokenClaims};
use lanyard_protocol::claims::time::NumericDate;
use lanyard_protocol::claims::upstream_id_token::UpstreamIdTokenClaims;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use crate::verify::VerifyError;

/// The time claims of a token, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub(crate) iat: Option<i64>,
    pub(crate) nbf: Option<i64>,
    pub(crate) exp: i64,
}

/// A kind of token. Closed: the kinds are the ones of this module.
pub trait Kind: sealed::Sealed + 'static {
    /// What a token of this kind says.
    type Claims: DeserializeOwned + Clone + Send + Sync + 'static;
    /// The name in records and metrics.
    const NAME: &'static str;
    /// The `typ` header value; [`OPTIONAL_TYP`](Self::OPTIONAL_TYP) may widen it.
    const TYP: &'static str;
    /// Whether an absent `typ` and `JWT` are accepted too. Such a kind looks at its claims more closely.
    const OPTIONAL_TYP: bool;

    #[doc(hidden)]
    fn issuer(claims: &Self::Claims) -> &str;
    #[doc(hidden)]
    fn audience(claims: &Self::Claims) -> &OneOrMany<String>;
    #[doc(hidden)]
    fn times(claims: &Self::Claims) -> Times;
    #[doc(hidden)]
    fn is_consistent(_: &Self::Claims) -> bool {
        true
    }

    /// Whether a header with this `typ` is of this kind. Media types compare without case, and `application/` may be
    /// left out (RFC 7515, section 4.1.9; RAS-JB-04).
    #[doc(hidden)]
    fn accepts(typ: Option<&str>) -> bool {
        let Some(typ) = typ else { return Self::OPTIONAL_TYP };
        is_media_type(typ, Self::TYP) || (Self::OPTIONAL_TYP && is_media_type(typ, "JWT"))
    }

    #[doc(hidden)]
    fn read(text: &[u8]) -> Result<Self::Claims, VerifyError> {
        // Without this an array would be read claim by claim.
        if text.first() != Some(&b'{') {
            return Err(VerifyError::Claims);
        }
        let claims: Self::Claims = lanyard_protocol::json::from_slice(text).map_err(|_| VerifyError::Claims)?;
        if !Self::is_consistent(&claims) {
            return Err(VerifyError::Claims);
        }
        if Self::OPTIONAL_TYP {
            let foreign: Foreign = serde_json::from_slice(text).map_err(|_| VerifyError::Claims)?;
            if foreign.events || foreign.htm || foreign.htu {
                return Err(VerifyError::Typ);
            }
        }
        Ok(claims)
    }
}

fn is_media_type(typ: &str, expected: &str) -> bool {
    const PREFIX: &str = "application/";
    let short = match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, short)) if prefix.eq_ignore_ascii_case(PREFIX) => short,
        _ => typ,
    };
    short.eq_ignore_ascii_case(expected)
}

/// Claims that belong to kinds whose older tokens have no `typ` of their own: logout tokens, security event tokens
/// (`events`) and DPoP proofs (`htm`, `htu`).
#[derive(Deserialize)]
struct Foreign {
    #[serde(default, deserialize_with = "present")]
    events: bool,
    #[serde(default, deserialize_with = "present")]
    htm: bool,
    #[serde(default, deserialize_with = "present")]
    htu: bool,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// An ID token (OpenID Connect Core, section 2; TOK-ID-01).
#[derive(Debug, Clone, Copy)]
pub enum IdToken {}

/// An ID token of an upstream identity provider, with every claim it has (OpenID Connect Core, section 2; CL-SS-03).
#[derive(Debug, Clone, Copy)]
pub enum UpstreamIdToken {}

/// An Identity Assertion JWT Authorization Grant (ID-JAG draft, section 3.1; TOK-JG-01).
#[derive(Debug, Clone, Copy)]
pub enum IdJag {}

/// An access token (RFC 9068; TOK-AT-01).
#[derive(Debug, Clone, Copy)]
pub enum AccessToken {}

/// A client assertion (RFC 7523, section 3; D-09).
#[derive(Debug, Clone, Copy)]
pub enum ClientAssertion {}

/// A logout token (OpenID Connect Back-Channel Logout, section 2.4; RV-05).
#[derive(Debug, Clone, Copy)]
pub enum LogoutToken {}

impl Kind for IdToken {
    type Claims = IdTokenClaims;
    const NAME: &'static str = "id_token";
    const TYP: &'static str = id_token::TYP;
    const OPTIONAL_TYP: bool = true;

    fn issuer(claims: &IdTokenClaims) -> &str {
        claims.iss.as_str()
    }

    fn audience(claims: &IdTokenClaims) -> &OneOrMany<String> {
        &claims.aud
    }

    fn times(claims: &IdTokenClaims) -> Times {
        times(Some(claims.iat), claims.nbf, claims.exp)
    }

    /// Nobody signs in as the IdP itself; a client assertion has both equal.
    fn is_consistent(claims: &IdTokenClaims) -> bool {
        claims.iss.as_str() != claims.sub.as_str()
    }
}

impl Kind for UpstreamIdToken {
    type Claims = UpstreamIdTokenClaims;
    const NAME: &'static str = "upstream_id_token";
    const TYP: &'static str = id_token::TYP;
    const OPTIONAL_TYP: bool = true;

    fn issuer(claims: &UpstreamIdTokenClaims) -> &str {
        &claims.iss
    }

    fn audience(claims: &UpstreamIdTokenClaims) -> &OneOrMany<String> {
        &claims.aud
    }

    fn times(claims: &UpstreamIdTokenClaims) -> Times {
        times(Some(claims.iat), claims.nbf, claims.exp)
    }

    /// Nobody signs in as the provider itself; a client assertion has both equal.
    fn is_consistent(claims: &UpstreamIdTokenClaims) -> bool {
        claims.iss != claims.sub.as_str()
    }
}

impl Kind for IdJag {
    type Claims = IdJagClaims;
    const NAME: &'static str = "id_jag";
    const TYP: &'static str = id_jag::TYP;
    const OPTIONAL_TYP: bool = false;

    fn issuer(claims: &IdJagClaims) -> &str {
        claims.iss.as_str()
    }

    fn audience(claims: &IdJagClaims) -> &OneOrMany<String> {
        &claims.aud
    }

    fn times(claims: &IdJagClaims) -> Times {
        times(Some(claims.iat), claims.nbf, claims.exp)
    }
}

impl Kind for AccessToken {
    type Claims = AccessTokenClaims;
    const NAME: &'static str = "access_token";
    const TYP: &'static str = access_token::TYP;
    const OPTIONAL_TYP: bool = false;

    fn issuer(claims: &AccessTokenClaims) -> &str {
        claims.iss.as_str()
    }

    fn audience(claims: &AccessTokenClaims) -> &OneOrMany<String> {
        &claims.aud
    }

    fn times(claims: &AccessTokenClaims) -> Times {
        times(Some(claims.iat), claims.nbf, claims.exp)
    }
}

impl Kind for ClientAssertion {
    type Claims = ClientAssertionClaims;
    const NAME: &'static str = "client_assertion";
    const TYP: &'static str = client_assertion::TYP;
    const OPTIONAL_TYP: bool = true;

    fn issuer(claims: &ClientAssertionClaims) -> &str {
        claims.iss.as_str()
    }

    fn audience(claims: &ClientAssertionClaims) -> &OneOrMany<String> {
        &claims.aud
    }

    fn times(claims: &ClientAssertionClaims) -> Times {
        times(claims.iat, claims.nbf, claims.exp)
    }

    /// Issuer and subject are both the client (RFC 7523, section 3).
    fn is_consistent(claims: &ClientAssertionClaims) -> bool {
        claims.iss == claims.sub
    }
}

impl Kind for LogoutToken {
    type Claims = LogoutTokenClaims;
    const NAME: &'static str = "logout_token";
    const TYP: &'static str = logout_token::TYP;
    const OPTIONAL_TYP: bool = false;

    fn issuer(claims: &LogoutTokenClaims) -> &str {
        claims.iss.as_str()
    }

    fn audience(claims: &LogoutTokenClaims) -> &OneOrMany<String> {
        &claims.aud
    }

    fn times(claims: &LogoutTokenClaims) -> Times {
        times(Some(claims.iat), None, claims.exp)
    }

    fn is_consistent(claims: &LogoutTokenClaims) -> bool {
        claims.is_consistent()
    }

    /// Older IdPs type it `JWT` or not at all (section 2.4); the event tells it from every other kind.
    fn accepts(typ: Option<&str>) -> bool {
        let Some(typ) = typ else { return true };
        is_media_type(typ, Self::TYP) || is_media_type(typ, "JWT")
    }
}

fn times(iat: Option<NumericDate>, nbf: Option<NumericDate>, exp: NumericDate) -> Times {
    Times {
        iat: iat.map(NumericDate::seconds),
        nbf: nbf.map(NumericDate::seconds),
        exp: exp.seconds(),
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::IdToken {}
    impl Sealed for super::UpstreamIdToken {}
    impl Sealed for super::IdJag {}
    impl Sealed for super::AccessToken {}
    impl Sealed for super::ClientAssertion {}
    impl Sealed for super::LogoutToken {}
}
