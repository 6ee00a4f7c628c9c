//! Requests to the server behind, and what of its answers goes on.
//!
//! Owns the fresh request: nothing of the caller's is copied but what is named here (RS-GW-02, RS-GW-03; security,
//! rows 23 and 28). Never decides.

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, StreamExt};
use http::header::{
    ACCEPT, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use hyper::body::Incoming;

use crate::body::{Body, BodyError, full};
use crate::mcp::edit::Edit;
use crate::mcp::message::Message;
use crate::mcp::sse::EditedEvents;
use crate::mcp::version::{self, Era};
use crate::session::SESSION_ID;
use crate::upstream::Target;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// Arguments that a tool's schema mirrors in headers; only the server behind knows the schema and compares them.
const MIRRORED_ARGUMENT: &str = "mcp-param-";
/// Room for the headers of most messages, so that the map of them does not grow.
const HEADERS: usize = 12;
/// The longest answer that is read as a whole to be changed.
const MAX_EDITED_BYTES: usize = 4 * 1024 * 1024;

/// A request to the server behind, before its credentials.
pub(crate) fn post(
    upstream: &Target,
    era: Era,
    inbound: &HeaderMap,
    session: Option<&str>,
    message: &Message<'_>,
) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(Bytes::from(message.write())));
    *request.headers_mut() = HeaderMap::with_capacity(HEADERS);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = upstream.uri.clone();
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    common(headers, upstream, inbound);
    match era {
        Era::Stateless => {
            headers.insert(version::PROTOCOL_VERSION, HeaderValue::from_static(version::STATELESS));
            headers.insert(version::METHOD, version::encode(&message.method));
            if let Some(name) = &message.name {
                headers.insert(version::NAME, version::encode(name));
            }
            if message.method == "tools/call" {
                let mirrored = inbound
                    .iter()
                    .filter(|(name, _)| name.as_str().starts_with(MIRRORED_ARGUMENT));
                for (name, value) in mirrored {
                    headers.append(name.clone(), value.clone());
                }
            }
        }
        // The handshake is where the version is agreed on; a header has no say in it.
        Era::Sessions if message.method == "initialize" => {}
        Era::Sessions => sessions(headers, inbound, session),
    }
    request
}

/// A `GET` or `DELETE` of the older revisions.
pub(crate) fn bodiless(
    upstream: &Target,
    method: Method,
    inbound: &HeaderMap,
    session: Option<&str>,
) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::default());
    *request.method_mut() = method;
    *request.uri_mut() = upstream.uri.clone();
    let headers = request.headers_mut();
    common(headers, upstream, inbound);
    sessions(headers, inbound, session);
    if let Some(last) = inbound.get(LAST_EVENT_ID) {
        headers.insert(LAST_EVENT_ID, last.clone());
    }
    request
}

/// Adds the gateway's own credential.
pub(crate) fn authorize(request: &mut Request<Full<Bytes>>, credential: Option<HeaderValue>) {
    if let Some(credential) = credential {
        request.headers_mut().insert(AUTHORIZATION, credential);
    }
}

fn common(headers: &mut HeaderMap, upstream: &Target, inbound: &HeaderMap) {
    if let Some(host) = &upstream.host {
        headers.insert(HOST, host.clone());
    }
    headers.insert(USER_AGENT, HeaderValue::from_static("lanyard-gateway"));
    for accept in inbound.get_all(ACCEPT) {
        headers.append(ACCEPT, accept.clone());
    }
}

fn sessions(headers: &mut HeaderMap, inbound: &HeaderMap, session: Option<&str>) {
    if let Some(version) = inbound.get(version::PROTOCOL_VERSION) {
        headers.insert(version::PROTOCOL_VERSION, version.clone());
    }
    if let Some(session) = session.and_then(|id| HeaderValue::try_from(id).ok()) {
        headers.insert(SESSION_ID, session);
    }
}

/// The answer of the server behind must not go on: it is a redirect, its own refusal of us, a failure, or changed in a
/// way that we did not ask for.
pub(crate) struct NotForCallers;

