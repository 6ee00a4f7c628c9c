//! The first owner: a one-time token of the first start or of a reset, which makes a person owner (on the sign-in page
//! of the first start) or is traded for an administrator token (on the command line).

use std::time::Duration;

use lanyard_jose::digest::sha256;
use lanyard_jose::random::token;
use secrecy::{ExposeSecret, SecretString};

use crate::admin::administrators;
use crate::admin::denial::AdminDenial;
use crate::admin::token::{AdminRole, AdminToken, OwnerClaim};
use crate::admin::tokens;
use crate::audit::event::Actor;
use crate::audit::record::{self, NewEvent};
use crate::cx::Cx;
use crate::directory::provision::{self, NewUser};
use crate::directory::user::{Credential, User};
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};

/// How long the one-time token lives.
pub const CLAIM_TTL: Duration = Duration::from_secs(3600);

/// Why a claim was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    /// The token is good, and who is to become owner cannot be so. The token stays good.
    #[error(transparent)]
    Person(#[from] AdminDenial),
}

impl ClaimDenial {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_owner_token",
            Self::Used => "owner_token_used",
            Self::Expired => "owner_token_expired",
            Self::Person(denial) => denial.code(),
        }
    }
}

/// Makes the one-time token of a first start; `None` when there is an administrator, or a live one-time token, already.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn first_start(cx: &Cx, tx: &mut dyn Tx) -> Result<Option<SecretString>, StoreError> {
    if !tx.list_admin_tokens()?.is_empty() || !tx.list_grants()?.is_empty() {
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

/// Makes a new one-time token and revokes every owner token: for whoever has access to the store. People who are owners
/// stay; the new owner takes the role from those who must not have it.
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
    let denial = match check(cx, tx, &hash)? {
        Some(denial) => Some(denial),
        None if !tx.use_owner_claim(&hash, cx.now)? => Some(ClaimDenial::Used),
        None => None,
    };
    if let Some(denial) = denial {
        return refuse(cx, tx, denial);
    }
    let made = tokens::insert(cx, tx, ("owner", AdminRole::Owner, None), claimed())?;
    Ok(Outcome::Granted(made))
}

/// Who is to become owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstOwner {
    /// Made if there is nobody of this user name; e-mail and name are of use then only.
    pub person: NewUser,
    /// The password, as its hash; `None` for somebody who signs in at an identity provider. An earlier password is
    /// replaced and what was signed in with it ends.
    pub password_hash: Option<String>,
}

/// Whether [`claim_as_person`] would take a one-time token, asked before anything is hashed. Uses nothing up and records
/// nothing.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn is_claimable(cx: &Cx, tx: &mut dyn Tx, presented: &str) -> Result<Result<(), ClaimDenial>, StoreError> {
    Ok(check(cx, tx, &sha256(presented.as_bytes()))?.map_or(Ok(()), Err))
}

/// Uses the one-time token up and makes a person owner, in one unit: a new person, or an active one of that user name.
/// Nothing was used up when it is denied because of the person.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn claim_as_person(
    cx: &Cx,
    tx: &mut dyn Tx,
    presented: &str,
    wanted: &FirstOwner,
) -> Result<Outcome<User, ClaimDenial>, StoreError> {
    let hash = sha256(presented.as_bytes());
    if let Some(denial) = check(cx, tx, &hash)? {
        return refuse(cx, tx, denial);
    }
    let username = wanted.person.username.trim().to_lowercase();
    let known = tx.find_user_by_username(&username)?;
    let fields = match &known {
        Some(user) if !user.is_active() => {
            let problem = "this person is deactivated; choose another user name";
            Err(AdminDenial::invalid("username", problem))
        }
        Some(_) => Ok(()),
        None => provision::check_fields(&username, wanted.person.email.as_deref(), &wanted.person.display_name),
    };
    if let Err(denial) = fields {
        return refuse(cx, tx, denial.into());
    }
    if !tx.use_owner_claim(&hash, cx.now)? {
        return refuse(cx, tx, ClaimDenial::Used);
    }
    let user = match known {
        Some(mut user) => {
            if let Some(password_hash) = &wanted.password_hash {
                let credential = Credential {
                    password_hash: password_hash.clone(),
                    changed_at: cx.now,
                };
                provision::replace_password(cx, tx, None, claimed(), &mut user, &credential)?;
            }
            user
        }
        None => provision::insert(cx, tx, claimed(), &wanted.person, wanted.password_hash.clone())?,
    };
    administrators::make_owner(cx, tx, &user, claimed())?;
    Ok(Outcome::Granted(user))
}

fn check(cx: &Cx, tx: &mut dyn Tx, hash: &[u8; 32]) -> Result<Option<ClaimDenial>, StoreError> {
    Ok(match tx.find_owner_claim()? {
        Some(claim) if claim.hash != *hash => Some(ClaimDenial::Unknown),
        Some(claim) if claim.used_at.is_some() => Some(ClaimDenial::Used),
        Some(claim) if claim.expires_at <= cx.now => Some(ClaimDenial::Expired),
        Some(_) => None,
        None => Some(ClaimDenial::Unknown),
    })
}

fn refuse<T>(cx: &Cx, tx: &mut dyn Tx, denial: ClaimDenial) -> Result<Outcome<T, ClaimDenial>, StoreError> {
    let event = NewEvent::denied("admin.owner_token.refused", denial.code()).actor(Actor::Anonymous);
    record::record(cx, tx, event.detail("why", denial.to_string()))?;
    Ok(Outcome::Denied(denial))
}

fn claimed() -> Actor {
    Actor::System("owner claim".to_owned())
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
