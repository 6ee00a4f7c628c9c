//! Upstream identity providers, links of people to them, sign-ins under way.

use crate::clock::Timestamp;
use crate::id::{ConnectionId, GroupId, UserId};
use crate::store::StoreError;
use crate::store::page::{Page, PageRequest};
use crate::upstream::attempt::SignInAttempt;
use crate::upstream::connection::Connection;
use crate::upstream::link::Link;

/// Everything about identity providers.
pub trait UpstreamStore {
    /// The connection of this id.
    fn find_connection(&mut self, id: &ConnectionId) -> Result<Option<Connection>, StoreError>;
    /// The connection of this name.
    fn find_connection_by_name(&mut self, name: &str) -> Result<Option<Connection>, StoreError>;
    /// The connection that owns an e-mail domain, given in lower case.
    fn find_connection_of_domain(&mut self, domain: &str) -> Result<Option<Connection>, StoreError>;
    /// Every connection in the order of its name.
    fn list_connections(&mut self) -> Result<Vec<Connection>, StoreError>;
    /// Writes a new connection with its domains. [`StoreError::Conflict`] when the name or a domain is taken.
    fn insert_connection(&mut self, connection: &Connection) -> Result<(), StoreError>;
    /// Writes a changed connection whose stored version is `connection.version - 1`, with its domains.
    fn update_connection(&mut self, connection: &Connection) -> Result<(), StoreError>;
    /// Removes a connection with its domains, links, attempts and notes of memberships; `false` when it did not exist.
    fn remove_connection(&mut self, id: &ConnectionId) -> Result<bool, StoreError>;

    /// The link of a subject.
    fn find_person_link(&mut self, connection: &ConnectionId, subject: &str) -> Result<Option<Link>, StoreError>;
    /// A person's link at a connection.
    fn find_link_of_person(&mut self, connection: &ConnectionId, user: &UserId) -> Result<Option<Link>, StoreError>;
    /// A person's links, in the order of the connection's id.
    fn list_links_of_person(&mut self, user: &UserId) -> Result<Vec<Link>, StoreError>;
    /// The links of a connection in the order of the subject.
    fn list_person_links(&mut self, connection: &ConnectionId, page: &PageRequest) -> Result<Page<Link>, StoreError>;
    /// Writes a new link. [`StoreError::Conflict`] when the subject, or the person, is linked there already.
    fn insert_person_link(&mut self, link: &Link) -> Result<(), StoreError>;
    /// Notes a sign-in.
    fn touch_person_link(&mut self, connection: &ConnectionId, subject: &str, at: Timestamp) -> Result<(), StoreError>;
    /// Removes a link; `false` when there was none.
    fn remove_person_link(&mut self, connection: &ConnectionId, subject: &str) -> Result<bool, StoreError>;

    /// The groups whose membership a connection made for a person, sorted.
    fn list_upstream_memberships(
        &mut self,
        connection: &ConnectionId,
        user: &UserId,
    ) -> Result<Vec<GroupId>, StoreError>;
    /// Notes that a connection made a membership; nothing when it is noted already.
    fn insert_upstream_membership(
        &mut self,
        connection: &ConnectionId,
        user: &UserId,
        group: &GroupId,
    ) -> Result<(), StoreError>;
    /// Forgets that a connection made a membership.
    fn remove_upstream_membership(
        &mut self,
        connection: &ConnectionId,
        user: &UserId,
        group: &GroupId,
    ) -> Result<(), StoreError>;

    /// Writes a new attempt.
    fn insert_attempt(&mut self, attempt: &SignInAttempt) -> Result<(), StoreError>;
    /// The attempt of this handle's hash, used or not.
    fn find_attempt(&mut self, handle_hash: &[u8; 32]) -> Result<Option<SignInAttempt>, StoreError>;
    /// Marks an unused attempt as used; `false` when it was used before.
    fn use_attempt(&mut self, handle_hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError>;
    /// Writes what an attempt found.
    fn report_attempt(&mut self, handle_hash: &[u8; 32], report: &str) -> Result<(), StoreError>;
    /// Removes attempts that were over before `before`, at most `limit`; how many.
    fn purge_attempts(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
