//! A worker thread: one unit, one transaction, one connection.
//!
//! Owns begin, commit and the return to a sound connection. Never acknowledges what is not on disk.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use lanyard_core::store::{Mode, StoreError, Unit};
use postgres::{Client, SimpleQueryMessage};

use super::Shared;
use super::connection::{Session, failure};
use super::listener;
use crate::engine::queue::Taken;
use crate::engine::{Fate, refuse, run, tell};
use crate::sql::{Link as _, SqlTx};
use crate::version::{COUNTERS, Counters};

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
    let Some((mut session, counters)) = begun(shared, session, begin) else {
        shared.available.store(false, Ordering::Relaxed);
        refuse(unit, StoreError::Unavailable);
        return None;
    };
    shared.available.store(true, Ordering::Relaxed);

    let mut tx = SqlTx::new(&mut session, &shared.held, Some(counters));
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

/// A connection on which the transaction has begun, and the counters as it sees them. A connection that died while it
/// was idle is replaced once: nothing of the unit has run yet.
fn begun(shared: &Shared, session: Option<Session>, begin: &str) -> Option<(Session, Counters)> {
    if let Some(mut session) = session
        && let Ok(counters) = begin_and_count(&mut session.client, begin)
    {
        return Some((session, counters));
    }
    let connected = shared.connector.connect().map_err(failure).and_then(|mut client| {
        let counters = begin_and_count(&mut client, begin)?;
        Ok((client, counters))
    });
    match connected {
        Ok((client, counters)) => Some((Session::new(client), counters)),
        Err(error) => {
            tracing::error!(error = %error, "PostgreSQL cannot be reached");
            None
        }
    }
}

/// Begins and reads the counters in one round trip: nearly every unit needs them.
fn begin_and_count(client: &mut Client, begin: &str) -> Result<Counters, StoreError> {
    let answers = client.simple_query(&format!("{begin}; {COUNTERS}")).map_err(failure)?;
    let values = answers.iter().filter_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    });
    Counters::of(&values.collect::<Vec<i64>>())
}
