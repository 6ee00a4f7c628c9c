//! `POST /admin/v1/apply`: a whole organisation in one transaction.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::apply::{self, Applied};
use lanyard_core::admin::change::Change;
use lanyard_core::admin::permission::Permission;
use lanyard_core::admin::spec::Organisation;
use serde::Serialize;

use crate::admin::act::{may, refused, rolled_back_if_denied};
use crate::admin::deps::AdminDeps;
use crate::admin::error::ApiError;
use crate::admin::extract::LargeDocument;
use crate::admin::passwords;
use crate::admin::saml::check_certificates;
use crate::unit::Room;

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
    may(&deps, &caller, Permission::Write).await?;
    for provider in &organisation.identity_providers {
        if let Err(denial) = check_certificates(provider) {
            let why = format!("identity provider {}: {denial}", provider.name);
            refused(&deps, &caller, &denial, why).await?;
            return Err(ApiError::denied(&caller.cx, &denial));
        }
    }
    let wanted = organisation.users.iter_mut().filter_map(|user| {
        let username = user.username.clone();
        user.password.take().map(|password| (username, password))
    });
    let hashes = passwords::changed(&deps, &caller, wanted.collect()).await?;
    let admin = caller.admin.clone();
    let (vault, deployment) = (Arc::clone(&deps.basis.vault), Arc::clone(&deps.deployment));
    let end = rolled_back_if_denied(&deps, &caller, Room::Usual, move |cx, tx| {
        apply::apply(cx, tx, &vault, &admin, &deployment, &organisation, &hashes)
    })
    .await?;
    match end {
        Ok(applied) => {
            // People may have been deactivated, clients or issuers switched off, agents stopped: the answer waits until that bites.
            if changed(&applied, &["user", "client", "agent", "trust"]) {
                deps.cut_off.complete().await;
            }
            if changed(&applied, &["connector"]) {
                deps.cut_off.routes_changed().await;
            }
            Ok(Json(report(applied)))
        }
        Err(denial) => {
            refused(&deps, &caller, &denial.denial, denial.to_string()).await?;
            Err(ApiError::not_applied(&caller.cx, &denial))
        }
    }
}

fn changed(applied: &[Applied], kinds: &[&str]) -> bool {
    applied
        .iter()
        .any(|one| one.change != Change::Unchanged && kinds.contains(&one.what))
}

fn report(applied: Vec<Applied>) -> ApplyReport {
    let count = |change: Change| applied.iter().filter(|one| one.change == change).count();
    ApplyReport {
        created: count(Change::Created),
        changed: count(Change::Changed),
        unchanged: count(Change::Unchanged),
        records: applied
            .iter()
            .filter(|one| one.change != Change::Unchanged)
            .cloned()
            .collect(),
    }
}
