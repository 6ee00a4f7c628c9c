//! `GET {issuer}/connectors`: what this person may reach through this client.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use lanyard_core::idp::connectors::reachable;
use lanyard_core::store::StoreExt;

use crate::http::answer;
use crate::idp::{Idp, bearer};
use crate::oauth::refusal;

/// The scope that the connectors endpoint and the keys below it need.
pub(super) const SCOPE: &str = "connectors";

pub(super) async fn handle(State(idp): State<Arc<Idp>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let cx = idp.deps.basis.cx(&parts);
    let token = match bearer::read(&idp, &parts.headers, &cx) {
        Ok(token) => token,
        Err(refused) => return bearer::refuse(&refused, &cx, SCOPE),
    };
    let (role, own) = (Arc::clone(&idp), cx.clone());
    let read = idp.deps.basis.store.read(move |tx| {
        let person = match bearer::person(&role, &own, tx, &token, SCOPE)? {
            Ok(person) => person,
            Err(refused) => return Ok(Err(refused)),
        };
        reachable(tx, &role.deps.policy, &person.user, &person.client.key).map(Ok)
    });
    match read.await {
        Ok(Ok(list)) => answer::json(StatusCode::OK, &list),
        Ok(Err(refused)) => bearer::refuse(&refused, &cx, SCOPE),
        Err(error) => refusal::failure(&error, &cx.request_id),
    }
}
