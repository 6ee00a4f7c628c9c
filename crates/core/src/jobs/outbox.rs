//! Jobs written in the transaction of the change that needs them.

use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::issuer::Issuer;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{ClientKey, JobId};

/// A job as it rests; claimed with a lease, run at least once.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Server-made, ordered by time.
    pub id: JobId,
    /// What to do.
    pub task: Task,
    /// Not before.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// Until when somebody works on it.
    pub leased_until: Option<Timestamp>,
}

/// What a job does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// The IdP cut off a subject: revoke at our RAS every token linked to (issuer, subject).
    RevokeSubject {
        /// The IdP.
        issuer: Issuer,
        /// The `sub` it uses towards the RAS.
        subject: Subject,
        /// Microseconds: tokens issued up to then.
        not_after: i64,
    },
    /// The IdP cut off a client: revoke at our RAS every token of the client that it is there.
    RevokeClient {
        /// The client at the IdP.
        client: ClientKey,
    },
}
