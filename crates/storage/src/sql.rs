//! The seam between the store traits and an engine: one text, values in, rows out.
//!
//! Owns the transaction that the traits are written on. Never knows how an engine runs a statement.

use std::borrow::Cow;

use lanyard_core::clock::Timestamp;
use lanyard_core::store::{StoreError, Tx};

use crate::held::{Held, Key};
use crate::row::Row;
use crate::version::Counters;

/// A parameter of a statement. The traits bind only these, whatever the column's type is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// What stands in a text for the one character that PostgreSQL cannot store (U+0000).
const REPLACEMENT: &str = "\u{FFFD}";

/// A text as both engines can hold it. No value of ours has the character; one of somebody else's must not make a
/// statement fail on one engine and not on the other, and finds nothing.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', REPLACEMENT))
    } else {
        Cow::Borrowed(text)
    }
}

/// A statement whose text differs between the engines (`dialect.rs`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts {
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "the other engine's text"))]
    pub(crate) sqlite: &'static str,
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "the other engine's text"))]
    pub(crate) postgres: &'static str,
}

/// What an engine does for a unit. Statements are constants, prepared once per connection.
pub(crate) trait Link {
    /// Runs a statement; how many rows it touched.
    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError>;
    /// Runs a query and hands over each row.
    fn query(&mut self, sql: &'static str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), StoreError>;
    /// Runs a query whose text was built for it (`scim/condition.rs`, nobody else). The text holds no value.
    fn query_built(&mut self, sql: &str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), StoreError>;
    /// The text that this engine understands.
    fn choose(&self, texts: Texts) -> &'static str;
    /// Whether this is the engine in this process (SQLite), where many small statements cost no more than one large.
    fn is_embedded(&self) -> bool;
}

/// Takes one row.
pub(crate) type EachRow<'f> = dyn FnMut(&mut Row<'_>) -> Result<(), StoreError> + 'f;

/// What a unit changed that somebody may be waiting for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// A job was written.
    pub jobs: bool,
    /// An audit event was written.
    pub audit: bool,
    /// A revocation was written.
    pub revocations: bool,
    /// Keys, connectors or rules changed.
    pub records: bool,
}

impl Committed {
    /// Whether anything of it happened.
    pub const fn any(self) -> bool {
        self.jobs || self.audit || self.revocations || self.records
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            jobs: self.jobs || other.jobs,
            audit: self.audit || other.audit,
            revocations: self.revocations || other.revocations,
            records: self.records || other.records,
        }
    }
}

/// One unit of work on an engine's connection. Every store trait is implemented for it, one file each.
pub(crate) struct SqlTx<'a> {
    link: &'a mut dyn Link,
    held: &'a Held,
    /// The counters, while nothing was written since they were read.
    pub(crate) counters: Option<Counters>,
    /// Whether this unit has written: from then on what is held may be older than what it did.
    changing: bool,
    /// What became of it so far, for those who wait.
    pub(crate) wrote: Committed,
    failed: Option<Failed>,
}

/// Why a unit cannot be committed any more, whatever its closure answers: PostgreSQL aborts a transaction at the
/// first failed statement, so a unit that goes on after one would mean different things on the two engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    Full,
    Conflict(&'static str),
    Other,
}

impl Failed {
    /// The failure as an answer.
    pub(crate) fn error(self) -> StoreError {
        match self {
            Self::Full => StoreError::Full,
            Self::Conflict(name) => StoreError::Conflict(name),
            Self::Other => StoreError::Engine("an earlier statement of this unit failed".into()),
        }
    }

    fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Conflict(name) => Self::Conflict(name),
            _ => Self::Other,
        }
    }
}

impl Tx for SqlTx<'_> {}

impl<'a> SqlTx<'a> {
    /// A unit on this connection; the engine has begun the transaction.
    pub(crate) fn new(link: &'a mut dyn Link, held: &'a Held, counters: Option<Counters>) -> Self {
        Self {
            link,
            held,
            counters,
            changing: false,
            wrote: Committed::default(),
            failed: None,
        }
    }

    /// The failure that forbids the commit.
    pub(crate) fn failed(&self) -> Option<Failed> {
        self.failed
    }

