//! Sessions of people, as administrators see and end them (RV-07).
//!
//! Owns who may see and end them; what ends with one is in `idp/logout.rs`. Never ends the person's access as a whole
//! (`directory/provision.rs`).

use lanyard_protocol::issuer::Issuer;

use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::token::Admin;
use crate::cx::Cx;
use crate::id::{SessionId, UserId};
use crate::idp::logout::end_everywhere;
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::session::record::Session;
use crate::store::page::{Page, PageRequest};
use crate::store::{StoreError, Tx};

/// How every service here ends.
type Act<T> = Result<Outcome<T, AdminDenial>, StoreError>;

/// A person's sessions, newest first, ended ones too while they are kept.
///
/// # Errors
/// [`StoreError`].
pub fn list(tx: &mut dyn Tx, admin: &Admin, user: &UserId, page: &PageRequest) -> Act<Page<Session>> {
    if let Err(denial) = require(admin, Permission::Read) {
        return Ok(Outcome::Denied(denial));
    }
    tx.list_sessions_of(user, page).map(Outcome::Granted)
}

/// Ends one session of a person; `false` when it had ended. Written with the reserve.
///
/// # Errors
/// [`StoreError`].
pub fn end_one(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    issuer: &Issuer,
    admin: &Admin,
    (user, session): (&UserId, &SessionId),
) -> Act<bool> {
    if let Err(denial) = require(admin, Permission::Write) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(session) = tx.find_session(session)?.filter(|session| session.user == *user) else {
        return Ok(Outcome::Denied(not_theirs(session.as_str())));
    };
    end_everywhere(cx, tx, vault, issuer, &session, admin.actor()).map(Outcome::Granted)
}

/// Ends every open session of a person, who may sign in again; how many. Written with the reserve.
///
/// # Errors
/// [`StoreError`].
pub fn end_all(cx: &Cx, tx: &mut dyn Tx, vault: &Vault, issuer: &Issuer, admin: &Admin, user: &UserId) -> Act<u64> {
    if let Err(denial) = require(admin, Permission::Write) {
        return Ok(Outcome::Denied(denial));
    }
    let mut ended = 0;
    let mut page = PageRequest::new(None, PageRequest::MAX);
    loop {
        let sessions = tx.list_sessions_of(user, &page)?;
        for session in sessions.items.iter().filter(|session| session.ended_at.is_none()) {
            ended += u64::from(end_everywhere(cx, tx, vault, issuer, session, admin.actor())?);
        }
        match sessions.next {
            Some(next) => page.after = Some(next),
            None => return Ok(Outcome::Granted(ended)),
        }
    }
}

/// No session of the person has this id.
pub fn not_theirs(id: &str) -> AdminDenial {
    AdminDenial::NotFound {
        what: "session of this person",
        name: id.to_owned(),
    }
}
