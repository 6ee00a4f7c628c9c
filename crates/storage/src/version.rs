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
        self.only(
            "SELECT value FROM versions WHERE name = $1",
            &[counter.as_str().into()],
            |row| row.int(),
        )
    }

    /// Moves the number; the new one. The row stays locked until the commit, so that numbers become visible in their
    /// order, also between replicas. Revocations are numbered without gaps.
    pub(crate) fn advance(&mut self, counter: Counter) -> Result<i64, StoreError> {
        if !matches!(counter, Counter::Revocations) {
            self.wrote.records = true;
        }
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
