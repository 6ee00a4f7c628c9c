//! Endpoints beside the token endpoint that a client authenticates at: introspection and revocation.
//!
//! Owns the same first steps as the pipeline of the token endpoint. Never decides what the client may do.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use lanyard_core::client::auth::{self, AuthenticatedClient, Presented};
use lanyard_core::client::registration::Side;
use lanyard_core::cx::Cx;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, StoreExt, Tx};
use lanyard_protocol::form::Form;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::token_request::{MAX_TOKEN_BYTES, RequestError};

use crate::http::form;
use crate::oauth::basis::Basis;
use crate::oauth::error;
use crate::oauth::refusal::Refusal;
use crate::oauth::token_endpoint::{Stop, look, presented, read_credentials, unauthenticated};

/// The role that is called.
#[derive(Clone, Copy)]
pub(crate) struct Called<'a> {
    pub(crate) basis: &'a Basis,
    pub(crate) side: Side,
    pub(crate) issuer: &'a Issuer,
    pub(crate) token_endpoint: &'a str,
    pub(crate) leeway: i64,
    /// The kind of audit event when the request cannot be read.
    pub(crate) refused: &'static str,
}

/// A request whose proof was read and is judged in the unit.
pub(crate) struct Caller {
    pub(crate) form: Form,
    presented: Presented,
}

impl Called<'_> {
    /// Reads a request up to the point where its unit begins.
    pub(crate) async fn read(self, cx: &Cx, parts: &Parts, body: Body) -> Result<Caller, Stop> {
        let malformed = |refusal| Stop::Anonymous {
            refusal,
            kind: self.refused,
            claimed: None,
        };
        let form = form::read(parts, body)
            .await
            .map_err(|why| malformed(error::no_form(why)))?;
        let credentials = read_credentials(self.basis, self.side, cx, parts, &form)?;
        let found = look(self.basis, self.side, &credentials).await?;
        let (issuer, endpoint) = (self.issuer, self.token_endpoint);
        let presented = presented(issuer, endpoint, self.leeway, cx, self.side, credentials, found)?;
        Ok(Caller { form, presented })
    }

    /// As [`read`](Self::read), with the parameter `token` (RFC 7009, section 2.1; RFC 7662, section 2.1).
    pub(crate) async fn read_token(self, cx: &Cx, parts: &Parts, body: Body) -> Result<(Caller, String), Stop> {
        let caller = self.read(cx, parts, body).await?;
        let refusal = match caller.form.once("token") {
            Ok(Some(token)) if token.len() <= MAX_TOKEN_BYTES => {
                let token = token.to_owned();
                return Ok((caller, token));
            }
            Ok(Some(_)) => error::request(&RequestError::TooLong("token")),
            Ok(None) => error::request(&RequestError::Missing("token")),
            Err(why) => error::no_form(why.into()),
        };
        Err(Stop::Anonymous {
            refusal,
            kind: self.refused,
            claimed: None,
        })
    }

    /// Authenticates in a unit and acts in the same one. Revocations use the reserve of the disk.
    ///
    /// # Errors
    /// The answer to a caller who is not authenticated; the failure is inside.
    pub(crate) async fn act<T, F>(self, cx: &Cx, caller: Caller, reserved: bool, act: F) -> Result<T, Response>
    where
        T: Send + 'static,
        F: FnOnce(&Cx, &mut dyn Tx, &AuthenticatedClient) -> Result<T, StoreError> + Send + 'static,
    {
        let claimed = caller.presented.client_id().cloned();
        let (own, side) = (cx.clone(), self.side);
        let (vault, guard) = (Arc::clone(&self.basis.vault), Arc::clone(&self.basis.guard));
        let unit = move |tx: &mut dyn Tx| -> Result<Result<T, Refusal>, StoreError> {
            match auth::authenticate(&own, tx, &vault, side, &caller.presented)? {
                Outcome::Granted(client) => act(&own, tx, &client).map(Ok),
                Outcome::Denied(denial) => {
                    if guard.record_refusal(own.peer, own.now) {
                        auth::record_denial(&own, tx, side, &caller.presented, &denial)?;
                    }
                    Ok(Err(error::client_auth(&denial)))
                }
            }
        };
        let store = &self.basis.store;
        let done = if reserved {
            store.write_reserved(unit).await
        } else {
            store.write(unit).await
        };
        match done {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(refusal)) => Err(unauthenticated(self.basis, side, cx, claimed.as_ref(), &refusal)),
            Err(error) => Err(crate::oauth::refusal::failure(&error, &cx.request_id)),
        }
    }
}
