//! The description of the admin API, generated from its code (OpenAPI 3.1).

use axum::Json;
use utoipa::OpenApi;

use crate::admin::v1;

/// The description as a value, for `openapi.json` and for the drift test.
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// `GET /admin/v1/openapi.json`
pub(crate) async fn handle() -> Json<utoipa::openapi::OpenApi> {
    Json(description())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lanyard admin API",
        description = "People, groups, clients, connectors, audiences, trusts, rules, keys and the audit log. \
                       Every request but the claim carries an administrator token as a bearer token.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        v1::claim::claim,
        v1::apply::apply,
        v1::users::list,
        v1::users::show,
        v1::users::put,
        v1::users::deactivate,
        v1::users::reactivate,
        v1::users::reset_password,
        v1::users::sign_out,
        v1::users::keys,
        v1::users::remove_key,
        v1::groups::list,
        v1::groups::put,
        v1::groups::remove,
        v1::groups::members,
        v1::groups::add_member,
        v1::groups::remove_member,
        v1::clients::list,
        v1::clients::show,
        v1::clients::put,
        v1::clients::add_secret,
        v1::clients::disable,
        v1::connectors::list,
        v1::connectors::show,
        v1::connectors::put,
        v1::connectors::remove,
        v1::audiences::list,
        v1::audiences::put,
        v1::audiences::remove,
        v1::resources::list,
        v1::resources::put,
        v1::resources::remove,
        v1::trusts::list,
        v1::trusts::put,
        v1::trusts::remove,
        v1::rules::list,
        v1::rules::put,
        v1::rules::remove,
        v1::policy::test,
        v1::keys::list,
        v1::keys::rotate,
        v1::keys::remove,
        v1::grants::list,
        v1::tokens::list,
        v1::tokens::create,
        v1::tokens::revoke,
        v1::audit::list,
        v1::audit::export,
        v1::audit::checkpoint,
        v1::gateway::routes,
        v1::gateway::revocations,
        v1::gateway::calls,
    )
)]
struct Description;
