//! Access grants: the records behind access tokens.

use lanyard_protocol::client_id::ClientId;

use crate::clock::Timestamp;
use crate::id::{AccountId, TenantId};
use crate::ras::access_grant::AccessGrant;
use crate::store::StoreError;
use crate::store::page::{Page, PageRequest};

/// What was authorised.
pub trait GrantStore {
    /// Writes a new grant.
    fn insert_access_grant(&mut self, grant: &AccessGrant) -> Result<(), StoreError>;
    /// The grant of this `jti`.
    fn find_access_grant(&mut self, jti: &str) -> Result<Option<AccessGrant>, StoreError>;
    /// Marks a live grant of this client as revoked; `false` when there was none.
    fn revoke_access_grant(&mut self, client: &ClientId, jti: &str, at: Timestamp) -> Result<bool, StoreError>;
    /// Marks every live grant of an account as revoked; how many there were.
    fn revoke_grants_of_account(
        &mut self,
        tenant: &TenantId,
        account: &AccountId,
        at: Timestamp,
    ) -> Result<u64, StoreError>;
    /// Marks every live grant of an account's session (the `sid` of the ID-JAG) as revoked; which there were.
    fn revoke_grants_of_session(
        &mut self,
        tenant: &TenantId,
        account: &AccountId,
        sid: &str,
        at: Timestamp,
    ) -> Result<Vec<String>, StoreError>;
    /// Marks every live grant of a client as revoked; how many there were.
    fn revoke_grants_of_client(&mut self, client: &ClientId, at: Timestamp) -> Result<u64, StoreError>;
    /// Live grants (not expired at `now`, not revoked) in the order of their `jti` (SEC-18).
    fn list_live_grants(&mut self, now: Timestamp, page: &PageRequest) -> Result<Page<AccessGrant>, StoreError>;
    /// Removes grants that expired before `before`, at most `limit`; how many.
    fn purge_grants(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
