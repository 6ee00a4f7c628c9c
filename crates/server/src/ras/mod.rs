//! The endpoints of the resource authorization server.
//!
//! Owns its paths. Never serves anything of the IdP and never signs with its keys.

mod authorize;
mod grants;
mod introspect;
mod revoke;
mod token;
mod trusts;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};
use lanyard_core::client::registration::Side;
use lanyard_core::clock::Timestamp;
use lanyard_core::keys::record::Ring;
use lanyard_core::ras::settings::RasSettings;
use lanyard_core::store::{StoreError, Tx};
use lanyard_fetch::JwksCache;
use lanyard_jose::jwk::KeySet;
use lanyard_jose::token::{AccessToken, Unverified, Verified};
use lanyard_jose::verify::{Audience, Expected, verify};
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;

use crate::feed::Feed;
use crate::http::{answer, cors};
use crate::oauth::basis::Basis;
use crate::oauth::caller::Called;
use crate::oauth::client_auth::ASSERTION_ALGORITHMS;
use crate::oauth::metadata::{self, path};
use crate::oauth::token_endpoint::Grants;
use crate::oauth::{jwks, rings, token_endpoint};
use crate::ras::trusts::Trusts;

/// The published keys of an issuer that runs in this process; `None` for every other issuer. Two parties in one
/// process do not fetch from each other over the network.
pub type LocalIssuers = Arc<dyn Fn(&Issuer) -> Option<Arc<KeySet>> + Send + Sync>;

/// What the RAS needs.
#[derive(Clone)]
pub struct RasDeps {
    /// The shared parts.
    pub basis: Basis,
    /// Who it is.
    pub settings: Arc<RasSettings>,
    /// Keys of trusted issuers elsewhere.
    pub jwks: Arc<JwksCache>,
    /// Keys of issuers here.
    pub local: LocalIssuers,
    /// The views of this process, told of a revocation before its answer.
    pub feed: Arc<Feed>,
}

/// The role with what is made once.
pub(crate) struct Ras {
    pub(crate) deps: RasDeps,
    pub(crate) token_endpoint: String,
    pub(crate) trusts: Trusts,
    document: AuthorizationServerMetadata,
}

impl Ras {
    /// The role as the shared steps see it.
    pub(crate) fn called(&self, refused: &'static str) -> Called<'_> {
        Called {
            basis: &self.deps.basis,
            side: Side::Ras,
            issuer: &self.deps.settings.issuer,
            token_endpoint: &self.token_endpoint,
            leeway: self.leeway(),
            refused,
        }
    }

    /// An access token of ours that has not expired; `None` for everything else.
    pub(crate) fn own_access_token(&self, token: &str, now: Timestamp) -> Option<Verified<AccessToken>> {
        let rings = self.deps.basis.rings.snapshot();
        let token = Unverified::<AccessToken>::parse(token).ok()?;
        let expected = Expected {
            issuer: self.deps.settings.issuer.as_str(),
            audience: Audience::OwnRecord,
            now: now.seconds(),
            leeway: 0,
            algorithms: ASSERTION_ALGORITHMS,
            max_lifetime: None,
        };
        verify(&token, &rings.get(Ring::Ras)?.published, &expected).ok()
    }

    /// Drops a token whose key was removed since it was verified.
    pub(crate) fn still_signed(
        &self,
        tx: &mut dyn Tx,
        token: Option<Verified<AccessToken>>,
    ) -> Result<Option<Verified<AccessToken>>, StoreError> {
        let rings = self.deps.basis.rings.current(tx)?;
        let published = &rings::of(&rings, Ring::Ras)?.published;
        Ok(token.filter(|token| published.contains(token.kid())))
    }
}

/// The router of the RAS, with its issuer's path.
pub fn router(deps: RasDeps) -> Router {
    let issuer = deps.settings.issuer.clone();
    let ras = Arc::new(Ras {
        token_endpoint: issuer.endpoint(path::TOKEN),
        trusts: Trusts::new(),
        document: metadata::ras(&issuer),
        deps,
    });
    let own = issuer.path();
    let mut public = Router::new().route(&format!("{own}{}", path::JWKS), get(keys));
    for path in metadata::well_known(&issuer, "oauth-authorization-server") {
        public = public.route(&path, get(document));
    }
    let public = public.layer(middleware::from_fn(cors::public));
    let closed = Router::new()
        .route(&format!("{own}{}", path::TOKEN), post(token_endpoint_of))
        .route(&format!("{own}{}", path::INTROSPECT), post(introspect::handle))
        .route(&format!("{own}{}", path::REVOKE), post(revoke::handle))
        .route(
            &format!("{own}{}", path::AUTHORIZE),
            get(authorize::handle).post(authorize::handle),
        );
    closed.merge(public).with_state(ras)
}

async fn document(State(ras): State<Arc<Ras>>) -> Response {
    answer::document(&ras.document)
}

async fn keys(State(ras): State<Arc<Ras>>) -> Response {
    jwks::answer(&ras.deps.basis.rings, Ring::Ras)
}

async fn token_endpoint_of(State(ras): State<Arc<Ras>>, request: Request) -> Response {
    token_endpoint::handle(ras, request).await
}
