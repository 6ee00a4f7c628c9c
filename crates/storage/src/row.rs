//! A row, read column by column in the order of the statement.
//!
//! Owns the way back from stored values to domain types. Never runs a statement.

use lanyard_core::clock::Timestamp;
use lanyard_core::id::Id;
use lanyard_core::store::StoreError;
use lanyard_protocol::scope::ScopeSet;

/// One row of an engine and the place up to which it is read.
pub(crate) struct Row<'a> {
    source: Source<'a>,
    next: usize,
}

/// Whose row it is.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    #[cfg(feature = "sqlite")]
    Sqlite(&'a rusqlite::Row<'a>),
    #[cfg(feature = "postgres")]
    Postgres(&'a postgres::Row),
}

/// A stored value is not what the program wrote.
pub(crate) fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}

impl<'a> Row<'a> {
    /// A row that is not read yet.
    pub(crate) fn new(source: Source<'a>) -> Self {
        Self { source, next: 0 }
    }

    /// The next column, a text.
    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        self.str().map(str::to_owned)
    }

    /// The next column, a text or nothing.
    pub(crate) fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        Ok(self.maybe_str()?.map(str::to_owned))
    }

    /// The next column, a text that is not kept.
    pub(crate) fn str(&mut self) -> Result<&'a str, StoreError> {
        self.maybe_str()?.ok_or_else(|| self.wrong("is empty"))
    }

    /// The next column, a number.
    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        self.maybe_int()?.ok_or_else(|| self.wrong("is empty"))
    }

    /// The next column, 0 or 1.
    pub(crate) fn flag(&mut self) -> Result<bool, StoreError> {
        match self.int()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.wrong("is neither 0 nor 1")),
        }
    }

    /// The next column, an instant.
    pub(crate) fn time(&mut self) -> Result<Timestamp, StoreError> {
        self.int().map(Timestamp::from_micros)
    }

    /// The next column, an instant or nothing.
    pub(crate) fn maybe_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.maybe_int()?.map(Timestamp::from_micros))
    }

    /// The next column, bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], StoreError> {
        self.maybe_bytes()?.ok_or_else(|| self.wrong("is empty"))
    }

    /// The next column, bytes or nothing.
    pub(crate) fn maybe_bytes(&mut self) -> Result<Option<&'a [u8]>, StoreError> {
        let column = self.step();
        let bytes = match self.source {
            #[cfg(feature = "sqlite")]
            Source::Sqlite(row) => row.get_ref(column).ok().and_then(|value| value.as_blob_or_null().ok()),
            #[cfg(feature = "postgres")]
            Source::Postgres(row) => row.try_get::<_, Option<&[u8]>>(column).ok(),
        };
        bytes.ok_or_else(|| self.wrong("holds no bytes"))
    }

    /// The next column, a SHA-256.
    pub(crate) fn hash(&mut self) -> Result<[u8; 32], StoreError> {
        self.bytes()?.try_into().map_err(|_| self.wrong("is not 32 bytes long"))
    }

    /// The next column, an identifier that we made.
    pub(crate) fn id<T: Id>(&mut self) -> Result<T, StoreError> {
        self.text().map(T::from_stored)
    }

    /// The next column, an identifier or nothing.
    pub(crate) fn maybe_id<T: Id>(&mut self) -> Result<Option<T>, StoreError> {
        Ok(self.maybe_text()?.map(T::from_stored))
    }

    /// The next column, a text with a syntax of its own.
    pub(crate) fn parsed<T: TryFrom<String>>(&mut self) -> Result<T, StoreError> {
        T::try_from(self.text()?).map_err(|_| self.wrong("does not parse"))
    }

    /// The next column, a set of scopes.
    pub(crate) fn scopes(&mut self) -> Result<ScopeSet, StoreError> {
        ScopeSet::parse(self.str()?).map_err(|_| self.wrong("does not parse"))
    }

    /// The next column, one of these names.
    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T], name: fn(T) -> &'static str) -> Result<T, StoreError> {
        let text = self.str()?;
        all.iter()
            .copied()
            .find(|one| name(*one) == text)
            .ok_or_else(|| self.wrong("has an unknown name"))
    }

    /// The next column, a JSON document.
    pub(crate) fn doc<T: TryFromJson>(&mut self) -> Result<T, StoreError> {
        T::from_json(self.str()?).map_err(|_| self.wrong("does not parse"))
    }

    /// The next column, a JSON document or nothing.
    pub(crate) fn maybe_doc<T: TryFromJson>(&mut self) -> Result<Option<T>, StoreError> {
        self.maybe_str()?
            .map(|text| T::from_json(text).map_err(|_| self.wrong("does not parse")))
            .transpose()
    }

    /// The next column, a text or nothing, not kept.
    pub(crate) fn maybe_str(&mut self) -> Result<Option<&'a str>, StoreError> {
        let column = self.step();
        let text = match self.source {
            #[cfg(feature = "sqlite")]
            Source::Sqlite(row) => row.get_ref(column).ok().and_then(|value| value.as_str_or_null().ok()),
            #[cfg(feature = "postgres")]
            Source::Postgres(row) => row.try_get::<_, Option<&str>>(column).ok(),
        };
        text.ok_or_else(|| self.wrong("holds no text"))
    }

    /// The next column, a number or nothing.
    pub(crate) fn maybe_int(&mut self) -> Result<Option<i64>, StoreError> {
        let column = self.step();
        let number = match self.source {
            #[cfg(feature = "sqlite")]
            Source::Sqlite(row) => row.get_ref(column).ok().and_then(|value| value.as_i64_or_null().ok()),
            #[cfg(feature = "postgres")]
            Source::Postgres(row) => row.try_get::<_, Option<i64>>(column).ok(),
        };
        number.ok_or_else(|| self.wrong("holds no number"))
    }

    fn step(&mut self) -> usize {
        let column = self.next;
        self.next = column.saturating_add(1);
        column
    }

    /// Names the column last read: never its value.
    fn wrong(&self, how: &str) -> StoreError {
        let column = self.next.saturating_sub(1);
        let name = match self.source {
            #[cfg(feature = "sqlite")]
            Source::Sqlite(row) => row.as_ref().column_name(column).ok().map(str::to_owned),
            #[cfg(feature = "postgres")]
            Source::Postgres(row) => row.columns().get(column).map(|column| column.name().to_owned()),
        };
        corrupt(format_args!("column {} ({}) {how}", column, name.unwrap_or_default()))
    }
}

/// A document that is stored as JSON text.
pub(crate) trait TryFromJson: Sized {
    fn from_json(text: &str) -> Result<Self, serde_json::Error>;
}

impl<T: serde::de::DeserializeOwned> TryFromJson for T {
    fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// A document as JSON text.
pub(crate) fn doc<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| corrupt("a document cannot be written as JSON"))
}

/// A document that may be missing, as JSON text.
pub(crate) fn maybe_doc<T: serde::Serialize>(value: Option<&T>) -> Result<Option<String>, StoreError> {
    value.map(doc).transpose()
}
