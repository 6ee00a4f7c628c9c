//! Revocation at the IdP (RFC 7009; RV-01, RV-02).
//!
//! Owns what a client may revoke and what dies with it. Never says whether a token existed.

use lanyard_jose::digest::sha256;
use lanyard_jose::token::{AccessToken, Verified};
use secrecy::{ExposeSecret, SecretString};

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::auth::AuthenticatedClient;
use crate::cx::Cx;
use crate::id::FamilyId;
use crate::idp::token_id;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};

/// What was sent for revocation.
pub enum Revocable {
    /// A token that is not a JWT: a refresh token, if anything.
    Opaque(SecretString),
    /// An access token of our own with a good signature.
    Access(Box<Verified<AccessToken>>),
}

/// Why a revocation is not even looked at: `invalid_client`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevokeDenial {
    /// A program without a proof of its own.
    #[error("the client did not prove itself")]
    PublicClient,
}

impl RevokeDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PublicClient => "public_client",
        }
    }
}

/// Ends the family that a token belongs to: its refresh token, access tokens, ID tokens, and their use as subjects.
///
/// Granted also for a token that is unknown, dead already, or somebody else's: nothing happens then (RFC 7009,
/// section 2.2). The value tells whether something ended, for metrics only.
///
/// # Errors
/// [`StoreError`].
pub fn revoke(
    cx: &Cx,
    tx: &mut dyn Tx,
    client: &AuthenticatedClient,
    token: &Revocable,
) -> Result<Outcome<bool, RevokeDenial>, StoreError> {
    let event = |event: NewEvent| {
        event
            .actor(Actor::Client(client.client.client_id.as_str().to_owned()))
            .client(&client.client.client_id)
    };
    if !client.is_proven() {
        let denial = RevokeDenial::PublicClient;
        record(cx, tx, event(NewEvent::denied("idp.token.revoked", denial.code())))?;
        return Ok(Outcome::Denied(denial));
    }
    let family = match family_of(tx, token)? {
        Some(id) => tx.find_family(&id)?.filter(|family| family.client == client.client.key),
        None => None,
    };
    let Some(family) = family else {
        record(
            cx,
            tx,
            event(NewEvent::granted("idp.token.revoked")).detail("ended", false),
        )?;
        return Ok(Outcome::Granted(false));
    };
    let ended = tx.end_family(&family.id, cx.now)?;
    let revoked = event(NewEvent::granted("idp.token.revoked"))
        .subject(family.user.as_str())
        .detail("ended", ended)
        .detail("family", family.id.as_str());
    record(cx, tx, revoked)?;
    Ok(Outcome::Granted(ended))
}

fn family_of(tx: &mut dyn Tx, token: &Revocable) -> Result<Option<FamilyId>, StoreError> {
    match token {
        Revocable::Opaque(token) => {
            let hash = sha256(token.expose_secret().as_bytes());
            Ok(tx.find_refresh_token(&hash)?.map(|token| token.family))
        }
        Revocable::Access(token) => Ok(token_id::family(token.jti.as_str())),
    }
}
