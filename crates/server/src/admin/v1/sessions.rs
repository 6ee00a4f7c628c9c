//! `/admin/v1/users/{username}/sessions`: where a person is signed in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::Permission;
use lanyard_core::admin::session as service;
use lanyard_core::clock::Timestamp;
use lanyard_core::id::SessionId;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::record::Session;
use lanyard_core::session::strength::Strength;
use lanyard_protocol::issuer::Issuer;
use serde::Serialize;

use crate::admin::act::{cut, look, refuse};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Parameters, Segments};
use crate::admin::v1::users::found;
use crate::admin::v1::view::{PageQuery, PageView, Removed};

/// A browser in which a person signed in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionView {
    /// The `sid` of its ID tokens.
    pub id: String,
    /// Whether it has not ended and is not past its absolute end.
    pub live: bool,
    /// When the person proved who they are; absent where the identity provider did not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub auth_time: Option<Timestamp>,
    /// How strongly.
    pub strength: Strength,
    /// Authentication context class, as whoever authenticated the person named it.
    pub acr: String,
    /// Methods (RFC 8176).
    pub amr: Vec<String>,
    /// The identity provider that authenticated the person; absent for the built-in directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The browser in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The address it began from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// When it began.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = String)]
    pub last_used_at: Timestamp,
    /// Its absolute end.
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
    /// When it was ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub ended_at: Option<Timestamp>,
}

/// How many sessions ended.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionsEnded {
    /// How many were open.
    pub ended: u64,
}

fn view(session: Session, now: Timestamp) -> SessionView {
    SessionView {
        live: session.ended_at.is_none() && now < session.expires_at,
        id: session.id.to_string(),
        auth_time: session.authentication.known_time(),
        strength: session.authentication.strength,
        acr: session.authentication.acr,
        amr: session.authentication.amr,
        connection: session.connection.map(|connection| connection.to_string()),
        agent: session.agent,
        peer: session.peer,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
        ended_at: session.ended_at,
    }
}

/// A person's sessions, newest first; ended ones for about a day.
#[utoipa::path(get, path = "/admin/v1/users/{username}/sessions", params(PageQuery),
    responses((status = 200, body = PageView<SessionView>)))]
pub(crate) async fn sessions(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(username): Segments<String>,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Json<PageView<SessionView>>, ApiError> {
    let admin = caller.admin.clone();
    let page = look(&deps, &caller, move |_, tx| {
        Ok(match found(tx, &admin, Permission::Read, username)? {
            Ok(user) => service::list(tx, &admin, &user.id, &query.page())?,
            Err(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    let now = caller.cx.now;
    Ok(Json(PageView {
        items: page.items.into_iter().map(|session| view(session, now)).collect(),
        next: page.next,
    }))
}

/// Ends one session, with everything that was issued in it: the answer comes when nothing of it is accepted any more.
#[utoipa::path(delete, path = "/admin/v1/users/{username}/sessions/{id}", responses((status = 200, body = Removed)))]
pub(crate) async fn end_session(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((username, id)): Segments<(String, String)>,
) -> Result<Json<Removed>, ApiError> {
    let issuer = issuer(&deps, &caller).await?;
    let (admin, vault) = (caller.admin.clone(), Arc::clone(&deps.basis.vault));
    cut(&deps, &caller, move |cx, tx| {
        let user = match found(tx, &admin, Permission::Write, username)? {
            Ok(user) => user,
            Err(denial) => return Ok(Outcome::Denied(denial)),
        };
        let Ok(session) = SessionId::parse(id.as_str()) else {
            return Ok(Outcome::Denied(service::not_theirs(&id)));
        };
        service::end_one(cx, tx, &vault, &issuer, &admin, (&user.id, &session))
    })
    .await?;
    deps.cut_off.complete().await;
    Ok(Removed::answer())
}

/// Ends every session of a person, who may sign in again; keys of their machines stay.
#[utoipa::path(delete, path = "/admin/v1/users/{username}/sessions",
    responses((status = 200, body = SessionsEnded)))]
pub(crate) async fn end_sessions(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(username): Segments<String>,
) -> Result<Json<SessionsEnded>, ApiError> {
    let issuer = issuer(&deps, &caller).await?;
    let (admin, vault) = (caller.admin.clone(), Arc::clone(&deps.basis.vault));
    let ended = cut(&deps, &caller, move |cx, tx| {
        Ok(match found(tx, &admin, Permission::Write, username)? {
            Ok(user) => service::end_all(cx, tx, &vault, &issuer, &admin, &user.id)?,
            Err(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    deps.cut_off.complete().await;
    Ok(Json(SessionsEnded { ended }))
}

async fn issuer(deps: &AdminDeps, caller: &Caller) -> Result<Issuer, ApiError> {
    match &deps.deployment.idp {
        Some(issuer) => Ok(issuer.clone()),
        None => {
            let denial = AdminDenial::invalid("username", "sessions are ended where the issuer role runs");
            Err(refuse(deps, caller, denial).await)
        }
    }
}
