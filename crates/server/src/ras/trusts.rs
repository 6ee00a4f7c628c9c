//! Trust records as they were last read, with their keys prepared, for the verification before the unit.
//!
//! Owns how often they are read again. Never decides by a remembered record: the unit compares its version, and a
//! refusal is never founded on one.

use std::sync::Arc;

use lanyard_core::ras::jwt_bearer::{Verification, candidates};
use lanyard_core::ras::settings::RasSettings;
use lanyard_core::store::{Store, StoreError, StoreExt};
use lanyard_core::trust::issuer::{Trust, TrustKeys};
use lanyard_jose::jwk::KeySet;
use moka::sync::Cache;

/// Issuers remembered at most.
const MAX_ISSUERS: u64 = 10_000;

/// The records of one issuer.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) records: Vec<Trust>,
    prepared: Vec<(Verification, Option<Arc<KeySet>>)>,
}

impl Known {
    fn new(records: Vec<Trust>) -> Self {
        let prepare = |trust: &Trust| {
            let keys = match &trust.keys {
                TrustKeys::Static(jwks) => Some(Arc::new(KeySet::from_jwks(jwks))),
                TrustKeys::JwksUri(_) => None,
            };
            (Verification::by(trust), keys)
        };
        Self {
            prepared: records.iter().map(prepare).collect(),
            records,
        }
    }

    /// What a verification by this record is, and the record's own keys if it has any.
    pub(crate) fn prepared(&self, trust: &Trust) -> Option<&(Verification, Option<Arc<KeySet>>)> {
        self.records
            .iter()
            .position(|own| own.id == trust.id)
            .and_then(|at| self.prepared.get(at))
    }
}

/// The records of every issuer that was seen.
pub(crate) struct Trusts(Cache<String, Arc<Known>>);

impl Trusts {
    pub(crate) fn new() -> Self {
        Self(Cache::new(MAX_ISSUERS))
    }

    /// The records as they were last read, perhaps by an earlier request.
    pub(crate) fn remembered(&self, issuer: &str) -> Option<Arc<Known>> {
        self.0.get(issuer)
    }

    /// The records as they are now. An issuer without any is not remembered: strangers could fill the memory.
    pub(crate) async fn read(
        &self,
        store: &dyn Store,
        settings: &Arc<RasSettings>,
        issuer: &str,
    ) -> Result<Arc<Known>, StoreError> {
        let (settings, asked) = (Arc::clone(settings), issuer.to_owned());
        let records = store.read(move |tx| candidates(tx, &settings, &asked)).await?;
        let known = Arc::new(Known::new(records));
        if known.records.is_empty() {
            self.0.invalidate(issuer);
        } else {
            self.0.insert(issuer.to_owned(), Arc::clone(&known));
        }
        Ok(known)
    }
}
