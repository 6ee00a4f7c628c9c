//! The id in a path.
//!
//! Owns the answer when it is no text. Never decides whether there is such a resource.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use http::StatusCode;
use http::request::Parts;

use crate::scim::Scim;
use crate::scim::caller::Caller;
use crate::scim::error::ScimError;

/// The id of a resource, as the client wrote it.
pub(super) struct Id(pub(super) String);

impl FromRequestParts<Arc<Scim>> for Id {
    type Rejection = ScimError;

    async fn from_request_parts(parts: &mut Parts, scim: &Arc<Scim>) -> Result<Self, ScimError> {
        if let Ok(Path(id)) = Path::from_request_parts(parts, scim).await {
            return Ok(Self(id));
        }
        // Who proved nothing learns nothing, and the path may be read before the caller.
        let caller = Caller::from_request_parts(parts, scim).await?;
        let words = "the id in the path is not UTF-8; nothing in this directory has it";
        Err(ScimError::plain(&caller.cx, StatusCode::NOT_FOUND, words))
    }
}
