//! Administrators: roles of people and groups, administrator tokens.

use crate::admin::grant::{Holder, RoleGrant};
use crate::admin::token::{AdminRole, AdminToken, OwnerClaim};
use crate::clock::Timestamp;
use crate::id::{AdminTokenId, UserId};
use crate::store::StoreError;

/// Roles of people and groups, administrator tokens and the one-time owner token.
pub trait AdminStore {
    /// The role given to a person or a group.
    fn find_grant(&mut self, holder: &Holder) -> Result<Option<RoleGrant>, StoreError>;
    /// Every role given, in the order of the holder's id: groups, then people.
    fn list_grants(&mut self) -> Result<Vec<RoleGrant>, StoreError>;
    /// The roles of a person: their own, and those of their groups.
    fn list_roles_of(&mut self, user: &UserId) -> Result<Vec<AdminRole>, StoreError>;
    /// Every active person who is owner, once for each grant by which they are.
    fn list_owners(&mut self) -> Result<Vec<(Holder, UserId)>, StoreError>;
    /// Holds what makes somebody owner until the commit: two units that each take one away see each other.
    fn hold_owners(&mut self) -> Result<(), StoreError>;
    /// Writes a new grant. [`StoreError::Conflict`] when the holder has one.
    fn insert_grant(&mut self, grant: &RoleGrant) -> Result<(), StoreError>;
    /// Writes a changed grant whose stored version is `grant.version - 1`.
    fn update_grant(&mut self, grant: &RoleGrant) -> Result<(), StoreError>;
    /// Removes a grant; `false` when there was none.
    fn remove_grant(&mut self, holder: &Holder) -> Result<bool, StoreError>;

    /// The token of this hash.
    fn find_admin_token(&mut self, hash: &[u8; 32]) -> Result<Option<AdminToken>, StoreError>;
    /// Every token in the order of its id.
    fn list_admin_tokens(&mut self) -> Result<Vec<AdminToken>, StoreError>;
    /// Writes a new token.
    fn insert_admin_token(&mut self, token: &AdminToken) -> Result<(), StoreError>;
    /// Revokes a live token; `false` when there was none.
    fn revoke_admin_token(&mut self, id: &AdminTokenId, at: Timestamp) -> Result<bool, StoreError>;
    /// Revokes every live owner token; how many.
    fn revoke_owner_tokens(&mut self, at: Timestamp) -> Result<u64, StoreError>;

    /// Replaces the one-time owner token.
    fn put_owner_claim(&mut self, claim: &OwnerClaim) -> Result<(), StoreError>;
    /// The one-time owner token, used or not.
    fn find_owner_claim(&mut self) -> Result<Option<OwnerClaim>, StoreError>;
    /// Marks the unused owner token of this hash as used; `false` when there was none.
    fn use_owner_claim(&mut self, hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError>;
}
