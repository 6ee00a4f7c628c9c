//! `/admin/v1/groups`: groups and roles.

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::change::Change;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::spec::GroupSpec;
use lanyard_core::directory::group::Group;
use lanyard_core::directory::{membership, put as directory};
use lanyard_core::outcome::Outcome;
use lanyard_core::store::page::Page;
use serde::Serialize;

use crate::admin::act::{change, look};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Parameters, Segments};
use crate::admin::v1::view::{PageQuery, PageView, RecordView, Removed, Written};

/// A member of a group.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MemberView {
    /// The person's id.
    pub id: String,
    /// The user name.
    pub username: String,
    /// The name for people.
    pub display_name: String,
    /// Whether the person may sign in.
    pub active: bool,
}

fn view(group: &Group) -> RecordView<GroupSpec> {
    RecordView {
        id: Some(group.id.to_string()),
        document: GroupSpec {
            name: group.name.clone(),
            kind: group.kind,
        },
        created_at: group.created_at,
        updated_at: group.updated_at,
    }
}

/// Groups by name.
#[utoipa::path(get, path = "/admin/v1/groups", params(PageQuery),
    responses((status = 200, body = PageView<RecordView<GroupSpec>>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Json<PageView<RecordView<GroupSpec>>>, ApiError> {
    let admin = caller.admin.clone();
    let page = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        Ok(Outcome::Granted(tx.list_groups(&query.page())?))
    })
    .await?;
    Ok(Json(PageView {
        items: page.items.iter().map(view).collect(),
        next: page.next,
    }))
}

/// Makes or changes a group.
#[utoipa::path(put, path = "/admin/v1/groups/{name}", request_body = GroupSpec,
    responses((status = 200, body = Written<GroupSpec>)))]
pub(crate) async fn put(
    State(deps): State<AdminDeps>,
    Segments(name): Segments<String>,
    Document(spec, caller): Document<GroupSpec>,
) -> Result<Json<Written<GroupSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let (group, change) = change(&deps, &caller, move |cx, tx| {
        if spec.name != name {
            return Ok(Outcome::Denied(AdminDenial::invalid(
                "name",
                format!("it must be {name}, as in the path"),
            )));
        }
        directory::put_group(cx, tx, &admin, &spec)
    })
    .await?;
    Ok(Json(Written {
        change,
        record: view(&group),
    }))
}

/// Removes a group that no rule names.
#[utoipa::path(delete, path = "/admin/v1/groups/{name}", responses((status = 200, body = Removed)))]
pub(crate) async fn remove(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    change(&deps, &caller, move |cx, tx| {
        if let Err(denial) = require(&admin, Permission::Write) {
            return Ok(Outcome::Denied(denial));
        }
        match directory::find_group(tx, &name)? {
            Some(group) => membership::remove_group(cx, tx, &admin, &group.id),
            None => Ok(Outcome::Denied(AdminDenial::NotFound { what: "group", name })),
        }
    })
    .await?;
    Ok(Removed::answer())
}

/// The members of a group by user name.
#[utoipa::path(get, path = "/admin/v1/groups/{name}/members", params(PageQuery),
    responses((status = 200, body = PageView<MemberView>)))]
pub(crate) async fn members(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Json<PageView<MemberView>>, ApiError> {
    let admin = caller.admin.clone();
    let page = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        let Some(group) = directory::find_group(tx, &name)? else {
            return Ok(Outcome::Denied(AdminDenial::NotFound { what: "group", name }));
        };
        let Page { items, next } = tx.list_members(&group.id, &query.page())?;
        Ok(Outcome::Granted((items, next)))
    })
    .await?;
    let items = page.0.into_iter().map(|user| MemberView {
        id: user.id.to_string(),
        active: user.is_active(),
        username: user.username,
        display_name: user.display_name,
    });
    Ok(Json(PageView {
        items: items.collect(),
        next: page.1,
    }))
}

/// Whether a membership is new or was there.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Membership {
    /// Created, removed or unchanged.
    pub change: Change,
}

/// Puts a person into a group.
#[utoipa::path(put, path = "/admin/v1/groups/{name}/members/{username}",
    responses((status = 200, body = Membership)))]
pub(crate) async fn add_member(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((name, username)): Segments<(String, String)>,
) -> Result<Json<Membership>, ApiError> {
    set_member(&deps, &caller, name, username, Change::Created).await
}

/// Takes a person out of a group.
#[utoipa::path(delete, path = "/admin/v1/groups/{name}/members/{username}",
    responses((status = 200, body = Membership)))]
pub(crate) async fn remove_member(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((name, username)): Segments<(String, String)>,
) -> Result<Json<Membership>, ApiError> {
    set_member(&deps, &caller, name, username, Change::Removed).await
}

async fn set_member(
    deps: &AdminDeps,
    caller: &Caller,
    name: String,
    username: String,
    wanted: Change,
) -> Result<Json<Membership>, ApiError> {
    let admin = caller.admin.clone();
    let changed = change(deps, caller, move |cx, tx| {
        if let Err(denial) = require(&admin, Permission::Write) {
            return Ok(Outcome::Denied(denial));
        }
        let Some(group) = directory::find_group(tx, &name)? else {
            return Ok(Outcome::Denied(AdminDenial::NotFound { what: "group", name }));
        };
        let Some(user) = directory::find_user(tx, &username)? else {
            return Ok(Outcome::Denied(AdminDenial::NotFound {
                what: "user",
                name: username,
            }));
        };
        if wanted == Change::Removed {
            membership::remove_member(cx, tx, &admin, &group.id, &user.id)
        } else {
            membership::add_member(cx, tx, &admin, &group.id, &user.id)
        }
    })
    .await?;
    Ok(Json(Membership {
        change: if changed { wanted } else { Change::Unchanged },
    }))
}
