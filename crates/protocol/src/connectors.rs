//! What a client may reach for its user: the answer of the issuer's connectors endpoint.
//!
//! Owns the JSON shape. Never decides who may reach what.

use serde::{Deserialize, Serialize};

use crate::client_id::ClientId;
use crate::issuer::Issuer;
use crate::resource::ResourceId;
use crate::scope::ScopeSet;

/// One connector that this person may reach through this client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachableConnector {
    /// The short name, `linear`.
    pub name: String,
    /// The name for people, `Linear`.
    pub title: String,
    /// Where the MCP server is called.
    pub mcp_url: String,
    /// Its resource identifier.
    pub resource: ResourceId,
    /// The issuer of the RAS that governs it.
    pub audience: Issuer,
    /// This client's id at that RAS.
    pub client_id: ClientId,
    /// The scopes policy would grant at most.
    pub scopes: ScopeSet,
    /// The public title of the rule that admits the person.
    pub rule: String,
}

/// The answer of `GET {issuer}/connectors`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachableConnectors {
    /// Sorted by name.
    pub connectors: Vec<ReachableConnector>,
}

/// The request that enrols the public half of a key of a person's native client (`POST {issuer}/connectors/keys`).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolKeyRequest {
    /// The public key as a JWK (RFC 7517), ES256.
    pub jwk: serde_json::Value,
    /// A name the person recognises, such as the host name.
    pub label: String,
    /// A client assertion signed with the key, `aud` = the issuer: proves possession.
    pub proof: String,
}

/// The answer to [`EnrolKeyRequest`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolledKey {
    /// The key's id here; also its `kid`.
    pub kid: String,
    /// The client id at the issuer.
    pub client_id: ClientId,
    /// Where else the key was enrolled: RAS issuer and client id there.
    pub ras: Vec<EnrolledAt>,
    /// Seconds since the epoch when the key stops being accepted.
    pub expires_at: i64,
}

/// A RAS at which the key was enrolled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolledAt {
    /// The RAS.
    pub issuer: Issuer,
    /// The client's id there.
    pub client_id: ClientId,
}
