//! The first owner: a one-time token of the first start or of a reset, traded for an administrator token.

use std::time::Duration;

use lanyard_jose::digest::sha256;
use lanyard_jose::random::token;
use secrecy::{ExposeSecret, SecretString};

use crate::admin::token::{AdminRole, AdminToken, OwnerClaim};
use crate::admin::tokens;
use crate::audit::event::Actor;
use crate::audit::record::{self, NewEvent};
use crate::cx::Cx;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};

/// How long the one-time token lives.
pub const CLAIM_TTL: Duration = Duration::from_secs(3600);

/// Why a claim was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimDenial {
    /// No such token was made, or another one replaced it.
    #[error("the owner token is not the one that was made last")]
    Unknown,
    /// It was used.
    #[error("the owner token was used before")]
    Used,
    /// Its hour is over.
    #[error("the owner token has expired")]
    Expired,
}

impl ClaimDenial {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_owner_token",
            Self::Used => "owner_token_used",
            Self::Expired => "owner_token_expired",
        }
    }
}

/// Makes the one-time token of a first start; `None` when there is an administrator, or a live one-time token, already.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn first_start(cx: &Cx, tx: &mut dyn Tx) -> Result<Option<SecretString>, StoreError> {
    if !tx.list_admin_tokens()?.is_empty() {
        return Ok(None);
    }
    let live = tx
        .find_owner_claim()?
        .is_some_and(|claim| claim.used_at.is_none() && claim.expires_at > cx.now);
    if live {
        return Ok(None);
    }
    make(cx, tx, "admin.owner_token.created", "first start").map(Some)
}

/// Makes a new one-time token and revokes every owner token: for whoever has access to the store.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn reset(cx: &Cx, tx: &mut dyn Tx) -> Result<SecretString, StoreError> {
    tx.revoke_owner_tokens(cx.now)?;
    make(cx, tx, "admin.owner.reset", "reset-owner")
}

/// Trades the one-time token for an owner's administrator token, which is shown once.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn claim(
    cx: &Cx,
    tx: &mut dyn Tx,
    presented: &str,
) -> Result<Outcome<(AdminToken, SecretString), ClaimDenial>, StoreError> {
    let hash = sha256(presented.as_bytes());
    let denial = match tx.find_owner_claim()? {
        Some(claim) if claim.hash != hash => Some(ClaimDenial::Unknown),
        Some(claim) if claim.used_at.is_some() => Some(ClaimDenial::Used),
        Some(claim) if claim.expires_at <= cx.now => Some(ClaimDenial::Expired),
        Some(_) if !tx.use_owner_claim(&hash, cx.now)? => Some(ClaimDenial::Used),
        Some(_) => None,
        None => Some(ClaimDenial::Unknown),
    };
    if let Some(denial) = denial {
        record::record(
            cx,
            tx,
            NewEvent::denied("admin.owner_token.refused", denial.code()).actor(Actor::Anonymous),
        )?;
        return Ok(Outcome::Denied(denial));
    }
    let made = tokens::insert(
        cx,
        tx,
        ("owner", AdminRole::Owner, None),
        Actor::System("owner claim".to_owned()),
    )?;
    Ok(Outcome::Granted(made))
}

fn make(cx: &Cx, tx: &mut dyn Tx, kind: &'static str, by: &str) -> Result<SecretString, StoreError> {
    let secret = SecretString::from(format!("lny_owner_{}", token(&*cx.random).expose_secret()));
    tx.put_owner_claim(&OwnerClaim {
        hash: sha256(secret.expose_secret().as_bytes()),
        created_at: cx.now,
        expires_at: cx.now.plus(CLAIM_TTL),
        used_at: None,
    })?;
    record::record(cx, tx, NewEvent::granted(kind).actor(Actor::System(by.to_owned())))?;
    Ok(secret)
}
