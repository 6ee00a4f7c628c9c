//! `POST /admin/v1/apply`: a whole organisation in one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::apply::{self, Applied};
use lanyard_core::admin::change::Change;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::spec::Organisation;
use serde::Serialize;

use crate::admin::act::{LargeDocument, refused, rolled_back_if_denied};
use crate::admin::deps::AdminDeps;
use crate::admin::error::ApiError;

/// What was applied.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ApplyReport {
    /// New records.
    pub created: usize,
    /// Changed records.
    pub changed: usize,
    /// Records that were as wanted already.
    pub unchanged: usize,
    /// Every record that is new or different.
    pub records: Vec<Applied>,
}

/// Applies a document: everything or nothing.
#[utoipa::path(post, path = "/admin/v1/apply", request_body = Organisation,
    responses((status = 200, body = ApplyReport), (status = 422, body = crate::admin::error::ApiErrorBody)))]
pub(crate) async fn apply(
    State(deps): State<AdminDeps>,
    LargeDocument(mut organisation, caller): LargeDocument<Organisation>,
) -> Result<Json<ApplyReport>, ApiError> {
    // A caller who may not write does not make us hash.
    if let Err(denial) = require(&caller.admin, Permission::Write) {
        refused(&deps, &caller, &denial, denial.to_string()).await?;
        return Err(ApiError::denied(&caller.cx, &denial));
    }
    let mut hashes = HashMap::new();
    for user in &mut organisation.users {
        if let Some(password) = user.password.take() {
            let hash = deps.passwords.hash(password).await.map_err(|e| ApiError::broken(&caller.cx, &e.to_string()))?;
            hashes.insert(user.username.to_lowercase(), hash);
        }
    }
    let admin = caller.admin.clone();
    let (vault, deployment) = (Arc::clone(&deps.basis.vault), Arc::clone(&deps.deployment));
    let clients_off: Vec<String> =
        organisation.clients.iter().filter(|spec| !spec.enabled).map(|spec| spec.client_id.clone()).collect();
    let end = rolled_back_if_denied(&deps, &caller, move |cx, tx| {
        apply::apply(cx, tx, &vault, &admin, &deployment, &organisation, &hashes)
    })
    .await?;
    match end {
        Ok(applied) => {
            // People may have been deactivated, clients switched off: the answer waits until that bites.
            let cuts = applied.iter().any(|one| one.what == "user" && one.change == Change::Changed);
            if cuts || !clients_off.is_empty() {
                deps.cut_off.settle(&caller.cx).await;
            }
            Ok(Json(report(applied)))
        }
        Err(denial) => {
            refused(&deps, &caller, &denial.denial, denial.to_string()).await?;
            Err(ApiError::not_applied(&caller.cx, &denial))
        }
    }
}

fn report(applied: Vec<Applied>) -> ApplyReport {
    let count = |change: Change| applied.iter().filter(|one| one.change == change).count();
    ApplyReport {
        created: count(Change::Created),
        changed: count(Change::Changed),
        unchanged: count(Change::Unchanged),
        records: applied.iter().filter(|one| one.change != Change::Unchanged).cloned().collect(),
    }
}

