//! `GET /admin/v1/sign-in`, `GET /admin/v1/whoami`: where administrators sign in, and who is asking.

use axum::Json;
use axum::extract::{Request, State};
use lanyard_core::admin::permission::{Permission, allows};
use lanyard_core::admin::sign_in::{ADMIN_CLIENT, ADMIN_CLIENT_SCOPES, ADMIN_SCOPE};
use lanyard_core::admin::token::{AdminRole, Administrator};
use lanyard_core::clock::Timestamp;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::strength::Strength;
use serde::Serialize;

use crate::admin::act::look;
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;

/// Where administrators sign in. Not secret: every program at the issuer learns as much.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignInView {
    /// The issuer.
    pub issuer: String,
    /// The client to sign in with.
    pub client_id: &'static str,
    /// What to ask for at the sign-in.
    pub scope: &'static str,
    /// What a token for this API has alone: to be asked for when the sign-in is renewed.
    pub token_scope: &'static str,
    /// The authentication class that is needed, when one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr_values: Option<&'static str>,
}

/// Who is asking.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WhoamiView {
    /// `person` or `token`.
    pub kind: &'static str,
    /// The id in the audit log.
    pub id: String,
    /// The user name, or the name of the token.
    pub name: String,
    /// The role at this moment.
    pub role: AdminRole,
    /// What it allows.
    pub permissions: Vec<&'static str>,
    /// When the person signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub signed_in_at: Option<Timestamp>,
    /// How strongly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<Strength>,
    /// When the token stops being accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
}

/// Where administrators sign in.
#[utoipa::path(get, path = "/admin/v1/sign-in", responses((status = 200, body = SignInView)))]
pub(crate) async fn sign_in(State(deps): State<AdminDeps>, request: Request) -> Result<Json<SignInView>, ApiError> {
    let cx = deps.basis.cx(&request.into_parts().0);
    let Some(issuer) = &deps.deployment.idp else {
        return Err(ApiError::no_issuer(&cx));
    };
    Ok(Json(SignInView {
        issuer: issuer.to_string(),
        client_id: ADMIN_CLIENT,
        scope: ADMIN_CLIENT_SCOPES,
        token_scope: ADMIN_SCOPE,
        acr_values: deps.strength.map(Strength::acr),
    }))
}

/// Who is asking, and what they may do.
#[utoipa::path(get, path = "/admin/v1/whoami", responses((status = 200, body = WhoamiView)))]
pub(crate) async fn whoami(State(deps): State<AdminDeps>, caller: Caller) -> Result<Json<WhoamiView>, ApiError> {
    let role = caller.admin.role;
    let permissions = Permission::ALL
        .into_iter()
        .filter(|permission| allows(role, *permission));
    let permissions = permissions.map(Permission::as_str).collect();
    if let Some(person) = &caller.person {
        return Ok(Json(WhoamiView {
            kind: "person",
            id: person.user.id.to_string(),
            name: person.user.username.clone(),
            role,
            permissions,
            signed_in_at: person.authentication.known_time(),
            strength: Some(person.authentication.strength),
            expires_at: None,
        }));
    }
    let id = match &caller.admin.who {
        Administrator::Token(id) => id.to_string(),
        Administrator::Person(id) => id.to_string(),
        Administrator::Directory(id) => id.to_string(),
    };
    let own = id.clone();
    let token = look(&deps, &caller, move |_, tx| {
        let tokens = tx.list_admin_tokens()?;
        Ok(Outcome::Granted(
            tokens.into_iter().find(|token| token.id.as_str() == own),
        ))
    })
    .await?;
    let (name, expires_at) = token.map_or_else(|| (id.clone(), None), |token| (token.name, token.expires_at));
    Ok(Json(WhoamiView {
        kind: "token",
        id,
        name,
        role,
        permissions,
        signed_in_at: None,
        strength: None,
        expires_at,
    }))
}
