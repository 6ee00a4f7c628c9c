//! Handles that a server mints and a client brings back (RS-W26-07).
//!
//! Owns the binding of `requestState` to a principal: it goes out with a seal and comes in only from whom it was made
//! for. Never looks into the state itself.

use lanyard_jose::digest::{HmacKey, base64url, from_base64url};
use lanyard_jose::token::{AccessToken, Verified};

const PREFIX: &str = "lg1.";

/// Seals the handles of one caller on one route.
#[derive(Clone)]
pub(crate) struct HandleSeal {
    key: HmacKey,
    /// Who and where, with lengths, so that no two principals read alike.
    context: Vec<u8>,
}

impl HandleSeal {
    pub(crate) fn new(key: &HmacKey, resource: &str, token: &Verified<AccessToken>) -> Self {
        let mut context = Vec::new();
        for part in [
            resource,
            token.iss.as_str(),
            token.sub.as_str(),
            token.client_id.as_str(),
        ] {
            context.extend_from_slice(&part.len().to_be_bytes());
            context.extend_from_slice(part.as_bytes());
        }
        Self {
            key: key.clone(),
            context,
        }
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

    fn message(&self, handle: &str) -> Vec<u8> {
        let mut message = self.context.clone();
        message.extend_from_slice(handle.as_bytes());
        message
    }
}
