//! The pages between a client's request and its code: sign-in, second factor, messages, sign-out.
//!
//! Owns their paths below the issuer: `/oauth2/authorize`, `/oauth2/sign-in`, `/oauth2/logout`, `/assets`. Never
//! decides: `core/src/idp/{authorize,sign_in,logout}.rs` do.

pub(crate) mod attempts;
mod authorize;
mod browser;
pub(crate) mod choose;
mod enrol;
mod logout;
pub(crate) mod messages;
mod person;
pub(crate) mod purpose;
pub(crate) mod second;
mod submit;
pub(crate) mod view;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use http::request::Parts;
use lanyard_core::admin::apply::Deployment;
use lanyard_core::clock::Timestamp;
use lanyard_core::cx::Cx;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::keys::ring::KeyRings;
use lanyard_core::keys::vault::Vault;
use lanyard_core::session::passwords::Passwords;
use lanyard_core::store::Store;
use lanyard_federation::passkey::RelyingParty;

use crate::account::{self, Room};
use crate::assets;
use crate::first_sign_in;
use crate::page::Page;
use crate::sign_in::attempts::Attempts;
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
    /// Our own issuers: a machine's key is removed at both.
    pub deployment: Arc<Deployment>,
}

pub(crate) struct SignIn {
    pub(crate) deps: SignInDeps,
    pub(crate) page: Page,
    pub(crate) cookies: Cookies,
    pub(crate) attempts: Attempts,
    /// The site that passkeys are for; none where the issuer is an address.
    pub(crate) passkeys: Option<Arc<RelyingParty>>,
    /// The path of the issuer, before every path of its pages.
    pub(crate) base: String,
    /// Where a client's request goes.
    authorize: String,
    /// Where the sign-in form goes.
    sign_in: String,
    /// Where a name goes that may belong to a provider.
    name: String,
    /// Where a code goes.
    code: String,
    /// Where a passkey goes.
    passkey: String,
    /// Where a second factor goes that must be set up.
    enrol: String,
    /// Where the sign-out form goes.
    logout: String,
}

impl SignIn {
    pub(crate) fn cx(&self, parts: &Parts) -> Cx {
        (self.deps.cx)((self.deps.peer)(parts))
    }

    /// The same request, later: after a password was checked.
    pub(crate) fn later(&self, cx: &Cx) -> Cx {
        Cx {
            now: (self.deps.cx)(cx.peer).now,
            ..cx.clone()
        }
    }

    /// The path of a page of the account.
    pub(crate) fn room_path(&self, room: Room) -> String {
        format!("{}{}", self.base, room.path())
    }
}

/// The router of the pages, with the issuer's path. The composition merges it with the IdP's.
pub fn router(deps: SignInDeps) -> Router {
    let issuer = &deps.settings.issuer;
    let base = issuer.path();
    let secure = !issuer.is_plain_http();
    let page = Page::of(issuer, &deps.organisation);
    let at = |path: &str| format!("{base}{path}");
    let own = Arc::new(SignIn {
        page,
        cookies: Cookies::new(secure),
        attempts: Attempts::default(),
        passkeys: RelyingParty::new(issuer, &deps.organisation).map(Arc::new),
        authorize: at("/oauth2/authorize"),
        sign_in: at("/oauth2/sign-in"),
        name: at("/oauth2/sign-in/name"),
        code: at("/oauth2/sign-in/code"),
        passkey: at("/oauth2/sign-in/passkey"),
        enrol: at("/oauth2/sign-in/enrol"),
        logout: at("/oauth2/logout"),
        base,
        deps,
    });
    let routes = Router::new()
        .route(&own.authorize, get(authorize::handle).post(authorize::handle))
        .route(&own.sign_in, post(submit::handle))
        .route(&own.name, post(choose::handle))
        .route(&own.code, post(second::code))
        .route(&own.passkey, post(second::passkey))
        .route(&own.enrol, post(enrol::handle))
        .route(&own.logout, get(logout::handle).post(logout::handle))
        .merge(account::router(&own.base))
        .merge(first_sign_in::router(&own.base));
    let assets = assets::router(&own.base);
    routes.with_state(own).merge(assets)
}
