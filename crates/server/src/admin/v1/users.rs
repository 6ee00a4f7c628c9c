//! `/admin/v1/users`: people.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lanyard_core::account::programs::remove_key_at_ras;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::spec::UserSpec;
use lanyard_core::admin::token::Admin;
use lanyard_core::clock::Timestamp;
use lanyard_core::directory::user::User;
use lanyard_core::directory::{provision, put as directory};
use lanyard_core::idp::native_key;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::page::Page;
use lanyard_core::store::{StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::admin::act::{change, cut, look, may, refuse, run};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Parameters, Segments};
use crate::admin::passwords;
use crate::admin::v1::view::{PageQuery, PageView, RecordView, Removed, Written};
use crate::unit::Room;

/// A new password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// Long enough, and no well-known one: docs/sign-in.md has the rules.
    pub password: String,
}

/// What a cut-off ended.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CutOffView {
    /// The person as it stands now.
    #[serde(flatten)]
    pub user: RecordView<UserSpec>,
    /// Sessions ended.
    pub sessions: u64,
    /// Refresh token families ended.
    pub refresh_families: u64,
    /// Keys of native clients removed.
    pub keys: u64,
}

/// A key that the person enrolled.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EnrolledKeyView {
    /// The key id.
    pub kid: String,
    /// The name the person gave it.
    pub label: String,
    /// When it was enrolled.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When it stops being accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
}

fn view(tx: &mut dyn Tx, user: &User) -> Result<RecordView<UserSpec>, StoreError> {
    Ok(RecordView {
        id: Some(user.id.to_string()),
        document: UserSpec {
            username: user.username.clone(),
            display_name: Some(user.display_name.clone()),
            email: user.email.clone(),
            groups: Some(directory::group_names(tx, &user.id)?),
            active: Some(user.is_active()),
            password: None,
        },
        created_at: user.created_at,
        updated_at: user.updated_at,
    })
}

/// The person of the path, for whoever may see people.
pub(crate) fn found(
    tx: &mut dyn Tx,
    admin: &Admin,
    needed: Permission,
    key: String,
) -> Result<Result<User, AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, needed) {
        return Ok(Err(denial));
    }
    Ok(directory::find_user(tx, &key)?.ok_or(AdminDenial::NotFound {
        what: "user",
        name: key,
    }))
}

/// People by user name.
#[utoipa::path(get, path = "/admin/v1/users", params(PageQuery),
    responses((status = 200, body = PageView<RecordView<UserSpec>>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Json<PageView<RecordView<UserSpec>>>, ApiError> {
    let admin = caller.admin.clone();
    let page = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        let search = query.search.as_deref().map(str::to_lowercase);
        let page = tx.list_users(search.as_deref(), &query.page())?;
        let mut items = Vec::new();
        for user in &page.items {
            items.push(view(tx, user)?);
        }
        Ok(Outcome::Granted(Page { items, next: page.next }))
    })
    .await?;
    Ok(Json(PageView {
        items: page.items,
        next: page.next,
    }))
}

