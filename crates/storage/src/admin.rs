//! Administrator tokens.
//!
//! Owns the tables `admin_tokens` and `owner_claims`. Never sees a token.

use lanyard_core::admin::token::{AdminRole, AdminToken, OwnerClaim};
use lanyard_core::clock::Timestamp;
use lanyard_core::id::AdminTokenId;
use lanyard_core::store::StoreError;
use lanyard_core::store::admin::AdminStore;

use crate::row::Row;
use crate::sql::SqlTx;

const ROLES: [AdminRole; 5] = [
    AdminRole::Owner,
    AdminRole::Operator,
    AdminRole::Approver,
    AdminRole::Auditor,
    AdminRole::Gateway,
];

fn token(row: &mut Row<'_>) -> Result<AdminToken, StoreError> {
    Ok(AdminToken {
        id: row.id()?,
        hash: row.hash()?,
        name: row.text()?,
        role: row.one_of(&ROLES, AdminRole::as_str)?,
        created_at: row.time()?,
        expires_at: row.maybe_time()?,
        revoked_at: row.maybe_time()?,
    })
}

impl AdminStore for SqlTx<'_> {
    fn find_admin_token(&mut self, hash: &[u8; 32]) -> Result<Option<AdminToken>, StoreError> {
        self.find(
            "SELECT id, hash, name, role, created_at, expires_at, revoked_at FROM admin_tokens WHERE hash = $1",
            &[hash.into()],
            token,
        )
    }

    fn list_admin_tokens(&mut self) -> Result<Vec<AdminToken>, StoreError> {
        self.list(
            "SELECT id, hash, name, role, created_at, expires_at, revoked_at FROM admin_tokens ORDER BY id",
            &[],
            token,
        )
    }

    fn insert_admin_token(&mut self, token: &AdminToken) -> Result<(), StoreError> {
        self.add(
            "administrator token",
            "INSERT INTO admin_tokens (id, hash, name, role, created_at, expires_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            &[
                (&token.id).into(),
                (&token.hash).into(),
                (&token.name).into(),
                token.role.as_str().into(),
                token.created_at.into(),
                token.expires_at.into(),
                token.revoked_at.into(),
            ],
        )
    }

    fn revoke_admin_token(&mut self, id: &AdminTokenId, at: Timestamp) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE admin_tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
            &[at.into(), id.into()],
        )
    }

    fn revoke_owner_tokens(&mut self, at: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE admin_tokens SET revoked_at = $1 WHERE role = $2 AND revoked_at IS NULL",
            &[at.into(), AdminRole::Owner.as_str().into()],
        )
    }

    fn put_owner_claim(&mut self, claim: &OwnerClaim) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO owner_claims (slot, hash, created_at, expires_at, used_at) VALUES (1, $1, $2, $3, $4)
             ON CONFLICT (slot) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at,
             expires_at = excluded.expires_at, used_at = excluded.used_at",
            &[
                (&claim.hash).into(),
                claim.created_at.into(),
                claim.expires_at.into(),
                claim.used_at.into(),
            ],
        )?;
        Ok(())
    }

    fn find_owner_claim(&mut self) -> Result<Option<OwnerClaim>, StoreError> {
        self.find(
            "SELECT hash, created_at, expires_at, used_at FROM owner_claims",
            &[],
            |row| {
                Ok(OwnerClaim {
                    hash: row.hash()?,
                    created_at: row.time()?,
                    expires_at: row.time()?,
                    used_at: row.maybe_time()?,
                })
            },
        )
    }

    fn use_owner_claim(&mut self, hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE owner_claims SET used_at = $1 WHERE hash = $2 AND used_at IS NULL",
            &[at.into(), hash.into()],
        )
    }
}