    /// The text for this engine.
    pub(crate) fn choose(&self, texts: Texts) -> &'static str {
        self.link.choose(texts)
    }

    /// Whether this is the engine in this process (SQLite), where many small statements cost no more than one large.
    pub(crate) fn is_embedded(&self) -> bool {
        self.link.is_embedded()
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.stands()?;
        self.changing();
        let result = self.link.execute(sql, values);
        self.note(result)
    }

    /// From here on the unit is not what others see: it reads everything itself.
    pub(crate) fn changing(&mut self) {
        self.changing = true;
        self.counters = None;
    }

    /// Runs an insert that ends in `ON CONFLICT DO NOTHING`; a taken key is a conflict of this name.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<(), StoreError> {
        if self.execute(sql, values)? == 1 {
            Ok(())
        } else {
            Err(StoreError::Conflict(name))
        }
    }

    /// Runs a guarded update that must touch exactly one row; a taken key or another version is a conflict.
    pub(crate) fn change(
        &mut self,
        name: &'static str,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<(), StoreError> {
        match self.execute(sql, values) {
            Ok(1) => Ok(()),
            Ok(_) | Err(StoreError::Conflict(_)) => Err(StoreError::Conflict(name)),
            Err(error) => Err(error),
        }
    }

    /// Runs a guarded update or a removal of at most one row; whether it touched it.
    pub(crate) fn touched(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<bool, StoreError> {
        Ok(self.execute(sql, values)? > 0)
    }

    /// The one row of a query by a unique key.
    pub(crate) fn find<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        read: impl Fn(&mut Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.each(sql, values, &mut |row| {
            found = Some(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// The one row of a query by a unique key, in tables whose every change moves the registry: answered from memory
    /// while its number is the same and the unit has not written. What is not found is asked again each time.
    pub(crate) fn find_held<T: Clone + Send + Sync + 'static>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        read: impl Fn(&mut Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.held_or(sql, values, |tx| tx.find(sql, values, read), Option::is_some)
    }

    /// Every row of a query, in the same way.
    pub(crate) fn list_held<T: Clone + Send + Sync + 'static>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        read: impl Fn(&mut Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.held_or(sql, values, |tx| tx.list(sql, values, read), |_| true)
    }

    fn held_or<T: Clone + Send + Sync + 'static>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        ask: impl FnOnce(&mut Self) -> Result<T, StoreError>,
        is_kept: impl FnOnce(&T) -> bool,
    ) -> Result<T, StoreError> {
        if self.changing {
            return ask(self);
        }
        let number = self.counters()?.registry;
        let key = Key::new(sql, values);
        if let Some(found) = self.held.get::<T>(number, &key) {
            return Ok(found);
        }
        let found = ask(self)?;
        // PostgreSQL shows each statement what was committed meanwhile: held is only what surely belongs to the number.
        self.counters = None;
        if is_kept(&found) && self.counters()?.registry == number {
            self.held.put(number, key, found.clone());
        }
        Ok(found)
    }

    /// The one row of a query that always has one.
    pub(crate) fn only<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        read: impl Fn(&mut Row<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.find(sql, values, read)?
            .ok_or_else(|| StoreError::Corrupt("a row is missing".to_owned()))
    }

    /// Every row of a query.
    pub(crate) fn list<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        read: impl Fn(&mut Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        self.each(sql, values, &mut |row| {
            all.push(read(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Every row of a query whose text was built for it.
    pub(crate) fn list_built<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&mut Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.stands()?;
        let mut all = Vec::new();
        let result = self.link.query_built(sql, values, &mut |row| {
            all.push(read(row)?);
            Ok(())
        });
        self.note(result)?;
        Ok(all)
    }

    fn each(&mut self, sql: &'static str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), StoreError> {
        self.stands()?;
        let result = self.link.query(sql, values, each);
        self.note(result)
    }

    fn stands(&self) -> Result<(), StoreError> {
        match self.failed {
            None => Ok(()),
            Some(failed) => Err(failed.error()),
        }
    }

    fn note<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            self.failed = Some(Failed::of(error));
        }
        result
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.micros())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8; 32]> for Value<'a> {
    fn from(value: &'a [u8; 32]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! text_values {
    ($($name:path),* $(,)?) => {$(
        impl<'a> From<&'a $name> for Value<'a> {
            fn from(value: &'a $name) -> Self {
                Self::Text(value.as_str())
            }
        }
    )*};
}

text_values!(
    lanyard_core::id::UserId,
    lanyard_core::id::GroupId,
    lanyard_core::id::ClientKey,
    lanyard_core::id::SecretId,
    lanyard_core::id::ConnectorId,
    lanyard_core::id::AudienceId,
    lanyard_core::id::TrustId,
    lanyard_core::id::TenantId,
    lanyard_core::id::RuleId,
    lanyard_core::id::SessionId,
    lanyard_core::id::PasskeyId,
    lanyard_core::id::FamilyId,
    lanyard_core::id::AccountId,
    lanyard_core::id::AdminTokenId,
    lanyard_core::id::AgentId,
    lanyard_core::id::ConnectionId,
    lanyard_core::id::DirectoryId,
    lanyard_core::id::DirectoryTokenId,
    lanyard_core::id::JobId,
    lanyard_core::id::RequestId,
    lanyard_protocol::issuer::Issuer,
    lanyard_protocol::client_id::ClientId,
    lanyard_protocol::resource::ResourceId,
    lanyard_protocol::claims::time::Subject,
);
