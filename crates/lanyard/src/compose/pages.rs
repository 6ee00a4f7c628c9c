//! The sign-in pages beside the IdP's machine endpoints: `web` and `server` never call each other.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::request::Parts;
use lanyard_core::admin::apply::Deployment;
use lanyard_core::clock::Timestamp;
use lanyard_core::id::RequestId;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::session::passwords::Passwords;
use lanyard_server::idp::upstream::{self, Pages};
use lanyard_server::oauth::basis::Basis;
use lanyard_server::oauth::guard::Guard;
use lanyard_web::messages::{Message, Messages};
use lanyard_web::sign_in::{self, Limits, SignInDeps};

/// The router of the pages.
pub(super) fn router(
    basis: &Basis,
    settings: &Arc<IdpSettings>,
    passwords: &Arc<Passwords>,
    organisation: &str,
    deployment: &Arc<Deployment>,
) -> Router {
    let (contexts, rings, proxies) = (basis.clone(), Arc::clone(&basis.rings), Arc::clone(&basis.proxies));
    sign_in::router(SignInDeps {
        store: Arc::clone(&basis.store),
        cx: Arc::new(move |peer| lanyard_core::cx::Cx {
            peer,
            ..contexts.own_cx()
        }),
        vault: Arc::clone(&basis.vault),
        settings: Arc::clone(settings),
        keys: Arc::new(move || rings.snapshot()),
        peer: Arc::new(move |parts: &Parts| proxies.client(parts)),
        limits: Arc::new(SharedLimits(Arc::clone(&basis.guard))),
        passwords: Arc::clone(passwords),
        organisation: organisation.to_owned(),
        deployment: Arc::clone(deployment),
    })
}

/// Pages for people, as the room of identity providers asks for them.
pub(super) struct UpstreamPages(Messages);

impl UpstreamPages {
    /// Pages of this issuer.
    pub(super) fn new(settings: &IdpSettings, organisation: &str) -> Self {
        Self(Messages::new(&settings.issuer, organisation))
    }
}

impl Pages for UpstreamPages {
    fn message(&self, message: upstream::Message) -> Response {
        let way = message.way.as_ref().map(|(words, address)| (*words, address.as_str()));
        let shown = Message {
            title: message.title,
            text: &message.text,
            advice: message.advice,
            way,
            reference: message.reference.as_ref().map(RequestId::as_str),
        };
        self.0.page(message.status, &shown)
    }
}

/// The limits of the machine endpoints, for people.
struct SharedLimits(Arc<Guard>);

impl Limits for SharedLimits {
    fn admit(&self, source: Option<IpAddr>, account: &str, now: Timestamp) -> Result<(), u64> {
        self.0.admit(source, Some(account), now)
    }

    fn failed(&self, source: Option<IpAddr>, account: &str, now: Timestamp) {
        self.0.failed(source, Some(account), now);
    }

    fn record_refusal(&self, source: Option<IpAddr>, now: Timestamp) -> bool {
        self.0.record_refusal(source, now)
    }
}
