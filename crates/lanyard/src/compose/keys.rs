//! Signing keys at a start: the first of each ring, another algorithm, and who asks for whose.

use std::sync::Arc;

use anyhow::{Context, bail};
use lanyard_core::admin::apply::Deployment;
use lanyard_core::clock::Clock;
use lanyard_core::cx::Cx;
use lanyard_core::keys::record::Ring;
use lanyard_core::keys::rotation::{self, FreshKey, Need, RotationSettings};
use lanyard_core::keys::vault::Vault;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{Store, StoreExt};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::random::Random;
use lanyard_protocol::issuer::Issuer;
use lanyard_server::oauth::rings::Rings;
use lanyard_server::ras::LocalIssuers;

/// Refuses a store that was made with another key-encryption key.
///
/// # Errors
/// With what mends it.
pub(super) async fn check_kek(store: &dyn Store, vault: &Arc<Vault>) -> anyhow::Result<()> {
    let vault = Arc::clone(vault);
    match store
        .write(move |tx| vault.check(tx))
        .await
        .context("the store cannot be read")?
    {
        Outcome::Granted(()) => Ok(()),
        Outcome::Denied(wrong) => bail!("kek: {wrong}"),
    }
}

/// Makes the first key of each ring, and begins a rotation where another algorithm is configured.
///
/// # Errors
/// When a key cannot be made or stored.
pub(super) async fn ensure(
    store: &dyn Store,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
    vault: &Arc<Vault>,
    wanted: &[(Ring, Algorithm)],
    settings: &RotationSettings,
) -> anyhow::Result<()> {
    for (ring, algorithm) in wanted.iter().copied() {
        let need = store
            .read(move |tx| rotation::need(tx, ring, algorithm))
            .await
            .context("the keys cannot be read")?;
        if need == Need::Nothing {
            continue;
        }
        let maker = Arc::clone(vault);
        let fresh = tokio::task::spawn_blocking(move || FreshKey::generate(&maker, ring, algorithm))
            .await?
            .context("a signing key cannot be made")?;
        let cx = Cx::new(clock.now(), None, Arc::clone(random));
        let settings = settings.clone();
        store
            .write(move |tx| match need {
                Need::First => rotation::ensure(&cx, tx, &fresh),
                Need::OtherAlgorithm => rotation::select(&cx, tx, &settings, &fresh),
                Need::Nothing => Ok(false),
            })
            .await
            .context("a signing key cannot be stored")?;
    }
    Ok(())
}

/// The published keys of the issuers of this process.
pub(super) fn local(rings: &Arc<Rings>, deployment: &Arc<Deployment>) -> LocalIssuers {
    let (rings, deployment) = (Arc::clone(rings), Arc::clone(deployment));
    Arc::new(move |issuer: &Issuer| {
        let ring = if deployment.idp.as_ref() == Some(issuer) {
            Ring::Idp
        } else if deployment.ras.as_ref() == Some(issuer) {
            Ring::Ras
        } else {
            return None;
        };
        rings.snapshot().get(ring).map(|ring| Arc::clone(&ring.published))
    })
}

/// Randomness for the name of this process.
pub(super) fn noise(random: &dyn Random) -> u128 {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    u128::from_be_bytes(bytes)
}
