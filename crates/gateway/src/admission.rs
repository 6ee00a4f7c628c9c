//! What is decided before a body is read: host, address, origin, token, status of the route (RS-WR-01, RS-WR-02).
//!
//! Owns that order. Never reads a message.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, CONNECTION, CONTENT_LENGTH, HOST, ORIGIN, TRANSFER_ENCODING, UPGRADE, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt;
use lanyard_jose::token::{AccessToken, Verified};
use lanyard_protocol::gateway::RouteStatus;
use lanyard_resource_server::refusal::Refusal;

use crate::answer;
use crate::body::{Body, full};
use crate::route::{Door, Found, RouteTable, ServedRoute};

/// Somebody with a good token at an open route.
pub(crate) struct Admitted {
    pub(crate) route: Arc<ServedRoute>,
    pub(crate) token: Verified<AccessToken>,
}

/// An answer that ends a request early, and what to record of it.
pub(crate) struct Turned {
    pub(crate) response: Response<Body>,
    pub(crate) route: Option<Arc<ServedRoute>>,
    pub(crate) token: Option<Verified<AccessToken>>,
    /// The stable code of the refusal; `None` when there was nothing to decide.
    pub(crate) code: Option<&'static str>,
}

impl Turned {
    fn early(response: Response<Body>) -> Self {
        Self {
            response,
            route: None,
            token: None,
            code: None,
        }
    }
}

/// Lets a request in, or answers it.
pub(crate) async fn admit(table: &RouteTable, parts: &Parts) -> Result<Admitted, Box<Turned>> {
    let authority = authority(parts).map_err(|description| early(StatusCode::BAD_REQUEST, description))?;
    if is_smuggling(parts) {
        return Err(early(
            StatusCode::BAD_REQUEST,
            "the framing of the request is ambiguous",
        ));
    }
    let route = match table.find(authority, parts.uri.path()) {
        Found::Door(Door::Mcp(route)) => route,
        Found::Door(Door::Metadata(route)) => return Err(Box::new(Turned::early(metadata(&route, &parts.method)))),
        Found::Nothing => return Err(Box::new(Turned::early(answer::not_found()))),
        Found::ForeignHost => return Err(early(StatusCode::MISDIRECTED_REQUEST, "this host is not served here")),
    };
    let resource = route.verifier.resource();
    if !route.origins.allow(&parts.headers) {
        let response = answer::refused(&Refusal::Origin, resource);
        return Err(Box::new(Turned {
            response,
            code: Some(Refusal::Origin.code()),
            route: Some(route),
            token: None,
        }));
    }
    if parts.method == Method::OPTIONS && parts.headers.contains_key(ORIGIN) {
        return Err(Box::new(Turned {
            response: preflight(),
            route: Some(route),
            token: None,
            code: None,
        }));
    }
    let token = match route.verifier.verify_request(parts).await {
        Ok(token) => token,
        Err(refusal) => {
            let response = answer::refused(&refusal, resource);
            // Without credentials nothing was decided: it is how discovery begins.
            let code = (refusal != Refusal::NoCredentials).then(|| refusal.code());
            return Err(Box::new(Turned {
                response,
                code,
                route: Some(route),
                token: None,
            }));
        }
    };
    if route.config.status == RouteStatus::Staged {
        let response = answer::plain(StatusCode::FORBIDDEN, "access_denied", "this connector is not open yet");
        return Err(Box::new(Turned {
            response,
            code: Some("staged"),
            route: Some(route),
            token: Some(token),
        }));
    }
    Ok(Admitted { route, token })
}

/// Lets a page of an allowed origin read an answer.
pub(crate) fn share_with_origin(request: &HeaderMap, response: &mut Response<Body>) {
    let Some(origin) = request.get(ORIGIN) else { return };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("MCP-Session-Id, WWW-Authenticate, X-Request-Id"),
    );
    headers.insert(VARY, HeaderValue::from_static("Origin"));
}

/// Bounds what callers without a good token can write into the audit log: ten refusals a minute are recorded.
#[derive(Default)]
pub(crate) struct StrangerBudget {
    minute: AtomicI64,
    used: AtomicU32,
}

impl StrangerBudget {
    pub(crate) fn take(&self, now_micros: i64) -> bool {
        let minute = now_micros.div_euclid(60_000_000);
        if self.minute.swap(minute, Ordering::Relaxed) != minute {
            let used = self.used.swap(0, Ordering::Relaxed);
            if used > 10 {
                tracing::info!(
                    refused = used,
                    "requests without a good token in a minute; ten of them are in the audit log"
                );
            }
        }
        self.used.fetch_add(1, Ordering::Relaxed) < 10
    }
}

fn early(status: StatusCode, description: &'static str) -> Box<Turned> {
    Box::new(Turned::early(answer::plain(status, "invalid_request", description)))
}

/// The one host that a request names.
fn authority(parts: &Parts) -> Result<&str, &'static str> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let header = hosts
        .next()
        .map(HeaderValue::to_str)
        .transpose()
        .map_err(|_| "the Host header is not ASCII")?;
    if hosts.next().is_some() {
        return Err("there are several Host headers");
    }
    match (parts.uri.authority().map(http::uri::Authority::as_str), header) {
        (Some(target), Some(header)) if !target.eq_ignore_ascii_case(header) => Err("target and Host header differ"),
        (Some(authority), _) | (None, Some(authority)) => Ok(authority),
        (None, None) => Err("the request names no host"),
    }
}

/// Framing that two servers in a row could read differently, and attempts to leave HTTP (security, row 28).
fn is_smuggling(parts: &Parts) -> bool {
    let headers = &parts.headers;
    let odd_encoding = headers
        .get_all(TRANSFER_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"chunked"));
    let several =
        headers.get_all(TRANSFER_ENCODING).iter().count() + headers.get_all(CONTENT_LENGTH).iter().count() > 1;
    let upgrades = headers.contains_key(UPGRADE)
        || headers.get_all(CONNECTION).iter().any(|value| {
            value.to_str().map_or(true, |value| {
                value
                    .split(',')
                    .any(|option| option.trim().eq_ignore_ascii_case("upgrade"))
            })
        });
    odd_encoding || several || upgrades || parts.method == Method::CONNECT
}

fn metadata(route: &ServedRoute, method: &Method) -> Response<Body> {
    route
        .verifier
        .resource()
        .metadata_response(method)
        .map(|body| body.map_err(|never| match never {}).boxed_unsync())
}

fn preflight() -> Response<Body> {
    let mut response = Response::new(full(""));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("POST, GET, DELETE"),
    );
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(
            "Authorization, Content-Type, Accept, MCP-Protocol-Version, MCP-Session-Id, Mcp-Method, Mcp-Name, Last-Event-ID",
        ),
    );
    response
}
