//! Sign-in at upstream identity providers, by OpenID Connect (OpenID Connect Core, section 3.1; CL-SS-01 to 03) and by
//! SAML (SAML Profiles, section 4.1).
//!
//! Owns the paths below `/upstream/{connection}` and the protocols. Whatever the protocol, a sign-in begins at `start` and
//! ends in `arrival.rs`. Never decides who a person is: core does, from what was verified here. One redirect URI per
//! provider, so that answers cannot be mixed up (SEC-04).

mod arrival;
mod authorization;
mod backchannel_logout;
mod callback;
pub mod check;
mod claims;
mod client;
mod denial;
pub mod dry_run;
mod exchange;
mod pages;
mod provider;
pub(crate) mod saml;
mod start;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::session::cookie::Cookies;
use lanyard_core::store::StoreExt;
use lanyard_core::upstream::connection::Kind;
use lanyard_fetch::{Fetch, JwksCache, MetadataCache};

pub use self::pages::{Message, Pages};
use crate::cut_off::CutOff;
use crate::http::answer;
use crate::oauth::basis::Basis;

/// The network as identity providers are asked over it: one door, two caches.
#[derive(Clone)]
pub struct Providers {
    /// The door.
    pub fetch: Arc<dyn Fetch>,
    /// Their metadata.
    pub metadata: Arc<MetadataCache>,
    /// Their keys.
    pub jwks: Arc<JwksCache>,
}

/// What signing in at identity providers needs.
#[derive(Clone)]
pub struct UpstreamDeps {
    /// The shared parts.
    pub basis: Basis,
    /// Who our IdP is and how it decides.
    pub settings: Arc<IdpSettings>,
    /// Allowed clock skew (SEC-07).
    pub leeway: Duration,
    /// The way to the providers.
    pub providers: Providers,
    /// Pages for people.
    pub pages: Arc<dyn Pages>,
    /// Makes the end of a session effective before the provider is answered.
    pub cut_off: Arc<CutOff>,
}

/// The room with what is made once.
pub(crate) struct Upstream {
    pub(crate) deps: UpstreamDeps,
    pub(crate) cookies: Cookies,
    /// The path of the issuer, before every path of its pages.
    pub(crate) base: String,
}

impl Upstream {
    pub(crate) fn leeway_seconds(&self) -> i64 {
        i64::try_from(self.deps.leeway.as_secs()).unwrap_or(0)
    }
}

/// The redirect URI of a connection: registered at the provider, byte for byte.
pub fn redirect_uri(settings: &IdpSettings, connection: &str) -> String {
    settings.issuer.endpoint(&format!("/upstream/{connection}/callback"))
}

/// Where a provider tells us that somebody signed out there: registered at it (RV-06).
pub fn backchannel_logout_uri(settings: &IdpSettings, connection: &str) -> String {
    settings
        .issuer
        .endpoint(&format!("/upstream/{connection}/backchannel-logout"))
}

/// The router, with the issuer's path. The composition merges it with the IdP's.
pub fn router(deps: UpstreamDeps) -> Router {
    let issuer = &deps.settings.issuer;
    let base = issuer.path();
    let upstream = Arc::new(Upstream {
        cookies: Cookies::new(!issuer.is_plain_http()),
        base: base.clone(),
        deps,
    });
    let at = |path: &str| format!("{base}/upstream/{{connection}}{path}");
    Router::new()
        .route(&at("/start"), get(start::handle))
        .route(&at("/callback"), get(callback::handle).post(callback::forward))
        .route(&at("/backchannel-logout"), post(backchannel_logout::handle))
        .route(&at("/jwks"), get(published_key))
        .route(&at("/saml/metadata"), get(saml::metadata))
        .route(&at("/saml/acs"), get(saml::acs::follow).post(saml::acs::receive))
        .route(&at("/saml/slo"), get(saml::slo::redirected).post(saml::slo::posted))
        .with_state(upstream)
}

/// The public half of our key at a provider, for its `jwks_uri` of us.
async fn published_key(State(own): State<Arc<Upstream>>, Path(name): Path<String>) -> Response {
    let found = own
        .deps
        .basis
        .store
        .read(move |tx| tx.find_connection_by_name(&name))
        .await;
    let key = match found {
        Ok(Some(connection)) if connection.enabled => match connection.kind {
            Kind::Oidc(settings) => settings.public_key,
            Kind::Saml(_) => None,
        },
        Ok(_) => None,
        Err(error) => return crate::oauth::refusal::failure(&error, &own.deps.basis.own_cx().request_id),
    };
    match key {
        Some(key) => answer::document(&serde_json::json!({"keys": [key]})),
        None => answer::empty(StatusCode::NOT_FOUND),
    }
}
