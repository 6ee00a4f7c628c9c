//! The audit log: appended in the transaction of the change, sealed afterwards.

use crate::audit::event::{AuditEvent, Checkpoint};
use crate::clock::Timestamp;
use crate::store::StoreError;
use crate::store::page::PageRequest;

/// Which events are wanted; every given field must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Exact kind, or a prefix that ends in a dot.
    pub kind: Option<String>,
    /// Exact subject.
    pub subject: Option<String>,
    /// Exact client id.
    pub client_id: Option<String>,
    /// Exact request id.
    pub request_id: Option<String>,
    /// `granted` or `denied`.
    pub outcome: Option<String>,
    /// At or after.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// A stored event with its place in the chain, when it has one yet.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Position in the order of writing; not gapless.
    pub position: i64,
    /// The gapless sequence and chain hash once sealed.
    pub seal: Option<(i64, String)>,
    /// The JSON text exactly as it was written and is hashed.
    pub text: String,
    /// The event read from it.
    pub event: AuditEvent,
}

/// The audit log.
pub trait AuditStore {
    /// Appends an event. `text` is its JSON, which is what is hashed.
    fn append_event(&mut self, event: &AuditEvent, text: &str) -> Result<(), StoreError>;
    /// As [`Self::append_event`], many in this order.
    fn append_events(&mut self, events: &[(AuditEvent, String)]) -> Result<(), StoreError>;
    /// Unsealed events in the order of writing, at most `limit`: (position, text). Only events that no uncommitted
    /// transaction could still precede.
    fn list_unsealed(&mut self, limit: u32) -> Result<Vec<(i64, String)>, StoreError>;
    /// The last sealed sequence and its hash; `None` when nothing is sealed.
    fn last_seal(&mut self) -> Result<Option<(i64, String)>, StoreError>;
    /// Gives events their sequence and hash: (position, sequence, hash), in the order of [`AuditStore::list_unsealed`].
    /// [`StoreError::Conflict`] when one was sealed meanwhile.
    fn seal_events(&mut self, seals: &[(i64, i64, String)]) -> Result<(), StoreError>;
    /// Events newest first: by sequence, unsealed ones first. `after` is the position to continue below.
    fn list_events(&mut self, filter: &AuditFilter, page: &PageRequest) -> Result<Vec<StoredEvent>, StoreError>;
    /// Sealed events in the order of their sequence, from `sequence` on, at most `limit`.
    fn list_sealed(&mut self, sequence: i64, limit: u32) -> Result<Vec<StoredEvent>, StoreError>;
    /// How many events there are, and how many of them are sealed.
    fn count_events(&mut self) -> Result<(i64, i64), StoreError>;
    /// Writes a checkpoint.
    fn insert_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError>;
    /// The newest checkpoint.
    fn last_checkpoint(&mut self) -> Result<Option<Checkpoint>, StoreError>;
    /// Checkpoints from `sequence` on in order, at most `limit`.
    fn list_checkpoints(&mut self, sequence: i64, limit: u32) -> Result<Vec<Checkpoint>, StoreError>;
}
