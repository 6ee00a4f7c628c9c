//! Answers that the gateway gives itself (requirements, section 16, rows 20 to 29).
//!
//! Owns their form. Never passes on what a server behind the gateway said about its own failure.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::BodyExt;
use lanyard_resource_server::refusal::Refusal;
use lanyard_resource_server::resource::ProtectedResource;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::body::{Body, full};
use crate::mcp::message::Unreadable;
use crate::mcp::version::WireError;

/// An answer without a JSON-RPC body: an OAuth-style error (D-21).
pub(crate) fn plain(status: StatusCode, error: &str, description: &str) -> Response<Body> {
    let mut response = Response::new(full(
        json!({ "error": error, "error_description": description }).to_string(),
    ));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The same answer for what does not exist and for what nobody may know about (SEC-23).
pub(crate) fn not_found() -> Response<Body> {
    plain(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
}

/// Row 28: methods that the revision does not have.
pub(crate) fn method_not_allowed(allow: &'static str) -> Response<Body> {
    let mut response = plain(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this HTTP method is not used here",
    );
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// The answer of the resource server.
pub(crate) fn refused(refusal: &Refusal, resource: &ProtectedResource) -> Response<Body> {
    refusal
        .response(resource)
        .map(|body| body.map_err(|never| match never {}).boxed_unsync())
}

/// A JSON-RPC error; `id` is the one of the request, or null.
pub(crate) fn json_rpc(
    status: StatusCode,
    id: Option<&RawValue>,
    code: i32,
    message: &str,
    data: Option<&Value>,
) -> Response<Body> {
    let mut error = json!({ "code": code, "message": message });
    if let (Some(error), Some(data)) = (error.as_object_mut(), data) {
        error.insert("data".to_owned(), data.clone());
    }
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#,
        id.map_or("null", RawValue::get)
    );
    let mut response = Response::new(full(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Row 27: the request breaks the rules of its revision.
pub(crate) fn wire_error(error: &WireError, id: Option<&RawValue>) -> Response<Body> {
    json_rpc(error.status, id, error.code, error.message, error.data.as_ref())
}

/// A body that is no message.
pub(crate) fn unreadable(error: Unreadable) -> Response<Body> {
    let (code, message) = match error {
        Unreadable::Syntax => (-32700, "the body is not acceptable JSON"),
        Unreadable::Shape(what) => (-32600, what),
    };
    json_rpc(StatusCode::BAD_REQUEST, None, code, message, None)
}

/// The server behind the gateway failed. What it said stays here.
pub(crate) fn bad_gateway(id: Option<&RawValue>) -> Response<Body> {
    match id {
        Some(_) => json_rpc(
            StatusCode::BAD_GATEWAY,
            id,
            -32603,
            "the server behind the gateway failed",
            None,
        ),
        None => plain(
            StatusCode::BAD_GATEWAY,
            "bad_gateway",
            "the server behind the gateway failed",
        ),
    }
}
