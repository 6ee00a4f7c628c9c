//! `/admin/v1/rules`: who may reach what.

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::rule;
use lanyard_core::admin::spec::RuleSpec;
use lanyard_core::id::RuleId;
use lanyard_core::outcome::Outcome;
use lanyard_core::policy::rule::Rule;
use lanyard_core::store::{StoreError, Tx};

use crate::admin::act::{change, look};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Segments};
use crate::admin::v1::view::{PageView, RecordView, Removed, Written};

fn view(tx: &mut dyn Tx, rule: &Rule) -> Result<RecordView<RuleSpec>, StoreError> {
    Ok(RecordView {
        id: Some(rule.id.to_string()),
        document: rule::describe(tx, rule)?,
        created_at: rule.created_at,
        updated_at: rule.updated_at,
    })
}

/// Every rule.
#[utoipa::path(get, path = "/admin/v1/rules", responses((status = 200, body = PageView<RecordView<RuleSpec>>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
) -> Result<Json<PageView<RecordView<RuleSpec>>>, ApiError> {
    let admin = caller.admin.clone();
    let items = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        let mut items = Vec::new();
        for rule in tx.list_rules()? {
            items.push(view(tx, &rule)?);
        }
        Ok(Outcome::Granted(items))
    })
    .await?;
    Ok(Json(PageView { items, next: None }))
}

/// Makes or changes the rule of a title.
#[utoipa::path(put, path = "/admin/v1/rules", request_body = RuleSpec,
    responses((status = 200, body = Written<RuleSpec>)))]
pub(crate) async fn put(
    State(deps): State<AdminDeps>,
    Document(spec, caller): Document<RuleSpec>,
) -> Result<Json<Written<RuleSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let (record, change) = change(&deps, &caller, move |cx, tx| {
        Ok(match rule::put(cx, tx, &admin, &spec)? {
            Outcome::Granted((rule, change)) => Outcome::Granted((view(tx, &rule)?, change)),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    Ok(Json(Written { change, record }))
}

/// Removes a rule.
#[utoipa::path(delete, path = "/admin/v1/rules/{id}", responses((status = 200, body = Removed)))]
pub(crate) async fn remove(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    change(&deps, &caller, move |cx, tx| match RuleId::parse(id.as_str()) {
        Ok(id) => rule::remove(cx, tx, &admin, &id),
        Err(_) => Ok(Outcome::Denied(AdminDenial::NotFound { what: "rule", name: id })),
    })
    .await?;
    Ok(Removed::answer())
}
