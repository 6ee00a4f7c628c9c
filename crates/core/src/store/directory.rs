//! People, groups, memberships.

use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::directory::group::Group;
use crate::directory::user::{Credential, User};
use crate::id::{GroupId, UserId};
use crate::store::StoreError;
use crate::store::page::{Page, PageRequest};

/// The built-in directory. User names are given in lower case.
pub trait DirectoryStore {
    /// The person of this id.
    fn find_user(&mut self, id: &UserId) -> Result<Option<User>, StoreError>;
    /// The person of this user name.
    fn find_user_by_username(&mut self, username: &str) -> Result<Option<User>, StoreError>;
    /// The password hash of a person.
    fn find_credential(&mut self, id: &UserId) -> Result<Option<Credential>, StoreError>;
    /// People in the order of their user name, optionally only those whose user name, e-mail or display name
    /// contains `search` (lower case).
    fn list_users(&mut self, search: Option<&str>, page: &PageRequest) -> Result<Page<User>, StoreError>;
    /// How many people there are, and how many of them are active.
    fn count_users(&mut self) -> Result<(i64, i64), StoreError>;
    /// Writes a new person. [`StoreError::Conflict`] when the user name is taken.
    fn insert_user(&mut self, user: &User) -> Result<(), StoreError>;
    /// Writes a changed person whose stored version is `user.version - 1`; else [`StoreError::Conflict`].
    fn update_user(&mut self, user: &User) -> Result<(), StoreError>;
    /// Notes that an administrator cut the person off, whatever their directory says.
    fn keep_out(&mut self, id: &UserId, at: Timestamp) -> Result<(), StoreError>;
    /// Takes that note away; `false` when there was none.
    fn let_in(&mut self, id: &UserId) -> Result<bool, StoreError>;
    /// Whether an administrator cut the person off.
    fn is_kept_out(&mut self, id: &UserId) -> Result<bool, StoreError>;
    /// Sets or replaces the password hash.
    fn put_credential(&mut self, id: &UserId, credential: &Credential) -> Result<(), StoreError>;

    /// The group of this id.
    fn find_group(&mut self, id: &GroupId) -> Result<Option<Group>, StoreError>;
    /// The group of this name.
    fn find_group_by_name(&mut self, name: &str) -> Result<Option<Group>, StoreError>;
    /// Groups in the order of their name.
    fn list_groups(&mut self, page: &PageRequest) -> Result<Page<Group>, StoreError>;
    /// Writes a new group. [`StoreError::Conflict`] when the name is taken.
    fn insert_group(&mut self, group: &Group) -> Result<(), StoreError>;
    /// Writes a changed group whose stored version is `group.version - 1`.
    fn update_group(&mut self, group: &Group) -> Result<(), StoreError>;
    /// Moves the version of a group whose members changed, whatever it is by now.
    fn touch_group(&mut self, id: &GroupId, now: Timestamp) -> Result<(), StoreError>;
    /// Removes a group and its memberships; `false` when it did not exist.
    fn remove_group(&mut self, id: &GroupId) -> Result<bool, StoreError>;
    /// The ids of a person's groups and roles, sorted.
    fn list_group_ids_of(&mut self, user: &UserId) -> Result<Vec<GroupId>, StoreError>;
    /// The members of a group in the order of their user name.
    fn list_members(&mut self, group: &GroupId, page: &PageRequest) -> Result<Page<User>, StoreError>;
    /// Adds a membership; `false` when it stood already.
    fn insert_member(&mut self, group: &GroupId, user: &UserId, at: Timestamp) -> Result<bool, StoreError>;
    /// Puts many people, who exist, into a group; those who were not in it.
    fn insert_members(
        &mut self,
        group: &GroupId,
        users: &BTreeSet<UserId>,
        at: Timestamp,
    ) -> Result<Vec<UserId>, StoreError>;
    /// Takes many people out of a group; those who were in it.
    fn remove_members(&mut self, group: &GroupId, users: &BTreeSet<UserId>) -> Result<Vec<UserId>, StoreError>;
    /// Removes a membership; `false` when there was none.
    fn remove_member(&mut self, group: &GroupId, user: &UserId) -> Result<bool, StoreError>;
}
