//! The revocation feed that gateways read.

use lanyard_protocol::gateway::{RevocationEntry, Revoked};

use crate::clock::Timestamp;
use crate::store::StoreError;

/// Revocations, in the order in which they were committed.
pub trait RevocationStore {
    /// Appends a revocation; its sequence.
    fn append_revocation(&mut self, revoked: &Revoked, at: Timestamp, keep_until: Timestamp)
    -> Result<i64, StoreError>;
    /// Entries after `sequence`, at most `limit`, in order.
    fn list_revocations(&mut self, after: i64, limit: u32) -> Result<Vec<RevocationEntry>, StoreError>;
    /// The sequence of the last entry; 0 when there is none.
    fn revocation_head(&mut self) -> Result<i64, StoreError>;
    /// Removes entries whose `keep_until` is before `before`, at most `limit`; how many.
    fn purge_revocations(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
