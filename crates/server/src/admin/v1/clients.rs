//! `/admin/v1/clients`: OAuth clients of both sides.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::spec::ClientSpec;
use lanyard_core::admin::{agent, client};
use lanyard_core::client::registration::{Client, Side};
use lanyard_core::outcome::Outcome;
use lanyard_core::store::page::Page;
use lanyard_core::store::{StoreError, Tx};
use lanyard_protocol::client_id::ClientId;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::admin::act::{change, cut, look, run};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Parameters, Segments};
use crate::admin::v1::view::{PageQuery, PageView, RecordView, Written};
use crate::unit::Room;

/// A generated secret; shown once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct NewSecret {
    /// The secret.
    pub client_secret: String,
}

/// How a secret is added.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AddSecret {
    /// The older secrets stop being accepted after this many seconds; without it they stay (two at most).
    pub retire_others_after_seconds: Option<u64>,
}

fn view(tx: &mut dyn Tx, client: &Client) -> Result<RecordView<ClientSpec>, StoreError> {
    Ok(RecordView {
        id: Some(client.key.to_string()),
        document: client::describe(tx, client)?,
        created_at: client.created_at,
        updated_at: client.updated_at,
    })
}

fn named(side: &str, client_id: &str) -> Result<(Side, ClientId), AdminDenial> {
    let side = match side {
        "idp" => Side::Idp,
        "ras" => Side::Ras,
        _ => return Err(AdminDenial::invalid("side", "idp or ras")),
    };
    let client_id = ClientId::parse(client_id).map_err(|e| AdminDenial::invalid("client_id", e.to_string()))?;
    Ok((side, client_id))
}

/// Clients of one side or both.
#[utoipa::path(get, path = "/admin/v1/clients", params(PageQuery),
    responses((status = 200, body = PageView<RecordView<ClientSpec>>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Json<PageView<RecordView<ClientSpec>>>, ApiError> {
    let admin = caller.admin.clone();
    let page = look(&deps, &caller, move |_, tx| {
        let side = match query.side.as_deref() {
            None => Ok(None),
            Some("idp") => Ok(Some(Side::Idp)),
            Some("ras") => Ok(Some(Side::Ras)),
            Some(_) => Err(AdminDenial::invalid("side", "idp or ras")),
        };
        let side = match require(&admin, Permission::Read).and(side) {
            Ok(side) => side,
            Err(denial) => return Ok(Outcome::Denied(denial)),
        };
        let unregistered = query.unregistered == Some(true);
        let page = if unregistered {
            tx.list_unregistered_clients(&query.page())?
        } else {
            tx.list_clients(side, &query.page())?
        };
        let mut items = Vec::new();
        for client in page
            .items
            .iter()
            .filter(|client| !unregistered || agent::is_unregistered(client))
        {
            items.push(view(tx, client)?);
        }
        Ok(Outcome::Granted(Page { items, next: page.next }))
    })
    .await?;
    Ok(Json(PageView {
        items: page.items,
        next: page.next,
    }))
}

/// One client.
#[utoipa::path(get, path = "/admin/v1/clients/{side}/{client_id}",
    responses((status = 200, body = RecordView<ClientSpec>)))]
pub(crate) async fn show(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((side, client_id)): Segments<(String, String)>,
) -> Result<Json<RecordView<ClientSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let record = look(&deps, &caller, move |_, tx| {
        let (side, id) = match require(&admin, Permission::Read).and_then(|()| named(&side, &client_id)) {
            Ok(named) => named,
            Err(denial) => return Ok(Outcome::Denied(denial)),
        };
        Ok(match tx.find_client(side, &id)? {
            Some(client) => Outcome::Granted(view(tx, &client)?),
            None => Outcome::Denied(AdminDenial::NotFound {
                what: "client",
                name: client_id,
            }),
        })
    })
    .await?;
    Ok(Json(record))
}

/// Makes or changes a client. Switching it off bites before the answer.
#[utoipa::path(put, path = "/admin/v1/clients/{side}/{client_id}", request_body = ClientSpec,
    responses((status = 200, body = Written<ClientSpec>)))]
pub(crate) async fn put(
    State(deps): State<AdminDeps>,
    Segments((side, client_id)): Segments<(String, String)>,
    Document(spec, caller): Document<ClientSpec>,
) -> Result<Json<Written<ClientSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let vault = Arc::clone(&deps.basis.vault);
    let ras = deps.deployment.ras.clone();
    let switched_off = !spec.enabled;
    let room = if switched_off { Room::Reserved } else { Room::Usual };
    let (record, change) = run(&deps, &caller, room, move |cx, tx| {
        if spec.side.as_str() != side || spec.client_id != client_id {
            let problem = "side and client_id must be those of the path";
            return Ok(Outcome::Denied(AdminDenial::invalid("client_id", problem)));
        }
        Ok(match client::put(cx, tx, &vault, &admin, ras.as_ref(), &spec)? {
            Outcome::Granted((client, change)) => Outcome::Granted((view(tx, &client)?, change)),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    if switched_off {
        deps.cut_off.complete().await;
    }
    Ok(Json(Written { change, record }))
}

/// Switches a client off: nothing is issued to it, nothing of it is accepted, its tokens are dead.
#[utoipa::path(post, path = "/admin/v1/clients/{side}/{client_id}/disable",
    responses((status = 200, body = Written<ClientSpec>)))]
pub(crate) async fn disable(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((side, client_id)): Segments<(String, String)>,
) -> Result<Json<Written<ClientSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let vault = Arc::clone(&deps.basis.vault);
    let ras = deps.deployment.ras.clone();
    let (record, change) = cut(&deps, &caller, move |cx, tx| {
        let (side, id) = match named(&side, &client_id) {
            Ok(named) => named,
            Err(denial) => return Ok(Outcome::Denied(denial)),
        };
        // Who may not ask does not learn what there is.
        if let Err(denial) = require(&admin, Permission::Write) {
            return Ok(Outcome::Denied(denial));
        }
        let Some(client) = tx.find_client(side, &id)? else {
            return Ok(Outcome::Denied(AdminDenial::NotFound {
                what: "client",
                name: client_id,
            }));
        };
        let spec = ClientSpec {
            enabled: false,
            jwks: None,
            ..client::describe(tx, &client)?
        };
        Ok(match client::put(cx, tx, &vault, &admin, ras.as_ref(), &spec)? {
            Outcome::Granted((client, change)) => Outcome::Granted((view(tx, &client)?, change)),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    deps.cut_off.complete().await;
    Ok(Json(Written { change, record }))
}

/// Makes a new secret beside the old one: rotation with overlap.
#[utoipa::path(post, path = "/admin/v1/clients/{side}/{client_id}/secrets", request_body = AddSecret,
    responses((status = 200, body = NewSecret)))]
pub(crate) async fn add_secret(
    State(deps): State<AdminDeps>,
    Segments((side, client_id)): Segments<(String, String)>,
    Document(request, caller): Document<AddSecret>,
) -> Result<Json<NewSecret>, ApiError> {
    let admin = caller.admin.clone();
    let secret = change(&deps, &caller, move |cx, tx| {
        let (side, id) = match named(&side, &client_id) {
            Ok(named) => named,
            Err(denial) => return Ok(Outcome::Denied(denial)),
        };
        let until = request
            .retire_others_after_seconds
            .map(|seconds| cx.now.plus(Duration::from_secs(seconds)));
        client::add_secret(cx, tx, &admin, (side, &id), until)
    })
    .await?;
    Ok(Json(NewSecret {
        client_secret: secret.expose_secret().to_owned(),
    }))
}
