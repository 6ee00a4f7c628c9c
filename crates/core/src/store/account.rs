//! Accounts of the RAS and their links. Every method takes the tenant (architecture, section 6).

use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::issuer::Issuer;

use crate::clock::Timestamp;
use crate::id::{AccountId, TenantId};
use crate::ras::account::{Account, AccountLink, EndedSession};
use crate::store::StoreError;
use crate::store::page::{Page, PageRequest};

/// Local accounts.
pub trait AccountStore {
    /// The account of this id in this tenant.
    fn find_account(&mut self, tenant: &TenantId, id: &AccountId) -> Result<Option<Account>, StoreError>;
    /// The account linked to (issuer, tenant claim, subject) (AL-01).
    fn find_linked_account(
        &mut self,
        tenant: &TenantId,
        issuer: &Issuer,
        issuer_tenant: Option<&str>,
        subject: &Subject,
    ) -> Result<Option<Account>, StoreError>;
    /// Every (tenant, account) linked to (issuer, subject), whatever the tenant claim: for cut-off.
    fn list_accounts_of_subject(&mut self, issuer: &Issuer, subject: &Subject) -> Result<Vec<Account>, StoreError>;
    /// Accounts of a tenant in the order of their id.
    fn list_accounts(&mut self, tenant: &TenantId, page: &PageRequest) -> Result<Page<Account>, StoreError>;
    /// The links of an account.
    fn list_links(&mut self, tenant: &TenantId, account: &AccountId) -> Result<Vec<AccountLink>, StoreError>;
    /// Writes a new account.
    fn insert_account(&mut self, account: &Account) -> Result<(), StoreError>;
    /// Writes a new link. [`StoreError::Conflict`] when the key is linked already.
    fn insert_link(&mut self, link: &AccountLink) -> Result<(), StoreError>;
    /// Switches an account on or off; `false` when it did not exist.
    fn set_account_enabled(&mut self, tenant: &TenantId, id: &AccountId, enabled: bool) -> Result<bool, StoreError>;
    /// Writes which sessions ended of late.
    fn put_ended_sessions(
        &mut self,
        tenant: &TenantId,
        id: &AccountId,
        ended: &[EndedSession],
    ) -> Result<(), StoreError>;
    /// Moves `not_before` forward (never back).
    fn raise_account_not_before(&mut self, tenant: &TenantId, id: &AccountId, at: Timestamp) -> Result<(), StoreError>;
}
