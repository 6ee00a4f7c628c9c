//! One's own sessions: looking at them, ending one, ending all others.

use crate::account::Own;
use crate::cx::Cx;
use crate::id::SessionId;
use crate::idp::logout::{EndedBy, end};
use crate::idp::session;
use crate::idp::settings::IdpSettings;
use crate::session::record::Session;
use crate::store::page::PageRequest;
use crate::store::{StoreError, Tx};

/// Sessions that are shown at most; nobody has so many browsers.
const MOST: usize = 200;

/// The live sessions of a person, newest first.
///
/// # Errors
/// [`StoreError`].
pub fn list(cx: &Cx, tx: &mut dyn Tx, settings: &IdpSettings, own: &Own) -> Result<Vec<Session>, StoreError> {
    let mut sessions = open(tx, own)?;
    sessions.retain(|one| session::is_live(settings, one, cx.now));
    sessions.truncate(MOST);
    Ok(sessions)
}

/// Ends one of the person's own sessions; `false` when it was none of theirs, or had ended.
///
/// # Errors
/// [`StoreError`].
pub fn end_one(cx: &Cx, tx: &mut dyn Tx, own: &Own, id: &SessionId) -> Result<bool, StoreError> {
    match tx.find_session(id)? {
        Some(session) if session.user == own.user.id => end(cx, tx, id, &EndedBy::Person),
        _ => Ok(false),
    }
}

/// Ends every session of the person but this one, with everything that hangs on them; how many.
///
/// # Errors
/// [`StoreError`].
pub fn end_others(cx: &Cx, tx: &mut dyn Tx, own: &Own, keep: &SessionId) -> Result<u64, StoreError> {
    let mut ended = 0;
    for session in open(tx, own)? {
        if session.id != *keep {
            // Programs that may stay signed in go too: it is not known who began those sessions.
            ended += u64::from(end(cx, tx, &session.id, &EndedBy::Administrator(own.actor()))?);
        }
    }
    Ok(ended)
}

/// Sessions that nobody ended.
fn open(tx: &mut dyn Tx, own: &Own) -> Result<Vec<Session>, StoreError> {
    let mut sessions = Vec::new();
    let mut request = PageRequest::new(None, PageRequest::MAX);
    loop {
        let page = tx.list_sessions_of(&own.user.id, &request)?;
        sessions.extend(page.items.into_iter().filter(|session| session.ended_at.is_none()));
        match page.next {
            Some(next) => request = PageRequest::new(Some(next), PageRequest::MAX),
            None => return Ok(sessions),
        }
    }
}
