//! The description of the admin API, generated from its code (OpenAPI 3.1).
//!
//! Owns what holds for every operation: names, path parameters, the error, the bearer token, permission and roles. `crates/server/openapi.json`
//! is this description; a test fails when it is not.

use axum::Json;
use lanyard_core::admin::token::AdminRole;
use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::admin::acts::{Needs, ROLES, act_of};
use crate::admin::error::ApiErrorBody;
use crate::admin::v1;

const BASE: &str = "/admin/v1/";

/// The description as a value, for `openapi.json` and for the drift test.
pub fn description() -> Value {
    let mut document = serde_json::to_value(Description::openapi()).unwrap_or_default();
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, item) in paths.iter_mut() {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                complete(path, &method.to_uppercase(), operation);
            }
        }
    }
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        let scheme = json!({ "type": "http", "scheme": "bearer", "description": "An administrator token, or the access token of an administrator who signed in." });
        components.insert("securitySchemes".to_owned(), json!({ "administrator": scheme }));
    }
    document
}

fn complete(path: &str, method: &str, operation: &mut Value) {
    let Some(operation) = operation.as_object_mut() else {
        return;
    };
    let room = path
        .trim_start_matches(BASE)
        .split('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let name = operation
        .get("operationId")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let id = if name == room {
        room.clone()
    } else {
        format!("{room}_{name}")
    };
    operation.insert("operationId".to_owned(), json!(id));
    operation.insert("tags".to_owned(), json!([room]));
    let named = path.split(['{', '}']).skip(1).step_by(2);
    let parameters: Vec<Value> = named
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
    let error = json!({ "$ref": "#/components/schemas/ApiErrorBody" });
    let refused = json!({ "description": "Refused", "content": { "application/json": { "schema": error } } });
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        responses.insert("default".to_owned(), refused);
    }
    let below = path.strip_prefix("/admin/v1").unwrap_or(path);
    let needs = act_of(method, below).map_or(Needs::AnyRole, |act| act.needs);
    if needs == Needs::Nothing {
        return;
    }
    operation.insert("security".to_owned(), json!([{ "administrator": [] }]));
    let roles: Vec<&str> = ROLES
        .into_iter()
        .filter(|role| needs.allow(*role))
        .map(AdminRole::as_str)
        .collect();
    operation.insert("x-permissions".to_owned(), json!(needs.names()));
    operation.insert("x-roles".to_owned(), json!(roles));
}

/// `GET /admin/v1/openapi.json`
pub(crate) async fn handle() -> Json<Value> {
    Json(description())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lanyard admin API",
        description = "People, groups, clients, connectors, audiences, trusts, rules, keys and the audit log. \
                       Every request but the claim and the question where to sign in carries a bearer token.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ApiErrorBody)),
    paths(
        v1::claim::claim,
        v1::whoami::sign_in,
        v1::whoami::whoami,
        v1::apply::apply,
        v1::users::list,
        v1::users::show,
        v1::users::put,
        v1::users::deactivate,
        v1::users::reactivate,
        v1::users::reset_password,
        v1::users::sign_out,
        v1::factors::factors,
        v1::factors::reset_factors,
        v1::sessions::sessions,
        v1::sessions::end_session,
        v1::sessions::end_sessions,
        v1::users::keys,
        v1::users::remove_key,
        v1::groups::list,
        v1::groups::put,
        v1::groups::remove,
        v1::groups::members,
        v1::groups::add_member,
        v1::groups::remove_member,
        v1::administrators::list,
        v1::administrators::put,
        v1::administrators::remove,
        v1::agents::list,
        v1::agents::show,
        v1::agents::put,
        v1::agents::remove,
        v1::agents::activate,
        v1::agents::deactivate,
        v1::agents::suspend,
        v1::agents::review,
        v1::agents::add_owner,
        v1::agents::remove_owner,
        v1::agents::add_key,
        v1::agents::remove_key,
        v1::clients::list,
        v1::clients::show,
        v1::clients::put,
        v1::clients::add_secret,
        v1::clients::disable,
        v1::connectors::list,
        v1::connectors::show,
        v1::connectors::put,
        v1::connectors::activate,
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
        v1::identity_providers::list,
        v1::identity_providers::show,
        v1::identity_providers::put,
        v1::identity_providers::remove,
        v1::identity_providers::metadata,
        v1::identity_providers::read_metadata,
        v1::identity_providers::test,
        v1::identity_providers::report,
        v1::identity_providers::links,
        v1::identity_providers::add_link,
        v1::identity_providers::remove_link,
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
        v1::directories::list,
        v1::directories::put,
        v1::directories::remove,
        v1::directories::tokens,
        v1::directories::create_token,
        v1::directories::revoke_token,
        v1::audit::list,
        v1::audit::export,
        v1::audit::checkpoint,
        v1::gateway::routes,
        v1::gateway::revocations,
        v1::gateway::calls,
    )
)]
struct Description;
