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

use crate::idp::Idp;

/// Our keys in the forms that SAML needs.
pub(super) struct OwnKeys {
    /// Signs.
    pub(super) signing: SigningKey,
    /// Every published key, the one that signs first.
    pub(super) certificates: Vec<Certificate>,
    /// The same keys, for what is encrypted to us.
    pub(super) decryption: Vec<DecryptionKey>,
}

/// Opens the keys; makes the first one where there is none. RSA: that is what SAML identity providers take.
pub(super) async fn load(idp: &Idp, cx: &Cx) -> Result<OwnKeys, StoreError> {
    let found = read(idp).await?;
    if !found.is_empty() {
        return prepare(found);
    }
    let vault = Arc::clone(&idp.deps.basis.vault);
    let made = tokio::task::spawn_blocking(move || FreshKey::generate(&vault, Ring::Saml, Algorithm::Rs256)).await;
    let Ok(Ok(fresh)) = made else {
        return Err(StoreError::Corrupt("no key for SAML could be made".to_owned()));
    };
    let own = cx.clone();
    idp.deps.basis.store.write(move |tx| ensure(&own, tx, &fresh)).await?;
    prepare(read(idp).await?)
}

async fn read(idp: &Idp) -> Result<Vec<SamlKey>, StoreError> {
    let vault = Arc::clone(&idp.deps.basis.vault);
    idp.deps.basis.store.read(move |tx| saml::load(tx, &vault)).await
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
