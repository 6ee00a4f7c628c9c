//! The record of a connector.
//!
//! Owns the pair (audience, resource), its scopes and tools (IDP-TX-06). Never decides who may reach it.

use std::collections::BTreeMap;

use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::{Scope, ScopeSet};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::ConnectorId;
use crate::session::requirement::Requirement;

/// An approved MCP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connector {
    /// Server-made.
    pub id: ConnectorId,
    /// Short and unique: lower-case letters, digits and `-`.
    pub name: String,
    /// For people.
    pub title: String,
    /// Where clients call it.
    pub mcp_url: String,
    /// Its resource identifier; unique together with the audience.
    pub resource: ResourceId,
    /// The RAS that governs it.
    pub audience: Issuer,
    /// Every scope that exists for it.
    pub scopes: Vec<ConnectorScope>,
    /// Granted when the client asks for none; a subset of `scopes`.
    pub default_scopes: ScopeSet,
    /// Tool → scopes needed, for the gateway; `"*"` for every tool not named.
    pub tools: BTreeMap<String, ScopeSet>,
    /// The server behind our gateway, when it stands behind it.
    pub upstream: Option<Upstream>,
    /// Whether anything is issued for it.
    pub status: ConnectorStatus,
    /// Grows with every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Connector {
    /// The names of all its scopes.
    pub fn scope_set(&self) -> ScopeSet {
        self.scopes.iter().map(|scope| scope.scope.clone()).collect()
    }

    /// What a scope asks of a sign-in, whoever is granted it (IDP-PL-03).
    pub fn requirement(&self, scope: &Scope) -> Option<Requirement> {
        let own = self.scopes.iter().find(|own| own.scope == *scope)?;
        own.requires.filter(|requires| !requires.is_nothing())
    }
}

/// One scope of a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorScope {
    /// The scope token.
    pub scope: Scope,
    /// What it permits, for people.
    #[serde(default)]
    pub description: String,
    /// Left out of the default scopes (IDP-PL-03).
    #[serde(default)]
    pub high_impact: bool,
    /// The sign-in it asks for, whatever rule grants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires: Option<Requirement>,
}

/// The MCP server behind the gateway.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Its MCP endpoint.
    pub url: String,
    /// Allows plain `http:` off loopback.
    #[serde(default)]
    pub insecure: bool,
    /// Whether the audit event of each call is on disk before the answer.
    #[serde(default)]
    pub durable: bool,
}

/// Whether anything is issued for a connector.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorStatus {
    /// Open to those whom policy admits.
    Active,
    /// Prepared; nothing is issued.
    Staged,
    /// Switched off; nothing is issued, calls are refused.
    Off,
}

impl ConnectorStatus {
    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Staged => "staged",
            Self::Off => "off",
        }
    }
}
