//! SCIM 2.0 for provisioning clients (RFC 7644), below the issuer: `{issuer}/scim/v2`.
//!
//! Owns its paths. Every act is decided in core for the directory of the token; nothing here is anonymous, and no
//! script of another origin reads anything (no CORS).

mod act;
mod answer;
mod body;
mod caller;
mod discovery;
mod error;
mod groups;
mod id;
mod precondition;
mod query;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{get, post};
use http::StatusCode;
use lanyard_core::scim::denial::ScimDenial;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::scim::patch::PatchError;

use crate::cut_off::CutOff;
use crate::oauth::basis::Basis;
use crate::scim::caller::Caller;
use crate::scim::error::ScimError;

/// The path below the issuer.
pub const PATH: &str = "/scim/v2";

/// What the room needs.
#[derive(Clone)]
pub struct ScimDeps {
    /// The shared parts.
    pub basis: Basis,
    /// Our issuer: where the room is, and whose subjects are cut off.
    pub issuer: Issuer,
    /// Makes a cut-off effective before the answer.
    pub cut_off: Arc<CutOff>,
}

/// The room with what is made once.
pub(crate) struct Scim {
    deps: ScimDeps,
    /// `{issuer}/scim/v2`
    base: String,
}

/// The router of the room, with its issuer's path.
pub fn router(deps: ScimDeps) -> Router {
    let at = format!("{}{PATH}", deps.issuer.path());
    let base = deps.issuer.endpoint(PATH);
    let scim = Arc::new(Scim { deps, base });
    let rooms = Router::new()
        .route("/ServiceProviderConfig", get(discovery::config))
        .route("/ResourceTypes", get(discovery::resource_types))
        .route("/ResourceTypes/{name}", get(discovery::resource_type))
        .route("/Schemas", get(discovery::schemas))
        .route("/Schemas/{id}", get(discovery::schema))
        .route("/Users", get(users::list).post(users::create))
        .route("/Users/.search", post(users::search))
        .route(
            "/Users/{id}",
            get(users::show)
                .put(users::replace)
                .patch(users::patch)
                .delete(users::remove),
        )
        .route("/Groups", get(groups::list).post(groups::create))
        .route("/Groups/.search", post(groups::search))
        .route(
            "/Groups/{id}",
            get(groups::show)
                .put(groups::replace)
                .patch(groups::patch)
                .delete(groups::remove),
        )
        .route("/.search", post(not_served))
        .route("/Bulk", post(not_served))
        .route("/Me", axum::routing::any(not_served))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(scim);
    Router::new().nest(&at, rooms)
}

/// Off, and declared so in the service provider configuration (SC-19).
async fn not_served(caller: Caller) -> ScimError {
    let words = "this server has no bulk operations, no searches across resource types and no /Me";
    ScimError::plain(&caller.cx, StatusCode::NOT_IMPLEMENTED, words)
}

async fn no_such_path(caller: Caller) -> ScimError {
    let words = "there is no such endpoint; see /ResourceTypes";
    ScimError::plain(&caller.cx, StatusCode::NOT_FOUND, words)
}

async fn no_such_method(State(scim): State<Arc<Scim>>, request: Request) -> ScimError {
    let cx = scim.deps.basis.cx(&request.into_parts().0);
    ScimError::plain(
        &cx,
        StatusCode::METHOD_NOT_ALLOWED,
        "this endpoint does not take this method",
    )
}

/// Why a PATCH could not be read, as core tells it.
fn patch_denial(error: PatchError) -> ScimDenial {
    match error {
        PatchError::Syntax(words) => ScimDenial::Syntax(words.to_owned()),
        PatchError::TooMany => ScimDenial::TooMany(error.to_string()),
        PatchError::Path { .. } => ScimDenial::Path(error.to_string()),
    }
}
