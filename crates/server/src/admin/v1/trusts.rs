//! `/admin/v1/trusts`: the issuers that our RAS trusts.

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::change::Change;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::spec::TrustSpec;
use lanyard_core::admin::trust;
use lanyard_core::id::TrustId;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, Tx};
use lanyard_core::trust::issuer::Trust;

use crate::admin::act::{cut, look, run};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Segments};
use crate::admin::v1::view::{PageView, RecordView, Removed, Written};
use crate::unit::Room;

fn view(tx: &mut dyn Tx, trust: &Trust) -> Result<RecordView<TrustSpec>, StoreError> {
    Ok(RecordView {
        id: Some(trust.id.to_string()),
        document: trust::describe(tx, trust)?,
        created_at: trust.created_at,
        updated_at: trust.updated_at,
    })
}

/// Every trust record.
#[utoipa::path(get, path = "/admin/v1/trusts", responses((status = 200, body = PageView<RecordView<TrustSpec>>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
) -> Result<Json<PageView<RecordView<TrustSpec>>>, ApiError> {
    let admin = caller.admin.clone();
    let items = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        let mut items = Vec::new();
        for trust in tx.list_trusts()? {
            items.push(view(tx, &trust)?);
        }
        Ok(Outcome::Granted(items))
    })
    .await?;
    Ok(Json(PageView { items, next: None }))
}

/// Makes or changes the record of an issuer (and tenant claim).
#[utoipa::path(put, path = "/admin/v1/trusts", request_body = TrustSpec,
    responses((status = 200, body = Written<TrustSpec>)))]
pub(crate) async fn put(
    State(deps): State<AdminDeps>,
    Document(spec, caller): Document<TrustSpec>,
) -> Result<Json<Written<TrustSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let ras = deps.deployment.ras.clone();
    let withdrawn = !spec.enabled;
    let room = if withdrawn { Room::Reserved } else { Room::Usual };
    let (record, change) = run(&deps, &caller, room, move |cx, tx| {
        Ok(match trust::put(cx, tx, &admin, ras.as_ref(), &spec)? {
            Outcome::Granted((trust, change)) => Outcome::Granted((view(tx, &trust)?, change)),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    // A record that allows less ends access too.
    if change == Change::Changed {
        deps.cut_off.complete().await;
    }
    Ok(Json(Written { change, record }))
}

/// Removes a record: the issuer is not trusted any more, and tokens that stood on its word are dead.
#[utoipa::path(delete, path = "/admin/v1/trusts/{id}", responses((status = 200, body = Removed)))]
pub(crate) async fn remove(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    let ras = deps.deployment.ras.clone();
    cut(&deps, &caller, move |cx, tx| match TrustId::parse(id.as_str()) {
        Ok(id) => trust::remove(cx, tx, &admin, ras.as_ref(), &id),
        Err(_) => Ok(Outcome::Denied(AdminDenial::NotFound {
            what: "trust",
            name: id,
        })),
    })
    .await?;
    deps.cut_off.complete().await;
    Ok(Removed::answer())
}
