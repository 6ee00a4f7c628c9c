//! Jobs and leases.

use crate::clock::Timestamp;
use crate::id::JobId;
use crate::jobs::outbox::{Job, Queue};
use crate::store::StoreError;

/// The outbox, and leases for work that one replica at a time does.
pub trait JobStore {
    /// Writes a job.
    fn insert_job(&mut self, job: &Job) -> Result<(), StoreError>;
    /// Claims jobs of a queue that are due and free, oldest first, at most `limit`, until `lease_until`.
    fn claim_jobs(
        &mut self,
        queue: Queue,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError>;
    /// Removes a finished job.
    fn finish_job(&mut self, id: &JobId) -> Result<(), StoreError>;
    /// Gives a failed job back: counts the attempt, frees the lease, tries again at `due_at`.
    fn retry_job(&mut self, id: &JobId, due_at: Timestamp) -> Result<(), StoreError>;
    /// Takes or renews a named lease; `false` while another holder has it.
    fn take_lease(&mut self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Result<bool, StoreError>;
}