/// What of an answer goes on: its status, the headers named here, and the body.
pub(crate) async fn answer(
    response: Response<Incoming>,
    era: Era,
    edit: Edit,
) -> Result<Response<Body>, NotForCallers> {
    let (head, body) = response.into_parts();
    let own_refusal = matches!(
        head.status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED
    );
    if own_refusal || head.status.is_redirection() || head.status.is_server_error() || head.status.is_informational() {
        tracing::warn!(status = %head.status, "the server behind the gateway did not accept the gateway's request");
        return Err(NotForCallers);
    }
    if head.headers.contains_key(CONTENT_ENCODING) {
        tracing::warn!("the server behind the gateway encoded an answer without being asked");
        return Err(NotForCallers);
    }
    let mut headers = HeaderMap::with_capacity(HEADERS);
    for name in [CONTENT_TYPE, RETRY_AFTER, ALLOW, ACCEL_BUFFERING] {
        if let Some(value) = head.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    if era == Era::Sessions
        && let Some(session) = head.headers.get(SESSION_ID)
    {
        headers.insert(SESSION_ID, session.clone());
    }
    // Everything here depends on who asks (RS-W26-06).
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let body = edited(&head.headers, head.status, body, edit).await?;
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = headers;
    Ok(response)
}

async fn edited(headers: &HeaderMap, status: StatusCode, body: Incoming, edit: Edit) -> Result<Body, NotForCallers> {
    let streamed = |body: Incoming| body.map_err(Into::into).boxed_unsync();
    if !edit.is_needed() || !status.is_success() {
        return Ok(streamed(body));
    }
    if is_type(headers, "text/event-stream") {
        return Ok(Body::new(EditedEvents::new(streamed(body), edit)));
    }
    if !is_type(headers, "application/json") {
        return Ok(streamed(body));
    }
    let whole = match whole_or_rest(body).await? {
        Whole::Read(whole) => whole,
        Whole::TooLong(_) if edit.is_vital() => {
            tracing::warn!("an answer that has to be changed is too long");
            return Err(NotForCallers);
        }
        Whole::TooLong(body) => return Ok(body),
    };
    match edit.message(&whole) {
        Ok(Some(changed)) => Ok(full(changed)),
        Ok(None) => Ok(full(whole)),
        Err(_) => {
            tracing::warn!("an answer that has to be changed is not a JSON-RPC message");
            Err(NotForCallers)
        }
    }
}

enum Whole {
    Read(Bytes),
    /// What was read and what is still to come, as one body.
    TooLong(Body),
}

/// Reads a body up to the limit.
async fn whole_or_rest(mut body: Incoming) -> Result<Whole, NotForCallers> {
    let mut read = Bytes::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            tracing::warn!(%error, "an answer that has to be changed broke off");
            NotForCallers
        })?;
        if let Ok(data) = frame.into_data() {
            read = joined(read, data);
        }
        if read.len() > MAX_EDITED_BYTES {
            let first = stream::once(std::future::ready(Ok(Frame::data(read))));
            let rest = BodyStream::new(body.map_err(BodyError::from));
            return Ok(Whole::TooLong(Body::new(StreamBody::new(first.chain(rest)))));
        }
    }
    Ok(Whole::Read(read))
}

/// One text of two. Most answers come in one piece, which is not copied.
fn joined(read: Bytes, data: Bytes) -> Bytes {
    if read.is_empty() {
        return data;
    }
    let mut both = BytesMut::from(read);
    both.extend_from_slice(&data);
    both.freeze()
}

/// Whether the content is of a media type, parameters aside.
pub(crate) fn is_type(headers: &HeaderMap, media_type: &str) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let essence = value.to_str().ok().and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_pieces_is_read_as_one() {
        let shared = Bytes::from_static(b"abcdef").slice(..3);
        let whole = [
            shared,
            Bytes::new(),
            Bytes::from_static(b"d"),
            Bytes::from(vec![b'e', b'f']),
        ]
        .into_iter()
        .fold(Bytes::new(), joined);
        assert_eq!(whole, "abcdef");
    }
}
