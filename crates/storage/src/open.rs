//! Opening a store from its configuration.
//!
//! Owns the choice of the engine and the errors that people read. Never runs a unit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lanyard_core::store::Store;

use crate::engine::Handle;
use crate::migrate::Schema;

/// Where the store is and how much it may use.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Which engine, and where.
    pub location: Location,
    /// SQLite: threads that read. PostgreSQL reads on its connections.
    pub readers: usize,
    /// PostgreSQL: connections, each with a thread of its own. A commit waits for the disk, so there are more of
    /// them than cores.
    pub connections: usize,
    /// Units that may wait for a writer, and as many for a reader; beyond that the answer is "not available".
    pub queue: usize,
    /// SQLite: units in one commit.
    pub batch: usize,
    /// SQLite: disk space kept for acts that cut access off, in bytes.
    pub reserve_bytes: u64,
    /// SQLite: the largest database in pages of 4,096 bytes, the reserve included. `None`: what the disk holds.
    pub max_pages: Option<u32>,
    /// Whether migrations that are missing are run. SQLite always runs them.
    pub migrate: bool,
}

/// Which engine, and where.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file; made when missing, readable by its owner only.
    Sqlite(PathBuf),
    /// A connection URL, `postgres://…`. With `sslmode=require` (or `verify-full`) the server's certificate is
    /// always verified, against `sslrootcert=FILE` or the system's roots.
    Postgres(String),
}

// The URL may hold a password.
impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

impl Location {
    /// Reads `postgres://…` or `postgresql://…` as a URL, `sqlite:PATH` and everything else as a path.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Self::Postgres(text.to_owned());
        }
        let path = text
            .strip_prefix("sqlite://")
            .or_else(|| text.strip_prefix("sqlite:"))
            .unwrap_or(text);
        Self::Sqlite(PathBuf::from(path))
    }
}

impl StoreConfig {
    /// The defaults at a place.
    pub fn new(location: Location) -> Self {
        Self {
            location,
            readers: 2,
            connections: 16,
            queue: 4096,
            batch: 256,
            reserve_bytes: 4 << 20,
            max_pages: None,
            migrate: true,
        }
    }

    /// The defaults with this SQLite file.
    pub fn sqlite(path: impl AsRef<Path>) -> Self {
        Self::new(Location::Sqlite(path.as_ref().to_owned()))
    }

    /// The defaults with this PostgreSQL URL.
    pub fn postgres(url: impl Into<String>) -> Self {
        Self::new(Location::Postgres(url.into()))
    }
}

/// A running store.
pub struct Opened {
    /// For units of work.
    pub store: Arc<dyn Store>,
    /// For its holder.
    pub handle: Handle,
}

/// The store cannot be opened. Each says what is wrong and what to do; none carries the URL, which may hold a
/// password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be made or opened.
    #[error(
        "the store file {path} cannot be opened: {why}; check that the directory exists and belongs to the user that runs Lanyard"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The URL is not one.
    #[error("the PostgreSQL URL of the store is not usable: {0}")]
    Url(String),
    /// The server does not answer, or refuses.
    #[error("PostgreSQL cannot be reached: {0}; check host, port, user, password and database of the store URL")]
    Server(String),
    /// TLS cannot be set up.
    #[error("TLS to PostgreSQL cannot be set up: {0}")]
    Tls(String),
    /// Migrations failed.
    #[error("the store cannot be brought to this release: {0}")]
    Migration(String),
    /// Migrations are missing and are not run by themselves.
    #[error(
        "the store has schema {found} and lacks {missing}; run `lanyard migrate` first, or let the start do it with store.migrate = true"
    )]
    Schema {
        /// The last step applied.
        found: u64,
        /// The steps of this release that it lacks.
        missing: String,
    },
    /// This build has no such engine.
    #[error("this program was built without the engine {0}")]
    Missing(&'static str),
    /// A thread cannot be started.
    #[error("a thread of the store cannot be started: {0}")]
    Thread(String),
}

/// Opens the store: makes it when missing, brings it to this release under a lock, starts its threads.
///
/// # Errors
/// [`OpenError`], in words for the person who starts the program.
pub fn open(config: &StoreConfig) -> Result<Opened, OpenError> {
    match &config.location {
        #[cfg(feature = "sqlite")]
        Location::Sqlite(path) => crate::engine::sqlite::open(path, config),
        #[cfg(not(feature = "sqlite"))]
        Location::Sqlite(_) => Err(OpenError::Missing("sqlite")),
        #[cfg(feature = "postgres")]
        Location::Postgres(url) => crate::engine::postgres::open(url, config),
        #[cfg(not(feature = "postgres"))]
        Location::Postgres(_) => Err(OpenError::Missing("postgres")),
    }
}

/// The steps of a store against those of this release. Changes and makes nothing.
///
/// # Errors
/// [`OpenError`].
pub fn schema(config: &StoreConfig) -> Result<Schema, OpenError> {
    match &config.location {
        #[cfg(feature = "sqlite")]
        Location::Sqlite(path) => crate::engine::sqlite::schema(path),
        #[cfg(not(feature = "sqlite"))]
        Location::Sqlite(_) => Err(OpenError::Missing("sqlite")),
        #[cfg(feature = "postgres")]
        Location::Postgres(url) => crate::engine::postgres::schema(url),
        #[cfg(not(feature = "postgres"))]
        Location::Postgres(_) => Err(OpenError::Missing("postgres")),
    }
}

/// Makes a store when it is missing and brings it to this release under a lock; the steps that were applied now.
///
/// # Errors
/// [`OpenError`].
pub fn migrate(config: &StoreConfig) -> Result<Vec<String>, OpenError> {
    match &config.location {
        #[cfg(feature = "sqlite")]
        Location::Sqlite(path) => crate::engine::sqlite::bring_up(path),
        #[cfg(not(feature = "sqlite"))]
        Location::Sqlite(_) => Err(OpenError::Missing("sqlite")),
        #[cfg(feature = "postgres")]
        Location::Postgres(url) => crate::engine::postgres::bring_up(url),
        #[cfg(not(feature = "postgres"))]
        Location::Postgres(_) => Err(OpenError::Missing("postgres")),
    }
}
