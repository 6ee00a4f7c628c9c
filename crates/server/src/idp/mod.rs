//! The endpoints of the IdP for machines. Its pages for people are in `web`.
//!
//! Owns its paths. Never serves anything of the RAS and never signs with its keys.

mod bearer;
mod connectors;
mod grants;
mod keys;
pub mod logout_tokens;
mod revoke;
mod token;
pub mod upstream;
mod userinfo;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{delete, get, post};
use axum::{Router, middleware};
use lanyard_core::client::registration::Side;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::keys::record::Ring;
use lanyard_core::policy::cache::PolicyCache;
use lanyard_core::ras::settings::RasSettings;
use lanyard_core::session::strength::Strength;
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::verify::VerdictCache;

use crate::http::{answer, cors};
use crate::oauth::basis::Basis;
use crate::oauth::caller::Called;
use crate::oauth::metadata::{self, path};
use crate::oauth::{jwks, token_endpoint};

/// What the IdP needs.
#[derive(Clone)]
pub struct IdpDeps {
    /// The shared parts.
    pub basis: Basis,
    /// Who it is and how it decides.
    pub settings: Arc<IdpSettings>,
    /// The compiled policy.
    pub policy: Arc<PolicyCache>,
    /// Signature verdicts of ID tokens.
    pub verdicts: VerdictCache,
    /// Allowed clock skew (SEC-07).
    pub leeway: Duration,
    /// The RAS of the same process: keys that people enrol are enrolled there as well, in the same unit.
    pub ras: Option<Arc<RasSettings>>,
}

/// The role with what is made once.
pub(crate) struct Idp {
    pub(crate) deps: IdpDeps,
    pub(crate) token_endpoint: String,
    /// Who compiles the policy; everybody else who needs it waits for that.
    compiling: tokio::sync::Mutex<()>,
}

impl Idp {
    /// The role as the shared steps see it.
    pub(crate) fn called(&self, refused: &'static str) -> Called<'_> {
        Called {
            basis: &self.deps.basis,
            side: Side::Idp,
            issuer: &self.deps.settings.issuer,
            token_endpoint: &self.token_endpoint,
            leeway: self.leeway_seconds(),
            refused,
        }
    }

    /// Compiles the policy if it changed: read on a thread that reads, compiled on one that may be slow, and never on
    /// the one that writes.
    pub(crate) async fn compile_policy(&self) -> Result<(), StoreError> {
        let _turn = self.compiling.lock().await;
        let (policy, own) = (Arc::clone(&self.deps.policy), Arc::clone(&self.deps.policy));
        let changed = self.deps.basis.store.read(move |tx| policy.uncompiled(tx)).await?;
        let Some(rules) = changed else { return Ok(()) };
        tokio::task::spawn_blocking(move || own.compile(rules))
            .await
            .map_err(|_| StoreError::Panicked)?
            .map(|_| ())
    }

    pub(crate) fn leeway_seconds(&self) -> i64 {
        i64::try_from(self.deps.leeway.as_secs()).unwrap_or(0)
    }
}

/// The router of the IdP, with its issuer's path. The composition merges it with the pages of `web` and puts `http::host::by_host` around.
pub fn router(deps: IdpDeps) -> Router {
    let issuer = deps.settings.issuer.clone();
    let idp = Arc::new(Idp {
        token_endpoint: issuer.endpoint(path::TOKEN),
        compiling: tokio::sync::Mutex::default(),
        deps,
    });
    let own = issuer.path();
    let at = |path: &str| format!("{own}{path}");
    let mut public = Router::new().route(&at(path::JWKS), get(published_keys));
    for suffix in ["openid-configuration", "oauth-authorization-server"] {
        for path in metadata::well_known(&issuer, suffix) {
            public = public.route(&path, get(document));
        }
    }
    let public = public.layer(middleware::from_fn(cors::public));
    let closed = Router::new()
        .route(&at(path::TOKEN), post(token_endpoint_of))
        .route(&at(path::REVOKE), post(revoke::handle))
        .route(&at(path::USERINFO), get(userinfo::handle).post(userinfo::handle))
        .route(&at(path::CONNECTORS), get(connectors::handle))
        .route(&at(path::CONNECTOR_KEYS), get(keys::list).post(keys::enrol))
        .route(&at(&format!("{}/{{kid}}", path::CONNECTOR_KEYS)), delete(keys::remove));
    closed.merge(public).with_state(idp)
}

async fn document(State(idp): State<Arc<Idp>>) -> Response {
    let rings = idp.deps.basis.rings.snapshot();
    let mut signing: Vec<Algorithm> = Vec::new();
    if let Some(ring) = rings.get(Ring::Idp) {
        for algorithm in ring.jwks.keys.iter().flat_map(|key| key.algorithms()) {
            if !signing.contains(algorithm) {
                signing.push(*algorithm);
            }
        }
    }
    let settings = &idp.deps.settings;
    answer::document(&metadata::idp(
        &settings.issuer,
        &signing,
        &Strength::ALL.map(|strength| strength.acr().to_owned()),
    ))
}

async fn published_keys(State(idp): State<Arc<Idp>>) -> Response {
    jwks::answer(&idp.deps.basis.rings, Ring::Idp)
}

async fn token_endpoint_of(State(idp): State<Arc<Idp>>, request: Request) -> Response {
    token_endpoint::handle(idp, request).await
}
