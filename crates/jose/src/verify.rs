//! Verification: the only way from [`Unverified`] to [`Verified`].
//!
//! Owns the order and completeness of the checks. Never fetches keys, never reads a clock, never decides whom to trust.

mod access_tokens;
mod memory;
mod verdicts;

use std::sync::Arc;

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;

pub use self::access_tokens::{AccessTokenCache, Presented};
pub use self::verdicts::VerdictCache;
use crate::algorithm::Algorithm;
use crate::jwk::KeySet;
use crate::token::{AccessToken, IdToken, Kind, Unverified, Verified};

/// The longest clock skew that is allowed, in seconds (SEC-07).
pub const MAX_LEEWAY: i64 = 60;

/// What a token must match. Nothing in it has a permissive default.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The issuer whose keys are used, byte for byte; for a client assertion, the client.
    pub issuer: &'a str,
    /// Whom the token must be for.
    pub audience: Audience<'a>,
    /// The present, in seconds since 1970.
    pub now: i64,
    /// Allowed clock skew in seconds; more than [`MAX_LEEWAY`] counts as that.
    pub leeway: i64,
    /// The algorithms allowed for this issuer (RAS-JB-05).
    pub algorithms: &'a [Algorithm],
    /// The longest allowed time between issue and expiry, in seconds (D-18).
    pub max_lifetime: Option<i64>,
}

/// How `aud` must look.
#[derive(Debug, Clone, Copy)]
pub enum Audience<'a> {
    /// This value alone: a string, or an array of one (RAS-JB-08).
    Sole(&'a str),
    /// This value, possibly among others.
    Contains(&'a str),
    /// One of these values, alone.
    SoleOf(&'a [&'a str]),
    /// Any, of access tokens only: their issuer looks at its own token, and its own record of it says whom it is for
    /// (introspection, RFC 7662). Never for deciding about access: every other kind of token is refused.
    OwnRecord,
}

/// Verifies a token against the keys of its issuer and a context.
///
/// Always checked: the kind's `typ` and claim types (when the token was read), the algorithm against the list and the
/// key, the key by `kid`, the signature, issuer, audience, expiry, times of issue and start, lifetime.
///
/// # Errors
/// [`VerifyError`]; its text has nothing of the token.
pub fn verify<K: Kind>(
    token: &Unverified<K>,
    keys: &KeySet,
    expected: &Expected<'_>,
) -> Result<Verified<K>, VerifyError> {
    judge(token, keys, expected, || false).map(|(verified, _)| verified)
}

/// As [`verify`], but the token may be past its end and for any audience: for a hint that identifies a session and
/// grants nothing (`id_token_hint`, OpenID Connect RP-Initiated Logout, section 2).
///
/// # Errors
/// [`VerifyError`].
pub fn verify_hint(
    token: &Unverified<IdToken>,
    keys: &KeySet,
    expected: &Expected<'_>,
) -> Result<Verified<IdToken>, VerifyError> {
    let last = IdToken::times(token.claims()).exp.saturating_sub(1);
    let own = IdToken::audience(token.claims())
        .as_slice()
        .first()
        .map_or("", String::as_str);
    verify(
        token,
        keys,
        &Expected {
            now: expected.now.min(last),
            audience: Audience::Contains(own),
            ..*expected
        },
    )
}

/// `known` says whether the signature was found good before; it is asked only after a key was found for the token.
fn judge<K: Kind>(
    token: &Unverified<K>,
    keys: &KeySet,
    expected: &Expected<'_>,
    known: impl FnOnce() -> bool,
) -> Result<(Verified<K>, bool), VerifyError> {
    let algorithm = token.algorithm();
    check_algorithm(algorithm, expected)?;
    let key = keys.find(token.kid(), algorithm)?;
    let known = known();
    if !known {
        // The provider is named here, so that no process-wide choice can exchange it.
        (DEFAULT_PROVIDER.verifier_factory)(&algorithm.foreign(), &key.decoding)
            .map_err(|_| VerifyError::Algorithm)?
            .verify(token.message(), token.signature())
            .map_err(|_| VerifyError::Signature)?;
    }
    check_claims::<K>(token.claims(), expected)?;
    Ok((Verified::new(token, Arc::clone(&key.name)), known))
}

fn check_algorithm(algorithm: Algorithm, expected: &Expected<'_>) -> Result<(), VerifyError> {
    if expected.algorithms.contains(&algorithm) {
        Ok(())
    } else {
        Err(VerifyError::Algorithm)
    }
}

fn check_claims<K: Kind>(claims: &K::Claims, expected: &Expected<'_>) -> Result<(), VerifyError> {
    if K::issuer(claims) != expected.issuer {
        return Err(VerifyError::Issuer);
    }
    let audience = K::audience(claims);
    let addressed = match expected.audience {
        Audience::Sole(own) => audience.sole().is_some_and(|value| value == own),
        Audience::Contains(own) => audience.as_slice().iter().any(|value| value == own),
        Audience::SoleOf(own) => audience.sole().is_some_and(|value| own.contains(&value.as_str())),
        Audience::OwnRecord => K::NAME == AccessToken::NAME,
    };
    if !addressed {
        return Err(VerifyError::Audience);
    }
    let times = K::times(claims);
    let leeway = expected.leeway.clamp(0, MAX_LEEWAY);
    let latest = expected.now.saturating_add(leeway);
    if expected.now >= times.exp.saturating_add(leeway) {
        return Err(VerifyError::Expired);
    }
    if times.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(VerifyError::NotYetValid);
    }
    if times.iat.is_some_and(|iat| iat > latest) {
        return Err(VerifyError::IssuedInFuture);
    }
    // Without a time of issue the token must end that soon from now.
    let issued_at = times.iat.unwrap_or(latest);
    let lifetime = times.exp.saturating_sub(issued_at);
    if times.iat.is_some() && lifetime <= 0 {
        return Err(VerifyError::Lifetime);
    }
    if expected.max_lifetime.is_some_and(|longest| lifetime > longest) {
        return Err(VerifyError::Lifetime);
    }
    Ok(())
}

/// Why a token was refused. The text never has anything of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not a compact JWS within limits.
    #[error("malformed token: {0}")]
    Malformed(&'static str),
    /// A header that brings a key or changes the meaning of the signature.
    #[error("the header {0} is not allowed")]
    ForbiddenHeader(&'static str),
    /// A token of another kind.
    #[error("not a token of the expected type")]
    Typ,
    /// An algorithm that is unknown, not allowed, or not the one of the key.
    #[error("the algorithm is not allowed")]
    Algorithm,
    /// No key, or not exactly one, for the token.
    #[error("the signing key is not known")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the signature is not valid")]
    Signature,
    /// Another issuer.
    #[error("the issuer is not the expected one")]
    Issuer,
    /// Another audience.
    #[error("the audience is not the expected one")]
    Audience,
    /// Past its end.
    #[error("the token has expired")]
    Expired,
    /// Before its start.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// A time of issue in the future.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// Valid for longer than allowed, or for no time.
    #[error("the lifetime of the token is not allowed")]
    Lifetime,
    /// Claims missing, of a wrong type, or contradicting each other.
    #[error("the claims are not the ones of this type")]
    Claims,
}

impl VerifyError {
    /// A stable name for records and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::ForbiddenHeader(_) => "forbidden_header",
            Self::Typ => "typ",
            Self::Algorithm => "algorithm",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::Lifetime => "lifetime",
            Self::Claims => "claims",
        }
    }
}
