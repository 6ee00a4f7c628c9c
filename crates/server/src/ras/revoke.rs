//! `POST …/revoke` (RFC 7009; RV-01): the same answer whatever the token was.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use lanyard_core::outcome::Outcome;
use lanyard_core::ras::revoke::revoke;

use crate::http::answer;
use crate::metrics;
use crate::oauth::refusal;
use crate::ras::Ras;

pub(super) async fn handle(State(ras): State<Arc<Ras>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let called = ras.called("ras.access_token.revocation_refused");
    let cx = called.basis.cx(&parts);
    let (caller, token) = match called.read_token(&cx, &parts, body).await {
        Ok(read) => read,
        Err(stop) => return stop.answer(called.basis, called.side, &cx).await,
    };
    let token = ras.own_access_token(&token, cx.now);
    let own = Arc::clone(&ras);
    let done = called.act(&cx, caller, true, move |cx, tx, client| {
        let token = own.still_signed(tx, token)?;
        revoke(cx, tx, &own.deps.settings, client, token.as_ref())
    });
    match done.await {
        Ok(Outcome::Granted(_)) => {
            // The views of this process know it before the client does.
            if let Err(error) = ras.deps.feed.deliver().await {
                return refusal::failure(&error, &cx.request_id);
            }
            answer::empty(StatusCode::OK)
        }
        Ok(Outcome::Denied(denial)) => {
            metrics::refused(called.side, denial.code());
            answer::empty(StatusCode::OK)
        }
        Err(response) => response,
    }
}
