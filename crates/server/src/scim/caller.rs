//! Who is asking: a directory, by its bearer token (SC-02).
//!
//! Owns the authentication of provisioning clients. Never decides what one may do.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use lanyard_core::audit::record::NewEvent;
use lanyard_core::cx::Cx;
use lanyard_core::outcome::Outcome;
use lanyard_core::scim::directory::Directory;
use lanyard_core::scim::tokens::{self, Authenticated};
use lanyard_core::store::StoreExt;

use crate::http::bearer;
use crate::metrics;
use crate::scim::Scim;
use crate::scim::error::ScimError;

/// As much of a path as the record of a refusal keeps, in characters.
const MAX_ACT: usize = 256;

/// An authenticated directory and the context of the request.
pub(crate) struct Caller {
    /// Who.
    pub(crate) directory: Directory,
    /// Presented again to each unit that writes: what was revoked meanwhile writes nothing.
    pub(crate) token: String,
    /// The context.
    pub(crate) cx: Cx,
    /// Method and path, for the record of a refusal.
    pub(crate) act: String,
}

impl FromRequestParts<Arc<Scim>> for Caller {
    type Rejection = ScimError;

    async fn from_request_parts(parts: &mut Parts, scim: &Arc<Scim>) -> Result<Self, ScimError> {
        let basis = &scim.deps.basis;
        let cx = basis.cx(parts);
        // Whoever guesses waits; a good token is heard all the same, or a neighbour could keep a directory from cutting
        // somebody off.
        let wait = basis.guard.admit(cx.peer, None, cx.now).err();
        let turned_away = |cx: &Cx| match wait {
            Some(seconds) => ScimError::too_many(cx, seconds),
            None => ScimError::unauthenticated(cx),
        };
        let Some(token) = bearer::token(&parts.headers) else {
            return Err(turned_away(&cx));
        };
        let (now, presented) = (cx.now, token.clone());
        let found = basis
            .store
            .read(move |tx| tokens::authenticate(tx, &presented, now))
            .await;
        match found {
            Ok(Outcome::Granted(authenticated)) => {
                note_use(scim, &cx, &authenticated).await;
                let act = format!("{} {}", parts.method, parts.uri.path());
                Ok(Self {
                    directory: authenticated.directory,
                    token,
                    cx,
                    act: act.chars().take(MAX_ACT).collect(),
                })
            }
            Ok(Outcome::Denied(_)) if wait.is_some() => Err(turned_away(&cx)),
            Ok(Outcome::Denied(denial)) => {
                metrics::scim_refused(denial.code());
                let event = NewEvent::denied("directory.authentication.refused", denial.code());
                if let Err(error) = basis.authentication_failed(&cx, event).await {
                    return Err(ScimError::failed(&cx, &error));
                }
                Err(ScimError::unauthenticated(&cx))
            }
            Err(error) => Err(ScimError::failed(&cx, &error)),
        }
    }
}

/// Once a minute, the use of a token is written down. A full disk does not stop a directory from cutting somebody off.
async fn note_use(scim: &Scim, cx: &Cx, authenticated: &Authenticated) {
    if !authenticated.stale {
        return;
    }
    let (token, now) = (authenticated.token.clone(), cx.now);
    let store = &scim.deps.basis.store;
    if let Err(error) = store.write(move |tx| tokens::touch(tx, &token, now)).await {
        tracing::warn!(request.id = %cx.request_id, %error, "the use of a token could not be written down");
    }
}
