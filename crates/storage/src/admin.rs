//! Administrators: roles of people and groups, administrator tokens.
//!
//! Owns the tables `admin_grants`, `admin_tokens` and `owner_claims`. Never sees a token.

use lanyard_core::admin::grant::{Holder, RoleGrant};
use lanyard_core::admin::token::{AdminRole, AdminToken, OwnerClaim};
use lanyard_core::clock::Timestamp;
use lanyard_core::directory::user::UserStatus;
use lanyard_core::id::{AdminTokenId, UserId};
use lanyard_core::store::StoreError;
use lanyard_core::store::admin::AdminStore;

use crate::row::{Row, corrupt};
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

fn holder(row: &mut Row<'_>) -> Result<Holder, StoreError> {
    Holder::parse(row.text()?).ok_or_else(|| corrupt("a role is held by neither a person nor a group"))
}

fn grant(row: &mut Row<'_>) -> Result<RoleGrant, StoreError> {
    Ok(RoleGrant {
        holder: holder(row)?,
        role: role(row)?,
        provisioned: row.flag()?,
        version: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

fn role(row: &mut Row<'_>) -> Result<AdminRole, StoreError> {
    row.one_of(&AdminRole::OF_PEOPLE, AdminRole::as_str)
}

impl AdminStore for SqlTx<'_> {
    fn find_grant(&mut self, holder: &Holder) -> Result<Option<RoleGrant>, StoreError> {
        self.find(
            "SELECT holder, role, provisioned, version, created_at, updated_at FROM admin_grants WHERE holder = $1",
            &[holder.as_str().into()],
            grant,
        )
    }

    fn list_grants(&mut self) -> Result<Vec<RoleGrant>, StoreError> {
        self.list(
            "SELECT holder, role, provisioned, version, created_at, updated_at FROM admin_grants ORDER BY holder",
            &[],
            grant,
        )
    }

    fn list_roles_of(&mut self, user: &UserId) -> Result<Vec<AdminRole>, StoreError> {
        self.list(
            "SELECT role FROM admin_grants WHERE holder = $1
             UNION ALL SELECT g.role FROM memberships m JOIN admin_grants g ON g.holder = m.group_id
             WHERE m.user_id = $2",
            &[user.into(), user.into()],
            role,
        )
    }

    fn list_owners(&mut self) -> Result<Vec<(Holder, UserId)>, StoreError> {
        let owner = AdminRole::Owner.as_str();
        let active = UserStatus::Active.as_str();
        self.list(
            "SELECT g.holder, u.id FROM admin_grants g JOIN users u ON u.id = g.holder
             WHERE g.role = $1 AND u.status = $2
             UNION ALL SELECT g.holder, u.id FROM admin_grants g JOIN memberships m ON m.group_id = g.holder
             JOIN users u ON u.id = m.user_id WHERE g.role = $3 AND u.status = $4",
            &[owner.into(), active.into(), owner.into(), active.into()],
            |row| Ok((holder(row)?, row.id()?)),
        )
    }

    fn hold_owners(&mut self) -> Result<(), StoreError> {
        let owner = AdminRole::Owner.as_str();
        self.execute(
            "UPDATE admin_grants SET version = version WHERE role = $1",
            &[owner.into()],
        )?;
        self.execute(
            "UPDATE admin_tokens SET name = name WHERE role = $1 AND revoked_at IS NULL",
            &[owner.into()],
        )?;
        Ok(())
    }

    fn insert_grant(&mut self, grant: &RoleGrant) -> Result<(), StoreError> {
        self.add(
            "administrator",
            "INSERT INTO admin_grants (holder, role, provisioned, version, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            &[
                grant.holder.as_str().into(),
                grant.role.as_str().into(),
                grant.provisioned.into(),
                grant.version.into(),
                grant.created_at.into(),
                grant.updated_at.into(),
            ],
        )
    }

    fn update_grant(&mut self, grant: &RoleGrant) -> Result<(), StoreError> {
        self.change(
            "administrator",
            "UPDATE admin_grants SET role = $1, provisioned = $2, version = $3, updated_at = $4
             WHERE holder = $5 AND version = $6",
            &[
                grant.role.as_str().into(),
                grant.provisioned.into(),
                grant.version.into(),
                grant.updated_at.into(),
                grant.holder.as_str().into(),
                grant.version.saturating_sub(1).into(),
            ],
        )
    }

    fn remove_grant(&mut self, holder: &Holder) -> Result<bool, StoreError> {
        self.touched("DELETE FROM admin_grants WHERE holder = $1", &[holder.as_str().into()])
    }

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