/// One person, by user name or id.
#[utoipa::path(get, path = "/admin/v1/users/{username}", responses((status = 200, body = RecordView<UserSpec>)))]
pub(crate) async fn show(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(username): Segments<String>,
) -> Result<Json<RecordView<UserSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let record = look(&deps, &caller, move |_, tx| {
        Ok(match found(tx, &admin, Permission::Read, username)? {
            Ok(user) => Outcome::Granted(view(tx, &user)?),
            Err(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    Ok(Json(record))
}

/// Makes or changes a person. A deactivation in it bites before the answer.
#[utoipa::path(put, path = "/admin/v1/users/{username}", request_body = UserSpec,
    responses((status = 200, body = Written<UserSpec>)))]
pub(crate) async fn put(
    State(deps): State<AdminDeps>,
    Segments(username): Segments<String>,
    Document(mut spec, caller): Document<UserSpec>,
) -> Result<Json<Written<UserSpec>>, ApiError> {
    may(&deps, &caller, Permission::Write).await?;
    let wanted = spec.password.take().map(|password| (spec.username.clone(), password));
    let hash = passwords::changed(&deps, &caller, wanted.into_iter().collect())
        .await?
        .into_values()
        .next();
    let admin = caller.admin.clone();
    let (vault, issuer) = (Arc::clone(&deps.basis.vault), deps.deployment.idp.clone());
    let cuts = spec.active == Some(false) || hash.is_some();
    let room = if spec.active == Some(false) {
        Room::Reserved
    } else {
        Room::Usual
    };
    let (record, change) = run(&deps, &caller, room, move |cx, tx| {
        if !spec.username.eq_ignore_ascii_case(&username) {
            let problem = format!("it must be {username}, as in the path");
            return Ok(Outcome::Denied(AdminDenial::invalid("username", problem)));
        }
        let put = directory::put_user(cx, tx, &vault, issuer.as_ref(), &admin, &spec, hash.as_deref())?;
        Ok(match put {
            Outcome::Granted((user, change)) => Outcome::Granted((view(tx, &user)?, change)),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    if cuts {
        deps.cut_off.complete().await;
    }
    Ok(Json(Written { change, record }))
}

/// Cuts a person off: the answer comes when nothing of theirs is accepted any more.
#[utoipa::path(post, path = "/admin/v1/users/{username}/deactivate", responses((status = 200, body = CutOffView)))]
pub(crate) async fn deactivate(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(username): Segments<String>,
) -> Result<Json<CutOffView>, ApiError> {
    end(&deps, &caller, username, Cut::Deactivate).await
}

/// Ends every session and token of a person, who may sign in again.
#[utoipa::path(post, path = "/admin/v1/users/{username}/sign-out", responses((status = 200, body = CutOffView)))]
pub(crate) async fn sign_out(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(username): Segments<String>,
) -> Result<Json<CutOffView>, ApiError> {
    end(&deps, &caller, username, Cut::SignOut).await
}

#[derive(Clone, Copy)]
enum Cut {
    Deactivate,
    SignOut,
}

async fn end(deps: &AdminDeps, caller: &Caller, username: String, how: Cut) -> Result<Json<CutOffView>, ApiError> {
    let admin = caller.admin.clone();
    let vault = Arc::clone(&deps.basis.vault);
    let Some(issuer) = deps.deployment.idp.clone() else {
        let denial = AdminDenial::invalid("username", "people are cut off where the issuer role runs");
        return Err(refuse(deps, caller, denial).await);
    };
    let shown = cut(deps, caller, move |cx, tx| {
        let user = match found(tx, &admin, Permission::Write, username)? {
            Ok(user) => user,
            Err(denial) => return Ok(Outcome::Denied(denial)),
        };
        let done = match how {
            Cut::Deactivate => provision::deactivate(cx, tx, &vault, &issuer, &admin, &user.id)?,
            Cut::SignOut => provision::end_access(cx, tx, &vault, &issuer, &admin, &user.id)?,
        };
        Ok(match done {
            Outcome::Granted(done) => Outcome::Granted(CutOffView {
                user: view(tx, &done.user)?,
                sessions: done.sessions,
                refresh_families: done.families,
                keys: done.keys,
            }),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    deps.cut_off.complete().await;
    Ok(Json(shown))
}

/// Lets a person sign in again. Nothing that was ended comes back.
#[utoipa::path(post, path = "/admin/v1/users/{username}/reactivate",
    responses((status = 200, body = RecordView<UserSpec>)))]
pub(crate) async fn reactivate(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(username): Segments<String>,
) -> Result<Json<RecordView<UserSpec>>, ApiError> {
    let admin = caller.admin.clone();
    let record = change(&deps, &caller, move |cx, tx| {
        let user = match found(tx, &admin, Permission::Write, username)? {
            Ok(user) => user,
            Err(denial) => return Ok(Outcome::Denied(denial)),
        };
        Ok(match provision::reactivate(cx, tx, &admin, &user.id)? {
            Outcome::Granted(user) => Outcome::Granted(view(tx, &user)?),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    Ok(Json(record))
}

/// Sets a new password and ends everything that the old one may have opened, before the answer.
#[utoipa::path(post, path = "/admin/v1/users/{username}/password", request_body = NewPassword,
    responses((status = 200, body = RecordView<UserSpec>)))]
pub(crate) async fn reset_password(
    State(deps): State<AdminDeps>,
    Segments(username): Segments<String>,
    Document(request, caller): Document<NewPassword>,
) -> Result<Json<RecordView<UserSpec>>, ApiError> {
    may(&deps, &caller, Permission::Write).await?;
    let hash = passwords::hashed(&deps, &caller, &username, request.password).await?;
    let admin = caller.admin.clone();
    let (vault, issuer) = (Arc::clone(&deps.basis.vault), deps.deployment.idp.clone());
    let record = cut(&deps, &caller, move |cx, tx| {
        let user = match found(tx, &admin, Permission::Write, username)? {
            Ok(user) => user,
            Err(denial) => return Ok(Outcome::Denied(denial)),
        };
        let ends = issuer.as_ref().map(|issuer| (&*vault, issuer));
        Ok(match provision::reset_password(cx, tx, ends, &admin, &user.id, hash)? {
            Outcome::Granted(user) => Outcome::Granted(view(tx, &user)?),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    deps.cut_off.complete().await;
    Ok(Json(record))
}

/// The keys that the person's native clients enrolled.
#[utoipa::path(get, path = "/admin/v1/users/{username}/keys",
    responses((status = 200, body = PageView<EnrolledKeyView>)))]
pub(crate) async fn keys(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(username): Segments<String>,
) -> Result<Json<PageView<EnrolledKeyView>>, ApiError> {
    let admin = caller.admin.clone();
    let keys = look(&deps, &caller, move |_, tx| {
        Ok(match found(tx, &admin, Permission::Read, username)? {
            Ok(user) => Outcome::Granted(tx.list_keys_held_by_user(&user.id)?),
            Err(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    let items = keys.into_iter().map(|key| EnrolledKeyView {
        kid: key.kid,
        label: key.label,
        created_at: key.created_at,
        expires_at: key.expires_at,
    });
    Ok(Json(PageView {
        items: items.collect(),
        next: None,
    }))
}

/// Removes an enrolled key: that machine cannot act for the person any more.
#[utoipa::path(delete, path = "/admin/v1/users/{username}/keys/{kid}", responses((status = 200, body = Removed)))]
pub(crate) async fn remove_key(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((username, kid)): Segments<(String, String)>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    let (vault, deployment) = (Arc::clone(&deps.basis.vault), Arc::clone(&deps.deployment));
    cut(&deps, &caller, move |cx, tx| {
        let user = match found(tx, &admin, Permission::Write, username)? {
            Ok(user) => user,
            Err(denial) => return Ok(Outcome::Denied(denial)),
        };
        let done = native_key::remove_by_admin(cx, tx, &admin, &user.id, &kid)?;
        if matches!(done, Outcome::Granted(())) {
            remove_key_at_ras(cx, tx, &vault, &deployment, admin.actor(), &user.id, &kid)?;
        }
        Ok(done)
    })
    .await?;
    Ok(Removed::answer())
}
