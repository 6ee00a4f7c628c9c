//! `POST …/revoke` (RFC 7009; RV-01, RV-02): the same answer whatever the token was.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use lanyard_core::idp::revoke::{Revocable, RevokeDenial, revoke};
use lanyard_core::keys::record::Ring;
use lanyard_core::outcome::Outcome;
use lanyard_jose::token::{AccessToken, Unverified};
use lanyard_jose::verify::{Audience, Expected, verify};
use secrecy::SecretString;

use crate::http::answer;
use crate::idp::Idp;
use crate::oauth::client_auth::ASSERTION_ALGORITHMS;
use crate::oauth::error;

pub(super) async fn handle(State(idp): State<Arc<Idp>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let called = idp.called("idp.token.revoked");
    let cx = called.basis.cx(&parts);
    let (caller, token) = match called.read_token(&cx, &parts, body).await {
        Ok(read) => read,
        Err(stop) => return stop.answer(called.basis, called.side, &cx).await,
    };
    let token = revocable(&idp, token, cx.now.seconds());
    let done = called.act(&cx, caller, true, move |cx, tx, client| revoke(cx, tx, client, &token));
    match done.await {
        Ok(Outcome::Granted(_)) => answer::empty(StatusCode::OK),
        Ok(Outcome::Denied(denial @ RevokeDenial::PublicClient)) => {
            error::invalid_client(denial.code()).answer(&cx.request_id)
        }
        Err(response) => response,
    }
}

/// A token of ours with a good signature, or an opaque text. An access token that does not verify is neither known nor
/// harmful: as an opaque text it is not found.
fn revocable(idp: &Idp, token: String, now: i64) -> Revocable {
    let issuer = idp.deps.settings.issuer.as_str();
    let expected = Expected {
        issuer,
        audience: Audience::Sole(issuer),
        now,
        leeway: 0,
        algorithms: ASSERTION_ALGORITHMS,
        max_lifetime: None,
    };
    let rings = idp.deps.basis.rings.snapshot();
    let verified = rings
        .get(Ring::Idp)
        .zip(Unverified::<AccessToken>::parse(&token).ok())
        .and_then(|(ring, token)| verify(&token, &ring.published, &expected).ok());
    match verified {
        Some(token) => Revocable::Access(Box::new(token)),
        None => Revocable::Opaque(SecretString::from(token)),
    }
}
