//! What a gateway process reads and delivers: routes, revocations, calls.

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::token::Admin;
use lanyard_core::audit::call;
use lanyard_core::connector::route;
use lanyard_core::outcome::Outcome;
use lanyard_protocol::gateway::{CallEvent, RevocationFeed, RouteSnapshot};
use serde::{Deserialize, Serialize};

use crate::admin::act::{change, look};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{LargeDocument, Parameters};

/// Entries of the feed in one answer.
const FEED: u32 = 1000;

/// From where on.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedQuery {
    /// The last sequence known; 0 at the start.
    after: Option<i64>,
}

/// How many calls were new.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Delivered {
    /// Events written; repeated ones are not written again.
    pub new: u64,
}

/// Gateways may, and so may whoever reads everything.
fn may_read(admin: &Admin) -> Result<(), AdminDenial> {
    require(admin, Permission::ServeGateway).or_else(|_| require(admin, Permission::Read))
}

/// The routes of the gateway at one version.
#[utoipa::path(get, path = "/admin/v1/routes", responses((status = 200, body = Object)))]
pub(crate) async fn routes(State(deps): State<AdminDeps>, caller: Caller) -> Result<Json<RouteSnapshot>, ApiError> {
    let admin = caller.admin.clone();
    let origin = deps.gateway_url.clone();
    let snapshot = look(&deps, &caller, move |_, tx| match may_read(&admin) {
        Ok(()) => route::snapshot(tx, origin.as_deref()).map(Outcome::Granted),
        Err(denial) => Ok(Outcome::Denied(denial)),
    })
    .await?;
    Ok(Json(snapshot))
}

/// Revocations after a position.
#[utoipa::path(get, path = "/admin/v1/revocations", params(FeedQuery), responses((status = 200, body = Object)))]
pub(crate) async fn revocations(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Parameters(query): Parameters<FeedQuery>,
) -> Result<Json<RevocationFeed>, ApiError> {
    let admin = caller.admin.clone();
    let feed = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = may_read(&admin) {
            return Ok(Outcome::Denied(denial));
        }
        let entries = tx.list_revocations(query.after.unwrap_or(0), FEED)?;
        let head = tx.revocation_head()?;
        Ok(Outcome::Granted(RevocationFeed { head, entries }))
    })
    .await?;
    Ok(Json(feed))
}

/// Takes a batch of call events; they are on disk before the answer.
#[utoipa::path(post, path = "/admin/v1/calls", request_body = Vec<Object>, responses((status = 200, body = Delivered)))]
pub(crate) async fn calls(
    State(deps): State<AdminDeps>,
    LargeDocument(calls, caller): LargeDocument<Vec<CallEvent>>,
) -> Result<Json<Delivered>, ApiError> {
    let admin = caller.admin.clone();
    let new = change(&deps, &caller, move |cx, tx| call::deliver(cx, tx, &admin, &calls)).await?;
    Ok(Json(Delivered { new }))
}
