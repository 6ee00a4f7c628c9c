//! Jobs written in the transaction of the change that needs them.

use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::issuer::Issuer;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::{ClientKey, JobId, SessionId, UserId};

/// Who performs a job: the work of one never waits for the work of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Ends access at our RAS, in units of work alone.
    CutOff,
    /// Tells clients that a session ended, over the network.
    Logout,
}

impl Queue {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CutOff => "cut_off",
            Self::Logout => "logout",
        }
    }
}

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
    /// An administrator ended a session of the IdP: revoke at our RAS what was issued in it.
    RevokeSession {
        /// The IdP.
        issuer: Issuer,
        /// The `sub` it uses towards the RAS.
        subject: Subject,
        /// The session as the RAS knows it.
        session: String,
    },
    /// A session of the IdP ended: tell a client that was signed in in it (RV-05).
    TellLogout {
        /// The client.
        client: ClientKey,
        /// The session.
        session: SessionId,
        /// Whose it was.
        user: UserId,
    },
}

impl Task {
    /// Who performs it.
    pub const fn queue(&self) -> Queue {
        match self {
            Self::RevokeSubject { .. } | Self::RevokeClient { .. } | Self::RevokeSession { .. } => Queue::CutOff,
            Self::TellLogout { .. } => Queue::Logout,
        }
    }
}

impl Job {
    /// A job that is due now.
    pub fn now(cx: &Cx, task: Task) -> Self {
        Self {
            id: cx.new_id(),
            task,
            due_at: cx.now,
            attempts: 0,
            leased_until: None,
        }
    }
}
