//! `POST /admin/v1/claim`: the one-time owner token for an administrator token.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use lanyard_core::admin::owner;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::StoreExt;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::admin::deps::AdminDeps;
use crate::admin::error::ApiError;
use crate::http::form;

/// The one-time token.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// As it stands in the file of the first start.
    pub owner_token: String,
}

/// The administrator token; shown once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ClaimedToken {
    /// Its id.
    pub id: String,
    /// The token itself.
    pub token: String,
}

/// Trades the one-time owner token.
#[utoipa::path(post, path = "/admin/v1/claim", request_body = ClaimRequest,
    responses((status = 200, body = ClaimedToken), (status = 403, body = crate::admin::error::ApiErrorBody)))]
pub(crate) async fn claim(State(deps): State<AdminDeps>, request: Request) -> Result<Json<ClaimedToken>, ApiError> {
    let (parts, body): (_, Body) = request.into_parts();
    let cx = deps.basis.cx(&parts);
    if let Err(seconds) = deps.basis.guard.admit(cx.peer, None, cx.now) {
        return Err(ApiError::too_many(&cx, seconds));
    }
    let bytes = form::bytes(&parts, body, 4096)
        .await
        .map_err(|problem| ApiError::unreadable(&cx, problem.to_string()))?;
    let request: ClaimRequest = lanyard_protocol::json::from_slice(&bytes)
        .map_err(|_| ApiError::unreadable(&cx, "a JSON object with owner_token is needed"))?;
    let inner = cx.clone();
    let end = deps
        .basis
        .store
        .write(move |tx| owner::claim(&inner, tx, &request.owner_token))
        .await;
    match end {
        Ok(Outcome::Granted((made, token))) => Ok(Json(ClaimedToken {
            id: made.id.to_string(),
            token: token.expose_secret().to_owned(),
        })),
        Ok(Outcome::Denied(denial)) => {
            deps.basis.guard.failed(cx.peer, None, cx.now);
            Err(ApiError::claim_denied(&cx, &denial))
        }
        Err(error) => Err(ApiError::failed(&cx, &error)),
    }
}
