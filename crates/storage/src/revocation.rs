//! The revocation feed that gateways read.
//!
//! Owns the table `revocations`. Never knows who reads it.

use lanyard_core::clock::Timestamp;
use lanyard_core::store::StoreError;
use lanyard_core::store::revocation::RevocationStore;
use lanyard_protocol::gateway::{RevocationEntry, Revoked};

use crate::row::{Row, doc};
use crate::sql::SqlTx;
use crate::version::Counter;

fn entry(row: &mut Row<'_>) -> Result<RevocationEntry, StoreError> {
    // The feed carries whole seconds; rounded up, so that an entry is never dropped early.
    Ok(RevocationEntry {
        sequence: row.int()?,
        revoked: row.doc()?,
        keep_until: row.int()?.saturating_add(999_999).div_euclid(1_000_000),
    })
}

impl RevocationStore for SqlTx<'_> {
    fn append_revocation(
        &mut self,
        revoked: &Revoked,
        at: Timestamp,
        keep_until: Timestamp,
    ) -> Result<i64, StoreError> {
        let text = doc(revoked)?;
        let sequence = self.advance(Counter::Revocations)?;
        self.wrote.revocations = true;
        self.execute(
            "INSERT INTO revocations (sequence, revoked, at, keep_until) VALUES ($1, $2, $3, $4)",
            &[sequence.into(), (&text).into(), at.into(), keep_until.into()],
        )?;
        Ok(sequence)
    }

    fn list_revocations(&mut self, after: i64, limit: u32) -> Result<Vec<RevocationEntry>, StoreError> {
        self.list(
            "SELECT sequence, revoked, keep_until FROM revocations WHERE sequence > $1 ORDER BY sequence LIMIT $2",
            &[after.into(), limit.into()],
            entry,
        )
    }

    fn revocation_head(&mut self) -> Result<i64, StoreError> {
        self.counter(Counter::Revocations)
    }

    fn purge_revocations(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM revocations WHERE sequence IN
             (SELECT sequence FROM revocations WHERE keep_until < $1 ORDER BY keep_until LIMIT $2)",
            &[before.into(), limit.into()],
        )
    }
}
