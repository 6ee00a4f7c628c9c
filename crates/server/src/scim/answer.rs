//! Answers of this room: `application/scim+json`, kept by nobody (SC-01).

use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, ETAG, HeaderValue, LOCATION};
use lanyard_core::scim::show::entity_tag;
use lanyard_protocol::scim::urn;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::http::answer;

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = answer::json(status, body);
    let content_type = HeaderValue::from_static("application/scim+json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// A resource with its version.
pub(super) fn resource(status: StatusCode, version: i64, resource: &Map<String, Value>) -> Response {
    tagged(json(status, resource), version)
}

/// A resource that is new, and where it is.
pub(super) fn created(version: i64, at: &str, resource: &Map<String, Value>) -> Response {
    let mut response = self::resource(StatusCode::CREATED, version, resource);
    if let Ok(at) = HeaderValue::from_str(at) {
        response.headers_mut().insert(LOCATION, at);
    }
    response
}

/// Nothing but the version.
pub(super) fn nothing(status: StatusCode, version: Option<i64>) -> Response {
    let response = answer::empty(status);
    match version {
        Some(version) => tagged(response, version),
        None => response,
    }
}

/// Several resources.
pub(super) fn list(total: i64, start: u32, resources: &[Map<String, Value>]) -> Response {
    let body = json!({
        "schemas": [urn::LIST_RESPONSE],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    });
    json(StatusCode::OK, &body)
}

fn tagged(mut response: Response, version: i64) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&entity_tag(version)) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
