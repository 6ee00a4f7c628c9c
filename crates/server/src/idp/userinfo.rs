//! `GET|POST …/userinfo` (OpenID Connect Core, section 5.3).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use lanyard_core::idp::userinfo::claims;
use lanyard_core::store::StoreExt;

use crate::http::answer;
use crate::idp::{Idp, bearer};
use crate::oauth::refusal;

const SCOPE: &str = "openid";

pub(super) async fn handle(State(idp): State<Arc<Idp>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let cx = idp.deps.basis.cx(&parts);
    let token = match bearer::read(&idp, &parts.headers, &cx) {
        Ok(token) => token,
        Err(refused) => return bearer::refuse(&refused, &cx, SCOPE),
    };
    let (role, own) = (Arc::clone(&idp), cx.clone());
    match idp
        .deps
        .basis
        .store
        .read(move |tx| bearer::person(&role, &own, tx, &token, SCOPE))
        .await
    {
        Ok(Ok(person)) => answer::json(StatusCode::OK, &claims(&person)),
        Ok(Err(refused)) => bearer::refuse(&refused, &cx, SCOPE),
        Err(error) => refusal::failure(&error, &cx.request_id),
    }
}
