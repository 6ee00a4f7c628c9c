//! What a gateway is told: its routes, and what was revoked.
//!
//! Owns the JSON of the route snapshot and of the revocation feed. Never decides either.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::issuer::Issuer;
use crate::resource::ResourceId;
use crate::scope::{Scope, ScopeSet};
use crate::step_up::AuthenticationNeed;

/// All routes of a gateway at one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteSnapshot {
    /// Grows with every change.
    pub version: u64,
    /// The routes.
    pub routes: Vec<Route>,
}

/// One protected MCP server behind the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The connector's short name.
    pub name: String,
    /// A name for people.
    #[serde(default)]
    pub title: String,
    /// The resource identifier; its path is where the gateway listens.
    pub resource: ResourceId,
    /// The authorization server that issues tokens for it.
    pub authorization_server: Issuer,
    /// The MCP endpoint behind the gateway.
    pub upstream: String,
    /// Allows a plain `http:` upstream off loopback.
    #[serde(default)]
    pub insecure_upstream: bool,
    /// Tool name → scopes needed. `"*"` stands for every tool not named; without it unmapped tools are refused (RS-GW-04).
    pub tools: BTreeMap<String, ScopeSet>,
    /// Tool name of `tools`, or its `"*"` → the sign-in that a call asks for besides its scopes (SU-05).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authentication: BTreeMap<String, AuthenticationNeed>,
    /// Scopes listed in the metadata and in the first challenge.
    #[serde(default)]
    pub scopes: ScopeSet,
    /// Scope → scopes that it includes, for servers whose scopes form a hierarchy (RS-TK-06).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub implied_scopes: BTreeMap<Scope, ScopeSet>,
    /// Whether calls are forwarded.
    pub status: RouteStatus,
    /// Whether `tools/list` is filtered to callable tools.
    #[serde(default = "yes")]
    pub filter_tools: bool,
    /// Whether the audit event of a call is on disk before the answer.
    #[serde(default)]
    pub durable: bool,
    /// Origins that a browser may call from (RS-WR-02).
    #[serde(default)]
    pub allowed_origins: Vec<String>,
}

const fn yes() -> bool {
    true
}

/// Whether a route forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteStatus {
    /// Calls are forwarded.
    Active,
    /// Prepared, not yet open: calls are refused.
    Staged,
    /// Switched off: calls are refused.
    Off,
}

/// One entry of the revocation feed, in the order of `sequence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationEntry {
    /// Position in the feed.
    pub sequence: i64,
    /// What was revoked.
    pub revoked: Revoked,
    /// Seconds since the epoch after which the entry has no effect (all tokens it could hit are expired).
    pub keep_until: i64,
}

/// What a revocation hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Revoked {
    /// One access token.
    Token {
        /// The RAS that issued it.
        issuer: Issuer,
        /// Its `jti`.
        jti: String,
    },
    /// Every token of an account issued at or before an instant.
    Subject {
        /// The RAS.
        issuer: Issuer,
        /// The account (`sub` of the access token).
        subject: String,
        /// Tokens with `iat` up to and including this second are dead.
        not_after: i64,
    },
    /// Every token of a client issued at or before an instant.
    Client {
        /// The RAS.
        issuer: Issuer,
        /// The client's id there.
        client_id: String,
        /// Tokens with `iat` up to and including this second are dead.
        not_after: i64,
    },
    /// A signing key of the RAS that must not be trusted any more.
    Key {
        /// The RAS.
        issuer: Issuer,
        /// The key id.
        kid: String,
    },
}

/// The feed since a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationFeed {
    /// The position of the last entry known to the sender.
    pub head: i64,
    /// Entries after the position asked for.
    pub entries: Vec<RevocationEntry>,
}

/// One call at a gateway, as it is sent to the server's audit log (RS-GW-06). Numbered so that a gap shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEvent {
    /// Which gateway process.
    pub gateway: String,
    /// Its own count, from 1.
    pub number: u64,
    /// Microseconds since the epoch.
    pub at: i64,
    /// Route name.
    pub connector: String,
    /// The RAS that issued the token, when one was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The token's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The MCP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The tool, prompt or resource named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `allowed`, or the stable code of the refusal.
    pub decision: String,
    /// The request id told to the caller.
    pub request_id: String,
}
