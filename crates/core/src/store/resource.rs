//! Resources of the RAS.

use lanyard_protocol::resource::ResourceId;

use crate::store::StoreError;
use crate::trust::resource::Resource;

/// Protected resources that tokens are issued for.
pub trait ResourceStore {
    /// The resource of this identifier.
    fn find_resource(&mut self, id: &ResourceId) -> Result<Option<Resource>, StoreError>;
    /// Every resource in the order of its identifier.
    fn list_resources(&mut self) -> Result<Vec<Resource>, StoreError>;
    /// Writes a new resource. [`StoreError::Conflict`] when the identifier is taken.
    fn insert_resource(&mut self, resource: &Resource) -> Result<(), StoreError>;
    /// Writes a changed resource whose stored version is `resource.version - 1`.
    fn update_resource(&mut self, resource: &Resource) -> Result<(), StoreError>;
    /// Removes a resource; `false` when it did not exist.
    fn remove_resource(&mut self, id: &ResourceId) -> Result<bool, StoreError>;
}
