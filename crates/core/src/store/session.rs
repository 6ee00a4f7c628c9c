//! Browser sessions, codes and refresh tokens.

use crate::clock::Timestamp;
use crate::id::{ClientKey, ConnectionId, FamilyId, SessionId, UserId};
use crate::session::code::AuthorizationCode;
use crate::session::record::Session;
use crate::session::refresh::{RefreshFamily, RefreshToken};
use crate::store::StoreError;
use crate::store::page::{Page, PageRequest};

/// A client that is to hear of the end of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutClient {
    /// The session.
    pub session: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The client.
    pub client: ClientKey,
}

/// State of sign-ins at the IdP.
pub trait SessionStore {
    /// The session of this id.
    fn find_session(&mut self, id: &SessionId) -> Result<Option<Session>, StoreError>;
    /// The session whose cookie secret has this hash.
    fn find_session_by_secret(&mut self, hash: &[u8; 32]) -> Result<Option<Session>, StoreError>;
    /// A person's sessions, newest first by id.
    fn list_sessions_of(&mut self, user: &UserId, page: &PageRequest) -> Result<Page<Session>, StoreError>;
    /// Open sessions that an identity provider calls so, oldest first.
    fn list_sessions_of_upstream(
        &mut self,
        connection: &ConnectionId,
        upstream_session: &str,
    ) -> Result<Vec<Session>, StoreError>;
    /// Writes a new session.
    fn insert_session(&mut self, session: &Session) -> Result<(), StoreError>;
    /// Notes a use.
    fn touch_session(&mut self, id: &SessionId, at: Timestamp) -> Result<(), StoreError>;
    /// Ends a session that is not ended yet; `false` when it was.
    fn end_session(&mut self, id: &SessionId, at: Timestamp, by_admin: bool) -> Result<bool, StoreError>;
    /// Ends every open session of a person; how many there were.
    fn end_sessions_of(&mut self, user: &UserId, at: Timestamp) -> Result<u64, StoreError>;
    /// Ends every open session that an identity provider began, with its families; how many sessions there were.
    fn end_sessions_of_connection(&mut self, connection: &ConnectionId, at: Timestamp) -> Result<u64, StoreError>;
    /// The clients that were signed in in a session and want to hear of its end, by key (RV-05).
    fn list_logout_clients(&mut self, session: &SessionId) -> Result<Vec<LogoutClient>, StoreError>;
    /// The same for every open session of a person.
    fn list_logout_clients_of_user(&mut self, user: &UserId) -> Result<Vec<LogoutClient>, StoreError>;
    /// The same for every open session that an identity provider began.
    fn list_logout_clients_of_connection(&mut self, connection: &ConnectionId)
    -> Result<Vec<LogoutClient>, StoreError>;

    /// Writes a new code.
    fn insert_code(&mut self, code: &AuthorizationCode) -> Result<(), StoreError>;
    /// The code of this hash, used or not.
    fn find_code(&mut self, hash: &[u8; 32]) -> Result<Option<AuthorizationCode>, StoreError>;
    /// Marks an unused code as used and names the family issued from it; `false` when it was used before.
    fn use_code(&mut self, hash: &[u8; 32], at: Timestamp, family: Option<&FamilyId>) -> Result<bool, StoreError>;

    /// Writes a new family.
    fn insert_family(&mut self, family: &RefreshFamily) -> Result<(), StoreError>;
    /// The family of this id.
    fn find_family(&mut self, id: &FamilyId) -> Result<Option<RefreshFamily>, StoreError>;
    /// A person's families that nobody ended and whose end lies after `now`, newest first, at most `limit`.
    fn list_families_of(&mut self, user: &UserId, now: Timestamp, limit: u32)
    -> Result<Vec<RefreshFamily>, StoreError>;
    /// Binds a family to a native client's key when it is not bound yet; `false` when it was.
    fn bind_family(&mut self, id: &FamilyId, kid: &str) -> Result<bool, StoreError>;
    /// Ends a family that is not ended yet; `false` when it was.
    fn end_family(&mut self, id: &FamilyId, at: Timestamp) -> Result<bool, StoreError>;
    /// Ends the open families of a session; with `offline` also those that outlive a logout.
    fn end_families_of_session(&mut self, id: &SessionId, offline: bool, at: Timestamp) -> Result<u64, StoreError>;
    /// Ends every open family of a person.
    fn end_families_of_user(&mut self, user: &UserId, at: Timestamp) -> Result<u64, StoreError>;
    /// Ends every open family of a client.
    fn end_families_of_client(&mut self, client: &ClientKey, at: Timestamp) -> Result<u64, StoreError>;
    /// Ends every open family bound to this key of a client.
    fn end_families_of_key(&mut self, client: &ClientKey, kid: &str, at: Timestamp) -> Result<u64, StoreError>;
    /// Writes a new refresh token.
    fn insert_refresh_token(&mut self, token: &RefreshToken) -> Result<(), StoreError>;
    /// The refresh token of this hash.
    fn find_refresh_token(&mut self, hash: &[u8; 32]) -> Result<Option<RefreshToken>, StoreError>;
    /// Marks an unrotated token as rotated; `false` when it was rotated before.
    fn rotate_refresh_token(&mut self, hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError>;
    /// The highest generation of a family.
    fn newest_generation(&mut self, family: &FamilyId) -> Result<i64, StoreError>;

    /// Removes codes, sessions, families and tokens that died before `before`, at most `limit` of each; how many.
    fn purge_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
