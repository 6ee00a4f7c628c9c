//! A person's names and address, as their identity provider tells them.
//!
//! Owns which of them are believed. Never renames somebody: a user name is given once.

use serde_json::json;

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::directory::provision::{check_fields, shown};
use crate::directory::user::{User, UserStatus};
use crate::store::{StoreError, Tx};
use crate::upstream::connection::Connection;
use crate::upstream::home_realm::domain_of;
use crate::upstream::mapping::Mapped;
use crate::upstream::resolve::Asserted;

/// A connection as the log names it.
pub(super) fn actor(connection: &Connection) -> Actor {
    Actor::System(format!("connection {}", connection.name))
}

/// Makes the person of a first sign-in. The user name is checked and free.
///
/// # Errors
/// [`StoreError`].
pub(super) fn create(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &Connection,
    asserted: &Asserted,
    mapped: &Mapped,
    username: &str,
) -> Result<User, StoreError> {
    let email = believed_email(tx, connection, asserted, mapped)?;
    let user = User {
        id: cx.new_id(),
        username: username.to_owned(),
        email,
        display_name: mapped.display_name.clone().unwrap_or_else(|| username.to_owned()),
        status: UserStatus::Active,
        not_before: None,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    };
    tx.insert_user(&user)?;
    let event = NewEvent::granted("directory.user.created")
        .actor(actor(connection))
        .subject(user.id.as_str())
        .target(&user.username)
        .detail("after", shown(&user))
        .detail("password", false);
    record(cx, tx, event.detail("connection", connection.name.as_str()))?;
    Ok(user)
}

/// Follows the provider's word about a person it made.
///
/// # Errors
/// [`StoreError`].
pub(super) fn follow(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &Connection,
    asserted: &Asserted,
    mapped: &Mapped,
    before: User,
) -> Result<User, StoreError> {
    let email = believed_email(tx, connection, asserted, mapped)?;
    let mut user = before.clone();
    if let Some(name) = &mapped.display_name {
        user.display_name.clone_from(name);
    }
    // An address that is not believed any more is not kept either.
    user.email = email;
    if user == before {
        return Ok(before);
    }
    user.version += 1;
    user.updated_at = cx.now;
    tx.update_user(&user)?;
    let event = NewEvent::granted("directory.user.changed")
        .actor(actor(connection))
        .subject(user.id.as_str())
        .target(&user.username)
        .detail("before", shown(&before))
        .detail("after", shown(&user));
    record(cx, tx, event.detail("connection", json!(connection.name.as_str())))?;
    Ok(user)
}

/// The address, if this provider may speak for it: others read it in our ID tokens and may take it for an identity,
/// however often they are told not to (nOAuth). The connection owns its domain; or it owns none, nobody else owns
/// this one, and the provider says that it verified the address and is known to mean it.
fn believed_email(
    tx: &mut dyn Tx,
    connection: &Connection,
    asserted: &Asserted,
    mapped: &Mapped,
) -> Result<Option<String>, StoreError> {
    let Some(email) = mapped.email.as_deref() else {
        return Ok(None);
    };
    let Some(domain) = domain_of(email) else {
        return Ok(None);
    };
    if check_fields("x", Some(email), "").is_err() {
        return Ok(None);
    }
    let verified = asserted.claims.get("email_verified").map(|value| {
        // Some providers write the flag as a text.
        value.as_bool() == Some(true) || value.as_str() == Some("true")
    });
    let believed = if connection.owns_domain(&domain) {
        verified != Some(false)
    } else {
        connection.domains.is_empty()
            && verified == Some(true)
            && !connection.preset.quirks().email_untrusted
            && tx.find_connection_of_domain(&domain)?.is_none()
    };
    Ok(believed.then(|| email.to_owned()))
}
