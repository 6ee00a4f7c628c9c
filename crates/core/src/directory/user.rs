//! A person of the built-in directory.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::id::UserId;

/// A person. The password hash is apart (`Credential`): most rules have no business with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Server-made and never reused; the public `sub`.
    pub id: UserId,
    /// What the person types; unique without regard to case, stored in lower case.
    pub username: String,
    /// Never an identity (AL-07).
    pub email: Option<String>,
    /// For people.
    pub display_name: String,
    /// Whether the person may sign in and exchange.
    pub status: UserStatus,
    /// Tokens, sessions and refresh tokens from before this instant are dead.
    pub not_before: Option<Timestamp>,
    /// Grows with every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// Whether the person may act.
    pub fn is_active(&self) -> bool {
        self.status == UserStatus::Active
    }
}

/// Whether a person may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// May sign in.
    Active,
    /// Cut off; readable for the record.
    Deactivated,
}

impl UserStatus {
    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deactivated => "deactivated",
        }
    }
}

/// A password as it rests: an argon2id hash in PHC form. Has no `Debug` and no `Serialize`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// PHC string.
    pub password_hash: String,
    /// When it was set.
    pub changed_at: Timestamp,
}
