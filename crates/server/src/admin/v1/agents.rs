//! `/admin/v1/agents`: programs that act for people.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::agent::status::Act;
use lanyard_core::admin::agent::{self, Shown, keys, owners, status};
use lanyard_core::admin::change::Change;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::spec::{AgentKeySpec, AgentSpec};
use lanyard_core::client::registration::{ClientAuthMethod, RegisteredKey};
use lanyard_core::clock::Timestamp;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::page::Page;
use serde::Serialize;

use crate::admin::act::{change, cut, look, run};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Parameters, Segments};
use crate::admin::v1::view::{PageQuery, PageView, RecordView, Removed};
use crate::unit::Room;

/// An agent with its credentials and what to look at.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AgentView {
    /// The record.
    #[serde(flatten)]
    pub record: RecordView<AgentSpec>,
    /// What the server knows of it beside the document.
    pub standing: AgentStanding,
}

/// Credentials of an agent, and what to look at.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AgentStanding {
    /// It was suspended because the last active person who answered for it left.
    pub orphaned: bool,
    /// When somebody last confirmed that it is still needed as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub reviewed_at: Option<Timestamp>,
    /// How its client proves itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<&'static str>,
    /// The keys of its client.
    pub keys: Vec<AgentKeyView>,
    /// How many secrets its client has.
    pub secrets: usize,
    /// What an administrator should look at.
    pub warnings: Vec<String>,
}

/// A public key of an agent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AgentKeyView {
    /// The key id.
    pub kid: String,
    /// Where it is.
    pub label: String,
    /// When it was added.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// Its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
}

impl From<RegisteredKey> for AgentKeyView {
    fn from(key: RegisteredKey) -> Self {
        Self {
            kid: key.kid,
            label: key.label,
            created_at: key.created_at,
            expires_at: key.expires_at,
        }
    }
}

impl From<Shown> for AgentView {
    fn from(shown: Shown) -> Self {
        Self {
            record: RecordView {
                id: Some(shown.agent.id.to_string()),
                document: shown.document,
                created_at: shown.agent.created_at,
                updated_at: shown.agent.updated_at,
            },
            standing: AgentStanding {
                orphaned: shown.agent.orphaned,
                reviewed_at: shown.agent.reviewed_at,
                auth: shown.credentials.auth.map(ClientAuthMethod::as_str),
                keys: shown.credentials.keys.into_iter().map(AgentKeyView::from).collect(),
                secrets: shown.credentials.secrets.len(),
                warnings: shown.warnings,
            },
        }
    }
}

/// What an act on an agent did, and the agent as it stands now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AgentWritten {
    /// Created, changed or unchanged.
    pub change: Change,
    /// The agent.
    #[serde(flatten)]
    pub agent: AgentView,
}

