//! Single values of the deployment.

use crate::store::StoreError;

/// Named values: the key-encryption key's check value, the pairwise salt, who this deployment is.
pub trait SettingStore {
    /// The value of a name.
    fn find_setting(&mut self, name: &str) -> Result<Option<String>, StoreError>;
    /// Writes a value if the name has none; the value that stands afterwards.
    fn insert_setting(&mut self, name: &str, value: &str) -> Result<String, StoreError>;
    /// Writes or replaces a value.
    fn put_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError>;
}
