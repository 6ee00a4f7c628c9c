//! Connectors.

use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;

use crate::connector::record::Connector;
use crate::id::ConnectorId;
use crate::store::StoreError;
use crate::store::page::{Page, PageRequest};

/// Approved MCP servers.
pub trait ConnectorStore {
    /// The connector of this id.
    fn find_connector(&mut self, id: &ConnectorId) -> Result<Option<Connector>, StoreError>;
    /// The connector of this name.
    fn find_connector_by_name(&mut self, name: &str) -> Result<Option<Connector>, StoreError>;
    /// The connector of the pair (IDP-TX-06).
    fn find_connector_by_pair(
        &mut self,
        audience: &Issuer,
        resource: &ResourceId,
    ) -> Result<Option<Connector>, StoreError>;
    /// Every connector of an audience, in the order of its name.
    fn list_connectors_of_audience(&mut self, audience: &Issuer) -> Result<Vec<Connector>, StoreError>;
    /// Connectors in the order of their name.
    fn list_connectors(&mut self, page: &PageRequest) -> Result<Page<Connector>, StoreError>;
    /// Writes a new connector. [`StoreError::Conflict`] when name or pair is taken.
    fn insert_connector(&mut self, connector: &Connector) -> Result<(), StoreError>;
    /// Writes a changed connector whose stored version is `connector.version - 1`.
    fn update_connector(&mut self, connector: &Connector) -> Result<(), StoreError>;
    /// Removes a connector; `false` when it did not exist.
    fn remove_connector(&mut self, id: &ConnectorId) -> Result<bool, StoreError>;
    /// A number that grows with every change of any connector (route snapshots).
    fn connectors_version(&mut self) -> Result<i64, StoreError>;
}
