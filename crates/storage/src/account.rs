//! Accounts of the RAS and their links.
//!
//! Owns the tables `accounts` and `account_links`. Never decides who is linked.

use lanyard_core::clock::Timestamp;
use lanyard_core::id::{AccountId, TenantId};
use lanyard_core::ras::account::{Account, AccountLink, AccountOrigin, EndedSession};
use lanyard_core::store::StoreError;
use lanyard_core::store::account::AccountStore;
use lanyard_core::store::page::{Page, PageRequest};
use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::issuer::Issuer;

use crate::paging::{after, fetch, page};
use crate::row::{Row, doc};
use crate::sql::SqlTx;
use crate::trust::claim;

fn account(row: &mut Row<'_>) -> Result<Account, StoreError> {
    Ok(Account {
        id: row.id()?,
        tenant: row.id()?,
        origin: row.one_of(
            &[AccountOrigin::Admin, AccountOrigin::JustInTime],
            AccountOrigin::as_str,
        )?,
        enabled: row.flag()?,
        not_before: row.maybe_time()?,
        ended_sessions: row.maybe_doc()?.unwrap_or_default(),
        created_at: row.time()?,
    })
}

fn link(row: &mut Row<'_>) -> Result<AccountLink, StoreError> {
    Ok(AccountLink {
        tenant: row.id()?,
        issuer: row.parsed()?,
        issuer_tenant: Some(row.text()?).filter(|claim| !claim.is_empty()),
        subject: row.parsed()?,
        account: row.id()?,
        linked_at: row.time()?,
    })
}

/// Nothing is the usual case, and costs a reader nothing.
fn ended_sessions(ended: &[EndedSession]) -> Result<Option<String>, StoreError> {
    (!ended.is_empty()).then(|| doc(ended)).transpose()
}

impl AccountStore for SqlTx<'_> {
    fn find_account(&mut self, tenant: &TenantId, id: &AccountId) -> Result<Option<Account>, StoreError> {
        self.find(
            "SELECT id, tenant, origin, enabled, not_before, ended_sessions, created_at FROM accounts WHERE id = $1 AND tenant = $2",
            &[id.into(), tenant.into()],
            account,
        )
    }

    fn find_linked_account(
        &mut self,
        tenant: &TenantId,
        issuer: &Issuer,
        issuer_tenant: Option<&str>,
        subject: &Subject,
    ) -> Result<Option<Account>, StoreError> {
        // An empty claim is linked to nobody; its stored form would be that of no claim.
        let Ok(issuer_tenant) = claim(issuer_tenant) else {
            return Ok(None);
        };
        self.find(
            "SELECT a.id, a.tenant, a.origin, a.enabled, a.not_before, a.ended_sessions, a.created_at
             FROM account_links l JOIN accounts a ON a.id = l.account
             WHERE l.issuer = $1 AND l.subject = $2 AND l.issuer_tenant = $3 AND l.tenant = $4",
            &[issuer.into(), subject.into(), issuer_tenant.into(), tenant.into()],
            account,
        )
    }

    fn list_accounts_of_subject(&mut self, issuer: &Issuer, subject: &Subject) -> Result<Vec<Account>, StoreError> {
        let mut accounts = self.list(
            "SELECT a.id, a.tenant, a.origin, a.enabled, a.not_before, a.ended_sessions, a.created_at
             FROM account_links l JOIN accounts a ON a.id = l.account
             WHERE l.issuer = $1 AND l.subject = $2 ORDER BY a.id",
            &[issuer.into(), subject.into()],
            account,
        )?;
        accounts.dedup_by(|a, b| a.id == b.id);
        Ok(accounts)
    }

    fn list_accounts(&mut self, tenant: &TenantId, request: &PageRequest) -> Result<Page<Account>, StoreError> {
        let items = self.list(
            "SELECT id, tenant, origin, enabled, not_before, ended_sessions, created_at FROM accounts
             WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3",
            &[tenant.into(), after(request).into(), fetch(request).into()],
            account,
        )?;
        Ok(page(items, request, |account| account.id.as_str()))
    }

    fn list_links(&mut self, tenant: &TenantId, account: &AccountId) -> Result<Vec<AccountLink>, StoreError> {
        self.list(
            "SELECT tenant, issuer, issuer_tenant, subject, account, linked_at FROM account_links
             WHERE account = $1 AND tenant = $2 ORDER BY issuer, issuer_tenant, subject",
            &[account.into(), tenant.into()],
            link,
        )
    }

    fn insert_account(&mut self, account: &Account) -> Result<(), StoreError> {
        self.add(
            "account",
            "INSERT INTO accounts (id, tenant, origin, enabled, not_before, ended_sessions, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            &[
                (&account.id).into(),
                (&account.tenant).into(),
                account.origin.as_str().into(),
                account.enabled.into(),
                account.not_before.into(),
                ended_sessions(&account.ended_sessions)?.as_ref().into(),
                account.created_at.into(),
            ],
        )
    }

    fn insert_link(&mut self, link: &AccountLink) -> Result<(), StoreError> {
        self.add(
            "account link",
            "INSERT INTO account_links (issuer, subject, issuer_tenant, tenant, account, linked_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            &[
                (&link.issuer).into(),
                (&link.subject).into(),
                claim(link.issuer_tenant.as_deref())?.into(),
                (&link.tenant).into(),
                (&link.account).into(),
                link.linked_at.into(),
            ],
        )
    }

    fn set_account_enabled(&mut self, tenant: &TenantId, id: &AccountId, enabled: bool) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE accounts SET enabled = $1 WHERE id = $2 AND tenant = $3",
            &[enabled.into(), id.into(), tenant.into()],
        )
    }

    fn put_ended_sessions(
        &mut self,
        tenant: &TenantId,
        id: &AccountId,
        ended: &[EndedSession],
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE accounts SET ended_sessions = $1 WHERE id = $2 AND tenant = $3",
            &[ended_sessions(ended)?.as_ref().into(), id.into(), tenant.into()],
        )?;
        Ok(())
    }

    fn raise_account_not_before(&mut self, tenant: &TenantId, id: &AccountId, at: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "UPDATE accounts SET not_before = $1
             WHERE id = $2 AND tenant = $3 AND (not_before IS NULL OR not_before < $1)",
            &[at.into(), id.into(), tenant.into()],
        )?;
        Ok(())
    }
}
