//! The keys of our SAML service provider, made when they are first needed.

use std::sync::Arc;

use lanyard_core::cx::Cx;
use lanyard_core::keys::record::Ring;
use lanyard_core::keys::rotation::{FreshKey, ensure};
use lanyard_core::keys::saml::{self, SamlKey};
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_federation::saml::DecryptionKey;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;

use crate::oauth::basis::Basis;

/// Our keys in the forms that SAML needs.
pub(crate) struct OwnKeys {
    /// Signs.
    pub(crate) signing: SigningKey,
    /// Every published key, the one that signs first.
    pub(crate) certificates: Vec<Certificate>,
    /// The same keys, for what is encrypted to us.
    pub(crate) decryption: Vec<DecryptionKey>,
}

/// Opens the keys; makes the first one where there is none. RSA: that is what SAML identity providers take.
pub(crate) async fn load(basis: &Basis, cx: &Cx) -> Result<OwnKeys, StoreError> {
    let found = read(basis).await?;
    if !found.is_empty() {
        return prepare(found);
    }
    let vault = Arc::clone(&basis.vault);
    let made = tokio::task::spawn_blocking(move || FreshKey::generate(&vault, Ring::Saml, Algorithm::Rs256)).await;
    let Ok(Ok(fresh)) = made else {
        return Err(StoreError::Corrupt("no key for SAML could be made".to_owned()));
    };
    let now = cx.clone();
    basis.store.write(move |tx| ensure(&now, tx, &fresh)).await?;
    prepare(read(basis).await?)
}

async fn read(basis: &Basis) -> Result<Vec<SamlKey>, StoreError> {
    let vault = Arc::clone(&basis.vault);
    basis.store.read(move |tx| saml::load(tx, &vault)).await
}

fn prepare(keys: Vec<SamlKey>) -> Result<OwnKeys, StoreError> {
    let unusable = || StoreError::Corrupt("a key of the ring saml cannot be used".to_owned());
    let (mut certificates, mut decryption, mut signing) = (Vec::new(), Vec::new(), None);
    for SamlKey { key, since } in keys {
        certificates.push(Certificate::self_signed(&key, since).map_err(|_| unusable())?);
        decryption.push(DecryptionKey::of(&key).map_err(|_| unusable())?);
        signing.get_or_insert(key);
    }
    Ok(OwnKeys {
        signing: signing.ok_or_else(unusable)?,
        certificates,
        decryption,
    })
}
