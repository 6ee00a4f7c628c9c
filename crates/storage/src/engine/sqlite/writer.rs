//! The writer thread: group commit by savepoints.
//!
//! Owns the outer transaction, its commit and what each unit is told. Never acknowledges what is not on disk.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

use lanyard_core::store::{Mode, StoreError, Unit};
use rusqlite::Connection;

use super::Shared;
use super::connection::{self, Checkpoint, Statements, checkpoint_at_once, failure};
use super::space::Space;
use crate::engine::queue::Taken;
use crate::engine::{Done, Fate, Work, refuse, run, tell};
use crate::sql::{Committed, Failed, SqlTx};

/// Without a unit for so long, the log is copied, so that a start after a crash has little to read.
const IDLE: Duration = Duration::from_secs(2);
/// So many units between two checkpoints beside the commits.
const UNITS_PER_CHECKPOINT: usize = 256;
/// And at most so many commits.
const COMMITS_PER_CHECKPOINT: usize = 64;

/// What the units of a batch add up to.
#[derive(Default)]
struct Sum {
    committed: Committed,
    full: bool,
}

/// Serves until the queue is closed and empty.
pub(super) fn serve(shared: &Shared, first: Connection) {
    let mut next = Some(first);
    let mut waiting = VecDeque::new();
    let mut space = Space::new(shared);
    loop {
        let opened = next.take().map_or_else(|| connection::writer(&shared.path), Ok);
        let closed = match opened {
            Ok(connection) => {
                // Whatever else panics must not end the only thread that writes.
                let served = AssertUnwindSafe(|| Writer::new(shared, &connection, &mut space).serve(&mut waiting));
                catch_unwind(served).unwrap_or_else(|_| {
                    tracing::error!("the writer of the store panicked; it goes on with a new connection");
                    false
                })
            }
            Err(error) => {
                tracing::error!(error = %error, "the store cannot be opened for writing");
                refuse_some(shared, &mut waiting)
            }
        };
        if closed {
            return;
        }
    }
}

/// Without a connection: refuses what waits; whether no unit will come any more.
fn refuse_some(shared: &Shared, waiting: &mut VecDeque<Unit>) -> bool {
    shared.available.store(false, Ordering::Relaxed);
    let closed = waiting.is_empty() && shared.writes.take(waiting, shared.config.batch, None) == Taken::Closed;
    while let Some(unit) = waiting.pop_front() {
        refuse(unit, StoreError::Unavailable);
    }
    closed
}

/// A failure that hits every unit of a batch.
enum Broken {
    Full,
    Unavailable,
    Other(String),
}

impl Broken {
    fn of(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Unavailable => Self::Unavailable,
            error => {
                Self::Other(std::error::Error::source(&error).map_or_else(|| error.to_string(), |why| why.to_string()))
            }
        }
    }

    fn error(&self) -> StoreError {
        match self {
            Self::Full => StoreError::Full,
            Self::Unavailable => StoreError::Unavailable,
            Self::Other(why) => StoreError::Engine(why.as_str().into()),
        }
    }
}

/// The writer on one connection.
struct Writer<'c, 's> {
    shared: &'s Shared,
    connection: &'c Connection,
    statements: Statements<'c>,
    space: &'s mut Space,
    max_pages: Option<u32>,
    /// Whether the batch at hand may use the reserve.
    reserved: bool,
    units: usize,
    commits: usize,
    /// The log may hold frames that are not in the database yet.
    dirty: bool,
}

impl<'c, 's> Writer<'c, 's> {
    fn new(shared: &'s Shared, connection: &'c Connection, space: &'s mut Space) -> Self {
        let statements = Statements::new(connection);
        Self {
            shared,
            connection,
            statements,
            space,
            max_pages: None,
            reserved: false,
            units: 0,
            commits: 0,
            dirty: true,
        }
    }

    /// Serves until the connection must be replaced (`false`) or no unit will come any more (`true`).
    fn serve(mut self, waiting: &mut VecDeque<Unit>) -> bool {
        loop {
            if waiting.is_empty() {
                let patience = self.dirty.then_some(IDLE);
                match self
                    .shared
                    .writes
                    .take(waiting, self.shared.config.batch.max(1), patience)
                {
                    Taken::Units => {}
                    Taken::Closed => return true,
                    Taken::Nothing => {
                        self.dirty = checkpoint_at_once(self.connection, Checkpoint::Passive).is_err();
                        continue;
                    }
                }
            }
            // Reserved acts commit apart: nothing that runs out of space may take them with it.
            let reserved = waiting.front().is_some_and(is_reserved);
            let count = waiting.iter().take_while(|unit| is_reserved(unit) == reserved).count();
            let batch: VecDeque<Unit> = waiting.drain(..count).collect();
            if !self.space.admit(self.connection, reserved) {
                for unit in batch {
                    refuse(unit, StoreError::Full);
                }
                continue;
            }
            self.bound(reserved);
            self.dirty = true;
            self.reserved = reserved;
            if self.commit(batch, waiting).is_err() {
                return false;
            }
            self.checkpoint(count);
        }
    }

