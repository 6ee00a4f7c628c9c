//! Directories that provision, and what each says about its people and groups.
//!
//! Owns the tables `directories`, `directory_tokens`, `scim_users`, `scim_emails` and `scim_groups`. Never sees a
//! token.

mod condition;
mod groups;
mod users;

use std::collections::BTreeSet;

use lanyard_core::clock::Timestamp;
use lanyard_core::id::{DirectoryId, DirectoryTokenId, GroupId, UserId};
use lanyard_core::scim::directory::{Directory, DirectoryToken};
use lanyard_core::scim::group::ProvisionedGroup;
use lanyard_core::scim::search::{Found, GroupTest, Search, UserTest};
use lanyard_core::scim::user::ProvisionedUser;
use lanyard_core::store::StoreError;
use lanyard_core::store::scim::{DirectoryAccessStore, ScimStore};

use crate::dialect;
use crate::row::{Row, doc};
use crate::sql::SqlTx;

fn directory(row: &mut Row<'_>) -> Result<Directory, StoreError> {
    Ok(Directory {
        id: row.id()?,
        name: row.text()?,
        adopts: row.flag()?,
        strict_paths: row.flag()?,
        enabled: row.flag()?,
        version: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

fn token(row: &mut Row<'_>) -> Result<DirectoryToken, StoreError> {
    Ok(DirectoryToken {
        id: row.id()?,
        directory: row.id()?,
        hash: row.hash()?,
        name: row.text()?,
        created_at: row.time()?,
        expires_at: row.maybe_time()?,
        revoked_at: row.maybe_time()?,
        last_used_at: row.maybe_time()?,
    })
}

impl DirectoryAccessStore for SqlTx<'_> {
    fn find_directory(&mut self, id: &DirectoryId) -> Result<Option<Directory>, StoreError> {
        self.find(
            "SELECT id, name, adopts, strict_paths, enabled, version, created_at, updated_at
             FROM directories WHERE id = $1",
            &[id.into()],
            directory,
        )
    }

    fn find_directory_by_name(&mut self, name: &str) -> Result<Option<Directory>, StoreError> {
        self.find(
            "SELECT id, name, adopts, strict_paths, enabled, version, created_at, updated_at
             FROM directories WHERE name = $1",
            &[name.into()],
            directory,
        )
    }

    fn list_directories(&mut self) -> Result<Vec<Directory>, StoreError> {
        self.list(
            "SELECT id, name, adopts, strict_paths, enabled, version, created_at, updated_at
             FROM directories ORDER BY name",
            &[],
            directory,
        )
    }

    fn insert_directory(&mut self, directory: &Directory) -> Result<(), StoreError> {
        self.add(
            "directory name",
            "INSERT INTO directories (id, name, adopts, strict_paths, enabled, version, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            &[
                (&directory.id).into(),
                (&directory.name).into(),
                directory.adopts.into(),
                directory.strict_paths.into(),
                directory.enabled.into(),
                directory.version.into(),
                directory.created_at.into(),
                directory.updated_at.into(),
            ],
        )
    }

    fn update_directory(&mut self, directory: &Directory) -> Result<(), StoreError> {
        self.change(
            "directory",
            "UPDATE directories SET name = $1, adopts = $2, strict_paths = $3, enabled = $4, version = $5,
             updated_at = $6 WHERE id = $7 AND version = $8",
            &[
                (&directory.name).into(),
                directory.adopts.into(),
                directory.strict_paths.into(),
                directory.enabled.into(),
                directory.version.into(),
                directory.updated_at.into(),
                (&directory.id).into(),
                directory.version.saturating_sub(1).into(),
            ],
        )
    }

    fn remove_directory(&mut self, id: &DirectoryId) -> Result<(u64, u64), StoreError> {
        self.execute(
            "DELETE FROM scim_emails WHERE user_id IN (SELECT user_id FROM scim_users WHERE directory = $1)",
            &[id.into()],
        )?;
        let users = self.execute("DELETE FROM scim_users WHERE directory = $1", &[id.into()])?;
        let groups = self.execute("DELETE FROM scim_groups WHERE directory = $1", &[id.into()])?;
        self.execute("DELETE FROM directory_tokens WHERE directory = $1", &[id.into()])?;
        self.execute("DELETE FROM directories WHERE id = $1", &[id.into()])?;
        Ok((users, groups))
    }

    fn find_directory_token(&mut self, hash: &[u8; 32]) -> Result<Option<DirectoryToken>, StoreError> {
        self.find(
            "SELECT id, directory, hash, name, created_at, expires_at, revoked_at, last_used_at
             FROM directory_tokens WHERE hash = $1",
            &[hash.into()],
            token,
        )
    }

    fn list_directory_tokens(&mut self, directory: &DirectoryId) -> Result<Vec<DirectoryToken>, StoreError> {
        self.list(
            "SELECT id, directory, hash, name, created_at, expires_at, revoked_at, last_used_at
             FROM directory_tokens WHERE directory = $1 ORDER BY id",
            &[directory.into()],
            token,
        )
    }

    fn insert_directory_token(&mut self, token: &DirectoryToken) -> Result<(), StoreError> {
        self.add(
            "directory token",
            "INSERT INTO directory_tokens (id, directory, hash, name, created_at, expires_at, revoked_at, last_used_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            &[
                (&token.id).into(),
                (&token.directory).into(),
                (&token.hash).into(),
                (&token.name).into(),
                token.created_at.into(),
                token.expires_at.into(),
                token.revoked_at.into(),
                token.last_used_at.into(),
            ],
        )
    }

    fn revoke_directory_token(
        &mut self,
        directory: &DirectoryId,
        id: &DirectoryTokenId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE directory_tokens SET revoked_at = $1 WHERE id = $2 AND directory = $3 AND revoked_at IS NULL",
            &[at.into(), id.into(), directory.into()],
        )
    }

    fn touch_directory_token(&mut self, id: &DirectoryTokenId, at: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory_tokens SET last_used_at = $1 WHERE id = $2",
            &[at.into(), id.into()],
        )?;
        Ok(())
    }
}

