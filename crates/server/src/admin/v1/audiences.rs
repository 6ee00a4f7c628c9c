//! `/admin/v1/audiences`: the RASs that our IdP issues for, and client ids there.

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::audience;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::spec::AudienceSpec;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, Tx};
use lanyard_core::trust::audience::Audience;
use lanyard_protocol::issuer::Issuer;
use serde::Deserialize;

use crate::admin::act::{change, look};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Parameters};
use crate::admin::v1::view::{PageView, RecordView, Removed, Written};

/// Which audience.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByIssuer {
    /// The issuer identifier.
    issuer: String,
}

fn view(tx: &mut dyn Tx, audience: &Audience) -> Result<RecordView<AudienceSpec>, StoreError> {
    Ok(RecordView {
        id: Some(audience.id.to_string()),
        document: audience::describe(tx, audience)?,
        created_at: audience.created_at,
        updated_at: audience.updated_at,
    })
}

/// Every audience.
#[utoipa::path(get, path = "/admin/v1/audiences", responses((status = 200, body = PageView<RecordView<AudienceSpec>>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
) -> Result<Json<PageView<RecordView<AudienceSpec>>>, ApiError> {
    let admin = caller.admin.clone();
    let items = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        let mut items = Vec::new();
        for audience in tx.list_audiences()? {
            items.push(view(tx, &audience)?);
        }
        Ok(Outcome::Granted(items))
    })
    .await?;
    Ok(Json(PageView { items, next: None }))
}

/// Makes or changes an audience, and its client ids when the document names them.
#[utoipa::path(put, path = "/admin/v1/audiences", request_body = AudienceSpec,
    responses((status = 200, body = Written<AudienceSpec>)))]
pub(crate) async fn put(
    State(deps): State<AdminDeps>,
    Document(spec, caller): Document<AudienceSpec>,
) -> Result<Json<Written<AudienceSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let idp = deps.deployment.idp.clone();
    let (record, change) = change(&deps, &caller, move |cx, tx| {
        Ok(match audience::put(cx, tx, &admin, idp.as_ref(), &spec)? {
            Outcome::Granted((audience, change)) => Outcome::Granted((view(tx, &audience)?, change)),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    Ok(Json(Written { change, record }))
}

/// Removes an audience: nothing is issued for it any more.
#[utoipa::path(delete, path = "/admin/v1/audiences", params(ByIssuer), responses((status = 200, body = Removed)))]
pub(crate) async fn remove(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Parameters(query): Parameters<ByIssuer>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    change(&deps, &caller, move |cx, tx| {
        match Issuer::parse(query.issuer.as_str()) {
            Ok(issuer) => audience::remove(cx, tx, &admin, &issuer),
            Err(error) => Ok(Outcome::Denied(AdminDenial::invalid("issuer", error.to_string()))),
        }
    })
    .await?;
    Ok(Removed::answer())
}
