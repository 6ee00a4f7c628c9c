//! Groups and roles: a role is a group of kind `role`.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::GroupId;

/// A named set of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Server-made.
    pub id: GroupId,
    /// Unique; 1 to 128 characters.
    pub name: String,
    /// Group or role.
    pub kind: GroupKind,
    /// Grows with every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What a group is called in rules and in the console.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// A department or team.
    Group,
    /// A function, such as approver.
    Role,
}

impl GroupKind {
    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Role => "role",
        }
    }
}