impl ScimStore for SqlTx<'_> {
    fn find_provisioned_user(
        &mut self,
        directory: &DirectoryId,
        id: &UserId,
    ) -> Result<Option<ProvisionedUser>, StoreError> {
        users::find(self, directory, id)
    }

    fn find_owner_of_user(&mut self, id: &UserId) -> Result<Option<DirectoryId>, StoreError> {
        self.find(
            "SELECT directory FROM scim_users WHERE user_id = $1",
            &[id.into()],
            |row| row.id(),
        )
    }

    fn find_user_by_external_id(
        &mut self,
        directory: &DirectoryId,
        external_id: &str,
    ) -> Result<Option<UserId>, StoreError> {
        self.find(
            "SELECT user_id FROM scim_users WHERE directory = $1 AND external_id = $2",
            &[directory.into(), external_id.into()],
            |row| row.id(),
        )
    }

    fn put_provisioned_user(&mut self, person: &ProvisionedUser) -> Result<(), StoreError> {
        users::put(self, person)
    }

    fn remove_provisioned_user(&mut self, id: &UserId) -> Result<(), StoreError> {
        self.execute("DELETE FROM scim_emails WHERE user_id = $1", &[id.into()])?;
        self.execute("DELETE FROM scim_users WHERE user_id = $1", &[id.into()])?;
        Ok(())
    }

    fn search_provisioned_users(
        &mut self,
        directory: &DirectoryId,
        search: &Search<UserTest>,
    ) -> Result<Found<ProvisionedUser>, StoreError> {
        users::search(self, directory, search)
    }

    fn list_provisioned_groups_of(
        &mut self,
        directory: &DirectoryId,
        id: &UserId,
    ) -> Result<Vec<(GroupId, String)>, StoreError> {
        self.list(
            "SELECT g.id, g.name FROM memberships m JOIN scim_groups s ON s.group_id = m.group_id
             JOIN user_groups g ON g.id = m.group_id WHERE m.user_id = $1 AND s.directory = $2 ORDER BY g.id",
            &[id.into(), directory.into()],
            |row| Ok((row.id()?, row.text()?)),
        )
    }

    fn find_provisioned_group(
        &mut self,
        directory: &DirectoryId,
        id: &GroupId,
    ) -> Result<Option<ProvisionedGroup>, StoreError> {
        groups::find(self, directory, id)
    }

    fn find_provisioned_group_by_name(
        &mut self,
        directory: &DirectoryId,
        name: &str,
    ) -> Result<Option<GroupId>, StoreError> {
        self.find(
            "SELECT group_id FROM scim_groups WHERE directory = $1 AND display_name = $2",
            &[directory.into(), name.into()],
            |row| row.id(),
        )
    }

    fn find_owner_of_group(&mut self, id: &GroupId) -> Result<Option<DirectoryId>, StoreError> {
        self.find(
            "SELECT directory FROM scim_groups WHERE group_id = $1",
            &[id.into()],
            |row| row.id(),
        )
    }

    fn find_group_by_external_id(
        &mut self,
        directory: &DirectoryId,
        external_id: &str,
    ) -> Result<Option<GroupId>, StoreError> {
        self.find(
            "SELECT group_id FROM scim_groups WHERE directory = $1 AND external_id = $2",
            &[directory.into(), external_id.into()],
            |row| row.id(),
        )
    }

    fn put_provisioned_group(&mut self, group: &ProvisionedGroup) -> Result<(), StoreError> {
        groups::put(self, group)
    }

    fn remove_provisioned_group(&mut self, id: &GroupId) -> Result<(), StoreError> {
        self.execute("DELETE FROM scim_groups WHERE group_id = $1", &[id.into()])?;
        Ok(())
    }

    fn search_provisioned_groups(
        &mut self,
        directory: &DirectoryId,
        search: &Search<GroupTest>,
    ) -> Result<Found<ProvisionedGroup>, StoreError> {
        groups::search(self, directory, search)
    }

    fn list_provisioned_members(
        &mut self,
        directory: &DirectoryId,
        group: &GroupId,
    ) -> Result<Vec<UserId>, StoreError> {
        // The directory as an expression: SQLite would begin with everybody that it has, not with the group.
        self.list(
            "SELECT m.user_id FROM memberships m JOIN scim_users s ON s.user_id = m.user_id
             WHERE m.group_id = $1 AND (s.directory || '') = $2 ORDER BY m.user_id",
            &[group.into(), directory.into()],
            |row| row.id(),
        )
    }

    fn list_provisioned_among(
        &mut self,
        directory: &DirectoryId,
        ids: &BTreeSet<UserId>,
    ) -> Result<BTreeSet<UserId>, StoreError> {
        if ids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let sql = self.choose(dialect::PROVISIONED_AMONG);
        let found = self.list(sql, &[(&doc(ids)?).into(), directory.into()], |row| row.id())?;
        Ok(found.into_iter().collect())
    }
}
