//! Reading a body: JSON within limits, every member once (SEC-22).
//!
//! Owns content type and size. Never interprets an attribute.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use lanyard_core::scim::denial::ScimDenial;
use lanyard_protocol::json;
use serde_json::Value;

use crate::http::form;
use crate::scim::Scim;
use crate::scim::act::refuse;
use crate::scim::caller::Caller;
use crate::scim::error::ScimError;

/// The largest person that is read, in bytes.
const MAX_PERSON: usize = 1024 * 1024;
/// The largest group that is read, in bytes: fifty thousand members with all that clients say about each.
const MAX_GROUP: usize = 16 * 1024 * 1024;

/// The most JSON values of a person: each multi-valued attribute with all its elements and parts is 12,000.
const MAX_PERSON_VALUES: usize = 16 * 1024;
/// The most JSON values of a group: a member with `value`, `display`, `$ref` and `type` is five.
const MAX_GROUP_VALUES: usize = 256 * 1024;

/// How much is read.
struct Limit {
    bytes: usize,
    values: usize,
}

/// The body of a request about a person.
pub(super) struct PersonBody(pub(super) Value, pub(super) Caller, pub(super) Parts);

impl FromRequest<Arc<Scim>> for PersonBody {
    type Rejection = ScimError;

    async fn from_request(request: Request, scim: &Arc<Scim>) -> Result<Self, ScimError> {
        let limit = Limit {
            bytes: MAX_PERSON,
            values: MAX_PERSON_VALUES,
        };
        let (value, caller, parts) = read(request, scim, limit).await?;
        Ok(Self(value, caller, parts))
    }
}

/// The body of a request about a group.
pub(super) struct GroupBody(pub(super) Value, pub(super) Caller, pub(super) Parts);

impl FromRequest<Arc<Scim>> for GroupBody {
    type Rejection = ScimError;

    async fn from_request(request: Request, scim: &Arc<Scim>) -> Result<Self, ScimError> {
        let limit = Limit {
            bytes: MAX_GROUP,
            values: MAX_GROUP_VALUES,
        };
        let (value, caller, parts) = read(request, scim, limit).await?;
        Ok(Self(value, caller, parts))
    }
}

async fn read(request: Request, scim: &Arc<Scim>, limit: Limit) -> Result<(Value, Caller, Parts), ScimError> {
    let (mut parts, body) = request.into_parts();
    // Nothing is read for a caller who proved nothing.
    let caller = Caller::from_request_parts(&mut parts, scim).await?;
    let read = match is_json(&parts) {
        false => Err(ScimDenial::MediaType),
        true => match form::bytes(&parts, body, limit.bytes).await {
            Ok(bytes) => value(&bytes, limit.values),
            Err(form::NoForm::TooLarge) => Err(ScimDenial::TooLarge),
            Err(problem) => Err(ScimDenial::Syntax(problem.to_string())),
        },
    };
    match read {
        Ok(value) => Ok((value, caller, parts)),
        Err(denial) => Err(refuse(scim, &caller, &denial).await),
    }
}

/// Names are read in any case, so that a member in two spellings would stand twice, and one of the two would silently win.
fn value(bytes: &[u8], max_values: usize) -> Result<Value, ScimDenial> {
    match json::check_any_case(bytes, max_values) {
        Ok(()) => {}
        Err(json::Refused::Json(problem)) => {
            let depth = json::MAX_DEPTH;
            return Err(ScimDenial::Syntax(format!(
                "{problem}; a member may stand once, whatever its case, and nesting ends at {depth} levels"
            )));
        }
        Err(problem @ json::Refused::TooMany(_)) => return Err(ScimDenial::TooMany(problem.to_string())),
    }
    serde_json::from_slice(bytes).map_err(|_| ScimDenial::Syntax("this is not JSON".to_owned()))
}

/// `application/scim+json`, `application/json`, or nothing said (SC-01).
fn is_json(parts: &Parts) -> bool {
    let Some(value) = parts.headers.get(CONTENT_TYPE) else {
        return true;
    };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    ["application/scim+json", "application/json"]
        .iter()
        .any(|known| essence.trim().eq_ignore_ascii_case(known))
}
