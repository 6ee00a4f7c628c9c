//! `/admin/v1/directories`: provisioning clients (SCIM) and their tokens.

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::spec::DirectorySpec;
use lanyard_core::clock::Timestamp;
use lanyard_core::id::DirectoryTokenId;
use lanyard_core::outcome::Outcome;
use lanyard_core::scim::directory::{Directory, DirectoryToken};
use lanyard_core::scim::{directories, tokens};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::admin::act::{change, look};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Segments};
use crate::admin::v1::view::{PageView, RecordView, Removed, Written};
use crate::scim;

/// A directory and where it provisions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DirectoryView {
    /// The record.
    #[serde(flatten)]
    pub record: RecordView<DirectorySpec>,
    /// The base URL to give to the provisioning client; absent where no issuer runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A token without itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DirectoryTokenView {
    /// Its id.
    pub id: String,
    /// For people.
    pub name: String,
    /// When it was made.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When it stops being accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub revoked_at: Option<Timestamp>,
    /// When it was last accepted, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub last_used_at: Option<Timestamp>,
    /// The token itself, in the answer to its making only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl DirectoryTokenView {
    fn of(token: DirectoryToken, secret: Option<String>) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name,
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            last_used_at: token.last_used_at,
            token: secret,
        }
    }
}

/// A token to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectoryTokenSpec {
    /// For people.
    pub name: String,
    /// When it stops being accepted, RFC 3339.
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
}

fn record(directory: &Directory) -> RecordView<DirectorySpec> {
    RecordView {
        id: Some(directory.id.to_string()),
        document: DirectorySpec::of(directory),
        created_at: directory.created_at,
        updated_at: directory.updated_at,
    }
}

/// Every directory, by name, with the URL that its client provisions to.
#[utoipa::path(get, path = "/admin/v1/directories", responses((status = 200, body = PageView<DirectoryView>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
) -> Result<Json<PageView<DirectoryView>>, ApiError> {
    let admin = caller.admin.clone();
    let all = look(&deps, &caller, move |_, tx| directories::list(tx, &admin)).await?;
    let url = deps.deployment.idp.as_ref().map(|issuer| issuer.endpoint(scim::PATH));
    let items = all.iter().map(|directory| DirectoryView {
        record: record(directory),
        url: url.clone(),
    });
    Ok(Json(PageView {
        items: items.collect(),
        next: None,
    }))
}

/// Makes or changes the directory that the document names.
#[utoipa::path(put, path = "/admin/v1/directories", request_body = DirectorySpec,
    responses((status = 200, body = Written<DirectorySpec>)))]
pub(crate) async fn put(
    State(deps): State<AdminDeps>,
    Document(spec, caller): Document<DirectorySpec>,
) -> Result<Json<Written<DirectorySpec>>, ApiError> {
    let admin = caller.admin.clone();
    let (directory, change) = change(&deps, &caller, move |cx, tx| directories::put(cx, tx, &admin, &spec)).await?;
    Ok(Json(Written {
        change,
        record: record(&directory),
    }))
}

/// Removes a directory and its tokens. Its people and groups stay and are the administrator's.
#[utoipa::path(delete, path = "/admin/v1/directories/{name}", responses((status = 200, body = Removed)))]
pub(crate) async fn remove(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    change(&deps, &caller, move |cx, tx| directories::remove(cx, tx, &admin, &name)).await?;
    Ok(Removed::answer())
}

/// The tokens of a directory.
#[utoipa::path(get, path = "/admin/v1/directories/{name}/tokens",
    responses((status = 200, body = PageView<DirectoryTokenView>)))]
pub(crate) async fn tokens(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<PageView<DirectoryTokenView>>, ApiError> {
    let admin = caller.admin.clone();
    let all = look(&deps, &caller, move |_, tx| tokens::list(tx, &admin, &name)).await?;
    let items = all.into_iter().map(|token| DirectoryTokenView::of(token, None));
    Ok(Json(PageView {
        items: items.collect(),
        next: None,
    }))
}

/// Makes a token for a directory; it is shown once. Others stay live, so that one can be replaced without a gap.
#[utoipa::path(post, path = "/admin/v1/directories/{name}/tokens", request_body = DirectoryTokenSpec,
    responses((status = 200, body = DirectoryTokenView)))]
pub(crate) async fn create_token(
    State(deps): State<AdminDeps>,
    Segments(name): Segments<String>,
    Document(spec, caller): Document<DirectoryTokenSpec>,
) -> Result<Json<DirectoryTokenView>, ApiError> {
    let admin = caller.admin.clone();
    let (token, secret) = change(&deps, &caller, move |cx, tx| {
        tokens::create(cx, tx, &admin, &name, (&spec.name, spec.expires_at))
    })
    .await?;
    let secret = secret.expose_secret().to_owned();
    Ok(Json(DirectoryTokenView::of(token, Some(secret))))
}

/// Revokes a token of a directory.
#[utoipa::path(delete, path = "/admin/v1/directories/{name}/tokens/{id}",
    responses((status = 200, body = Removed)))]
pub(crate) async fn revoke_token(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((name, id)): Segments<(String, String)>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    change(&deps, &caller, move |cx, tx| {
        match DirectoryTokenId::parse(id.as_str()) {
            Ok(id) => tokens::revoke(cx, tx, &admin, &name, &id),
            Err(_) => Ok(Outcome::Denied(AdminDenial::NotFound {
                what: "token of a directory",
                name: id,
            })),
        }
    })
    .await?;
    Ok(Removed::answer())
}
