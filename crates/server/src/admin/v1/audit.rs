//! `/admin/v1/audit`: the log: newest first, a complete export, the newest checkpoint.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::audit::event::{AuditEvent, Checkpoint};
use lanyard_core::audit::export::Export;
use lanyard_core::audit::trail;
use lanyard_core::clock::Timestamp;
use lanyard_core::directory::put as directory;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::StoreExt;
use lanyard_core::store::audit::AuditFilter;
use lanyard_core::store::page::PageRequest;
use serde::{Deserialize, Serialize};

use crate::admin::act::look;
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::Parameters;
use crate::admin::v1::view::PageView;

/// Sealed events in one chunk of an export.
const CHUNK: u32 = 1000;

/// Which events; every given field must match.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// Exact kind, or a prefix that ends in a dot.
    kind: Option<String>,
    /// A person by user name or id, under every name the log has for them; or one exact `issuer|sub`.
    subject: Option<String>,
    /// An OAuth client id.
    client_id: Option<String>,
    /// A request id, as told to a caller.
    request_id: Option<String>,
    /// `granted` or `denied`.
    outcome: Option<String>,
    /// At or after, RFC 3339.
    #[param(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// Before, RFC 3339.
    #[param(value_type = Option<String>)]
    until: Option<Timestamp>,
    /// The `next` of the page before.
    after: Option<String>,
    /// At most this many, 1 to 1000; 100 when left out.
    limit: Option<u32>,
}

/// An event and its place in the chain.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EventView {
    /// The gapless sequence, once sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i64>,
    /// The chain hash, once sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The event.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub event: AuditEvent,
}

/// Events, newest first.
#[utoipa::path(get, path = "/admin/v1/audit", params(AuditQuery), responses((status = 200, body = PageView<EventView>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Parameters(query): Parameters<AuditQuery>,
) -> Result<Json<PageView<EventView>>, ApiError> {
    let admin = caller.admin.clone();
    let (vault, deployment) = (Arc::clone(&deps.basis.vault), Arc::clone(&deps.deployment));
    let limit = query.limit.unwrap_or(100).clamp(1, PageRequest::MAX);
    let events = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        let page = PageRequest::new(query.after, limit);
        let filter = AuditFilter {
            kind: query.kind,
            subject: None,
            client_id: query.client_id,
            request_id: query.request_id,
            outcome: query.outcome,
            since: query.since,
            until: query.until,
        };
        // People know each other by user name; the log by ids.
        let Some(name) = query.subject else {
            return Ok(Outcome::Granted(tx.list_events(&filter, &page)?));
        };
        let subjects = match directory::find_user(tx, &name.to_lowercase())? {
            Some(user) => trail::subjects(tx, &vault, deployment.idp.as_ref(), deployment.ras.as_ref(), &user)?,
            None => vec![name],
        };
        Ok(Outcome::Granted(trail::events(tx, &subjects, &filter, &page)?))
    })
    .await?;
    let full = events.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = events.last().filter(|_| full).map(|event| event.position.to_string());
    let items = events.into_iter().map(|stored| {
        let (sequence, hash) = stored.seal.unzip();
        EventView {
            sequence,
            hash,
            event: stored.event,
        }
    });
    Ok(Json(PageView {
        items: items.collect(),
        next,
    }))
}

/// Where an export starts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportQuery {
    /// The first sequence; 1 when left out.
    from: Option<i64>,
}

/// The sealed log as JSON lines with its checkpoints and public keys, for `lanyard audit verify`.
#[utoipa::path(get, path = "/admin/v1/audit/export", params(ExportQuery),
    responses((status = 200, body = String, content_type = "application/x-ndjson")))]
pub(crate) async fn export(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Parameters(query): Parameters<ExportQuery>,
) -> Result<Response, ApiError> {
    let admin = caller.admin.clone();
    let first = query.from.unwrap_or(1).max(1);
    let (export, header) = look(&deps, &caller, move |cx, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        Ok(Outcome::Granted(Export::begin(tx, cx.now, first)?))
    })
    .await?;
    let store = deps.basis.store.clone();
    let rest = futures_util::stream::try_unfold((export, Some(header)), move |(mut export, header)| {
        let store = store.clone();
        async move {
            if let Some(header) = header {
                return Ok(Some((Bytes::from(header), (export, None))));
            }
            if export.is_done() {
                return Ok(None);
            }
            let (export, lines) = store
                .read(move |tx| {
                    let lines = export.chunk(tx, CHUNK)?;
                    Ok((export, lines))
                })
                .await?;
            Ok::<_, lanyard_core::store::StoreError>(Some((Bytes::from(lines), (export, None))))
        }
    });
    let mut response = Response::new(Body::from_stream(rest));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    crate::http::answer::no_store(response.headers_mut());
    Ok(response)
}

/// The newest signed checkpoint: keep it elsewhere, then rewriting before it can be found.
#[utoipa::path(get, path = "/admin/v1/audit/checkpoint", responses((status = 200, body = Object)))]
pub(crate) async fn checkpoint(State(deps): State<AdminDeps>, caller: Caller) -> Result<Json<Checkpoint>, ApiError> {
    let admin = caller.admin.clone();
    let found = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        Ok(match tx.last_checkpoint()? {
            Some(checkpoint) => Outcome::Granted(checkpoint),
            None => Outcome::Denied(AdminDenial::NotFound {
                what: "checkpoint",
                name: "yet".to_owned(),
            }),
        })
    })
    .await?;
    Ok(Json(found))
}
