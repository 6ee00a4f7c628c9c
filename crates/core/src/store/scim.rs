//! Directories that provision, their tokens, and what each provisioned.

use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::id::{DirectoryId, DirectoryTokenId, GroupId, UserId};
use crate::scim::directory::{Directory, DirectoryToken};
use crate::scim::group::ProvisionedGroup;
use crate::scim::search::{Found, GroupTest, Search, UserTest};
use crate::scim::user::ProvisionedUser;
use crate::store::StoreError;

/// Directories and their tokens.
pub trait DirectoryAccessStore {
    /// The directory of this id.
    fn find_directory(&mut self, id: &DirectoryId) -> Result<Option<Directory>, StoreError>;
    /// The directory of this name.
    fn find_directory_by_name(&mut self, name: &str) -> Result<Option<Directory>, StoreError>;
    /// Every directory in the order of its name: there are few.
    fn list_directories(&mut self) -> Result<Vec<Directory>, StoreError>;
    /// Writes a new directory. [`StoreError::Conflict`] when the name is taken.
    fn insert_directory(&mut self, directory: &Directory) -> Result<(), StoreError>;
    /// Writes a changed directory whose stored version is `directory.version - 1`.
    fn update_directory(&mut self, directory: &Directory) -> Result<(), StoreError>;
    /// Removes a directory, its tokens and its links; how many people and groups it had. They stay.
    fn remove_directory(&mut self, id: &DirectoryId) -> Result<(u64, u64), StoreError>;

    /// The token of this hash.
    fn find_directory_token(&mut self, hash: &[u8; 32]) -> Result<Option<DirectoryToken>, StoreError>;
    /// The tokens of a directory in the order of their id: there are few.
    fn list_directory_tokens(&mut self, directory: &DirectoryId) -> Result<Vec<DirectoryToken>, StoreError>;
    /// Writes a new token.
    fn insert_directory_token(&mut self, token: &DirectoryToken) -> Result<(), StoreError>;
    /// Revokes a live token of a directory; `false` when there was none.
    fn revoke_directory_token(
        &mut self,
        directory: &DirectoryId,
        id: &DirectoryTokenId,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Writes down when a token was last used.
    fn touch_directory_token(&mut self, id: &DirectoryTokenId, at: Timestamp) -> Result<(), StoreError>;
}

/// Provisioned people and groups. A directory finds its own only.
pub trait ScimStore {
    /// The person of this id, of this directory.
    fn find_provisioned_user(
        &mut self,
        directory: &DirectoryId,
        id: &UserId,
    ) -> Result<Option<ProvisionedUser>, StoreError>;
    /// Which directory provisions a person.
    fn find_owner_of_user(&mut self, id: &UserId) -> Result<Option<DirectoryId>, StoreError>;
    /// The person that a directory calls by this id.
    fn find_user_by_external_id(
        &mut self,
        directory: &DirectoryId,
        external_id: &str,
    ) -> Result<Option<UserId>, StoreError>;
    /// Links a person, who is written already, to their directory, or changes what it says about them.
    fn put_provisioned_user(&mut self, person: &ProvisionedUser) -> Result<(), StoreError>;
    /// Unlinks a person.
    fn remove_provisioned_user(&mut self, id: &UserId) -> Result<(), StoreError>;
    /// People of a directory.
    fn search_provisioned_users(
        &mut self,
        directory: &DirectoryId,
        search: &Search<UserTest>,
    ) -> Result<Found<ProvisionedUser>, StoreError>;
    /// The groups of a directory that a person is in, with their names, in the order of their id.
    fn list_provisioned_groups_of(
        &mut self,
        directory: &DirectoryId,
        id: &UserId,
    ) -> Result<Vec<(GroupId, String)>, StoreError>;

    /// The group of this id, of this directory.
    fn find_provisioned_group(
        &mut self,
        directory: &DirectoryId,
        id: &GroupId,
    ) -> Result<Option<ProvisionedGroup>, StoreError>;
    /// The group of a directory of this name, given in lower case.
    fn find_provisioned_group_by_name(
        &mut self,
        directory: &DirectoryId,
        name: &str,
    ) -> Result<Option<GroupId>, StoreError>;
    /// Which directory provisions a group.
    fn find_owner_of_group(&mut self, id: &GroupId) -> Result<Option<DirectoryId>, StoreError>;
    /// The group that a directory calls by this id.
    fn find_group_by_external_id(
        &mut self,
        directory: &DirectoryId,
        external_id: &str,
    ) -> Result<Option<GroupId>, StoreError>;
    /// Links a group, which is written already, to its directory, or changes what it calls it.
    fn put_provisioned_group(&mut self, group: &ProvisionedGroup) -> Result<(), StoreError>;
    /// Unlinks a group.
    fn remove_provisioned_group(&mut self, id: &GroupId) -> Result<(), StoreError>;
    /// Groups of a directory.
    fn search_provisioned_groups(
        &mut self,
        directory: &DirectoryId,
        search: &Search<GroupTest>,
    ) -> Result<Found<ProvisionedGroup>, StoreError>;

    /// The people of a directory in a group, in the order of their id.
    fn list_provisioned_members(&mut self, directory: &DirectoryId, group: &GroupId)
    -> Result<Vec<UserId>, StoreError>;
    /// Those of them who are people of this directory.
    fn list_provisioned_among(
        &mut self,
        directory: &DirectoryId,
        ids: &BTreeSet<UserId>,
    ) -> Result<BTreeSet<UserId>, StoreError>;
}
