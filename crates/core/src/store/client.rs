//! Registered clients, their secrets and keys.

use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;

use crate::client::registration::{Client, ClientSecret, RegisteredKey, Side};
use crate::clock::Timestamp;
use crate::id::{ClientKey, SecretId, UserId};
use crate::saml::provider::ServiceProvider;
use crate::store::StoreError;
use crate::store::page::{Page, PageRequest};

/// Clients of both sides.
pub trait ClientStore {
    /// The client of this OAuth identifier on this side.
    fn find_client(&mut self, side: Side, client_id: &ClientId) -> Result<Option<Client>, StoreError>;
    /// The client of this record key.
    fn find_client_by_key(&mut self, key: &ClientKey) -> Result<Option<Client>, StoreError>;
    /// Clients of one side, or of both, in the order of their record key.
    fn list_clients(&mut self, side: Option<Side>, page: &PageRequest) -> Result<Page<Client>, StoreError>;
    /// Clients of the IdP that belong to no agent, in the order of their record key.
    fn list_unregistered_clients(&mut self, page: &PageRequest) -> Result<Page<Client>, StoreError>;
    /// Writes a new client. [`StoreError::Conflict`] when the identifier is taken on its side.
    fn insert_client(&mut self, client: &Client) -> Result<(), StoreError>;
    /// Writes a changed client whose stored version is `client.version - 1`.
    fn update_client(&mut self, client: &Client) -> Result<(), StoreError>;
    /// Moves `not_before` forward (never back); the version stays.
    fn raise_client_not_before(&mut self, side: Side, client_id: &ClientId, at: Timestamp) -> Result<(), StoreError>;

    /// Every secret of a client, oldest first.
    fn list_client_secrets(&mut self, client: &ClientKey) -> Result<Vec<ClientSecret>, StoreError>;
    /// Adds a secret.
    fn insert_client_secret(&mut self, secret: &ClientSecret) -> Result<(), StoreError>;
    /// Removes a secret; `false` when it did not exist.
    fn remove_client_secret(&mut self, id: &SecretId) -> Result<bool, StoreError>;

    /// One key of a client.
    fn find_client_key(&mut self, client: &ClientKey, kid: &str) -> Result<Option<RegisteredKey>, StoreError>;
    /// Every key of a client that no person holds.
    fn list_client_keys(&mut self, client: &ClientKey) -> Result<Vec<RegisteredKey>, StoreError>;
    /// Adds a key. [`StoreError::Conflict`] when the kid is taken within the client.
    fn insert_client_key(&mut self, key: &RegisteredKey) -> Result<(), StoreError>;
    /// Removes a key; `false` when it did not exist.
    fn remove_client_key(&mut self, client: &ClientKey, kid: &str) -> Result<bool, StoreError>;
    /// The SAML service providers that a client is, by entity id.
    fn list_service_providers(&mut self, client: &ClientKey) -> Result<Vec<ServiceProvider>, StoreError>;
    /// The client that is this service provider.
    fn find_client_of_service_provider(&mut self, entity_id: &str) -> Result<Option<ClientKey>, StoreError>;
    /// Adds one. [`StoreError::Conflict`] when a client has this entity id already.
    fn insert_service_provider(&mut self, client: &ClientKey, provider: &ServiceProvider) -> Result<(), StoreError>;
    /// Removes all of a client.
    fn remove_service_providers(&mut self, client: &ClientKey) -> Result<(), StoreError>;

    /// The keys a person enrolled at the IdP.
    fn list_keys_held_by_user(&mut self, user: &UserId) -> Result<Vec<RegisteredKey>, StoreError>;
    /// The keys enrolled at the RAS for a subject of an issuer.
    fn list_keys_held_by_subject(&mut self, issuer: &Issuer, subject: &str) -> Result<Vec<RegisteredKey>, StoreError>;
}
