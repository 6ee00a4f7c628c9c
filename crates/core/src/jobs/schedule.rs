//! What is done from time to time: removing what has expired.
//!
//! Owns how long expired records are kept. Works in bounded batches, so that a unit never holds up the others.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::{StoreError, Tx};

/// How long sessions, codes and refresh tokens are kept after their end, so that a late reuse is still recognised.
const SESSIONS_KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long grants are kept after their end, for explanation.
const GRANTS_KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long sign-ins at identity providers are kept after their end, so that a late answer is told why it is refused.
const ATTEMPTS_KEPT: Duration = Duration::from_secs(3600);

/// Removes at most `limit` expired records of each kind; how many in all. While it answers `limit` or more, there may
/// be more to do.
///
/// # Errors
/// [`StoreError`].
pub fn purge(tx: &mut dyn Tx, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
    Ok(tx.purge_uses(now, limit)?
        + tx.purge_steps(now, limit)?
        + tx.purge_revocations(now, limit)?
        + tx.purge_attempts(now.minus(ATTEMPTS_KEPT), limit)?
        + tx.purge_grants(now.minus(GRANTS_KEPT), limit)?
        + tx.purge_sessions(now.minus(SESSIONS_KEPT), limit)?)
}
