//! `/admin/v1/connectors`: approved MCP servers.

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::connector;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::spec::ConnectorSpec;
use lanyard_core::connector::record::Connector;
use lanyard_core::outcome::Outcome;

use crate::admin::act::{change, look};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Parameters, Segments};
use crate::admin::v1::view::{PageQuery, PageView, RecordView, Removed, Written};

fn view(connector: &Connector) -> RecordView<ConnectorSpec> {
    RecordView {
        id: Some(connector.id.to_string()),
        document: ConnectorSpec::of(connector),
        created_at: connector.created_at,
        updated_at: connector.updated_at,
    }
}

/// Connectors by name.
#[utoipa::path(get, path = "/admin/v1/connectors", params(PageQuery),
    responses((status = 200, body = PageView<RecordView<ConnectorSpec>>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Json<PageView<RecordView<ConnectorSpec>>>, ApiError> {
    let admin = caller.admin.clone();
    let page = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        Ok(Outcome::Granted(tx.list_connectors(&query.page())?))
    })
    .await?;
    Ok(Json(PageView {
        items: page.items.iter().map(view).collect(),
        next: page.next,
    }))
}

/// One connector.
#[utoipa::path(get, path = "/admin/v1/connectors/{name}", responses((status = 200, body = RecordView<ConnectorSpec>)))]
pub(crate) async fn show(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<RecordView<ConnectorSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let connector = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        Ok(match tx.find_connector_by_name(&name)? {
            Some(connector) => Outcome::Granted(connector),
            None => Outcome::Denied(AdminDenial::NotFound {
                what: "connector",
                name,
            }),
        })
    })
    .await?;
    Ok(Json(view(&connector)))
}

/// Makes or changes a connector.
#[utoipa::path(put, path = "/admin/v1/connectors/{name}", request_body = ConnectorSpec,
    responses((status = 200, body = Written<ConnectorSpec>)))]
pub(crate) async fn put(
    State(deps): State<AdminDeps>,
    Segments(name): Segments<String>,
    Document(spec, caller): Document<ConnectorSpec>,
) -> Result<Json<Written<ConnectorSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let ras = deps.deployment.ras.clone();
    let (connector, change) = change(&deps, &caller, move |cx, tx| {
        if spec.name != name {
            return Ok(Outcome::Denied(AdminDenial::invalid(
                "name",
                format!("it must be {name}, as in the path"),
            )));
        }
        connector::put(cx, tx, &admin, ras.as_ref(), &spec)
    })
    .await?;
    deps.cut_off.routes_changed().await;
    Ok(Json(Written {
        change,
        record: view(&connector),
    }))
}

/// Approves a connector that is staged.
#[utoipa::path(post, path = "/admin/v1/connectors/{name}/activate",
    responses((status = 200, body = Written<ConnectorSpec>)))]
pub(crate) async fn activate(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<Written<ConnectorSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let ras = deps.deployment.ras.clone();
    let (connector, change) = change(&deps, &caller, move |cx, tx| {
        connector::activate(cx, tx, &admin, ras.as_ref(), &name)
    })
    .await?;
    deps.cut_off.routes_changed().await;
    Ok(Json(Written {
        change,
        record: view(&connector),
    }))
}

/// Removes a connector.
#[utoipa::path(delete, path = "/admin/v1/connectors/{name}", responses((status = 200, body = Removed)))]
pub(crate) async fn remove(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    let ras = deps.deployment.ras.clone();
    change(&deps, &caller, move |cx, tx| {
        connector::remove(cx, tx, &admin, ras.as_ref(), &name)
    })
    .await?;
    deps.cut_off.routes_changed().await;
    Ok(Removed::answer())
}
