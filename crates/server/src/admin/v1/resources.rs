//! `/admin/v1/resources`: what our RAS issues tokens for.

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::resource;
use lanyard_core::admin::spec::ResourceSpec;
use lanyard_core::outcome::Outcome;
use lanyard_core::trust::resource::Resource;
use lanyard_protocol::resource::ResourceId;
use serde::Deserialize;

use crate::admin::act::{change, look};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Parameters};
use crate::admin::v1::view::{PageView, RecordView, Removed, Written};

/// Which resource.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByIdentifier {
    /// The resource identifier.
    id: String,
}

fn view(resource: &Resource) -> RecordView<ResourceSpec> {
    RecordView {
        id: None,
        document: ResourceSpec::of(resource),
        created_at: resource.created_at,
        updated_at: resource.updated_at,
    }
}

/// Every resource.
#[utoipa::path(get, path = "/admin/v1/resources", responses((status = 200, body = PageView<RecordView<ResourceSpec>>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
) -> Result<Json<PageView<RecordView<ResourceSpec>>>, ApiError> {
    let admin = caller.admin.clone();
    let items = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        Ok(Outcome::Granted(tx.list_resources()?.iter().map(view).collect()))
    })
    .await?;
    Ok(Json(PageView { items, next: None }))
}

/// Makes or changes a resource.
#[utoipa::path(put, path = "/admin/v1/resources", request_body = ResourceSpec,
    responses((status = 200, body = Written<ResourceSpec>)))]
pub(crate) async fn put(
    State(deps): State<AdminDeps>,
    Document(spec, caller): Document<ResourceSpec>,
) -> Result<Json<Written<ResourceSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let (resource, change) = change(&deps, &caller, move |cx, tx| resource::put(cx, tx, &admin, &spec)).await?;
    Ok(Json(Written {
        change,
        record: view(&resource),
    }))
}

/// Removes a resource.
#[utoipa::path(delete, path = "/admin/v1/resources", params(ByIdentifier), responses((status = 200, body = Removed)))]
pub(crate) async fn remove(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Parameters(query): Parameters<ByIdentifier>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    change(&deps, &caller, move |cx, tx| {
        match ResourceId::parse(query.id.as_str()) {
            Ok(id) => resource::remove(cx, tx, &admin, &id),
            Err(error) => Ok(Outcome::Denied(AdminDenial::invalid("id", error.to_string()))),
        }
    })
    .await?;
    Ok(Removed::answer())
}
