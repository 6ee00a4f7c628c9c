//! Audiences of the IdP and client-id mappings.
//!
//! Owns the tables `audiences` and `client_mappings`. Never knows what is issued for an audience.

use lanyard_core::client::registration::SubjectMode;
use lanyard_core::id::{AudienceId, ClientKey};
use lanyard_core::store::StoreError;
use lanyard_core::store::audience::AudienceStore;
use lanyard_core::trust::audience::{Audience, ClientMapping};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;

use crate::client::SUBJECT_MODES;
use crate::row::Row;
use crate::sql::SqlTx;

fn audience(row: &mut Row<'_>) -> Result<Audience, StoreError> {
    Ok(Audience {
        id: row.id()?,
        issuer: row.parsed()?,
        name: row.text()?,
        subject_mode: row.one_of(&SUBJECT_MODES, SubjectMode::as_str)?,
        aud_tenant: row.maybe_text()?,
        allow_missing_resource: row.flag()?,
        id_jag_ttl_seconds: row.int()?,
        enabled: row.flag()?,
        version: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

impl AudienceStore for SqlTx<'_> {
    fn find_audience(&mut self, issuer: &Issuer) -> Result<Option<Audience>, StoreError> {
        self.find_held(
            "SELECT id, issuer, name, subject_mode, aud_tenant, allow_missing_resource, id_jag_ttl_seconds, enabled,
             version, created_at, updated_at FROM audiences WHERE issuer = $1",
            &[issuer.into()],
            audience,
        )
    }

    fn list_audiences(&mut self) -> Result<Vec<Audience>, StoreError> {
        self.list(
            "SELECT id, issuer, name, subject_mode, aud_tenant, allow_missing_resource, id_jag_ttl_seconds, enabled,
             version, created_at, updated_at FROM audiences ORDER BY issuer",
            &[],
            audience,
        )
    }

    fn insert_audience(&mut self, audience: &Audience) -> Result<(), StoreError> {
        self.add(
            "audience issuer",
            "INSERT INTO audiences (id, issuer, name, subject_mode, aud_tenant, allow_missing_resource,
             id_jag_ttl_seconds, enabled, version, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
            &[
                (&audience.id).into(),
                (&audience.issuer).into(),
                (&audience.name).into(),
                audience.subject_mode.as_str().into(),
                audience.aud_tenant.as_ref().into(),
                audience.allow_missing_resource.into(),
                audience.id_jag_ttl_seconds.into(),
                audience.enabled.into(),
                audience.version.into(),
                audience.created_at.into(),
                audience.updated_at.into(),
            ],
        )
    }

    fn update_audience(&mut self, audience: &Audience) -> Result<(), StoreError> {
        self.change(
            "audience",
            "UPDATE audiences SET issuer = $1, name = $2, subject_mode = $3, aud_tenant = $4,
             allow_missing_resource = $5, id_jag_ttl_seconds = $6, enabled = $7, version = $8, updated_at = $9
             WHERE id = $10 AND version = $11",
            &[
                (&audience.issuer).into(),
                (&audience.name).into(),
                audience.subject_mode.as_str().into(),
                audience.aud_tenant.as_ref().into(),
                audience.allow_missing_resource.into(),
                audience.id_jag_ttl_seconds.into(),
                audience.enabled.into(),
                audience.version.into(),
                audience.updated_at.into(),
                (&audience.id).into(),
                audience.version.saturating_sub(1).into(),
            ],
        )
    }

    fn remove_audience(&mut self, id: &AudienceId) -> Result<bool, StoreError> {
        self.execute("DELETE FROM client_mappings WHERE audience = $1", &[id.into()])?;
        self.touched("DELETE FROM audiences WHERE id = $1", &[id.into()])
    }

    fn find_mapping(&mut self, client: &ClientKey, audience: &AudienceId) -> Result<Option<ClientId>, StoreError> {
        self.find_held(
            "SELECT ras_client_id FROM client_mappings WHERE client = $1 AND audience = $2",
            &[client.into(), audience.into()],
            |row| row.parsed(),
        )
    }

    fn list_mappings(&mut self, audience: &AudienceId) -> Result<Vec<ClientMapping>, StoreError> {
        self.list(
            "SELECT client, audience, ras_client_id FROM client_mappings WHERE audience = $1 ORDER BY client",
            &[audience.into()],
            |row| {
                Ok(ClientMapping {
                    client: row.id()?,
                    audience: row.id()?,
                    ras_client_id: row.parsed()?,
                })
            },
        )
    }

    fn put_mapping(&mut self, mapping: &ClientMapping) -> Result<(), StoreError> {
        self.change(
            "client id at the audience",
            "INSERT INTO client_mappings (client, audience, ras_client_id) VALUES ($1, $2, $3)
             ON CONFLICT (client, audience) DO UPDATE SET ras_client_id = excluded.ras_client_id",
            &[
                (&mapping.client).into(),
                (&mapping.audience).into(),
                (&mapping.ras_client_id).into(),
            ],
        )
    }

    fn remove_mapping(&mut self, client: &ClientKey, audience: &AudienceId) -> Result<bool, StoreError> {
        self.touched(
            "DELETE FROM client_mappings WHERE client = $1 AND audience = $2",
            &[client.into(), audience.into()],
        )
    }
}
