//! A role given to a person, or to everybody in a group.
//!
//! Owns the record. Never decides who may give one (`admin/administrators.rs`).

use crate::admin::token::AdminRole;
use crate::clock::Timestamp;
use crate::id::{GroupId, UserId};

/// Whom a role is given to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    /// One person.
    Person(UserId),
    /// Every active person of a group or role of the directory, read afresh at every act.
    Group(GroupId),
}

impl Holder {
    /// The identifier as text; its prefix tells which it is.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Person(id) => id.as_str(),
            Self::Group(id) => id.as_str(),
        }
    }

    /// Reads the identifier of a person or a group.
    pub fn parse(text: String) -> Option<Self> {
        match GroupId::parse(text.as_str()) {
            Ok(group) => Some(Self::Group(group)),
            Err(_) => UserId::parse(text).ok().map(Self::Person),
        }
    }
}

/// A role and who holds it. A person acts with the furthest of their own role and those of their groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleGrant {
    /// Who holds it.
    pub holder: Holder,
    /// One of [`AdminRole::OF_PEOPLE`].
    pub role: AdminRole,
    /// For a group: whether directories (SCIM) and identity providers may change who is in it. An owner's choice, since
    /// whoever fills the group makes administrators.
    pub provisioned: bool,
    /// Grows with every change.
    pub version: i64,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
