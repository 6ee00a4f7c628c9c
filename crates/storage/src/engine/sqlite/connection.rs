//! Connections to the file, and statements on them.
//!
//! Owns every pragma and the meaning of SQLite's errors. Never runs a transaction.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use lanyard_core::store::StoreError;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, ToSql, ffi};

use crate::migrate::HISTORY;
use crate::row::{Row, Source};
use crate::sql::{EachRow, Link, Texts, Value, storable};

/// The size of a page.
pub(super) const PAGE: u64 = 4096;
/// How long a statement waits for another process.
const BUSY: Duration = Duration::from_secs(5);
/// A bound for the write-ahead log when the checkpointer should ever fail, in pages.
const LAST_RESORT_CHECKPOINT: i64 = 65_536;
/// What the write-ahead log keeps of its length when it starts over: overwriting costs less than growing.
const KEPT_LOG_BYTES: i64 = 32 << 20;

/// A connection that writes.
pub(super) fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", LAST_RESORT_CHECKPOINT)?;
    connection.pragma_update(None, "journal_size_limit", KEPT_LOG_BYTES)?;
    connection.pragma_update(None, "cache_size", -4096)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -768)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

/// How a checkpoint treats readers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Checkpoint {
    /// Copies what it can without waiting for anybody.
    Passive,
    /// Waits for readers, so that the log starts over.
    Restart,
    /// The same, and gives the log's space back.
    Truncate,
}

/// Copies the log into the database; (frames in the log, frames copied).
pub(super) fn checkpoint(connection: &Connection, how: Checkpoint) -> rusqlite::Result<(i64, i64)> {
    let sql = match how {
        Checkpoint::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
        Checkpoint::Restart => "PRAGMA wal_checkpoint(RESTART)",
        Checkpoint::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    connection.query_row(sql, [], |row| Ok((row.get(1)?, row.get(2)?)))
}

/// The same without patience for readers.
pub(super) fn checkpoint_at_once(connection: &Connection, how: Checkpoint) -> rusqlite::Result<(i64, i64)> {
    connection.busy_timeout(Duration::from_millis(100))?;
    let result = checkpoint(connection, how);
    connection.busy_timeout(BUSY)?;
    result
}

/// Bounds the size of the database.
pub(super) fn set_max_pages(connection: &Connection, pages: u32) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
}

/// The migrations that were applied; none in a database without their table.
pub(super) fn history(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    if !connection.table_exists(None, "refinery_schema_history")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(HISTORY)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Writes a consistent copy.
pub(super) fn copy_into(connection: &Connection, to: &Path) -> rusqlite::Result<()> {
    let name = to.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(to.to_owned()))?;
    connection.pragma_update(None, "query_only", false)?;
    connection.execute("VACUUM INTO ?1", [name]).map(|_| ())
}

/// The statements of one connection, each prepared once. Statements are constants, so the address of the text is
/// its name.
pub(super) struct Statements<'c> {
    connection: &'c Connection,
    prepared: HashMap<(usize, usize), Statement<'c>>,
}

impl<'c> Statements<'c> {
    /// None prepared yet.
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            prepared: HashMap::with_capacity(256),
        }
    }

    fn bound(&mut self, sql: &'static str, values: &[Value<'_>]) -> rusqlite::Result<&mut Statement<'c>> {
        let statement = match self.prepared.entry((sql.as_ptr().addr(), sql.len())) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(self.connection.prepare(sql)?),
        };
        // A parameter left out would keep the value of the last run.
        if statement.parameter_count() != values.len() {
            return Err(rusqlite::Error::InvalidParameterCount(
                values.len(),
                statement.parameter_count(),
            ));
        }
        for (place, value) in (1_usize..).zip(values) {
            statement.raw_bind_parameter(place, value)?;
        }
        Ok(statement)
    }

    /// Runs a statement without rows.
    pub(super) fn run(&mut self, sql: &'static str) -> rusqlite::Result<()> {
        self.bound(sql, &[])?.raw_execute().map(|_| ())
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => match storable(text) {
                Cow::Borrowed(text) => ValueRef::Text(text.as_bytes()),
                Cow::Owned(text) => return Ok(ToSqlOutput::Owned(rusqlite::types::Value::Text(text))),
            },
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Link for Statements<'_> {
    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let count = self
            .bound(sql, values)
            .and_then(|statement| statement.raw_execute())
            .map_err(failure)?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    fn query(&mut self, sql: &'static str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), StoreError> {
        let mut rows = self.bound(sql, values).map_err(failure)?.raw_query();
        while let Some(row) = rows.next().map_err(failure)? {
            each(&mut Row::new(Source::Sqlite(row)))?;
        }
        Ok(())
    }

    fn query_built(&mut self, sql: &str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failure)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values)).map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            each(&mut Row::new(Source::Sqlite(row)))?;
        }
        Ok(())
    }

    fn choose(&self, texts: Texts) -> &'static str {
        texts.sqlite
    }

    fn is_embedded(&self) -> bool {
        true
    }
}

/// What an error of SQLite means to a unit.
pub(super) fn failure(error: rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(code, _) = &error else {
        return StoreError::Engine(Box::new(error));
    };
    match code.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            StoreError::Conflict("a unique key is taken")
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => StoreError::Conflict("a record that it refers to does not exist"),
        // A file size limit and a quota come as a failed write.
        ffi::SQLITE_FULL | ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE => StoreError::Full,
        _ => match code.extended_code & 0xff {
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => StoreError::Unavailable,
            _ => StoreError::Engine(Box::new(error)),
        },
    }
}
