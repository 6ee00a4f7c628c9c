//! Administrator tokens and the one-time owner token.

use serde::{Deserialize, Serialize};

use crate::audit::event::Actor;
use crate::clock::Timestamp;
use crate::id::{AdminTokenId, DirectoryId, UserId};

/// The authenticated administrator, given to every admin service: a call without an actor does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Who acted.
    pub who: Administrator,
    /// What they may do.
    pub role: AdminRole,
}

impl Admin {
    /// Whoever acted, as the audit log names them.
    pub fn actor(&self) -> Actor {
        self.who.actor()
    }
}

/// Who acts on the directory and the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Administrator {
    /// The holder of an administrator token.
    Token(AdminTokenId),
    /// A person of the directory who signed in.
    Person(UserId),
    /// A provisioning client (SCIM).
    Directory(DirectoryId),
}

impl Administrator {
    /// As the audit log names them.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Token(token) => Actor::Admin(token.to_string()),
            Self::Person(person) => Actor::Admin(person.to_string()),
            Self::Directory(directory) => Actor::Directory(directory.to_string()),
        }
    }
}

/// What an administrator may do.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminRole {
    /// Everything, also administrators, identity providers and keys.
    Owner,
    /// Runs the organisation: people, groups, clients, agents, connectors, rules.
    Operator,
    /// Reads everything and approves what waits: staged agents and connectors.
    Approver,
    /// Reads everything, changes nothing.
    Auditor,
    /// A gateway process: reads routes and revocations, delivers call events.
    Gateway,
    /// A provisioning client: people and groups of its directory, nothing else. No administrator token has it.
    Provisioner,
}

impl AdminRole {
    /// The roles of people, weakest first: each may do what the ones before it may.
    pub const OF_PEOPLE: [Self; 4] = [Self::Auditor, Self::Approver, Self::Operator, Self::Owner];

    /// How far a person's role reaches: its place in [`AdminRole::OF_PEOPLE`], from 1. The roles of programs are
    /// beside them and reach over nobody.
    pub const fn reach(self) -> u8 {
        match self {
            Self::Gateway | Self::Provisioner => 0,
            Self::Auditor => 1,
            Self::Approver => 2,
            Self::Operator => 3,
            Self::Owner => 4,
        }
    }

    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Gateway => "gateway",
            Self::Provisioner => "provisioner",
        }
    }
}

/// An administrator token as it rests; the token is stored as SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminToken {
    /// Server-made.
    pub id: AdminTokenId,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// For people.
    pub name: String,
    /// What it may do.
    pub role: AdminRole,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops being accepted.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl AdminToken {
    /// Whether its holder is owner for as long as nobody revokes it.
    pub fn is_lasting_owner(&self) -> bool {
        self.role == AdminRole::Owner && self.revoked_at.is_none() && self.expires_at.is_none()
    }
}

/// The one-time token of the first start (or of a reset), traded for an owner token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerClaim {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// One hour later.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}
