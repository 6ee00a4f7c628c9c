//! The record of an agent.
//!
//! Owns what an agent is. Its credentials are those of its client (`client/registration.rs`).

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{AgentId, ClientKey};

/// A registered agent or MCP client. Its owners, who are people, are apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Server-made.
    pub id: AgentId,
    /// Short and unique.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it is for, as whoever approves it reads it.
    pub purpose: String,
    /// Who makes it.
    pub vendor: Option<String>,
    /// Which program it is.
    pub software: Option<String>,
    /// Whether it may act.
    pub status: AgentStatus,
    /// It was suspended because the last active person who answered for it left.
    pub orphaned: bool,
    /// Its client at the IdP. Never another one later: another client is another agent.
    pub client: Option<ClientKey>,
    /// When somebody last confirmed that it is still needed as it is.
    pub reviewed_at: Option<Timestamp>,
    /// Grows with every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Whether an agent may act.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// Prepared and waiting for approval.
    Staged,
    /// May act.
    Active,
    /// Not in use.
    Inactive,
    /// Stopped: by an administrator, or because nobody answers for it any more.
    Suspended,
}

impl AgentStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Staged, Self::Active, Self::Inactive, Self::Suspended];

    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Suspended => "suspended",
        }
    }

    /// Why a client of such an agent is refused: the stable name, in the audit log, in metrics, in the manual.
    pub const fn refusal(self) -> &'static str {
        match self {
            Self::Staged => "agent_staged",
            Self::Active => "agent_active",
            Self::Inactive => "agent_inactive",
            Self::Suspended => "agent_suspended",
        }
    }
}