/// Agents by name.
#[utoipa::path(get, path = "/admin/v1/agents", params(PageQuery),
    responses((status = 200, body = PageView<AgentView>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Json<PageView<AgentView>>, ApiError> {
    let admin = caller.admin.clone();
    let page = look(&deps, &caller, move |cx, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        let page = tx.list_agents(&query.page())?;
        let mut items = Vec::new();
        for record in page.items {
            items.push(AgentView::from(agent::shown(cx, tx, record)?));
        }
        Ok(Outcome::Granted(Page { items, next: page.next }))
    })
    .await?;
    Ok(Json(PageView {
        items: page.items,
        next: page.next,
    }))
}

/// One agent.
#[utoipa::path(get, path = "/admin/v1/agents/{name}", responses((status = 200, body = AgentView)))]
pub(crate) async fn show(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<AgentView>, ApiError> {
    let admin = caller.admin.clone();
    let shown = look(&deps, &caller, move |cx, tx| {
        Ok(match agent::show(cx, tx, &admin, &name)? {
            Outcome::Granted(shown) => Outcome::Granted(AgentView::from(shown)),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    Ok(Json(shown))
}

/// Makes or changes an agent. One that may not act any more is cut off before the answer.
#[utoipa::path(put, path = "/admin/v1/agents/{name}", request_body = AgentSpec,
    responses((status = 200, body = AgentWritten)))]
pub(crate) async fn put(
    State(deps): State<AdminDeps>,
    Segments(name): Segments<String>,
    Document(spec, caller): Document<AgentSpec>,
) -> Result<Json<AgentWritten>, ApiError> {
    let admin = caller.admin.clone();
    let written = run(&deps, &caller, Room::Usual, move |cx, tx| {
        if spec.name != name {
            let problem = format!("it must be {name}, as in the path");
            return Ok(Outcome::Denied(AdminDenial::invalid("name", problem)));
        }
        Ok(match agent::put(cx, tx, &admin, &spec)? {
            Outcome::Granted((record, change)) => Outcome::Granted(AgentWritten {
                change,
                agent: AgentView::from(agent::shown(cx, tx, record)?),
            }),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    deps.cut_off.complete().await;
    Ok(Json(written))
}

/// Removes an agent that does not act; its client is switched off.
#[utoipa::path(delete, path = "/admin/v1/agents/{name}", responses((status = 200, body = Removed)))]
pub(crate) async fn remove(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<Removed>, ApiError> {
    let (admin, deployment) = (caller.admin.clone(), Arc::clone(&deps.deployment));
    cut(&deps, &caller, move |cx, tx| {
        agent::remove(cx, tx, &admin, deployment.ras.as_ref(), &name)
    })
    .await?;
    deps.cut_off.complete().await;
    Ok(Removed::answer())
}

/// Approves a staged agent, or lets another one act again.
#[utoipa::path(post, path = "/admin/v1/agents/{name}/activate", responses((status = 200, body = AgentView)))]
pub(crate) async fn activate(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<AgentView>, ApiError> {
    act(&deps, &caller, name, Act::Activate).await
}

/// Takes an agent out of use, or turns a staged one down. What its client holds is dead before the answer.
#[utoipa::path(post, path = "/admin/v1/agents/{name}/deactivate", responses((status = 200, body = AgentView)))]
pub(crate) async fn deactivate(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<AgentView>, ApiError> {
    act(&deps, &caller, name, Act::Deactivate).await
}

/// Stops an agent. What its client holds is dead before the answer.
#[utoipa::path(post, path = "/admin/v1/agents/{name}/suspend", responses((status = 200, body = AgentView)))]
pub(crate) async fn suspend(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<AgentView>, ApiError> {
    act(&deps, &caller, name, Act::Suspend).await
}

/// Confirms that an agent is still needed as it is.
#[utoipa::path(post, path = "/admin/v1/agents/{name}/review", responses((status = 200, body = AgentView)))]
pub(crate) async fn review(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<AgentView>, ApiError> {
    act(&deps, &caller, name, Act::Review).await
}

async fn act(deps: &AdminDeps, caller: &Caller, name: String, what: Act) -> Result<Json<AgentView>, ApiError> {
    let admin = caller.admin.clone();
    let shown = cut(deps, caller, move |cx, tx| {
        Ok(match status::act(cx, tx, &admin, &name, what)? {
            Outcome::Granted(record) => Outcome::Granted(AgentView::from(agent::shown(cx, tx, record)?)),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    deps.cut_off.complete().await;
    Ok(Json(shown))
}

/// Whether something changed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OwnerChange {
    /// Changed or unchanged.
    pub change: Change,
}

/// Adds somebody who answers for an agent.
#[utoipa::path(put, path = "/admin/v1/agents/{name}/owners/{username}",
    responses((status = 200, body = OwnerChange)))]
pub(crate) async fn add_owner(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((name, username)): Segments<(String, String)>,
) -> Result<Json<OwnerChange>, ApiError> {
    let admin = caller.admin.clone();
    let change = change(&deps, &caller, move |cx, tx| {
        owners::add(cx, tx, &admin, &name, &username)
    })
    .await?;
    Ok(Json(OwnerChange { change }))
}

/// Takes somebody out who answers for an agent. The last active one stays.
#[utoipa::path(delete, path = "/admin/v1/agents/{name}/owners/{username}",
    responses((status = 200, body = OwnerChange)))]
pub(crate) async fn remove_owner(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((name, username)): Segments<(String, String)>,
) -> Result<Json<OwnerChange>, ApiError> {
    let admin = caller.admin.clone();
    let change = change(&deps, &caller, move |cx, tx| {
        owners::remove(cx, tx, &admin, &name, &username)
    })
    .await?;
    Ok(Json(OwnerChange { change }))
}

/// Adds a public key beside the ones that the agent has: rotation with overlap.
#[utoipa::path(post, path = "/admin/v1/agents/{name}/keys", request_body = AgentKeySpec,
    responses((status = 200, body = AgentKeyView)))]
pub(crate) async fn add_key(
    State(deps): State<AdminDeps>,
    Segments(name): Segments<String>,
    Document(spec, caller): Document<AgentKeySpec>,
) -> Result<Json<AgentKeyView>, ApiError> {
    let admin = caller.admin.clone();
    let key = change(&deps, &caller, move |cx, tx| keys::add(cx, tx, &admin, &name, &spec)).await?;
    Ok(Json(AgentKeyView::from(key)))
}

/// Removes a key: nothing signed with it is accepted any more.
#[utoipa::path(delete, path = "/admin/v1/agents/{name}/keys/{kid}", responses((status = 200, body = Removed)))]
pub(crate) async fn remove_key(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((name, kid)): Segments<(String, String)>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    cut(&deps, &caller, move |cx, tx| keys::remove(cx, tx, &admin, &name, &kid)).await?;
    Ok(Removed::answer())
}
