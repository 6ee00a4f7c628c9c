//! The link between a person and their subject at an identity provider.

use crate::clock::Timestamp;
use crate::id::{ConnectionId, UserId};

/// (connection, stable subject) → person; the only way from a verified sign-in to a person (AL-01, AL-04).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The identity provider.
    pub connection: ConnectionId,
    /// The subject there: what the provider never gives to anybody else.
    pub subject: String,
    /// The person here.
    pub user: UserId,
    /// How the link came to be.
    pub origin: LinkOrigin,
    /// When it was made.
    pub linked_at: Timestamp,
    /// The last sign-in by it.
    pub last_seen_at: Option<Timestamp>,
}

/// How a link came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkOrigin {
    /// The person was made on this sign-in; names and address follow the provider.
    JustInTime,
    /// An administrator said so.
    Administrator,
    /// By the user name, as the operator decided for the connection.
    Username,
}

impl LinkOrigin {
    /// Every origin.
    pub const ALL: [Self; 3] = [Self::JustInTime, Self::Administrator, Self::Username];

    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JustInTime => "just_in_time",
            Self::Administrator => "administrator",
            Self::Username => "username",
        }
    }
}
