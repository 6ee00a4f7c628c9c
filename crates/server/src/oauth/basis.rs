//! What every room of this crate stands on.
//!
//! Owns the handful of shared parts and the request context made from them. Never holds a setting of a role.

use std::sync::Arc;

use http::request::Parts;
use lanyard_core::audit::record::{NewEvent, record};
use lanyard_core::clock::{Clock, Timestamp};
use lanyard_core::cx::Cx;
use lanyard_core::keys::vault::Vault;
use lanyard_core::store::{Store, StoreError, StoreExt};
use lanyard_jose::random::Random;
use tokio::sync::Notify;

use crate::http::peer::TrustedProxies;
use crate::oauth::guard::Guard;
use crate::oauth::rings::Rings;

/// The parts that the composition makes once; cheap to clone.
#[derive(Clone)]
pub struct Basis {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub random: Arc<dyn Random>,
    /// Secrets derived from the key-encryption key.
    pub vault: Arc<Vault>,
    /// The signing keys.
    pub rings: Arc<Rings>,
    /// Limits on anonymous traffic.
    pub guard: Arc<Guard>,
    /// Reverse proxies whose headers are believed.
    pub proxies: Arc<TrustedProxies>,
    /// Rung after a commit that may have left a job (the worker listens).
    pub jobs: Arc<Notify>,
}

impl Basis {
    /// The context of a request: time is read once, here.
    pub fn cx(&self, parts: &Parts) -> Cx {
        Cx::new(self.clock.now(), self.proxies.client(parts), Arc::clone(&self.random))
    }

    /// The context of work that no request asked for.
    pub fn own_cx(&self) -> Cx {
        Cx::new(self.clock.now(), None, Arc::clone(&self.random))
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Counts a failed authentication by a bearer token, and writes it down unless its source fails too often for that.
    pub(crate) async fn authentication_failed(&self, cx: &Cx, event: NewEvent) -> Result<(), StoreError> {
        self.guard.failed(cx.peer, None, cx.now);
        self.authentication_refused(cx, event).await
    }

    /// Writes down the refusal of a bearer token that is no guess, unless its source is refused too often for that.
    pub(crate) async fn authentication_refused(&self, cx: &Cx, event: NewEvent) -> Result<(), StoreError> {
        if !self.guard.record_refusal(cx.peer, cx.now) {
            return Ok(());
        }
        let cx = cx.clone();
        self.store.write(move |tx| record(&cx, tx, event).map(|_| ())).await
    }
}
