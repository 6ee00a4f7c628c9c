//! Administrator tokens.

use crate::admin::token::{AdminToken, OwnerClaim};
use crate::clock::Timestamp;
use crate::id::AdminTokenId;
use crate::store::StoreError;

/// Administrator tokens and the one-time owner token.
pub trait AdminStore {
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