    fn bound(&mut self, reserved: bool) {
        let pages = self.space.max_pages(reserved);
        if self.max_pages != Some(pages) {
            self.space.bound(self.connection, reserved);
            self.max_pages = Some(pages);
        }
    }

    fn checkpoint(&mut self, units: usize) {
        self.units = self.units.saturating_add(units);
        self.commits = self.commits.saturating_add(1);
        if self.units >= UNITS_PER_CHECKPOINT || self.commits >= COMMITS_PER_CHECKPOINT {
            self.units = 0;
            self.commits = 0;
            self.shared.checkpoint.request();
        }
        if let Some(how) = self.shared.checkpoint.turn()
            && let Err(error) = checkpoint_at_once(self.connection, how)
        {
            tracing::debug!(error = %error, "a checkpoint did not finish");
        }
    }

    /// Runs a batch in one transaction, commits once, then tells all. When the transaction is gone, every unit that
    /// ran is told a failure, and those that did not run go back to `waiting`.
    fn commit(&mut self, mut batch: VecDeque<Unit>, waiting: &mut VecDeque<Unit>) -> Result<(), Broken> {
        if let Err(error) = self.statements.run("BEGIN IMMEDIATE") {
            let broken = Broken::of(failure(error));
            self.space
                .note(self.shared, self.reserved, matches!(broken, Broken::Full));
            for unit in batch {
                refuse(unit, broken.error());
            }
            return Err(broken);
        }
        let alone = batch.len() == 1;
        let mut ended: Vec<(Done, Result<(), StoreError>)> = Vec::with_capacity(batch.len());
        let mut sum = Sum::default();
        while let Some(unit) = batch.pop_front() {
            let Unit { run: work, done, .. } = unit;
            match self.unit(work, alone, &mut sum) {
                Ok(end) => ended.push((done, end)),
                Err(broken) => {
                    ended.push((done, Err(broken.error())));
                    while let Some(unit) = batch.pop_back() {
                        waiting.push_front(unit);
                    }
                    return Err(self.give_up(ended, broken));
                }
            }
        }
        if let Err(error) = self.statements.run("COMMIT") {
            return Err(self.give_up(ended, Broken::of(failure(error))));
        }
        self.shared.available.store(true, Ordering::Relaxed);
        self.space.note(self.shared, self.reserved, sum.full);
        for (done, end) in ended {
            tell(done, end);
        }
        self.shared.listeners.tell(sum.committed);
        Ok(())
    }

    /// Runs one unit in its savepoint. `Err` when the outer transaction cannot be trusted any more.
    fn unit(&mut self, work: Work, alone: bool, sum: &mut Sum) -> Result<Result<(), StoreError>, Broken> {
        let broken = |error| Broken::of(failure(error));
        if !alone {
            self.statements.run("SAVEPOINT unit").map_err(broken)?;
        }
        let mut tx = SqlTx::new(&mut self.statements, &self.shared.held, None);
        let fate = run(&mut tx, work);
        let (wrote, failed) = (tx.wrote, tx.failed());
        sum.full |= failed == Some(Failed::Full);
        // A full disk or an I/O error can end the outer transaction behind our back.
        if self.connection.is_autocommit() {
            return Err(match (fate, failed) {
                (_, Some(failed)) => Broken::of(failed.error()),
                (Fate::Failed(error), None) => Broken::of(error),
                (_, None) => Broken::Other("the transaction ended by itself".to_owned()),
            });
        }
        let end = match fate {
            Fate::Commit => {
                if !alone {
                    self.statements.run("RELEASE unit").map_err(broken)?;
                }
                sum.committed = sum.committed.and(wrote);
                return Ok(Ok(()));
            }
            Fate::RollBack => Ok(()),
            Fate::Failed(error) => Err(error),
        };
        // Alone, it leaves an empty transaction behind, whose commit costs nothing.
        if alone {
            self.statements.run("ROLLBACK").map_err(broken)?;
            self.statements.run("BEGIN").map_err(broken)?;
        } else {
            self.statements.run("ROLLBACK TO unit").map_err(broken)?;
            self.statements.run("RELEASE unit").map_err(broken)?;
        }
        Ok(end)
    }

    /// Ends a transaction that cannot be committed and tells everybody in it.
    fn give_up(&mut self, ended: Vec<(Done, Result<(), StoreError>)>, broken: Broken) -> Broken {
        if !self.connection.is_autocommit()
            && let Err(error) = self.statements.run("ROLLBACK")
        {
            tracing::error!(error = %error, "a transaction could not be rolled back; its connection is dropped");
        }
        self.space
            .note(self.shared, self.reserved, matches!(broken, Broken::Full));
        tracing::error!(units = ended.len(), error = %broken.error(), "a batch of units was not committed");
        for (done, _) in ended {
            tell(done, Err(broken.error()));
        }
        broken
    }
}

fn is_reserved(unit: &Unit) -> bool {
    unit.mode == Mode::WriteReserved
}
