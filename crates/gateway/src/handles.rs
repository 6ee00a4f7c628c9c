//! Handles that a server mints and a client brings back (RS-W26-07).
//!
//! Owns the binding of `requestState` to a principal: it goes out with a seal and comes in only from whom it was made
//! for. Never looks into the state itself.

use std::sync::Arc;

use lanyard_jose::digest::{HmacKey, base64url, from_base64url};
use lanyard_jose::token::{AccessToken, Verified};

use crate::route::ServedRoute;

const PREFIX: &str = "lg1.";

/// Seals the handles of one caller on one route.
#[derive(Clone)]
pub(crate) struct HandleSeal {
    key: Arc<HmacKey>,
    route: Arc<ServedRoute>,
    token: Verified<AccessToken>,
}

impl HandleSeal {
    pub(crate) const fn new(key: Arc<HmacKey>, route: Arc<ServedRoute>, token: Verified<AccessToken>) -> Self {
        Self { key, route, token }
    }

    /// The handle as the client gets it.
    pub(crate) fn seal(&self, handle: &str) -> String {
        format!("{PREFIX}{}.{handle}", base64url(&self.key.sign(&self.message(handle))))
    }

    /// The handle as the server made it, if this caller got it on this route.
    pub(crate) fn open(&self, sealed: &str) -> Option<String> {
        let (code, handle) = sealed.strip_prefix(PREFIX)?.split_once('.')?;
        self.key
            .verify(&self.message(handle), &from_base64url(code)?)
            .then(|| handle.to_owned())
    }

    /// Who and where, with lengths, so that no two principals read alike; then the handle.
    fn message(&self, handle: &str) -> Vec<u8> {
        let mut message = Vec::new();
        for part in [
            self.route.config.resource.as_str(),
            self.token.iss.as_str(),
            self.token.sub.as_str(),
            self.token.client_id.as_str(),
        ] {
            message.extend_from_slice(&part.len().to_be_bytes());
            message.extend_from_slice(part.as_bytes());
        }
        message.extend_from_slice(handle.as_bytes());
        message
    }
}
