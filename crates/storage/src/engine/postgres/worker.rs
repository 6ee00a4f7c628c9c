//! A worker thread: one unit, one transaction, one connection.
//!
//! Owns begin, commit and the return to a sound connection. Never acknowledges what is not on disk.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use lanyard_core::store::{Mode, StoreError, Unit};
use postgres::Client;

use super::Shared;
use super::connection::{Session, failure};
use super::listener;
use crate::engine::queue::Taken;
use crate::engine::{Fate, refuse, run, tell};
use crate::sql::{Link as _, SqlTx};

/// Serves until the queue is closed and empty.
pub(super) fn serve(shared: &Shared, first: Option<Client>) {
    let mut session = first.map(Session::new);
    let mut waiting = VecDeque::new();
    while shared.units.take(&mut waiting, 1, None) != Taken::Closed {
        while let Some(unit) = waiting.pop_front() {
            session = serve_one(shared, session.take(), unit);
        }
    }
}

/// Runs one unit; the connection comes back when it is sound.
fn serve_one(shared: &Shared, session: Option<Session>, unit: Unit) -> Option<Session> {
    let begin = match unit.mode {
        Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        Mode::Write | Mode::WriteReserved => "BEGIN",
    };
    let Some(mut session) = begun(shared, session, begin) else {
        shared.available.store(false, Ordering::Relaxed);
        refuse(unit, StoreError::Unavailable);
        return None;
    };
    shared.available.store(true, Ordering::Relaxed);

    let mut tx = SqlTx::new(&mut session);
    let fate = run(&mut tx, unit.run);
    let wrote = tx.wrote;
    let end = match fate {
        Fate::Commit => {
            let told = match listener::notice(wrote) {
                Some(notice) => session.execute(listener::NOTIFY, &[notice.into()]).map(|_| ()),
                None => Ok(()),
            };
            told.and_then(|()| session.client.batch_execute("COMMIT").map_err(failure))
        }
        Fate::RollBack => session.client.batch_execute("ROLLBACK").map_err(failure),
        Fate::Failed(error) => {
            let rolled_back = session.client.batch_execute("ROLLBACK").is_ok();
            tell(unit.done, Err(error));
            return rolled_back.then_some(session);
        }
    };
    let committed = end.is_ok();
    let sound = match &end {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(error = %error, "a unit of work was not committed");
            // A refused commit has ended the transaction; after anything else the connection is not trusted.
            matches!(error, StoreError::Conflict(_)) && session.client.batch_execute("ROLLBACK").is_ok()
        }
    };
    tell(unit.done, end);
    if committed {
        shared.listeners.tell(wrote);
    }
    sound.then_some(session)
}

/// A connection on which the transaction has begun. One that died while it was idle is replaced once: nothing of the
/// unit has run yet.
fn begun(shared: &Shared, session: Option<Session>, begin: &str) -> Option<Session> {
    if let Some(mut session) = session
        && session.client.batch_execute(begin).is_ok()
    {
        return Some(session);
    }
    let connected = shared.connector.connect().and_then(|mut client| {
        client.batch_execute(begin)?;
        Ok(client)
    });
    match connected {
        Ok(client) => Some(Session::new(client)),
        Err(error) => {
            tracing::error!(error = %super::worded(&error), "PostgreSQL cannot be reached");
            None
        }
    }
}
