//! `/admin/v1`, one file per thing.
//!
//! Owns the paths. Never what is behind them.

pub mod administrators;
pub mod agents;
pub mod apply;
pub mod audiences;
pub mod audit;
pub mod claim;
pub mod clients;
pub mod connectors;
pub mod directories;
pub mod factors;
pub mod gateway;
pub mod grants;
pub mod groups;
pub mod identity_providers;
pub mod keys;
pub mod policy;
pub mod resources;
pub mod rules;
pub mod sessions;
pub mod tokens;
pub mod trusts;
pub mod users;
pub mod view;
pub mod whoami;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{delete, get, post, put};

use crate::admin::deps::AdminDeps;
use crate::admin::error::ApiError;
use crate::admin::openapi;

/// Every path of the API.
pub(crate) fn router(deps: AdminDeps) -> Router {
    let v1 = Router::new()
        .route("/openapi.json", get(openapi::handle))
        .route("/claim", post(claim::claim))
        .route("/sign-in", get(whoami::sign_in))
        .route("/whoami", get(whoami::whoami))
        .route("/apply", post(apply::apply))
        .route("/users", get(users::list))
        .route("/users/{username}", get(users::show).put(users::put))
        .route("/users/{username}/deactivate", post(users::deactivate))
        .route("/users/{username}/reactivate", post(users::reactivate))
        .route("/users/{username}/password", post(users::reset_password))
        .route("/users/{username}/sign-out", post(users::sign_out))
        .route("/users/{username}/factors", get(factors::factors))
        .route("/users/{username}/factors/reset", post(factors::reset_factors))
        .route(
            "/users/{username}/sessions",
            get(sessions::sessions).delete(sessions::end_sessions),
        )
        .route("/users/{username}/sessions/{id}", delete(sessions::end_session))
        .route("/users/{username}/keys", get(users::keys))
        .route("/users/{username}/keys/{kid}", delete(users::remove_key))
        .route("/groups", get(groups::list))
        .route("/groups/{name}", put(groups::put).delete(groups::remove))
        .route("/groups/{name}/members", get(groups::members))
        .route(
            "/groups/{name}/members/{username}",
            put(groups::add_member).delete(groups::remove_member),
        )
        .route("/administrators", get(administrators::list).put(administrators::put))
        .route("/administrators/{kind}/{name}", delete(administrators::remove))
        .route("/agents", get(agents::list))
        .route(
            "/agents/{name}",
            get(agents::show).put(agents::put).delete(agents::remove),
        )
        .route("/agents/{name}/activate", post(agents::activate))
        .route("/agents/{name}/deactivate", post(agents::deactivate))
        .route("/agents/{name}/suspend", post(agents::suspend))
        .route("/agents/{name}/review", post(agents::review))
        .route(
            "/agents/{name}/owners/{username}",
            put(agents::add_owner).delete(agents::remove_owner),
        )
        .route("/agents/{name}/keys", post(agents::add_key))
        .route("/agents/{name}/keys/{kid}", delete(agents::remove_key))
        .route("/clients", get(clients::list))
        .route("/clients/{side}/{client_id}", get(clients::show).put(clients::put))
        .route("/clients/{side}/{client_id}/secrets", post(clients::add_secret))
        .route("/clients/{side}/{client_id}/disable", post(clients::disable))
        .route("/connectors", get(connectors::list))
        .route(
            "/connectors/{name}",
            get(connectors::show).put(connectors::put).delete(connectors::remove),
        )
        .route("/connectors/{name}/activate", post(connectors::activate))
        .route(
            "/audiences",
            get(audiences::list).put(audiences::put).delete(audiences::remove),
        )
        .route(
            "/resources",
            get(resources::list).put(resources::put).delete(resources::remove),
        )
        .route("/trusts", get(trusts::list).put(trusts::put))
        .route("/trusts/{id}", delete(trusts::remove))
        .route("/identity-providers", get(identity_providers::list))
        .route(
            "/identity-providers/{name}",
            get(identity_providers::show)
                .put(identity_providers::put)
                .delete(identity_providers::remove),
        )
        .route("/identity-providers/{name}/metadata", get(identity_providers::metadata))
        .route("/saml-metadata", post(identity_providers::read_metadata))
        .route("/identity-providers/{name}/test", post(identity_providers::test))
        .route("/identity-providers/{name}/test/{id}", get(identity_providers::report))
        .route(
            "/identity-providers/{name}/links",
            get(identity_providers::links).post(identity_providers::add_link),
        )
        .route(
            "/identity-providers/{name}/links/{username}",
            delete(identity_providers::remove_link),
        )
        .route("/rules", get(rules::list).put(rules::put))
        .route("/rules/{id}", delete(rules::remove))
        .route("/policy/test", post(policy::test))
        .route("/keys", get(keys::list))
        .route("/keys/rotate", post(keys::rotate))
        .route("/keys/{kid}", delete(keys::remove))
        .route("/grants", get(grants::list))
        .route("/tokens", get(tokens::list).post(tokens::create))
        .route("/tokens/{id}", delete(tokens::revoke))
        .route("/audit", get(audit::list))
        .route("/audit/export", get(audit::export))
        .route("/audit/checkpoint", get(audit::checkpoint))
        .route("/directories", get(directories::list).put(directories::put))
        .route("/directories/{name}", delete(directories::remove))
        .route(
            "/directories/{name}/tokens",
            get(directories::tokens).post(directories::create_token),
        )
        .route("/directories/{name}/tokens/{id}", delete(directories::revoke_token))
        .route("/routes", get(gateway::routes))
        .route("/revocations", get(gateway::revocations))
        .route("/calls", post(gateway::calls))
        .method_not_allowed_fallback(no_such_method)
        .with_state(deps.clone());
    Router::new()
        .nest("/admin/v1", v1)
        .fallback(no_such_path)
        .with_state(deps)
}

async fn no_such_path(State(deps): State<AdminDeps>, request: Request) -> ApiError {
    ApiError::no_such_path(&deps.basis.cx(&request.into_parts().0))
}

async fn no_such_method(State(deps): State<AdminDeps>, request: Request) -> ApiError {
    ApiError::no_such_method(&deps.basis.cx(&request.into_parts().0))
}
