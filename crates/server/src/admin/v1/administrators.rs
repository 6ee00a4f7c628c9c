//! `/admin/v1/administrators`: who has which role.

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::administrators::{self, Shown};
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::spec::AdministratorSpec;
use lanyard_core::outcome::Outcome;
use serde::Serialize;

use crate::admin::act::{change, look};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Segments};
use crate::admin::v1::view::{PageView, RecordView, Removed, Written};

/// A role that is given, and who acts by it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AdministratorView {
    /// The grant.
    #[serde(flatten)]
    pub record: RecordView<AdministratorSpec>,
    /// The person, or those of the group, at most a thousand.
    pub people: Vec<ActingPerson>,
}

/// A person who acts by a role.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ActingPerson {
    /// The person's id.
    pub id: String,
    /// The user name.
    pub username: String,
    /// Whether the person may sign in: without that the role is of no use to them.
    pub active: bool,
}

impl From<Shown> for AdministratorView {
    fn from(shown: Shown) -> Self {
        let people = shown.people.into_iter().map(|user| ActingPerson {
            id: user.id.to_string(),
            active: user.is_active(),
            username: user.username,
        });
        Self {
            record: RecordView {
                id: Some(shown.grant.holder.as_str().to_owned()),
                document: shown.document,
                created_at: shown.grant.created_at,
                updated_at: shown.grant.updated_at,
            },
            people: people.collect(),
        }
    }
}

/// Every role that is given.
#[utoipa::path(get, path = "/admin/v1/administrators", responses((status = 200, body = PageView<AdministratorView>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
) -> Result<Json<PageView<AdministratorView>>, ApiError> {
    let admin = caller.admin.clone();
    let shown = look(&deps, &caller, move |_, tx| administrators::list(tx, &admin)).await?;
    let items = shown.into_iter().map(AdministratorView::from).collect();
    Ok(Json(PageView { items, next: None }))
}

/// Gives a role to a person or a group, or another one than before.
#[utoipa::path(put, path = "/admin/v1/administrators", request_body = AdministratorSpec,
    responses((status = 200, body = Written<AdministratorSpec>)))]
pub(crate) async fn put(
    State(deps): State<AdminDeps>,
    Document(spec, caller): Document<AdministratorSpec>,
) -> Result<Json<Written<AdministratorSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let written = change(&deps, &caller, move |cx, tx| {
        Ok(match administrators::put(cx, tx, &admin, &spec)? {
            Outcome::Granted((grant, change)) => Outcome::Granted(Written {
                change,
                record: RecordView {
                    id: Some(grant.holder.as_str().to_owned()),
                    document: administrators::describe(tx, &grant)?,
                    created_at: grant.created_at,
                    updated_at: grant.updated_at,
                },
            }),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    Ok(Json(written))
}

/// Takes a role back. Whoever acted by it is refused at the next request.
#[utoipa::path(delete, path = "/admin/v1/administrators/{kind}/{name}", responses((status = 200, body = Removed)))]
pub(crate) async fn remove(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((kind, name)): Segments<(String, String)>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    change(&deps, &caller, move |cx, tx| match kind.as_str() {
        "people" => administrators::remove(cx, tx, &admin, Some(&name), None),
        "groups" => administrators::remove(cx, tx, &admin, None, Some(&name)),
        _ => Ok(Outcome::Denied(AdminDenial::invalid("kind", "people or groups"))),
    })
    .await?;
    Ok(Removed::answer())
}
