//! `GET /admin/v1/grants`: live access tokens, by their records (SEC-18).

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::clock::Timestamp;
use lanyard_core::outcome::Outcome;
use lanyard_core::ras::access_grant::AccessGrant;
use serde::Serialize;

use crate::admin::act::look;
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::Parameters;
use crate::admin::v1::view::{PageQuery, PageView};

/// The record behind a live access token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct GrantView {
    /// The token's id.
    pub jti: String,
    /// The account at the RAS.
    pub account: String,
    /// The IdP that asserted the person.
    pub issuer: String,
    /// The person's `sub` there.
    pub subject: String,
    /// The client at the RAS.
    pub client_id: String,
    /// The resource.
    pub resource: String,
    /// Scopes, space-separated.
    pub scope: String,
    /// When it was issued.
    #[schema(value_type = String)]
    pub issued_at: Timestamp,
    /// When it expires.
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
}

impl From<AccessGrant> for GrantView {
    fn from(grant: AccessGrant) -> Self {
        Self {
            jti: grant.jti,
            account: grant.account.to_string(),
            issuer: grant.issuer.to_string(),
            subject: grant.subject.to_string(),
            client_id: grant.client_id.to_string(),
            resource: grant.resource.to_string(),
            scope: grant.scope.to_string(),
            issued_at: grant.issued_at,
            expires_at: grant.expires_at,
        }
    }
}

/// Live grants.
#[utoipa::path(get, path = "/admin/v1/grants", params(PageQuery), responses((status = 200, body = PageView<GrantView>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Json<PageView<GrantView>>, ApiError> {
    let admin = caller.admin.clone();
    let page = look(&deps, &caller, move |cx, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        Ok(Outcome::Granted(tx.list_live_grants(cx.now, &query.page())?))
    })
    .await?;
    Ok(Json(PageView {
        items: page.items.into_iter().map(GrantView::from).collect(),
        next: page.next,
    }))
}
