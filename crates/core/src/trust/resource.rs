//! A resource as the RAS knows it.

use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;

use crate::clock::Timestamp;
use crate::connector::record::ConnectorStatus;

/// A protected resource registered at the RAS (RAS-JB-15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The identifier, unique.
    pub id: ResourceId,
    /// For people.
    pub name: String,
    /// Scopes that exist for it (D-06).
    pub scopes: ScopeSet,
    /// Granted when an ID-JAG carries no scope (D-05).
    pub default_scopes: ScopeSet,
    /// Whether tokens are issued for it.
    pub status: ConnectorStatus,
    /// Grows with every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
