//! Access grants: the records behind access tokens.
//!
//! Owns the table `access_grants`. Never sees a token.

use lanyard_core::clock::Timestamp;
use lanyard_core::id::{AccountId, TenantId};
use lanyard_core::ras::access_grant::AccessGrant;
use lanyard_core::store::StoreError;
use lanyard_core::store::grant::GrantStore;
use lanyard_core::store::page::{Page, PageRequest};
use lanyard_protocol::client_id::ClientId;

use crate::paging::{after, fetch, page};
use crate::row::{Row, maybe_doc};
use crate::sql::SqlTx;

fn grant(row: &mut Row<'_>) -> Result<AccessGrant, StoreError> {
    Ok(AccessGrant {
        jti: row.text()?,
        tenant: row.id()?,
        account: row.id()?,
        client_id: row.parsed()?,
        resource: row.parsed()?,
        scope: row.scopes()?,
        issuer: row.parsed()?,
        subject: row.parsed()?,
        id_jag_jti: row.text()?,
        sid: row.maybe_text()?,
        auth_time: row.maybe_int()?,
        acr: row.maybe_text()?,
        amr: row.maybe_doc()?,
        issued_at: row.time()?,
        expires_at: row.time()?,
        revoked_at: row.maybe_time()?,
    })
}

impl GrantStore for SqlTx<'_> {
    fn insert_access_grant(&mut self, grant: &AccessGrant) -> Result<(), StoreError> {
        self.add(
            "access grant",
            "INSERT INTO access_grants (jti, tenant, account, client_id, resource, scope, issuer, subject, id_jag_jti,
             sid, auth_time, acr, amr, issued_at, expires_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING",
            &[
                (&grant.jti).into(),
                (&grant.tenant).into(),
                (&grant.account).into(),
                (&grant.client_id).into(),
                (&grant.resource).into(),
                (&grant.scope.to_string()).into(),
                (&grant.issuer).into(),
                (&grant.subject).into(),
                (&grant.id_jag_jti).into(),
                grant.sid.as_ref().into(),
                grant.auth_time.into(),
                grant.acr.as_ref().into(),
                maybe_doc(grant.amr.as_ref())?.as_ref().into(),
                grant.issued_at.into(),
                grant.expires_at.into(),
                grant.revoked_at.into(),
            ],
        )
    }

    fn find_access_grant(&mut self, jti: &str) -> Result<Option<AccessGrant>, StoreError> {
        self.find(
            "SELECT jti, tenant, account, client_id, resource, scope, issuer, subject, id_jag_jti, sid, auth_time,
             acr, amr, issued_at, expires_at, revoked_at FROM access_grants WHERE jti = $1",
            &[jti.into()],
            grant,
        )
    }

    fn revoke_access_grant(&mut self, client: &ClientId, jti: &str, at: Timestamp) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE access_grants SET revoked_at = $1 WHERE jti = $2 AND client_id = $3 AND revoked_at IS NULL",
            &[at.into(), jti.into(), client.into()],
        )
    }

    fn revoke_grants_of_account(
        &mut self,
        tenant: &TenantId,
        account: &AccountId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE access_grants SET revoked_at = $1
             WHERE account = $2 AND tenant = $3 AND revoked_at IS NULL AND expires_at > $1",
            &[at.into(), account.into(), tenant.into()],
        )
    }

    fn revoke_grants_of_session(
        &mut self,
        tenant: &TenantId,
        account: &AccountId,
        sid: &str,
        at: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let mut revoked = self.list(
            "UPDATE access_grants SET revoked_at = $1
             WHERE expires_at > $1 AND account = $2 AND tenant = $3 AND sid = $4 AND revoked_at IS NULL
             RETURNING jti",
            &[at.into(), account.into(), tenant.into(), sid.into()],
            |row| row.text(),
        )?;
        // RETURNING promises no order.
        revoked.sort();
        Ok(revoked)
    }

    fn revoke_grants_of_client(&mut self, client: &ClientId, at: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE access_grants SET revoked_at = $1
             WHERE expires_at > $1 AND client_id = $2 AND revoked_at IS NULL",
            &[at.into(), client.into()],
        )
    }

    fn list_live_grants(&mut self, now: Timestamp, request: &PageRequest) -> Result<Page<AccessGrant>, StoreError> {
        let items = self.list(
            "SELECT jti, tenant, account, client_id, resource, scope, issuer, subject, id_jag_jti, sid, auth_time,
             acr, amr, issued_at, expires_at, revoked_at FROM access_grants
             WHERE jti > $1 AND expires_at > $2 AND revoked_at IS NULL ORDER BY jti LIMIT $3",
            &[after(request).into(), now.into(), fetch(request).into()],
            grant,
        )?;
        Ok(page(items, request, |grant| &grant.jti))
    }

    fn purge_grants(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM access_grants WHERE jti IN
             (SELECT jti FROM access_grants WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            &[before.into(), limit.into()],
        )
    }
}
