//! Numbers that grow with every change of what they name.
//!
//! Owns the table `versions`. Never knows what reads them.

use std::hash::{BuildHasher, RandomState};

use lanyard_core::store::StoreError;

use crate::sql::SqlTx;

/// The counters that exist.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counter {
    Policy,
    Connectors,
    Keys,
    Revocations,
}

/// All of them, as a unit sees them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counters {
    connectors: i64,
    keys: i64,
    policy: i64,
    /// Moved by the triggers of the tables that administrators write, never by `advance`.
    pub(crate) registry: i64,
    revocations: i64,
}

/// What reads [`Counters`], in its order. A later release may have more of them.
pub(crate) const COUNTERS: &str = "SELECT value FROM versions
    WHERE name IN ('connectors', 'keys', 'policy', 'registry', 'revocations') ORDER BY name";

impl Counters {
    /// From the values that [`COUNTERS`] gives.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when one is missing.
    pub(crate) fn of(values: &[i64]) -> Result<Self, StoreError> {
        let [connectors, keys, policy, registry, revocations] = *values else {
            return Err(StoreError::Corrupt("a counter is missing".to_owned()));
        };
        Ok(Self {
            connectors,
            keys,
            policy,
            registry,
            revocations,
        })
    }

    const fn at(self, counter: Counter) -> i64 {
        match counter {
            Counter::Policy => self.policy,
            Counter::Connectors => self.connectors,
            Counter::Keys => self.keys,
            Counter::Revocations => self.revocations,
        }
    }
}

impl Counter {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Connectors => "connectors",
            Self::Keys => "keys",
            Self::Revocations => "revocations",
        }
    }
}

impl SqlTx<'_> {
    /// The number as this unit sees it.
    pub(crate) fn counter(&mut self, counter: Counter) -> Result<i64, StoreError> {
        Ok(self.counters()?.at(counter))
    }

    /// All numbers, read at once, and again when the unit has written.
    pub(crate) fn counters(&mut self) -> Result<Counters, StoreError> {
        if let Some(counters) = self.counters {
            return Ok(counters);
        }
        let counters = Counters::of(&self.list(COUNTERS, &[], |row| row.int())?)?;
        Ok(*self.counters.insert(counters))
    }

    /// Moves the number; the new one. The row stays locked until the commit, so that numbers become visible in their
    /// order, also between replicas. Revocations are numbered without gaps.
    pub(crate) fn advance(&mut self, counter: Counter) -> Result<i64, StoreError> {
        if !matches!(counter, Counter::Revocations) {
            self.wrote.records = true;
        }
        self.changing();
        let step = match counter {
            Counter::Revocations => 1,
            Counter::Policy | Counter::Connectors | Counter::Keys => leap(),
        };
        self.only(
            "UPDATE versions SET value = value + $1 WHERE name = $2 RETURNING value",
            &[step.into(), counter.as_str().into()],
            |row| row.int(),
        )
    }
}

/// A step of 1 to 2^20 that differs each time. Units of one commit see each other's changes, and what they compiled
/// may be kept under the number they saw. If that commit then fails (the disk is full), the next change must not
/// come to the same number with other contents.
fn leap() -> i64 {
    1 + i64::try_from(RandomState::new().hash_one(()) >> 44).unwrap_or(0)
}
