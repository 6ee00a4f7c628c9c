//! The session behind a browser's cookie.
//!
//! Owns when a session is live. Never knows the cookie's name or attributes.

use std::time::Duration;

use lanyard_jose::digest::sha256;

use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::directory::user::User;
use crate::idp::settings::IdpSettings;
use crate::session::record::Session;
use crate::store::{StoreError, Tx};

/// How old a note of the last use may be before it is renewed.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// The live session of a cookie, with its person.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    secret: &str,
) -> Result<Option<(Session, User)>, StoreError> {
    // A cookie of ours has 43 characters; nothing longer is worth hashing.
    if secret.len() > 128 {
        return Ok(None);
    }
    let Some(session) = tx.find_session_by_secret(&sha256(secret.as_bytes()))? else {
        return Ok(None);
    };
    if !is_live(settings, &session, cx.now) {
        return Ok(None);
    }
    let user = tx.find_user(&session.user)?.filter(|user| may_use(user, &session));
    Ok(user.map(|user| (session, user)))
}

/// Notes a use, at most once a minute.
///
/// # Errors
/// [`StoreError`].
pub fn touch(cx: &Cx, tx: &mut dyn Tx, session: &Session) -> Result<(), StoreError> {
    if needs_touch(session, cx.now) {
        tx.touch_session(&session.id, cx.now)
    } else {
        Ok(())
    }
}

/// Whether [`touch`] would write: spares a write transaction.
pub fn needs_touch(session: &Session, now: Timestamp) -> bool {
    now.since(session.last_used_at) >= TOUCH_EVERY
}

/// Neither ended nor past its idle or absolute end.
pub(crate) fn is_live(settings: &IdpSettings, session: &Session, now: Timestamp) -> bool {
    session.ended_at.is_none() && now < session.expires_at && now.since(session.last_used_at) < settings.session_idle
}

/// Active, and not cut off since the session began.
pub(super) fn may_use(user: &User, session: &Session) -> bool {
    user.is_active() && user.not_before.is_none_or(|cut| session.created_at >= cut)
}
