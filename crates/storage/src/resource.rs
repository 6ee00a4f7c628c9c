//! Resources of the RAS.
//!
//! Owns the table `resources`. Never knows the connectors of the IdP.

use lanyard_core::connector::record::ConnectorStatus;
use lanyard_core::store::StoreError;
use lanyard_core::store::resource::ResourceStore;
use lanyard_core::trust::resource::Resource;
use lanyard_protocol::resource::ResourceId;

use crate::connector::STATUSES;
use crate::row::Row;
use crate::sql::SqlTx;

fn resource(row: &mut Row<'_>) -> Result<Resource, StoreError> {
    Ok(Resource {
        id: row.parsed()?,
        name: row.text()?,
        scopes: row.scopes()?,
        default_scopes: row.scopes()?,
        status: row.one_of(&STATUSES, ConnectorStatus::as_str)?,
        version: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

impl ResourceStore for SqlTx<'_> {
    fn find_resource(&mut self, id: &ResourceId) -> Result<Option<Resource>, StoreError> {
        self.find_held(
            "SELECT id, name, scopes, default_scopes, status, version, created_at, updated_at
             FROM resources WHERE id = $1",
            &[id.into()],
            resource,
        )
    }

    fn list_resources(&mut self) -> Result<Vec<Resource>, StoreError> {
        self.list(
            "SELECT id, name, scopes, default_scopes, status, version, created_at, updated_at
             FROM resources ORDER BY id",
            &[],
            resource,
        )
    }

    fn insert_resource(&mut self, resource: &Resource) -> Result<(), StoreError> {
        self.add(
            "resource identifier",
            "INSERT INTO resources (id, name, scopes, default_scopes, status, version, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            &[
                (&resource.id).into(),
                (&resource.name).into(),
                (&resource.scopes.to_string()).into(),
                (&resource.default_scopes.to_string()).into(),
                resource.status.as_str().into(),
                resource.version.into(),
                resource.created_at.into(),
                resource.updated_at.into(),
            ],
        )
    }

    fn update_resource(&mut self, resource: &Resource) -> Result<(), StoreError> {
        self.change(
            "resource",
            "UPDATE resources SET name = $1, scopes = $2, default_scopes = $3, status = $4, version = $5,
             updated_at = $6 WHERE id = $7 AND version = $8",
            &[
                (&resource.name).into(),
                (&resource.scopes.to_string()).into(),
                (&resource.default_scopes.to_string()).into(),
                resource.status.as_str().into(),
                resource.version.into(),
                resource.updated_at.into(),
                (&resource.id).into(),
                resource.version.saturating_sub(1).into(),
            ],
        )
    }

    fn remove_resource(&mut self, id: &ResourceId) -> Result<bool, StoreError> {
        self.touched("DELETE FROM resources WHERE id = $1", &[id.into()])
    }
}
