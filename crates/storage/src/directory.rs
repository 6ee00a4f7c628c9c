//! People, groups, memberships.
//!
//! Owns the tables `users`, `kept_out`, `credentials`, `user_groups` and `memberships`. Never hashes a password.

use std::collections::BTreeSet;

use lanyard_core::clock::Timestamp;
use lanyard_core::directory::group::{Group, GroupKind};
use lanyard_core::directory::user::{Credential, User, UserStatus};
use lanyard_core::id::{GroupId, UserId};
use lanyard_core::store::StoreError;
use lanyard_core::store::directory::DirectoryStore;
use lanyard_core::store::page::{Page, PageRequest};

use crate::dialect;
use crate::paging::{after, fetch, page};
use crate::row::{Row, doc};
use crate::sql::SqlTx;

pub(crate) fn user(row: &mut Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        id: row.id()?,
        username: row.text()?,
        email: row.maybe_text()?,
        display_name: row.text()?,
        status: row.one_of(&[UserStatus::Active, UserStatus::Deactivated], UserStatus::as_str)?,
        not_before: row.maybe_time()?,
        version: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

pub(crate) fn group(row: &mut Row<'_>) -> Result<Group, StoreError> {
    Ok(Group {
        id: row.id()?,
        name: row.text()?,
        kind: row.one_of(&[GroupKind::Group, GroupKind::Role], GroupKind::as_str)?,
        version: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

/// What a search looks into: lower-cased here, because the engines differ on letters beyond ASCII.
fn searched(user: &User) -> String {
    let email = user.email.as_deref().unwrap_or("");
    format!("{}\n{}\n{}", user.username, email, user.display_name).to_lowercase()
}

/// A pattern that matches the text itself anywhere.
fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len().saturating_add(2));
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

impl DirectoryStore for SqlTx<'_> {
    fn find_user(&mut self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.find(
            "SELECT id, username, email, display_name, status, not_before, version, created_at, updated_at
             FROM users WHERE id = $1",
            &[id.into()],
            user,
        )
    }

    fn find_user_by_username(&mut self, username: &str) -> Result<Option<User>, StoreError> {
        self.find(
            "SELECT id, username, email, display_name, status, not_before, version, created_at, updated_at
             FROM users WHERE username = $1",
            &[username.into()],
            user,
        )
    }

    fn find_credential(&mut self, id: &UserId) -> Result<Option<Credential>, StoreError> {
        self.find(
            "SELECT password_hash, changed_at FROM credentials WHERE user_id = $1",
            &[id.into()],
            |row| {
                Ok(Credential {
                    password_hash: row.text()?,
                    changed_at: row.time()?,
                })
            },
        )
    }

    fn list_users(&mut self, search: Option<&str>, request: &PageRequest) -> Result<Page<User>, StoreError> {
        let items = match search {
            None => self.list(
                "SELECT id, username, email, display_name, status, not_before, version, created_at, updated_at
                 FROM users WHERE username > $1 ORDER BY username LIMIT $2",
                &[after(request).into(), fetch(request).into()],
                user,
            )?,
            Some(search) => self.list(
                "SELECT id, username, email, display_name, status, not_before, version, created_at, updated_at
                 FROM users WHERE username > $1 AND search LIKE $2 ESCAPE '!' ORDER BY username LIMIT $3",
                &[after(request).into(), (&contains(search)).into(), fetch(request).into()],
                user,
            )?,
        };
        Ok(page(items, request, |user| &user.username))
    }

    fn count_users(&mut self) -> Result<(i64, i64), StoreError> {
        self.only(
            "SELECT count(*), count(CASE WHEN status = $1 THEN 1 END) FROM users",
            &[UserStatus::Active.as_str().into()],
            |row| Ok((row.int()?, row.int()?)),
        )
    }

    fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        self.add(
            "user name",
            "INSERT INTO users (id, username, email, display_name, status, not_before, search, version, created_at,
             updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
            &[
                (&user.id).into(),
                (&user.username).into(),
                user.email.as_ref().into(),
                (&user.display_name).into(),
                user.status.as_str().into(),
                user.not_before.into(),
                (&searched(user)).into(),
                user.version.into(),
                user.created_at.into(),
                user.updated_at.into(),
            ],
        )
    }

    fn update_user(&mut self, user: &User) -> Result<(), StoreError> {
        self.change(
            "user",
            "UPDATE users SET username = $1, email = $2, display_name = $3, status = $4, not_before = $5, search = $6,
             version = $7, updated_at = $8 WHERE id = $9 AND version = $10",
            &[
                (&user.username).into(),
                user.email.as_ref().into(),
                (&user.display_name).into(),
                user.status.as_str().into(),
                user.not_before.into(),
                (&searched(user)).into(),
                user.version.into(),
                user.updated_at.into(),
                (&user.id).into(),
                user.version.saturating_sub(1).into(),
            ],
        )
    }

    fn keep_out(&mut self, id: &UserId, at: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO kept_out (user_id, since) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING",
            &[id.into(), at.into()],
        )
        .map(|_| ())
    }

    fn let_in(&mut self, id: &UserId) -> Result<bool, StoreError> {
        self.touched("DELETE FROM kept_out WHERE user_id = $1", &[id.into()])
    }

    fn is_kept_out(&mut self, id: &UserId) -> Result<bool, StoreError> {
        let found = self.find("SELECT since FROM kept_out WHERE user_id = $1", &[id.into()], |row| {
            row.int()
        })?;
        Ok(found.is_some())
    }

    fn put_credential(&mut self, id: &UserId, credential: &Credential) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO credentials (user_id, password_hash, changed_at) VALUES ($1, $2, $3)
             ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash,
             changed_at = excluded.changed_at",
            &[
                id.into(),
                (&credential.password_hash).into(),
                credential.changed_at.into(),
            ],
        )?;
        Ok(())
    }

    fn find_group(&mut self, id: &GroupId) -> Result<Option<Group>, StoreError> {
        self.find(
            "SELECT id, name, kind, version, created_at, updated_at FROM user_groups WHERE id = $1",
            &[id.into()],
            group,
        )
    }

    fn find_group_by_name(&mut self, name: &str) -> Result<Option<Group>, StoreError> {
        self.find(
            "SELECT id, name, kind, version, created_at, updated_at FROM user_groups WHERE name = $1",
            &[name.into()],
            group,
        )
    }

    fn list_groups(&mut self, request: &PageRequest) -> Result<Page<Group>, StoreError> {
        let items = self.list(
            "SELECT id, name, kind, version, created_at, updated_at FROM user_groups
             WHERE name > $1 ORDER BY name LIMIT $2",
            &[after(request).into(), fetch(request).into()],
            group,
        )?;
        Ok(page(items, request, |group| &group.name))
    }

    fn insert_group(&mut self, group: &Group) -> Result<(), StoreError> {
        self.add(
            "group name",
            "INSERT INTO user_groups (id, name, kind, version, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            &[
                (&group.id).into(),
                (&group.name).into(),
                group.kind.as_str().into(),
                group.version.into(),
                group.created_at.into(),
                group.updated_at.into(),
            ],
        )
    }

    fn update_group(&mut self, group: &Group) -> Result<(), StoreError> {
        self.change(
            "group",
            "UPDATE user_groups SET name = $1, kind = $2, version = $3, updated_at = $4
             WHERE id = $5 AND version = $6",
            &[
                (&group.name).into(),
                group.kind.as_str().into(),
                group.version.into(),
                group.updated_at.into(),
                (&group.id).into(),
                group.version.saturating_sub(1).into(),
            ],
        )
    }

    fn touch_group(&mut self, id: &GroupId, now: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "UPDATE user_groups SET version = version + 1, updated_at = $1 WHERE id = $2",
            &[now.into(), id.into()],
        )?;
        Ok(())
    }

    fn remove_group(&mut self, id: &GroupId) -> Result<bool, StoreError> {
        self.execute("DELETE FROM memberships WHERE group_id = $1", &[id.into()])?;
        self.touched("DELETE FROM user_groups WHERE id = $1", &[id.into()])
    }

    fn list_group_ids_of(&mut self, user: &UserId) -> Result<Vec<GroupId>, StoreError> {
        self.list(
            "SELECT group_id FROM memberships WHERE user_id = $1 ORDER BY group_id",
            &[user.into()],
            |row| row.id(),
        )
    }

    fn list_members(&mut self, group: &GroupId, request: &PageRequest) -> Result<Page<User>, StoreError> {
        let items = self.list(
            "SELECT u.id, u.username, u.email, u.display_name, u.status, u.not_before, u.version, u.created_at,
             u.updated_at FROM memberships m JOIN users u ON u.id = m.user_id
             WHERE m.group_id = $1 AND u.username > $2 ORDER BY u.username LIMIT $3",
            &[group.into(), after(request).into(), fetch(request).into()],
            user,
        )?;
        Ok(page(items, request, |user| &user.username))
    }

    fn insert_member(&mut self, group: &GroupId, user: &UserId, at: Timestamp) -> Result<bool, StoreError> {
        self.touched(
            "INSERT INTO memberships (user_id, group_id, since) VALUES ($1, $2, $3)
             ON CONFLICT (user_id, group_id) DO NOTHING",
            &[user.into(), group.into(), at.into()],
        )
    }

    fn insert_members(
        &mut self,
        group: &GroupId,
        users: &BTreeSet<UserId>,
        at: Timestamp,
    ) -> Result<Vec<UserId>, StoreError> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let sql = self.choose(dialect::INSERT_MEMBERS);
        let users = doc(users)?;
        self.list(sql, &[group.into(), at.into(), (&users).into()], |row| row.id())
    }

    fn remove_members(&mut self, group: &GroupId, users: &BTreeSet<UserId>) -> Result<Vec<UserId>, StoreError> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let sql = self.choose(dialect::REMOVE_MEMBERS);
        self.list(sql, &[group.into(), (&doc(users)?).into()], |row| row.id())
    }

    fn remove_member(&mut self, group: &GroupId, user: &UserId) -> Result<bool, StoreError> {
        self.touched(
            "DELETE FROM memberships WHERE user_id = $1 AND group_id = $2",
            &[user.into(), group.into()],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_for_wildcards_looks_for_the_signs_themselves() {
        assert_eq!(contains("50%_!"), "%50!%!_!!%");
    }
}
