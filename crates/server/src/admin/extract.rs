//! Reading a request strictly: JSON documents, query parameters and path segments.
//!
//! Owns limits and the words for what cannot be read. Never decides anything.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::request::Parts;
use lanyard_protocol::json;
use serde::de::DeserializeOwned;

use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::http::form;

/// The largest record that is read, in bytes.
const MAX_RECORD: usize = 1024 * 1024;

/// A JSON body read strictly: duplicate members and unknown fields are refused, with the field named.
pub(crate) struct Document<T>(pub(crate) T, pub(crate) Caller);

impl<T: DeserializeOwned> FromRequest<AdminDeps> for Document<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, deps: &AdminDeps) -> Result<Self, ApiError> {
        read(request, deps, MAX_RECORD).await
    }
}

/// As [`Document`], for a whole organisation or a batch.
pub(crate) struct LargeDocument<T>(pub(crate) T, pub(crate) Caller);

impl<T: DeserializeOwned> FromRequest<AdminDeps> for LargeDocument<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, deps: &AdminDeps) -> Result<Self, ApiError> {
        let Document(value, caller) = read(request, deps, deps.document_bytes).await?;
        Ok(Self(value, caller))
    }
}

/// Query parameters; unknown ones are refused.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<AdminDeps> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, deps: &AdminDeps) -> Result<Self, ApiError> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Self(value)),
            Err(problem) => {
                let cx = deps.basis.cx(parts);
                Err(ApiError::unreadable(&cx, problem.body_text()))
            }
        }
    }
}

/// Segments of the path.
pub(crate) struct Segments<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<AdminDeps> for Segments<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, deps: &AdminDeps) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, deps).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(problem) => {
                let cx = deps.basis.cx(parts);
                Err(ApiError::unreadable(&cx, problem.body_text()))
            }
        }
    }
}

async fn read<T: DeserializeOwned>(request: Request, deps: &AdminDeps, limit: usize) -> Result<Document<T>, ApiError> {
    let (mut parts, body): (_, Body) = request.into_parts();
    // Nothing is read for a caller who proved nothing.
    let caller = Caller::from_request_parts(&mut parts, deps).await?;
    let bytes = match form::bytes(&parts, body, limit).await {
        Ok(bytes) => bytes,
        Err(form::NoForm::TooLarge) => return Err(ApiError::too_large(&caller.cx)),
        Err(problem) => return Err(ApiError::unreadable(&caller.cx, problem.to_string())),
    };
    if let Err(problem) = json::check(&bytes) {
        let message = format!(
            "{problem}; a member may stand once, and nesting ends at {} levels",
            json::MAX_DEPTH
        );
        return Err(ApiError::unreadable(&caller.cx, message));
    }
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Document(value, caller)),
        // The reader's words name the field; the caller is an administrator who sent the text.
        Err(problem) => Err(ApiError::unfitting(&caller.cx, &problem)),
    }
}
