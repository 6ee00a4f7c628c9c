//! Audiences of the IdP and client-id mappings.

use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;

use crate::id::{AudienceId, ClientKey};
use crate::store::StoreError;
use crate::trust::audience::{Audience, ClientMapping};

/// RASs that the IdP issues for.
pub trait AudienceStore {
    /// The audience of this issuer.
    fn find_audience(&mut self, issuer: &Issuer) -> Result<Option<Audience>, StoreError>;
    /// Every audience in the order of its issuer.
    fn list_audiences(&mut self) -> Result<Vec<Audience>, StoreError>;
    /// Writes a new audience. [`StoreError::Conflict`] when the issuer is taken.
    fn insert_audience(&mut self, audience: &Audience) -> Result<(), StoreError>;
    /// Writes a changed audience whose stored version is `audience.version - 1`.
    fn update_audience(&mut self, audience: &Audience) -> Result<(), StoreError>;
    /// Removes an audience and its mappings; `false` when it did not exist.
    fn remove_audience(&mut self, id: &AudienceId) -> Result<bool, StoreError>;

    /// The client's id at the RAS (MT-09).
    fn find_mapping(&mut self, client: &ClientKey, audience: &AudienceId) -> Result<Option<ClientId>, StoreError>;
    /// Every mapping of an audience.
    fn list_mappings(&mut self, audience: &AudienceId) -> Result<Vec<ClientMapping>, StoreError>;
    /// Sets or replaces a mapping. [`StoreError::Conflict`] when another client is mapped to that id.
    fn put_mapping(&mut self, mapping: &ClientMapping) -> Result<(), StoreError>;
    /// Removes a mapping; `false` when there was none.
    fn remove_mapping(&mut self, client: &ClientKey, audience: &AudienceId) -> Result<bool, StoreError>;
}
