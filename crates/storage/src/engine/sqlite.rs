//! SQLite: one writer thread with group commit, a few readers, a checkpointer.
//!
//! Owns the threads and the opening. Never decides what a unit does.

mod checkpoint;
mod connection;
mod reader;
mod space;
mod writer;

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use lanyard_core::store::{Mode, Store, StoreError, Unit};

use crate::engine::queue::Queue;
use crate::engine::{Engine, Handle, Health, Listeners, refuse};
use crate::held::Held;
use crate::migrate::{self, Schema};
use crate::open::{OpenError, Opened, StoreConfig};

/// What the threads share.
pub(crate) struct Shared {
    path: PathBuf,
    config: StoreConfig,
    writes: Queue,
    reads: Queue,
    listeners: Listeners,
    checkpoint: checkpoint::Signal,
    held: Held,
    full: AtomicBool,
    available: AtomicBool,
}

struct Sqlite {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Opens the file, makes it when missing, brings it to this release, starts the threads.
pub(crate) fn open(path: &Path, config: &StoreConfig) -> Result<Opened, OpenError> {
    bring_up(path)?;
    let shared = Arc::new(Shared {
        path: path.to_owned(),
        config: config.clone(),
        writes: Queue::new(config.queue),
        reads: Queue::new(config.queue),
        listeners: Listeners::default(),
        checkpoint: checkpoint::Signal::default(),
        held: Held::default(),
        full: AtomicBool::new(false),
        available: AtomicBool::new(true),
    });
    let engine = Arc::new(Sqlite {
        shared: Arc::clone(&shared),
        threads: Mutex::new(Vec::new()),
    });

    let first = connection::writer(path).map_err(|error| file_error(path, error))?;
    let writer = Arc::clone(&shared);
    engine.start("store-writer", move || writer::serve(&writer, first))?;
    for _ in 0..config.readers.max(1) {
        let first = connection::reader(path).map_err(|error| file_error(path, error))?;
        let reader = Arc::clone(&shared);
        engine.start("store-reader", move || reader::serve(&reader, first))?;
    }
    let first = connection::writer(path).map_err(|error| file_error(path, error))?;
    engine.start("store-checkpoint", move || checkpoint::serve(&shared, &first))?;

    let store: Arc<dyn Store> = engine.clone();
    Ok(Opened {
        store,
        handle: Handle::new(engine),
    })
}

fn file_error(path: &Path, why: impl std::fmt::Display) -> OpenError {
    OpenError::File {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

/// Makes the file when it is missing; it holds password hashes, so only its owner reads it.
fn create(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    let file = options.open(path).map_err(|error| file_error(path, error))?;
    tighten(&file).map_err(|error| file_error(path, error))
}

/// New files are readable by their owner only.
fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

fn tighten(file: &File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// A path beside the database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes the file when it is missing and runs the missing migrations; a lock of the operating system lets one process
/// at a time.
pub(crate) fn bring_up(path: &Path) -> Result<Vec<String>, OpenError> {
    create(path)?;
    let lock_path = beside(path, "-migrate.lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    let lock = options
        .open(&lock_path)
        .map_err(|error| file_error(&lock_path, error))?;
    lock.lock().map_err(|error| file_error(&lock_path, error))?;
    let mut connection = connection::writer(path).map_err(|error| file_error(path, error))?;
    let report = migrate::runner(migrate::SQLITE)
        .and_then(|runner| runner.run(&mut connection))
        .map_err(|error| OpenError::Migration(error.to_string()))?;
    let applied = migrate::names(&report);
    for step in &applied {
        tracing::info!(step, "migration applied");
    }
    Ok(applied)
}

/// What a store has of the steps of this release. A file that is missing has none.
pub(crate) fn schema(path: &Path) -> Result<Schema, OpenError> {
    if !path.exists() {
        return Ok(Schema::of(migrate::SQLITE, Vec::new()));
    }
    let history = connection::reader(path).and_then(|connection| connection::history(&connection));
    let history = history.map_err(|error| file_error(path, error))?;
    Ok(Schema::of(migrate::SQLITE, history))
}

impl Sqlite {
    fn start(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .map_err(|error| OpenError::Thread(error.to_string()))?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    fn end(&self) {
        self.shared.writes.close();
        self.shared.reads.close();
        self.shared.checkpoint.close();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let me = std::thread::current().id();
        for thread in threads {
            // A unit may hold the last reference to the store; its thread cannot wait for itself.
            if thread.thread().id() != me && thread.join().is_err() {
                tracing::error!("a thread of the store had panicked");
            }
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.end();
    }
}

impl Store for Sqlite {
    fn submit(&self, unit: Unit) {
        let queue = match unit.mode {
            Mode::Read => &self.shared.reads,
            Mode::Write | Mode::WriteReserved => &self.shared.writes,
        };
        if let Err(unit) = queue.push(unit) {
            refuse(unit, StoreError::Unavailable);
        }
    }

    fn engine(&self) -> &'static str {
        "sqlite"
    }
}

impl Engine for Sqlite {
    fn listeners(&self) -> &Listeners {
        &self.shared.listeners
    }

    fn health(&self) -> Health {
        Health {
            available: self.shared.available.load(Ordering::Relaxed),
            full: self.shared.full.load(Ordering::Relaxed),
            queued: self.shared.writes.len().saturating_add(self.shared.reads.len()),
        }
    }

    fn stop(&self) {
        self.end();
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        private(&mut options);
        options.open(to).map_err(|error| StoreError::Engine(Box::new(error)))?;
        connection::reader(&self.shared.path)
            .and_then(|connection| connection::copy_into(&connection, to))
            .map_err(|error| StoreError::Engine(Box::new(error)))
    }
}
