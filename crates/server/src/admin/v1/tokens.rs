//! `/admin/v1/tokens`: administrator tokens.

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::token::{AdminRole, AdminToken};
use lanyard_core::admin::tokens;
use lanyard_core::clock::Timestamp;
use lanyard_core::id::AdminTokenId;
use lanyard_core::outcome::Outcome;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::admin::act::{change, look};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Segments};
use crate::admin::v1::view::{PageView, Removed};

/// A token without itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TokenView {
    /// Its id.
    pub id: String,
    /// For people.
    pub name: String,
    /// What it may do.
    pub role: AdminRole,
    /// When it was made.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When it stops being accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub revoked_at: Option<Timestamp>,
    /// The token itself, in the answer to its making only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl TokenView {
    fn of(token: AdminToken, secret: Option<String>) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name,
            role: token.role,
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            token: secret,
        }
    }
}

/// A token to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    /// For people.
    pub name: String,
    /// What it may do.
    pub role: AdminRole,
    /// When it stops being accepted, RFC 3339.
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
}

/// Every token.
#[utoipa::path(get, path = "/admin/v1/tokens", responses((status = 200, body = PageView<TokenView>)))]
pub(crate) async fn list(State(deps): State<AdminDeps>, caller: Caller) -> Result<Json<PageView<TokenView>>, ApiError> {
    let admin = caller.admin.clone();
    let tokens = look(&deps, &caller, move |_, tx| tokens::list(tx, &admin)).await?;
    let items = tokens.into_iter().map(|token| TokenView::of(token, None)).collect();
    Ok(Json(PageView { items, next: None }))
}

/// Makes a token; it is shown once.
#[utoipa::path(post, path = "/admin/v1/tokens", request_body = TokenSpec, responses((status = 200, body = TokenView)))]
pub(crate) async fn create(
    State(deps): State<AdminDeps>,
    Document(spec, caller): Document<TokenSpec>,
) -> Result<Json<TokenView>, ApiError> {
    let admin = caller.admin.clone();
    let (token, secret) = change(&deps, &caller, move |cx, tx| {
        tokens::create(cx, tx, &admin, (&spec.name, spec.role, spec.expires_at))
    })
    .await?;
    Ok(Json(TokenView::of(token, Some(secret.expose_secret().to_owned()))))
}

/// Revokes a token.
#[utoipa::path(delete, path = "/admin/v1/tokens/{id}", responses((status = 200, body = Removed)))]
pub(crate) async fn revoke(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    change(&deps, &caller, move |cx, tx| match AdminTokenId::parse(id.as_str()) {
        Ok(id) => tokens::revoke(cx, tx, &admin, &id),
        Err(_) => Ok(Outcome::Denied(AdminDenial::NotFound {
            what: "administrator token",
            name: id,
        })),
    })
    .await?;
    Ok(Removed::answer())
}
