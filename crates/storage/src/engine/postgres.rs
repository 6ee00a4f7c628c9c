//! PostgreSQL: worker threads with a connection each, and one that listens.
//!
//! Owns the threads and the opening. Never decides what a unit does.

mod connection;
mod listener;
mod location;
mod worker;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use lanyard_core::store::{Store, StoreError, Unit};
use postgres::Client;

use self::connection::Connector;
use crate::engine::queue::Queue;
use crate::engine::{Engine, Handle, Health, Listeners, refuse};
use crate::held::Held;
use crate::migrate::{self, HISTORY, Schema};
use crate::open::{OpenError, Opened, StoreConfig};

/// The advisory lock under which migrations run.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_lock(7310221045963)";
const MIGRATION_UNLOCK: &str = "SELECT pg_advisory_unlock(7310221045963)";

/// After a restore into another cluster, transaction ids begin anew: events from before are then ordered before all
/// new ones, those that are not sealed yet after those that are.
const AFTER_RESTORE: &str = "UPDATE audit_events e SET written_by =
    CASE WHEN EXISTS (SELECT 1 FROM audit_seals s WHERE s.position = e.position) THEN 0 ELSE 1 END
    WHERE e.written_by >= pg_current_xact_id()::text::bigint";

/// What the threads share.
pub(crate) struct Shared {
    connector: Connector,
    config: StoreConfig,
    units: Queue,
    held: Held,
    listeners: Listeners,
    available: AtomicBool,
    closing: AtomicBool,
}

struct Postgres {
    shared: Arc<Shared>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

/// Connects, brings the schema to this release under a lock, starts the threads.
pub(crate) fn open(url: &str, config: &StoreConfig) -> Result<Opened, OpenError> {
    let connector = location::connector(url)?;
    let mut client = connect(&connector)?;
    migrate(&mut client, config.migrate)?;
    let shared = Arc::new(Shared {
        connector,
        config: config.clone(),
        units: Queue::new(config.queue),
        held: Held::default(),
        listeners: Listeners::default(),
        available: AtomicBool::new(true),
        closing: AtomicBool::new(false),
    });
    let engine = Arc::new(Postgres {
        shared: Arc::clone(&shared),
        workers: Mutex::new(Vec::new()),
        listener: Mutex::new(None),
    });
    let mut first = Some(client);
    for _ in 0..shared.config.connections.max(1) {
        let worker = Arc::clone(&shared);
        let client = first.take();
        let thread = start("store-worker", move || worker::serve(&worker, client))?;
        engine
            .workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(thread);
    }
    let thread = start("store-listener", move || listener::serve(&shared))?;
    *engine.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
    let store: Arc<dyn Store> = engine.clone();
    Ok(Opened {
        store,
        handle: Handle::new(engine),
    })
}

/// Runs the missing migrations under a lock.
pub(crate) fn bring_up(url: &str) -> Result<Vec<String>, OpenError> {
    migrate(&mut connect(&location::connector(url)?)?, true)
}

/// What a store has of the steps of this release.
pub(crate) fn schema(url: &str) -> Result<Schema, OpenError> {
    schema_of(&mut connect(&location::connector(url)?)?)
}

fn connect(connector: &Connector) -> Result<Client, OpenError> {
    connector.connect().map_err(|error| OpenError::Server(worded(&error)))
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| OpenError::Thread(error.to_string()))
}

/// The server's own words, without ours around them.
fn worded(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(answer) => answer.message().to_owned(),
        None => std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string),
    }
}

fn migrate(client: &mut Client, run: bool) -> Result<Vec<String>, OpenError> {
    let said = |error: postgres::Error| OpenError::Migration(worded(&error));
    client.batch_execute(MIGRATION_LOCK).map_err(said)?;
    let result = migrate_locked(client, run);
    client.batch_execute(MIGRATION_UNLOCK).map_err(said)?;
    result
}

fn migrate_locked(client: &mut Client, run: bool) -> Result<Vec<String>, OpenError> {
    let failed = |error: refinery::Error| OpenError::Migration(error.to_string());
    let applied = if run {
        let runner = migrate::runner(migrate::POSTGRES).map_err(failed)?;
        migrate::names(&runner.run(client).map_err(failed)?)
    } else {
        let schema = schema_of(client)?;
        if !schema.missing.is_empty() {
            return Err(OpenError::Schema {
                found: schema.last(),
                missing: schema.missing.join(", "),
            });
        }
        Vec::new()
    };
    for step in &applied {
        tracing::info!(step, "migration applied");
    }
    client
        .execute(AFTER_RESTORE, &[])
        .map(|_| applied)
        .map_err(|error| OpenError::Migration(worded(&error)))
}

fn schema_of(client: &mut Client) -> Result<Schema, OpenError> {
    let said = |error: postgres::Error| OpenError::Migration(worded(&error));
    let row = client
        .query_one("SELECT to_regclass('refinery_schema_history') IS NOT NULL", &[])
        .map_err(said)?;
    if !row.try_get::<_, bool>(0).map_err(said)? {
        return Ok(Schema::of(migrate::POSTGRES, Vec::new()));
    }
    let rows = client.query(HISTORY, &[]).map_err(said)?;
    let mut history = Vec::with_capacity(rows.len());
    for row in rows {
        let number: i32 = row.try_get(0).map_err(said)?;
        history.push((i64::from(number), row.try_get(1).map_err(said)?));
    }
    Ok(Schema::of(migrate::POSTGRES, history))
}

impl Postgres {
    /// Notifies the listeners, from a thread of its own: the store may be dropped on one that drives a runtime, and the
    /// driver must not block there.
    fn wake(&self) -> bool {
        let notify = || {
            let mut client = self.shared.connector.connect()?;
            client.batch_execute(listener::WAKE)
        };
        std::thread::scope(|scope| scope.spawn(notify).join().is_ok_and(|sent| sent.is_ok()))
    }

    fn end(&self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.units.close();
        let me = std::thread::current().id();
        let mut threads = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The listener sleeps on its connection; only a notification ends that before its next look.
        if let Some(listener) = listener
            && self.wake()
        {
            threads.push(listener);
        }
        for thread in threads {
            // A unit may hold the last reference to the store; its thread cannot wait for itself.
            if thread.thread().id() != me && thread.join().is_err() {
                tracing::error!("a thread of the store had panicked");
            }
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end();
    }
}

impl Store for Postgres {
    fn submit(&self, unit: Unit) {
        if let Err(unit) = self.shared.units.push(unit) {
            refuse(unit, StoreError::Unavailable);
        }
    }

    fn engine(&self) -> &'static str {
        "postgres"
    }
}

impl Engine for Postgres {
    fn listeners(&self) -> &Listeners {
        &self.shared.listeners
    }

    fn health(&self) -> Health {
        Health {
            available: self.shared.available.load(Ordering::Relaxed),
            full: false,
            queued: self.shared.units.len(),
        }
    }

    fn stop(&self) {
        self.end();
    }

    fn backup(&self, _to: &Path) -> Result<(), StoreError> {
        Err(StoreError::Engine(
            "PostgreSQL is backed up with its own tools, such as pg_dump".into(),
        ))
    }
}
