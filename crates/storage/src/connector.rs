//! Connectors.
//!
//! Owns the table `connectors`. Never decides who may reach one.

use std::collections::BTreeMap;

use lanyard_core::connector::record::{Connector, ConnectorStatus};
use lanyard_core::id::ConnectorId;
use lanyard_core::store::StoreError;
use lanyard_core::store::connector::ConnectorStore;
use lanyard_core::store::page::{Page, PageRequest};
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;

use crate::paging::{after, fetch, page};
use crate::row::{Row, doc, maybe_doc};
use crate::sql::SqlTx;
use crate::version::Counter;

/// Every status of a connector or resource.
pub(crate) const STATUSES: [ConnectorStatus; 3] =
    [ConnectorStatus::Active, ConnectorStatus::Staged, ConnectorStatus::Off];

fn connector(row: &mut Row<'_>) -> Result<Connector, StoreError> {
    Ok(Connector {
        id: row.id()?,
        name: row.text()?,
        title: row.text()?,
        mcp_url: row.text()?,
        resource: row.parsed()?,
        audience: row.parsed()?,
        scopes: row.doc()?,
        default_scopes: row.scopes()?,
        tools: row.doc::<BTreeMap<String, ScopeSet>>()?,
        upstream: row.maybe_doc()?,
        status: row.one_of(&STATUSES, ConnectorStatus::as_str)?,
        version: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

impl ConnectorStore for SqlTx<'_> {
    fn find_connector(&mut self, id: &ConnectorId) -> Result<Option<Connector>, StoreError> {
        self.find_held(
            "SELECT id, name, title, mcp_url, resource, audience, scopes, default_scopes, tools, upstream, status,
             version, created_at, updated_at FROM connectors WHERE id = $1",
            &[id.into()],
            connector,
        )
    }

    fn find_connector_by_name(&mut self, name: &str) -> Result<Option<Connector>, StoreError> {
        self.find_held(
            "SELECT id, name, title, mcp_url, resource, audience, scopes, default_scopes, tools, upstream, status,
             version, created_at, updated_at FROM connectors WHERE name = $1",
            &[name.into()],
            connector,
        )
    }

    fn find_connector_by_pair(
        &mut self,
        audience: &Issuer,
        resource: &ResourceId,
    ) -> Result<Option<Connector>, StoreError> {
        self.find_held(
            "SELECT id, name, title, mcp_url, resource, audience, scopes, default_scopes, tools, upstream, status,
             version, created_at, updated_at FROM connectors WHERE audience = $1 AND resource = $2",
            &[audience.into(), resource.into()],
            connector,
        )
    }

    fn list_connectors_of_audience(&mut self, audience: &Issuer) -> Result<Vec<Connector>, StoreError> {
        self.list(
            "SELECT id, name, title, mcp_url, resource, audience, scopes, default_scopes, tools, upstream, status,
             version, created_at, updated_at FROM connectors WHERE audience = $1 ORDER BY name",
            &[audience.into()],
            connector,
        )
    }

    fn list_connectors(&mut self, request: &PageRequest) -> Result<Page<Connector>, StoreError> {
        let items = self.list(
            "SELECT id, name, title, mcp_url, resource, audience, scopes, default_scopes, tools, upstream, status,
             version, created_at, updated_at FROM connectors WHERE name > $1 ORDER BY name LIMIT $2",
            &[after(request).into(), fetch(request).into()],
            connector,
        )?;
        Ok(page(items, request, |connector| &connector.name))
    }

    fn insert_connector(&mut self, connector: &Connector) -> Result<(), StoreError> {
        self.add(
            "connector name, or audience and resource",
            "INSERT INTO connectors (id, name, title, mcp_url, resource, audience, scopes, default_scopes, tools,
             upstream, status, version, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING",
            &[
                (&connector.id).into(),
                (&connector.name).into(),
                (&connector.title).into(),
                (&connector.mcp_url).into(),
                (&connector.resource).into(),
                (&connector.audience).into(),
                (&doc(&connector.scopes)?).into(),
                (&connector.default_scopes.to_string()).into(),
                (&doc(&connector.tools)?).into(),
                maybe_doc(connector.upstream.as_ref())?.as_ref().into(),
                connector.status.as_str().into(),
                connector.version.into(),
                connector.created_at.into(),
                connector.updated_at.into(),
            ],
        )?;
        self.advance(Counter::Connectors).map(|_| ())
    }

    fn update_connector(&mut self, connector: &Connector) -> Result<(), StoreError> {
        self.change(
            "connector",
            "UPDATE connectors SET name = $1, title = $2, mcp_url = $3, resource = $4, audience = $5, scopes = $6,
             default_scopes = $7, tools = $8, upstream = $9, status = $10, version = $11, updated_at = $12
             WHERE id = $13 AND version = $14",
            &[
                (&connector.name).into(),
                (&connector.title).into(),
                (&connector.mcp_url).into(),
                (&connector.resource).into(),
                (&connector.audience).into(),
                (&doc(&connector.scopes)?).into(),
                (&connector.default_scopes.to_string()).into(),
                (&doc(&connector.tools)?).into(),
                maybe_doc(connector.upstream.as_ref())?.as_ref().into(),
                connector.status.as_str().into(),
                connector.version.into(),
                connector.updated_at.into(),
                (&connector.id).into(),
                connector.version.saturating_sub(1).into(),
            ],
        )?;
        self.advance(Counter::Connectors).map(|_| ())
    }

    fn remove_connector(&mut self, id: &ConnectorId) -> Result<bool, StoreError> {
        let removed = self.touched("DELETE FROM connectors WHERE id = $1", &[id.into()])?;
        if removed {
            self.advance(Counter::Connectors)?;
        }
        Ok(removed)
    }

    fn connectors_version(&mut self) -> Result<i64, StoreError> {
        self.counter(Counter::Connectors)
    }
}
