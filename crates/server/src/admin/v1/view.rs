//! How records are shown: the document an administrator writes, with what the server adds.

use axum::Json;
use lanyard_core::admin::change::Change;
use lanyard_core::clock::Timestamp;
use lanyard_core::store::page::PageRequest;
use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PageView<T> {
    /// The items, in the order of their key.
    pub items: Vec<T>,
    /// Give this as `after` to continue; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A record and what the server knows about it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RecordView<T> {
    /// Server-made identifier; absent where the document has an identifier of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The document, as it may be written back.
    #[serde(flatten)]
    pub document: T,
    /// When it was made, RFC 3339.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When it last changed, RFC 3339.
    #[schema(value_type = String)]
    pub updated_at: Timestamp,
}

/// What a write did.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Written<T> {
    /// Created, changed or unchanged.
    pub change: Change,
    /// The record as it stands now.
    #[serde(flatten)]
    pub record: RecordView<T>,
}

/// That something is gone.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Removed {
    /// Always `removed`.
    pub change: Change,
}

impl Removed {
    pub(crate) const fn answer() -> Json<Self> {
        Json(Self {
            change: Change::Removed,
        })
    }
}

/// Which page is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// At most this many, 1 to 1000; 100 when left out.
    pub limit: Option<u32>,
    /// People: only those whose user name, e-mail or display name contains this.
    pub search: Option<String>,
    /// Clients: only those of this side.
    pub side: Option<String>,
    /// Clients: with `true` only those of the issuer that belong to no agent.
    pub unregistered: Option<bool>,
}

impl PageQuery {
    pub(crate) fn page(&self) -> PageRequest {
        PageRequest::new(self.after.clone(), self.limit.unwrap_or(100))
    }
}
