//! Tenants and trusted issuers of the RAS.
//!
//! Owns the tables `tenants` and `trusts`. Never verifies a token.

use lanyard_core::id::{TenantId, TrustId};
use lanyard_core::store::StoreError;
use lanyard_core::store::trust::TrustStore;
use lanyard_core::trust::issuer::{ScopeRule, Tenant, Trust};
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::scope::ScopeSet;

use crate::row::{Row, corrupt, doc};
use crate::sql::SqlTx;

fn tenant(row: &mut Row<'_>) -> Result<Tenant, StoreError> {
    Ok(Tenant {
        id: row.id()?,
        name: row.text()?,
        managed_only: row.flag()?,
        created_at: row.time()?,
    })
}

fn trust(row: &mut Row<'_>) -> Result<Trust, StoreError> {
    Ok(Trust {
        id: row.id()?,
        tenant: row.id()?,
        issuer: row.parsed()?,
        tenant_claim: Some(row.text()?).filter(|claim| !claim.is_empty()),
        keys: row.doc()?,
        algorithms: row.doc()?,
        clients: row.doc()?,
        resources: row.doc()?,
        scopes: match row.maybe_str()? {
            Some(text) => Some(ScopeSet::parse(text).map_err(corrupt)?),
            None => None,
        },
        max_id_jag_ttl_seconds: row.int()?,
        access_token_ttl_seconds: row.int()?,
        scope_rule: row.one_of(&[ScopeRule::Strict, ScopeRule::Downscope], scope_rule)?,
        just_in_time: row.flag()?,
        aud_tenant: row.maybe_text()?,
        enabled: row.flag()?,
        version: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

const fn scope_rule(rule: ScopeRule) -> &'static str {
    match rule {
        ScopeRule::Strict => "strict",
        ScopeRule::Downscope => "downscope",
    }
}

/// The stored form of a tenant claim: the empty text stands for none, so an empty claim cannot be stored.
pub(crate) fn claim(claim: Option<&str>) -> Result<&str, StoreError> {
    match claim {
        Some("") => Err(corrupt("an empty tenant claim")),
        Some(claim) => Ok(claim),
        None => Ok(""),
    }
}

impl TrustStore for SqlTx<'_> {
    fn find_tenant(&mut self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        self.find(
            "SELECT id, name, managed_only, created_at FROM tenants WHERE id = $1",
            &[id.into()],
            tenant,
        )
    }

    fn find_tenant_by_name(&mut self, name: &str) -> Result<Option<Tenant>, StoreError> {
        self.find(
            "SELECT id, name, managed_only, created_at FROM tenants WHERE name = $1",
            &[name.into()],
            tenant,
        )
    }

    fn list_tenants(&mut self) -> Result<Vec<Tenant>, StoreError> {
        self.list(
            "SELECT id, name, managed_only, created_at FROM tenants ORDER BY name",
            &[],
            tenant,
        )
    }

    fn insert_tenant(&mut self, tenant: &Tenant) -> Result<(), StoreError> {
        self.add(
            "tenant name",
            "INSERT INTO tenants (id, name, managed_only, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            &[
                (&tenant.id).into(),
                (&tenant.name).into(),
                tenant.managed_only.into(),
                tenant.created_at.into(),
            ],
        )
    }

    fn list_trusts_of_issuer(&mut self, issuer: &Issuer) -> Result<Vec<Trust>, StoreError> {
        self.list(
            "SELECT id, tenant, issuer, tenant_claim, keys, algorithms, clients, resources, scopes,
             max_id_jag_ttl_seconds, access_token_ttl_seconds, scope_rule, just_in_time, aud_tenant, enabled, version,
             created_at, updated_at FROM trusts WHERE issuer = $1 ORDER BY tenant_claim",
            &[issuer.into()],
            trust,
        )
    }

    fn find_trust(&mut self, id: &TrustId) -> Result<Option<Trust>, StoreError> {
        self.find(
            "SELECT id, tenant, issuer, tenant_claim, keys, algorithms, clients, resources, scopes,
             max_id_jag_ttl_seconds, access_token_ttl_seconds, scope_rule, just_in_time, aud_tenant, enabled, version,
             created_at, updated_at FROM trusts WHERE id = $1",
            &[id.into()],
            trust,
        )
    }

    fn trust_version(&mut self, id: &TrustId) -> Result<Option<(i64, bool)>, StoreError> {
        self.find_held(
            "SELECT version, enabled FROM trusts WHERE id = $1",
            &[id.into()],
            |row| Ok((row.int()?, row.flag()?)),
        )
    }

    fn list_trusts(&mut self) -> Result<Vec<Trust>, StoreError> {
        self.list(
            "SELECT id, tenant, issuer, tenant_claim, keys, algorithms, clients, resources, scopes,
             max_id_jag_ttl_seconds, access_token_ttl_seconds, scope_rule, just_in_time, aud_tenant, enabled, version,
             created_at, updated_at FROM trusts ORDER BY issuer, tenant_claim",
            &[],
            trust,
        )
    }

    fn insert_trust(&mut self, trust: &Trust) -> Result<(), StoreError> {
        self.add(
            "issuer and tenant claim",
            "INSERT INTO trusts (id, tenant, issuer, tenant_claim, keys, algorithms, clients, resources, scopes,
             max_id_jag_ttl_seconds, access_token_ttl_seconds, scope_rule, just_in_time, aud_tenant, enabled, version,
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
             $17, $18) ON CONFLICT DO NOTHING",
            &[
                (&trust.id).into(),
                (&trust.tenant).into(),
                (&trust.issuer).into(),
                claim(trust.tenant_claim.as_deref())?.into(),
                (&doc(&trust.keys)?).into(),
                (&doc(&trust.algorithms)?).into(),
                (&doc(&trust.clients)?).into(),
                (&doc(&trust.resources)?).into(),
                trust.scopes.as_ref().map(ToString::to_string).as_ref().into(),
                trust.max_id_jag_ttl_seconds.into(),
                trust.access_token_ttl_seconds.into(),
                scope_rule(trust.scope_rule).into(),
                trust.just_in_time.into(),
                trust.aud_tenant.as_ref().into(),
                trust.enabled.into(),
                trust.version.into(),
                trust.created_at.into(),
                trust.updated_at.into(),
            ],
        )
    }

    fn update_trust(&mut self, trust: &Trust) -> Result<(), StoreError> {
        self.change(
            "trust",
            "UPDATE trusts SET tenant = $1, issuer = $2, tenant_claim = $3, keys = $4, algorithms = $5, clients = $6,
             resources = $7, scopes = $8, max_id_jag_ttl_seconds = $9, access_token_ttl_seconds = $10,
             scope_rule = $11, just_in_time = $12, aud_tenant = $13, enabled = $14, version = $15, updated_at = $16
             WHERE id = $17 AND version = $18",
            &[
                (&trust.tenant).into(),
                (&trust.issuer).into(),
                claim(trust.tenant_claim.as_deref())?.into(),
                (&doc(&trust.keys)?).into(),
                (&doc(&trust.algorithms)?).into(),
                (&doc(&trust.clients)?).into(),
                (&doc(&trust.resources)?).into(),
                trust.scopes.as_ref().map(ToString::to_string).as_ref().into(),
                trust.max_id_jag_ttl_seconds.into(),
                trust.access_token_ttl_seconds.into(),
                scope_rule(trust.scope_rule).into(),
                trust.just_in_time.into(),
                trust.aud_tenant.as_ref().into(),
                trust.enabled.into(),
                trust.version.into(),
                trust.updated_at.into(),
                (&trust.id).into(),
                trust.version.saturating_sub(1).into(),
            ],
        )
    }

    fn remove_trust(&mut self, id: &TrustId) -> Result<bool, StoreError> {
        self.touched("DELETE FROM trusts WHERE id = $1", &[id.into()])
    }
}
