//! Administrator tokens: authenticate, make, list, revoke.

use lanyard_jose::digest::sha256;
use lanyard_jose::random::token;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::token::{Admin, AdminRole, AdminToken, Administrator};
use crate::audit::event::Actor;
use crate::audit::record::{self, NewEvent};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::AdminTokenId;
use crate::outcome::Outcome;
use crate::store::admin::AdminStore;
use crate::store::{StoreError, Tx};

/// The administrator of a presented token, or `None`: unknown, expired and revoked look the same.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn authenticate(tx: &mut dyn AdminStore, presented: &str, now: Timestamp) -> Result<Option<Admin>, StoreError> {
    let found = tx.find_admin_token(&sha256(presented.as_bytes()))?;
    Ok(found
        .filter(|token| token.revoked_at.is_none() && token.expires_at.is_none_or(|end| end > now))
        .map(|token| Admin {
            who: Administrator::Token(token.id),
            role: token.role,
        }))
}

/// Makes a token; it is shown once.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn create(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    (name, role, expires_at): (&str, AdminRole, Option<Timestamp>),
) -> Result<Outcome<(AdminToken, SecretString), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Administer) {
        return Ok(Outcome::Denied(denial));
    }
    if role == AdminRole::Provisioner {
        let problem = "a provisioning client has tokens of its directory";
        return Ok(Outcome::Denied(AdminDenial::invalid("role", problem)));
    }
    if name.trim().is_empty() || name.len() > 128 {
        return Ok(Outcome::Denied(AdminDenial::invalid("name", "1 to 128 characters")));
    }
    let made = insert(cx, tx, (name.trim(), role, expires_at), admin.actor())?;
    Ok(Outcome::Granted(made))
}

/// Every token, newest last.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn list(tx: &mut dyn Tx, admin: &Admin) -> Result<Outcome<Vec<AdminToken>, AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Read) {
        return Ok(Outcome::Denied(denial));
    }
    Ok(Outcome::Granted(tx.list_admin_tokens()?))
}

/// Revokes a token.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn revoke(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    id: &AdminTokenId,
) -> Result<Outcome<(), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Administer) {
        return Ok(Outcome::Denied(denial));
    }
    let missing = || {
        Outcome::Denied(AdminDenial::NotFound {
            what: "live administrator token",
            name: id.to_string(),
        })
    };
    tx.hold_owners()?;
    let mut tokens = tx.list_admin_tokens()?;
    tokens.retain(|token| token.revoked_at.is_none());
    let Some(before) = tokens.iter().find(|token| token.id == *id) else {
        return Ok(missing());
    };
    let others = tokens.iter().any(|token| token.id != *id && token.is_lasting_owner());
    if before.is_lasting_owner() && !others && tx.list_owners()?.is_empty() {
        return Ok(Outcome::Denied(AdminDenial::LastOwner));
    }
    if !tx.revoke_admin_token(id, cx.now)? {
        return Ok(missing());
    }
    let event = NewEvent::granted("admin.token.revoked")
        .actor(admin.actor())
        .target(id.as_str())
        .detail("before", shown(before));
    record::record(cx, tx, event)?;
    Ok(Outcome::Granted(()))
}

/// A token as the log shows it.
fn shown(token: &AdminToken) -> Value {
    json!({"name": token.name, "role": token.role, "expires_at": token.expires_at})
}

/// Writes a token and its event, for this module and for the owner claim.
pub(crate) fn insert(
    cx: &Cx,
    tx: &mut dyn Tx,
    (name, role, expires_at): (&str, AdminRole, Option<Timestamp>),
    actor: Actor,
) -> Result<(AdminToken, SecretString), StoreError> {
    let secret = SecretString::from(format!("lny_admin_{}", token(&*cx.random).expose_secret()));
    let made = AdminToken {
        id: cx.new_id::<AdminTokenId>(),
        hash: sha256(secret.expose_secret().as_bytes()),
        name: name.to_owned(),
        role,
        created_at: cx.now,
        expires_at,
        revoked_at: None,
    };
    tx.insert_admin_token(&made)?;
    let event = NewEvent::granted("admin.token.created")
        .actor(actor)
        .target(made.id.as_str())
        .detail("after", shown(&made));
    record::record(cx, tx, event)?;
    Ok((made, secret))
}
