//! The keys of our SAML service provider: one signs requests, all of them decrypt.
//!
//! Owns opening them. Identity providers pin our certificates and read metadata rarely, so that a new key is published
//! for two weeks before it signs, and an old one decrypts for two weeks more (`rotation.rs`).

use lanyard_jose::key::SigningKey;

use crate::clock::Timestamp;
use crate::keys::record::{KeyState, Ring};
use crate::keys::ring::{is_published, open};
use crate::keys::vault::Vault;
use crate::store::StoreError;
use crate::store::key::KeyStore;

/// A key with the instant that its certificate begins at.
#[derive(Debug)]
pub struct SamlKey {
    /// The key.
    pub key: SigningKey,
    /// When it was made.
    pub since: Timestamp,
}

/// The published keys; the one that signs first. Empty when there is none yet.
///
/// # Errors
/// [`StoreError::Corrupt`] when a key does not open under this vault.
pub fn load(tx: &mut dyn KeyStore, vault: &Vault) -> Result<Vec<SamlKey>, StoreError> {
    let mut stored = tx.list_keys(Ring::Saml)?;
    stored.retain(|key| is_published(key.state));
    stored.sort_by_key(|key| (key.state != KeyState::Active, key.created_at));
    stored
        .iter()
        .map(|key| {
            Ok(SamlKey {
                key: open(vault, key)?,
                since: key.created_at,
            })
        })
        .collect()
}
