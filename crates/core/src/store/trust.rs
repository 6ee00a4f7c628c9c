//! Tenants and trusted issuers of the RAS.

use lanyard_protocol::issuer::Issuer;

use crate::id::{TenantId, TrustId};
use crate::store::StoreError;
use crate::trust::issuer::{Tenant, Trust};

/// Whom the RAS trusts.
pub trait TrustStore {
    /// The tenant of this id.
    fn find_tenant(&mut self, id: &TenantId) -> Result<Option<Tenant>, StoreError>;
    /// The tenant of this name.
    fn find_tenant_by_name(&mut self, name: &str) -> Result<Option<Tenant>, StoreError>;
    /// Every tenant in the order of its name.
    fn list_tenants(&mut self) -> Result<Vec<Tenant>, StoreError>;
    /// Writes a new tenant. [`StoreError::Conflict`] when the name is taken.
    fn insert_tenant(&mut self, tenant: &Tenant) -> Result<(), StoreError>;

    /// Every trust record of this issuer: one per tenant claim, one for most.
    fn list_trusts_of_issuer(&mut self, issuer: &Issuer) -> Result<Vec<Trust>, StoreError>;
    /// The record of this id.
    fn find_trust(&mut self, id: &TrustId) -> Result<Option<Trust>, StoreError>;
    /// Version and switch of a record: cheap, asked in every redemption.
    fn trust_version(&mut self, id: &TrustId) -> Result<Option<(i64, bool)>, StoreError>;
    /// Every record in the order of its issuer.
    fn list_trusts(&mut self) -> Result<Vec<Trust>, StoreError>;
    /// Writes a new record. [`StoreError::Conflict`] when (issuer, tenant claim) is taken.
    fn insert_trust(&mut self, trust: &Trust) -> Result<(), StoreError>;
    /// Writes a changed record whose stored version is `trust.version - 1`.
    fn update_trust(&mut self, trust: &Trust) -> Result<(), StoreError>;
    /// Removes a record; `false` when it did not exist.
    fn remove_trust(&mut self, id: &TrustId) -> Result<bool, StoreError>;
}
