//! Connections to the server, and statements on them.
//!
//! Owns the session's settings and the meaning of the server's errors. Never runs a transaction.

use std::collections::HashMap;
use std::error::Error as StdError;

use lanyard_core::store::StoreError;
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::row::{Row, Source};
use crate::sql::{EachRow, Link, Texts, Value, storable};

/// Nothing of ours runs long; what hangs is ended by the server, and a commit is on disk unless the server's own
/// setting is stricter still. Every statement looks up keys: planning it anew for other values gains nothing.
const SESSION: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = 'warning';
    SET plan_cache_mode = 'force_generic_plan'; SET jit = off;
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// Makes connections.
pub(super) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    /// To this server.
    pub(super) fn new(config: Config, tls: Option<MakeRustlsConnect>) -> Self {
        Self { config, tls }
    }

    /// A connection with our settings.
    pub(super) fn connect(&self) -> Result<Client, postgres::Error> {
        let mut client = match &self.tls {
            Some(tls) => self.config.connect(tls.clone())?,
            None => self.config.connect(NoTls)?,
        };
        client.batch_execute(SESSION)?;
        Ok(client)
    }
}

/// A connection and the statements prepared on it. Statements are constants, so the address of the text is its name.
pub(super) struct Session {
    pub(super) client: Client,
    prepared: HashMap<(usize, usize), Statement>,
}

impl Session {
    /// None prepared yet.
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            prepared: HashMap::new(),
        }
    }

    fn run(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        each: &mut EachRow<'_>,
    ) -> Result<Result<u64, StoreError>, postgres::Error> {
        let key = (sql.as_ptr().addr(), sql.len());
        let statement = match self.prepared.get(&key) {
            Some(statement) => statement.clone(),
            None => {
                let statement = self.client.prepare(sql)?;
                self.prepared.insert(key, statement.clone());
                statement
            }
        };
        let mut rows = self.client.query_raw(&statement, values.iter().copied())?;
        while let Some(row) = rows.next()? {
            if let Err(error) = each(&mut Row::new(Source::Postgres(&row))) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(rows.rows_affected().unwrap_or(0)))
    }
}

impl Link for Session {
    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.run(sql, values, &mut |_| Ok(())).map_err(failure)?
    }

    fn query(&mut self, sql: &'static str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), StoreError> {
        self.run(sql, values, each).map_err(failure)?.map(|_| ())
    }

    fn query_built(&mut self, sql: &str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), StoreError> {
        let statement = self.client.prepare(sql).map_err(failure)?;
        let mut rows = self
            .client
            .query_raw(&statement, values.iter().copied())
            .map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            each(&mut Row::new(Source::Postgres(&row)))?;
        }
        Ok(())
    }

    fn choose(&self, texts: Texts) -> &'static str {
        texts.postgres
    }

    fn is_embedded(&self) -> bool {
        false
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) => number.to_sql_checked(ty, out),
            Self::Text(text) => storable(text).to_sql_checked(ty, out),
            Self::Bytes(bytes) => bytes.to_sql_checked(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // Each variant checks for itself.
        true
    }

    to_sql_checked!();
}

/// What an error of the server means to a unit.
pub(super) fn failure(error: postgres::Error) -> StoreError {
    if error.is_closed() {
        return StoreError::Unavailable;
    }
    let Some(code) = error.code() else {
        return StoreError::Engine(Box::new(error));
    };
    if *code == SqlState::UNIQUE_VIOLATION {
        StoreError::Conflict("a unique key is taken")
    } else if *code == SqlState::FOREIGN_KEY_VIOLATION {
        StoreError::Conflict("a record that it refers to does not exist")
    } else if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        StoreError::Conflict("a change at the same time")
    } else if *code == SqlState::DISK_FULL {
        StoreError::Full
    } else if is_unavailable(code) {
        StoreError::Unavailable
    } else {
        StoreError::Engine(Box::new(error))
    }
}

/// The server is going away, is a standby, or has no connection left: not a matter of this unit.
fn is_unavailable(code: &SqlState) -> bool {
    let text = code.code();
    text.starts_with("57P") || text.starts_with("08") || ["53300", "55P03", "25006"].contains(&text)
}
