//! The engines: threads that run units of work on connections.
//!
//! Owns what both have in common. Never holds a statement of a store trait.

#[cfg(feature = "postgres")]
pub(crate) mod postgres;
pub(crate) mod queue;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, RwLock};

use lanyard_core::store::{Ran, StoreError, Tx, Unit};

pub use crate::sql::Committed;
use crate::sql::{Failed, SqlTx};

/// Told after a commit is durable, on a thread of the engine: must not block.
pub(crate) type OnCommit = Arc<dyn Fn(Committed) + Send + Sync>;

/// Those who want to know about commits.
#[derive(Default)]
pub(crate) struct Listeners {
    all: RwLock<Vec<OnCommit>>,
}

impl Listeners {
    /// Adds one.
    pub(crate) fn add(&self, listener: OnCommit) {
        if let Ok(mut all) = self.all.write() {
            all.push(listener);
        }
    }

    /// Tells all, when there is something to tell.
    pub(crate) fn tell(&self, committed: Committed) {
        if !committed.any() {
            return;
        }
        if let Ok(all) = self.all.read() {
            for listener in all.iter() {
                // A listener that panics must not take the engine's thread with it.
                if catch_unwind(AssertUnwindSafe(|| listener(committed))).is_err() {
                    tracing::error!("a listener for commits panicked");
                }
            }
        }
    }
}

/// How an engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// The last attempt to reach the store succeeded.
    pub available: bool,
    /// Ordinary writes are refused for want of space.
    pub full: bool,
    /// Units that wait.
    pub queued: usize,
}

/// What an engine offers beside running units.
pub(crate) trait Engine: Send + Sync {
    fn listeners(&self) -> &Listeners;
    fn health(&self) -> Health;
    fn stop(&self);
    fn backup(&self, to: &Path) -> Result<(), StoreError>;
}

/// The holder's side of an opened store: health, commits, backup, end.
#[derive(Clone)]
pub struct Handle {
    engine: Arc<dyn Engine>,
}

impl Handle {
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// Calls `listener` after each durable commit that wrote a job, an audit event, a revocation or a versioned
    /// record, once per batch, on a thread of the engine. It must not block.
    pub fn on_commit(&self, listener: impl Fn(Committed) + Send + Sync + 'static) {
        self.engine.listeners().add(Arc::new(listener));
    }

    /// How the engine is.
    pub fn health(&self) -> Health {
        self.engine.health()
    }

    /// Takes no new units, runs those that wait, ends the threads. Blocks until then.
    pub fn shutdown(&self) {
        self.engine.stop();
    }

    /// Writes a consistent copy of the store to a new file. Blocks; runs beside other units.
    ///
    /// # Errors
    /// [`StoreError::Engine`] when the file exists or cannot be written, or the engine has tools of its own.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        self.engine.backup(to)
    }
}

/// The work of a unit.
pub(crate) type Work = Box<dyn FnOnce(&mut dyn Tx) -> Ran + Send>;
/// Who is told its end.
pub(crate) type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// What became of a unit before its commit.
pub(crate) enum Fate {
    /// To be committed.
    Commit,
    /// To be rolled back, as it asked.
    RollBack,
    /// To be rolled back because of this.
    Failed(StoreError),
}

/// Runs a unit's closure; a panic is caught here and costs only this unit.
pub(crate) fn run(tx: &mut SqlTx<'_>, work: Work) -> Fate {
    let ran = catch_unwind(AssertUnwindSafe(|| work(tx)));
    match (ran, tx.failed()) {
        (Err(_), _) => {
            tracing::error!("a unit of work panicked and was rolled back");
            Fate::Failed(StoreError::Panicked)
        }
        (Ok(Ran::RollBack), _) => Fate::RollBack,
        (Ok(Ran::Commit), Some(failed)) => Fate::Failed(Failed::error(failed)),
        (Ok(Ran::Commit), None) => Fate::Commit,
    }
}

/// Tells a unit its end; a panic in the callback costs nobody else anything.
pub(crate) fn tell(done: Done, end: Result<(), StoreError>) {
    if catch_unwind(AssertUnwindSafe(|| done(end))).is_err() {
        tracing::error!("the callback of a unit of work panicked");
    }
}

/// Refuses a unit that never ran.
pub(crate) fn refuse(unit: Unit, why: StoreError) {
    tell(unit.done, Err(why));
}
