//! A ring as the program uses it: the key that signs, and the keys that are published.
//!
//! Owns opening keys from the store. Never changes them (`rotation.rs`).

use std::sync::Arc;

use lanyard_jose::jwk::{JwkSet, KeySet};
use lanyard_jose::key::SigningKey;
use lanyard_jose::seal::Place;

use crate::keys::record::{KeyState, Ring, StoredKey};
use crate::keys::vault::Vault;
use crate::store::StoreError;
use crate::store::key::KeyStore;

/// The place a private key is sealed to.
pub(crate) const fn place(kid: &str) -> Place<'_> {
    Place {
        table: "signing_keys",
        row: kid,
        column: "private",
    }
}

/// The keys of one party at one version.
#[derive(Debug, Clone)]
pub struct KeyRing {
    /// Whose keys.
    pub ring: Ring,
    /// The version of the store's keys this was read at.
    pub version: i64,
    /// The key that signs.
    pub active: Arc<SigningKey>,
    /// What verifies our own tokens: next, active and retired keys.
    pub published: Arc<KeySet>,
    /// The same keys as they are served (MD-KEY-01): public members only, the signing key first.
    pub jwks: Arc<JwkSet>,
}

/// The rings that a process uses, as one snapshot.
#[derive(Debug, Clone)]
pub struct KeyRings {
    /// The version of the store's keys this was read at.
    pub version: i64,
    /// ID tokens, ID-JAGs and the issuer's own access tokens.
    pub idp: Option<KeyRing>,
    /// Access tokens of the RAS.
    pub ras: Option<KeyRing>,
    /// Audit checkpoints.
    pub audit: Option<KeyRing>,
}

impl KeyRings {
    /// The ring of a party, when this process has it.
    pub const fn get(&self, ring: Ring) -> Option<&KeyRing> {
        match ring {
            Ring::Idp => self.idp.as_ref(),
            Ring::Ras => self.ras.as_ref(),
            Ring::Audit => self.audit.as_ref(),
            // Opened where it is used (`keys/saml.rs`): most deployments have none.
            Ring::Saml => None,
        }
    }
}

/// Reads and opens one ring.
///
/// # Errors
/// [`StoreError::Corrupt`] when the ring has no signing key, or a key does not open under this vault.
pub fn load(tx: &mut dyn KeyStore, vault: &Vault, ring: Ring) -> Result<KeyRing, StoreError> {
    let version = tx.keys_version()?;
    let stored = tx.list_keys(ring)?;
    let active = stored
        .iter()
        .find(|key| key.state == KeyState::Active)
        .ok_or_else(|| StoreError::Corrupt(format!("the ring {} has no signing key", ring.as_str())))?;
    let signing = open(vault, active)?;
    let mut published: Vec<&StoredKey> = stored.iter().filter(|key| is_published(key.state)).collect();
    published.sort_by_key(|key| (key.state != KeyState::Active, key.created_at));
    let jwks = JwkSet {
        keys: published.into_iter().map(|key| key.public.clone()).collect(),
    };
    Ok(KeyRing {
        ring,
        version,
        active: Arc::new(signing),
        published: Arc::new(KeySet::from_jwks(&jwks)),
        jwks: Arc::new(jwks),
    })
}

/// Reads and opens the rings of a process.
///
/// # Errors
/// As [`load`].
pub fn load_all(tx: &mut dyn KeyStore, vault: &Vault, rings: &[Ring]) -> Result<KeyRings, StoreError> {
    let mut all = KeyRings {
        version: tx.keys_version()?,
        idp: None,
        ras: None,
        audit: None,
    };
    for ring in rings {
        let loaded = Some(load(tx, vault, *ring)?);
        match ring {
            Ring::Idp => all.idp = loaded,
            Ring::Ras => all.ras = loaded,
            Ring::Audit => all.audit = loaded,
            Ring::Saml => {}
        }
    }
    Ok(all)
}

/// Whether a key in this state is in the published set.
pub const fn is_published(state: KeyState) -> bool {
    match state {
        KeyState::Next | KeyState::Active | KeyState::Retired => true,
        KeyState::Removed => false,
    }
}

/// Opens the private half of a key.
pub(crate) fn open(vault: &Vault, key: &StoredKey) -> Result<SigningKey, StoreError> {
    let unusable = |_| StoreError::Corrupt(format!("the signing key {} does not open under this key", key.kid));
    let der = vault
        .kek()
        .open(&place(&key.kid), &key.sealed_private)
        .map_err(unusable)?;
    SigningKey::from_pkcs8(key.algorithm, &der)
        .map_err(|_| StoreError::Corrupt(format!("the signing key {} cannot be read", key.kid)))
}
