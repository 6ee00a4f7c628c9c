//! Signing keys.

use crate::clock::Timestamp;
use crate::keys::record::{KeyState, Ring, StoredKey};
use crate::store::StoreError;

/// Keys of every ring, also removed ones.
pub trait KeyStore {
    /// The keys of a ring, oldest first.
    fn list_keys(&mut self, ring: Ring) -> Result<Vec<StoredKey>, StoreError>;
    /// A number that grows with every change of any key; cheap, checked by caches.
    fn keys_version(&mut self) -> Result<i64, StoreError>;
    /// Writes a new key and moves the version.
    fn insert_key(&mut self, key: &StoredKey) -> Result<(), StoreError>;
    /// Moves a key from one state to another and moves the version; `false` when it was not in `from`. Removal
    /// empties the sealed private half.
    fn move_key(
        &mut self,
        kid: &str,
        from: KeyState,
        to: KeyState,
        at: Timestamp,
        remove_after: Option<Timestamp>,
    ) -> Result<bool, StoreError>;
}
