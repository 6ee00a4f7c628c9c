//! An audit event: who did what to whom, and how it was decided (IDP-PL-06).
//!
//! Owns the event's shape. Never holds a token, an assertion or a secret.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{EventId, RequestId};

/// One event. `kind` is `<room>.<noun>.<verb, past>`, e.g. `idp.id_jag.issued`; never renamed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Server-made, ordered by time.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub kind: String,
    /// How it was decided.
    pub outcome: AuditOutcome,
    /// The stable code of the exact reason, on a denial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who acted.
    pub actor: Actor,
    /// On whose behalf or about whom: a user id, or `issuer|sub`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The OAuth client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What was acted on: a resource, a connector, a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The tenant of the RAS, when it is the RAS's event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Named details: scopes, rule, jti, before and after. Never secrets.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub detail: serde_json::Map<String, serde_json::Value>,
    /// The request id told to the caller.
    pub request_id: RequestId,
    /// The peer's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<IpAddr>,
}

/// How something was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// It was done.
    Granted,
    /// It was refused, with `reason`.
    Denied,
}

impl AuditOutcome {
    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
        }
    }
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// Nobody proved who they are.
    Anonymous,
    /// A person in a browser.
    User(String),
    /// An OAuth client.
    Client(String),
    /// An administrator, by the id of their token or of the person.
    Admin(String),
    /// A provisioning client (SCIM), by the id of its directory.
    Directory(String),
    /// The program itself: a job, a first start, a command with store access.
    System(String),
    /// A gateway process.
    Gateway(String),
}

/// An event in the sealed chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SealedEvent {
    /// Gapless, from 1.
    pub sequence: i64,
    /// Hash of this entry over the previous one, hexadecimal SHA-256.
    pub hash: String,
    /// The event exactly as it was hashed.
    pub event: AuditEvent,
}

/// A signed statement about the chain up to a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The last sequence covered.
    pub sequence: i64,
    /// The hash at that sequence.
    pub hash: String,
    /// When it was signed.
    pub at: Timestamp,
    /// Compact JWS over the three values above, by an audit key.
    pub signature: String,
}
