//! `POST …/introspect` (RFC 7662; RAS-IN-01).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use lanyard_core::ras::introspect::introspect;

use crate::http::answer;
use crate::ras::Ras;

pub(super) async fn handle(State(ras): State<Arc<Ras>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let called = ras.called("ras.introspection.refused");
    let cx = called.basis.cx(&parts);
    let (caller, token) = match called.read_token(&cx, &parts, body).await {
        Ok(read) => read,
        Err(stop) => return stop.answer(called.basis, called.side, &cx).await,
    };
    let token = ras.own_access_token(&token, cx.now);
    let own = Arc::clone(&ras);
    let told = called.act(&cx, caller, false, move |cx, tx, client| {
        let token = own.still_signed(tx, token)?;
        introspect(cx, tx, &own.deps.settings, client, token.as_ref())
    });
    match told.await {
        Ok(told) => answer::json(StatusCode::OK, &told),
        Err(response) => response,
    }
}
