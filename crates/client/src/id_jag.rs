//! The checks of an ID-JAG before it is sent anywhere.
//!
//! Owns "is this the grant I asked for". Never verifies its signature: that is the RAS's work, and an IdP need not
//! publish its keys to clients (CF-01).

use lanyard_jose::digest::from_base64url;
use lanyard_jose::token::{IdJag, Unverified};
use lanyard_protocol::claims::id_jag::IdJagClaims;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::json;
use lanyard_protocol::scope::ScopeSet;
use secrecy::{ExposeSecret as _, SecretString};

use crate::token_exchange::IssuedIdJag;

/// The clocks of IdP and client may differ by so many seconds (SEC-07).
pub const LEEWAY: i64 = 30;

/// What the ID-JAG must say.
pub struct Wanted<'a> {
    /// The enterprise IdP.
    pub issuer: &'a Issuer,
    /// The RAS.
    pub audience: &'a Issuer,
    /// The client's id at the RAS.
    pub client_id: &'a ClientId,
    /// The resource asked for.
    pub resource: &'a str,
    /// The scopes asked for; empty when none were named.
    pub scope: &'a ScopeSet,
    /// The time, seconds since the epoch.
    pub now: i64,
}

/// An ID-JAG that says what was asked for. It can be redeemed once.
pub struct CheckedIdJag {
    pub(crate) token: SecretString,
    pub(crate) resource: String,
    pub(crate) requested: ScopeSet,
    /// What was granted, by the ID-JAG or by the answer beside it.
    pub granted: Option<ScopeSet>,
    /// When it expires, seconds since the epoch.
    pub expires_at: i64,
}

/// Looks into the ID-JAG and refuses one that is not the grant asked for.
///
/// # Errors
/// [`UnwantedIdJag`] names the first claim that is wrong.
pub fn check(issued: IssuedIdJag, wanted: &Wanted<'_>) -> Result<CheckedIdJag, UnwantedIdJag> {
    let text = issued.id_jag.expose_secret();
    Unverified::<IdJag>::parse(text).map_err(|_| UnwantedIdJag("it is not a signed JWT of this kind"))?;
    let claims = claims(text)?;
    if claims.iss != *wanted.issuer {
        return Err(UnwantedIdJag("iss is not the enterprise IdP"));
    }
    if claims.aud.sole().map(String::as_str) != Some(wanted.audience.as_str()) {
        return Err(UnwantedIdJag("aud is not this authorization server alone"));
    }
    if claims.client_id != *wanted.client_id {
        return Err(UnwantedIdJag("client_id is another client"));
    }
    if claims.exp.seconds() <= wanted.now {
        return Err(UnwantedIdJag("it has expired"));
    }
    if claims.iat.seconds() > wanted.now.saturating_add(LEEWAY) {
        return Err(UnwantedIdJag("it was issued in the future"));
    }
    if let Some(resource) = &claims.resource
        && !resource.contains(&wanted.resource.to_owned())
    {
        return Err(UnwantedIdJag("resource is another one"));
    }
    let granted = claims.scope.or(issued.scope);
    if let Some(granted) = &granted
        && !wanted.scope.is_empty()
        && !granted.is_subset(wanted.scope)
    {
        return Err(UnwantedIdJag("scope is wider than what was asked for"));
    }
    Ok(CheckedIdJag {
        token: issued.id_jag,
        resource: wanted.resource.to_owned(),
        requested: wanted.scope.clone(),
        granted,
        expires_at: claims.exp.seconds(),
    })
}

fn claims(text: &str) -> Result<IdJagClaims, UnwantedIdJag> {
    let payload = text
        .split('.')
        .nth(1)
        .and_then(from_base64url)
        .ok_or(UnwantedIdJag("it has no payload"))?;
    json::from_slice(&payload).map_err(|_| UnwantedIdJag("a claim is missing or of a wrong type"))
}

/// The IdP answered with an ID-JAG that is not the grant asked for. It is not sent anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ID-JAG is not the grant that was asked for: {0}")]
pub struct UnwantedIdJag(pub(crate) &'static str);
