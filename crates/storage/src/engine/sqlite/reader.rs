//! A reader thread: units that only read, on a consistent snapshot.
//!
//! Owns one read-only connection. Never writes.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use lanyard_core::store::{StoreError, Unit};
use rusqlite::Connection;

use super::Shared;
use super::connection::{self, Statements, failure};
use crate::engine::queue::Taken;
use crate::engine::{Fate, refuse, run, tell};
use crate::sql::SqlTx;

/// Units that share one snapshot: all of them came before it was taken, so none reads less than it may expect.
const BATCH: usize = 8;

/// Serves until the queue is closed and empty.
pub(super) fn serve(shared: &Shared, first: Connection) {
    let mut next = Some(first);
    let mut waiting = VecDeque::new();
    loop {
        let opened = next.take().map_or_else(|| connection::reader(&shared.path), Ok);
        let closed = match opened {
            Ok(connection) => serve_on(shared, &connection, &mut waiting),
            Err(error) => {
                tracing::error!(error = %error, "the store cannot be opened for reading");
                refuse_some(shared, &mut waiting)
            }
        };
        if closed {
            return;
        }
    }
}

/// Serves until the connection must be replaced (`false`) or no unit will come any more (`true`).
fn serve_on(shared: &Shared, connection: &Connection, waiting: &mut VecDeque<Unit>) -> bool {
    let mut statements = Statements::new(connection);
    loop {
        if waiting.is_empty() && shared.reads.take(waiting, BATCH, None) == Taken::Closed {
            return true;
        }
        if let Err(error) = statements.run("BEGIN") {
            tracing::error!(error = %error, "a snapshot cannot be taken");
            while let Some(unit) = waiting.pop_front() {
                refuse(unit, StoreError::Unavailable);
            }
            return false;
        }
        let mut sound = true;
        while let Some(unit) = waiting.pop_front() {
            let mut tx = SqlTx::new(&mut statements, &shared.held, None);
            let end = match run(&mut tx, unit.run) {
                Fate::Commit | Fate::RollBack => Ok(()),
                Fate::Failed(error) => {
                    sound &= !matches!(error, StoreError::Engine(_));
                    Err(error)
                }
            };
            tell(unit.done, end);
        }
        match statements.run("ROLLBACK").map_err(failure) {
            Ok(()) if sound => shared.available.store(true, Ordering::Relaxed),
            _ => return false,
        }
    }
}

/// Without a connection: refuses what waits; whether no unit will come any more.
fn refuse_some(shared: &Shared, waiting: &mut VecDeque<Unit>) -> bool {
    shared.available.store(false, Ordering::Relaxed);
    let closed = waiting.is_empty() && shared.reads.take(waiting, BATCH, None) == Taken::Closed;
    while let Some(unit) = waiting.pop_front() {
        refuse(unit, StoreError::Unavailable);
    }
    closed
}
