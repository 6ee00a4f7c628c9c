//! The structured rule an administrator edits. Compiled to Cedar; explained from here.

use lanyard_protocol::scope::ScopeSet;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{ClientKey, ConnectorId, GroupId, RuleId, UserId};
use crate::session::requirement::Requirement;

/// One rule. Without a matching allow rule nothing is granted; a matching deny rule wins (IDP-PL-01).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Server-made.
    pub id: RuleId,
    /// Shown to the people it admits; unique.
    pub title: String,
    /// Allow or deny.
    pub effect: Effect,
    /// Whom it concerns.
    pub people: People,
    /// Through which clients of the IdP.
    pub clients: Selection<ClientKey>,
    /// To which connectors.
    pub connectors: Selection<ConnectorId>,
    /// Which scopes of those connectors.
    pub scopes: ScopeSelection,
    /// The sign-in it asks for: an allow rule allows who has it, a deny rule denies who has it not (SU-01).
    pub requires: Option<Requirement>,
    /// Switched off rules do not take part.
    pub enabled: bool,
    /// Grows with every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What a matching rule says.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Permits.
    Allow,
    /// Forbids, whatever else permits.
    Deny,
}

impl Effect {
    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// Whom a rule concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum People {
    /// Every active person.
    Everyone,
    /// Members of any of these groups or roles, and these persons.
    Some {
        /// Groups and roles.
        #[serde(default)]
        groups: Vec<GroupId>,
        /// Single persons.
        #[serde(default)]
        users: Vec<UserId>,
    },
}

/// All of a kind, or these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection<T> {
    /// All, also those made later.
    All,
    /// Only these; an empty list matches nothing.
    Only(Vec<T>),
}

/// Which scopes a rule covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeSelection {
    /// Every scope of the connector.
    All,
    /// Only these.
    Only(ScopeSet),
}
