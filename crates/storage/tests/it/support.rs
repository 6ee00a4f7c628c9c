//! A store of each engine, for one test.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use lanyard_core::store::{Mode, Ran, Store, StoreError, StoreExt as _, Tx, Unit};
use lanyard_storage::{Handle, Opened, StoreConfig, open};
use lanyard_testkit::block_on::block_on;
use lanyard_testkit::postgres::Database;
use tempfile::TempDir;

pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) handle: Handle,
    // Dropped after the store.
    pub(crate) place: Place,
}

pub(crate) enum Place {
    File(TempDir),
    Database(Database),
}

impl Bench {
    pub(crate) fn sqlite() -> Self {
        Self::sqlite_with(|_| {})
    }

    pub(crate) fn sqlite_with(change: impl FnOnce(&mut StoreConfig)) -> Self {
        Self::sqlite_in(tempfile::tempdir().unwrap(), change)
    }

    pub(crate) fn sqlite_in(place: TempDir, change: impl FnOnce(&mut StoreConfig)) -> Self {
        let mut config = StoreConfig::sqlite(place.path().join("lanyard.db"));
        config.reserve_bytes = 1 << 20;
        change(&mut config);
        let Opened { store, handle } = open(&config).unwrap();
        Self {
            store,
            handle,
            place: Place::File(place),
        }
    }

    pub(crate) fn postgres() -> Self {
        let database = lanyard_testkit::postgres::database();
        let mut config = StoreConfig::postgres(database.url());
        config.connections = 8;
        let Opened { store, handle } = open(&config).unwrap();
        Self {
            store,
            handle,
            place: Place::Database(database),
        }
    }

    pub(crate) fn write<T: Send + 'static>(
        &self,
        unit: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        block_on(self.store.write(unit))
    }

    pub(crate) fn read<T: Send + 'static>(
        &self,
        unit: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        block_on(self.store.read(unit))
    }

    /// Queues a unit without waiting for it.
    pub(crate) fn submit(
        &self,
        mode: Mode,
        unit: impl FnOnce(&mut dyn Tx) -> Result<(), StoreError> + Send + 'static,
    ) -> Receiver<Result<(), StoreError>> {
        let (sender, receiver) = channel();
        self.store.submit(Unit {
            mode,
            run: Box::new(move |tx| if unit(tx).is_ok() { Ran::Commit } else { Ran::RollBack }),
            done: Box::new(move |end| sender.send(end).unwrap_or(())),
        });
        receiver
    }

    /// Keeps the writer busy until the gate is dropped, so that what is queued meanwhile lands in one batch.
    pub(crate) fn gate(&self) -> Gate {
        let (entered, is_in) = channel();
        let (open, wait) = channel::<()>();
        let end = self.submit(Mode::Write, move |_| {
            entered.send(()).unwrap();
            let _ = wait.recv();
            Ok(())
        });
        is_in.recv().unwrap();
        Gate { _open: open, _end: end }
    }

    /// Changes the database behind the store's back.
    pub(crate) fn meddle(&self, sqlite: &str, postgres: &str) {
        match &self.place {
            Place::File(place) => {
                let connection = rusqlite::Connection::open(place.path().join("lanyard.db")).unwrap();
                connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
                connection.execute_batch(sqlite).unwrap();
            }
            Place::Database(database) => {
                database.sql(postgres);
            }
        }
    }
}

pub(crate) struct Gate {
    _open: std::sync::mpsc::Sender<()>,
    _end: Receiver<Result<(), StoreError>>,
}
