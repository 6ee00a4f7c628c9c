//! Numbers that grow with every change of what they name.
//!
//! Owns the table `versions`. Never knows what reads them.

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

    /// Moves the number by one; the new one. The row stays locked until the commit, so that numbers become visible
    /// in their order and without gaps, also between replicas.
    pub(crate) fn advance(&mut self, counter: Counter) -> Result<i64, StoreError> {
        if !matches!(counter, Counter::Revocations) {
            self.wrote.records = true;
        }
        self.only(
            "UPDATE versions SET value = value + 1 WHERE name = $1 RETURNING value",
            &[counter.as_str().into()],
            |row| row.int(),
        )
    }
}
