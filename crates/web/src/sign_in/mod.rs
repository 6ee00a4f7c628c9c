//! The pages between a client's request and its code: sign-in, messages, sign-out.
//!
//! Owns their paths below the issuer: `/oauth2/authorize`, `/oauth2/sign-in`, `/oauth2/logout`, `/assets`. Never
//! decides: `core/src/idp/{authorize,sign_in,logout}.rs` do.

mod authorize;
mod browser;
mod logout;
mod messages;
mod submit;
mod view;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use http::request::Parts;
use lanyard_core::clock::Timestamp;
use lanyard_core::cx::Cx;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::keys::ring::KeyRings;
use lanyard_core::keys::vault::Vault;
use lanyard_core::session::passwords::Passwords;
use lanyard_core::store::Store;

use crate::assets;
use crate::page::Page;
use crate::sign_in::browser::Cookies;

/// Limits on attempts. A counter belongs to a source and an account together, so that nobody can lock a stranger out.
pub trait Limits: Send + Sync {
    /// Whether this source may try this account now.
    ///
    /// # Errors
    /// The seconds to wait.
    fn admit(&self, source: Option<IpAddr>, account: &str, now: Timestamp) -> Result<(), u64>;
    /// Counts a failed attempt.
    fn failed(&self, source: Option<IpAddr>, account: &str, now: Timestamp);
    /// Whether a refusal of an anonymous request is worth an event, or is only counted.
    fn record_refusal(&self, source: Option<IpAddr>, now: Timestamp) -> bool;
}

/// Where a request comes from, by the rules about trusted proxies.
pub type PeerOf = Arc<dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync>;

/// The signing keys as they are now, for hints.
pub type Keys = Arc<dyn Fn() -> Arc<KeyRings> + Send + Sync>;

/// What the pages need.
#[derive(Clone)]
pub struct SignInDeps {
    /// The store.
    pub store: Arc<dyn Store>,
    /// A fresh context for a caller, at the present instant.
    pub cx: Arc<dyn Fn(Option<IpAddr>) -> Cx + Send + Sync>,
    /// Derived secrets.
    pub vault: Arc<Vault>,
    /// Who the IdP is and how it decides.
    pub settings: Arc<IdpSettings>,
    /// Its keys.
    pub keys: Keys,
    /// Addresses of callers.
    pub peer: PeerOf,
    /// Limits on attempts.
    pub limits: Arc<dyn Limits>,
    /// Password checks, a bounded number at once in the whole process.
    pub passwords: Arc<Passwords>,
    /// The organisation, as its people know it.
    pub organisation: String,
}

pub(crate) struct SignIn {
    deps: SignInDeps,
    page: Page,
    cookies: Cookies,
    /// Where the sign-in form goes.
    sign_in: String,
    /// Where the sign-out form goes.
    logout: String,
}

impl SignIn {
    fn cx(&self, parts: &Parts) -> Cx {
        (self.deps.cx)((self.deps.peer)(parts))
    }

    /// The same request, later: after a password was checked.
    fn later(&self, cx: &Cx) -> Cx {
        Cx {
            now: (self.deps.cx)(cx.peer).now,
            ..cx.clone()
        }
    }
}

/// The router of the pages, with the issuer's path. The composition merges it with the IdP's.
pub fn router(deps: SignInDeps) -> Router {
    let issuer = &deps.settings.issuer;
    let own = issuer.path();
    let secure = !issuer.is_plain_http();
    let page = Page {
        organisation: deps.organisation.clone(),
        stylesheet: format!("{own}{}", assets::stylesheet()),
        secure,
    };
    let at = |path: &str| format!("{own}{path}");
    let (sign_in, logout) = (at("/oauth2/sign-in"), at("/oauth2/logout"));
    let routes = Router::new()
        .route(&at("/oauth2/authorize"), get(authorize::handle).post(authorize::handle))
        .route(&sign_in, post(submit::handle))
        .route(&logout, get(logout::handle).post(logout::handle));
    let state = Arc::new(SignIn {
        page,
        cookies: Cookies::new(secure),
        sign_in,
        logout,
        deps,
    });
    routes.with_state(state).merge(assets::router(&own))
}
