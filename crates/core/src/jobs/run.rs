//! The steps of the worker, each one unit of work: claim jobs, perform one, hand one back.
//!
//! Owns what a job does and when a failed one is tried again. Never loops and never waits: the worker does.

use std::time::Duration;

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::jobs::outbox::{Job, Queue, Task};
use crate::ras::cut_off::{revoke_client, revoke_session, revoke_subject};
use crate::ras::settings::RasSettings;
use crate::store::job::JobStore;
use crate::store::{StoreError, Tx};

/// How long a claimed job is left to its worker.
pub const LEASE: Duration = Duration::from_secs(30);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Claims jobs that end access and are due, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn claim(tx: &mut dyn JobStore, now: Timestamp, limit: u32) -> Result<Vec<Job>, StoreError> {
    tx.claim_jobs(Queue::CutOff, now, now.plus(LEASE), limit)
}

/// What a performed job did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Performed {
    /// The position in the revocation feed that views must reach before the act counts as done here.
    pub sequence: i64,
}

/// Performs a job and removes it, in one unit, written with the reserve. Performing one twice does no harm: at least
/// once is what is promised.
///
/// # Errors
/// [`StoreError`]; then hand the job back with [`retry`].
pub fn perform(cx: &Cx, tx: &mut dyn Tx, settings: &RasSettings, job: &Job) -> Result<Performed, StoreError> {
    match &job.task {
        Task::RevokeSubject {
            issuer,
            subject,
            not_after,
        } => {
            let not_after = Timestamp::from_micros(*not_after);
            let done = revoke_subject(cx, tx, settings, issuer, subject, not_after)?;
            performed(tx, job, done.sequence)
        }
        Task::RevokeClient { client } => {
            let known = tx.find_audience(&settings.issuer)?;
            let there = match known {
                Some(audience) => tx.find_mapping(client, &audience.id)?,
                None => None,
            };
            let sequence = match there {
                Some(there) => revoke_client(cx, tx, settings, Actor::System("worker".to_owned()), &there)?.sequence,
                None => None,
            };
            performed(tx, job, sequence)
        }
        Task::RevokeSession {
            issuer,
            subject,
            session,
        } => {
            let done = revoke_session(cx, tx, settings, issuer, subject, session)?;
            performed(tx, job, done.sequence)
        }
        // Of another queue; whoever claimed it here is wrong, and it is given back.
        Task::TellLogout { .. } => Err(StoreError::Corrupt("a job is in a queue of another kind".to_owned())),
    }
}

fn performed(tx: &mut dyn Tx, job: &Job, sequence: Option<i64>) -> Result<Performed, StoreError> {
    tx.finish_job(&job.id)?;
    let sequence = match sequence {
        Some(sequence) => sequence,
        None => tx.revocation_head()?,
    };
    Ok(Performed { sequence })
}

/// Hands a failed job back, to be tried again after a growing pause. From the fifth try on each failure is an event:
/// somebody keeps access that was to end.
///
/// # Errors
/// [`StoreError`].
pub fn retry(cx: &Cx, tx: &mut dyn Tx, job: &Job) -> Result<(), StoreError> {
    tx.retry_job(&job.id, cx.now.plus(pause(job.attempts)))?;
    if job.attempts >= 4 {
        let event = NewEvent::denied("jobs.job.failed", "tried_again_later").actor(Actor::System("worker".to_owned()));
        record(
            cx,
            tx,
            event.target(job.id.as_str()).detail("attempts", job.attempts + 1),
        )?;
    }
    Ok(())
}

/// 1, 2, 4, … seconds, at most five minutes.
pub(crate) fn pause(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(0, 16)).unwrap_or(16);
    Duration::from_secs(1_u64 << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_to_five_minutes_and_no_further() {
        assert_eq!(pause(0), Duration::from_secs(1));
        assert_eq!(pause(3), Duration::from_secs(8));
        assert_eq!(pause(20), LONGEST_PAUSE);
        assert_eq!(pause(-1), Duration::from_secs(1));
    }
}
