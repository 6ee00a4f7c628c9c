//! Tokens of directories: authenticate, make, list, revoke (SC-02).

use std::time::Duration;

use lanyard_jose::digest::sha256;
use lanyard_jose::random::token;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::token::Admin;
use crate::audit::record::{NewEvent, record};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::DirectoryTokenId;
use crate::outcome::Outcome;
use crate::scim::denial::TokenDenial;
use crate::scim::directories::not_found;
use crate::scim::directory::{Directory, DirectoryToken};
use crate::store::scim::DirectoryAccessStore;
use crate::store::{StoreError, Tx};

/// How exactly the last use of a token is known: writing it at every request would cost each one a write.
const USE_KNOWN_TO: Duration = Duration::from_secs(60);

/// How an administrator's act here ends.
type Act<T> = Result<Outcome<T, AdminDenial>, StoreError>;

/// A directory that proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// Which one.
    pub directory: Directory,
    /// By which token.
    pub token: DirectoryTokenId,
    /// Whether the use is to be written down with [`touch`].
    pub stale: bool,
}

/// The directory of a presented token.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn authenticate(
    tx: &mut dyn DirectoryAccessStore,
    presented: &str,
    now: Timestamp,
) -> Result<Outcome<Authenticated, TokenDenial>, StoreError> {
    let Some(token) = tx.find_directory_token(&sha256(presented.as_bytes()))? else {
        return Ok(Outcome::Denied(TokenDenial::Unknown));
    };
    if token.revoked_at.is_some() {
        return Ok(Outcome::Denied(TokenDenial::Revoked));
    }
    if token.expires_at.is_some_and(|end| end <= now) {
        return Ok(Outcome::Denied(TokenDenial::Expired));
    }
    let directory = tx.find_directory(&token.directory)?;
    Ok(match directory {
        Some(directory) if directory.enabled => Outcome::Granted(Authenticated {
            directory,
            token: token.id,
            stale: token.last_used_at.is_none_or(|last| now.since(last) >= USE_KNOWN_TO),
        }),
        Some(_) | None => Outcome::Denied(TokenDenial::Disabled),
    })
}

/// Writes down that a token was used.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn touch(tx: &mut dyn DirectoryAccessStore, token: &DirectoryTokenId, now: Timestamp) -> Result<(), StoreError> {
    tx.touch_directory_token(token, now)
}

/// Makes a token for a directory; it is shown once. Others of the directory stay live.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn create(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    directory: &str,
    (name, expires_at): (&str, Option<Timestamp>),
) -> Act<(DirectoryToken, SecretString)> {
    let directory = match find(tx, admin, Permission::Administer, directory)? {
        Ok(directory) => directory,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    if name.trim().is_empty() || name.chars().count() > 128 {
        return Ok(Outcome::Denied(AdminDenial::invalid("name", "1 to 128 characters")));
    }
    if expires_at.is_some_and(|end| end <= cx.now) {
        return Ok(Outcome::Denied(AdminDenial::invalid(
            "expires_at",
            "it is over already",
        )));
    }
    let secret = SecretString::from(format!("lny_scim_{}", token(&*cx.random).expose_secret()));
    let made = DirectoryToken {
        id: cx.new_id(),
        directory: directory.id,
        hash: sha256(secret.expose_secret().as_bytes()),
        name: name.trim().to_owned(),
        created_at: cx.now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    tx.insert_directory_token(&made)?;
    let event = NewEvent::granted("admin.directory_token.created")
        .actor(admin.actor())
        .target(&directory.name)
        .detail("after", state(&made));
    record(cx, tx, event)?;
    Ok(Outcome::Granted((made, secret)))
}

/// Every token of a directory, newest last.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn list(tx: &mut dyn Tx, admin: &Admin, directory: &str) -> Act<Vec<DirectoryToken>> {
    Ok(match find(tx, admin, Permission::Read, directory)? {
        Ok(directory) => Outcome::Granted(tx.list_directory_tokens(&directory.id)?),
        Err(denial) => Outcome::Denied(denial),
    })
}

/// Revokes a token of a directory.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn revoke(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, directory: &str, id: &DirectoryTokenId) -> Act<()> {
    let directory = match find(tx, admin, Permission::Administer, directory)? {
        Ok(directory) => directory,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let mut live = tx.list_directory_tokens(&directory.id)?.into_iter();
    let before = live.find(|token| token.id == *id && token.revoked_at.is_none());
    let Some(before) = before else {
        return Ok(Outcome::Denied(AdminDenial::NotFound {
            what: "live token of this directory",
            name: id.to_string(),
        }));
    };
    tx.revoke_directory_token(&directory.id, id, cx.now)?;
    let event = NewEvent::granted("admin.directory_token.revoked")
        .actor(admin.actor())
        .target(&directory.name);
    record(cx, tx, event.detail("before", state(&before)))?;
    Ok(Outcome::Granted(()))
}

/// A token as the log has it.
fn state(token: &DirectoryToken) -> serde_json::Value {
    json!({
        "token": token.id.as_str(),
        "name": token.name,
        "expires_at": token.expires_at.map(|end| end.to_string()),
    })
}

fn find(
    tx: &mut dyn Tx,
    admin: &Admin,
    needed: Permission,
    name: &str,
) -> Result<Result<Directory, AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, needed) {
        return Ok(Err(denial));
    }
    Ok(tx.find_directory_by_name(name)?.ok_or_else(|| not_found(name)))
}
