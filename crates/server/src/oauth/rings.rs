//! The signing keys of this process, as one snapshot that is exchanged when the store's keys changed.
//!
//! Owns when keys are read again. Never changes a key (`core/src/keys/rotation.rs`).

use std::sync::Arc;

use arc_swap::ArcSwap;
use lanyard_core::keys::record::Ring;
use lanyard_core::keys::ring::{KeyRing, KeyRings, load_all};
use lanyard_core::keys::vault::Vault;
use lanyard_core::store::{Store, StoreError, StoreExt, Tx};

/// The rings of this process.
pub struct Rings {
    current: ArcSwap<KeyRings>,
    vault: Arc<Vault>,
    wanted: Vec<Ring>,
}

impl Rings {
    /// Reads the rings that this process signs with. They must exist (`rotation::ensure`).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load(store: &dyn Store, vault: Arc<Vault>, wanted: Vec<Ring>) -> Result<Self, StoreError> {
        let (opener, rings) = (Arc::clone(&vault), wanted.clone());
        let first = store.read(move |tx| load_all(tx, &opener, &rings)).await?;
        Ok(Self {
            current: ArcSwap::from_pointee(first),
            vault,
            wanted,
        })
    }

    /// The keys as they were last read.
    pub fn snapshot(&self) -> Arc<KeyRings> {
        self.current.load_full()
    }

    /// The keys as the store has them in this unit: read again only when their version moved. A key that was removed
    /// in an emergency, by whichever process, neither signs nor verifies after this (SEC-17).
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn current(&self, tx: &mut dyn Tx) -> Result<Arc<KeyRings>, StoreError> {
        let known = self.current.load_full();
        if tx.keys_version()? == known.version {
            return Ok(known);
        }
        let read = Arc::new(load_all(tx, &self.vault, &self.wanted)?);
        self.current.store(Arc::clone(&read));
        Ok(read)
    }

    /// Reads the keys again when another process changed them. For the worker.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refresh(self: &Arc<Self>, store: &dyn Store) -> Result<(), StoreError> {
        let own = Arc::clone(self);
        store.read(move |tx| own.current(tx).map(|_| ())).await
    }
}

/// The ring of a role; its absence is a mistake of the composition.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(crate) fn of(rings: &KeyRings, ring: Ring) -> Result<&KeyRing, StoreError> {
    rings
        .get(ring)
        .ok_or_else(|| StoreError::Corrupt(format!("this process has no ring {}", ring.as_str())))
}
