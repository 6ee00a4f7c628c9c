//! An `rmcp` HTTP client over [`lanyard_fetch::Fetch`]: the same door, checks and limits as every other request.
//!
//! Owns the HTTP form of MCP messages. An answer is read whole before its events are handed on, so a server's requests
//! and progress within a call arrive with its result; hosts that need them live wrap `rmcp`'s own client instead.
//! Never follows a redirect (CL-WR-03) and never puts a body into an error.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use lanyard_fetch::{Fetch, FetchError, FetchRequest, FetchResponse};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorData, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, HttpStatusError, InsufficientScopeError, SseError, StreamableHttpClient, StreamableHttpError,
    StreamableHttpPostResponse,
};
use sse_stream::{Sse, SseStream};
use url::Url;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// The largest answer of an MCP server that is read.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

type Failure = StreamableHttpError<FetchError>;

/// Speaks Streamable HTTP through `fetch`.
#[derive(Clone)]
pub struct OverFetch {
    fetch: Arc<dyn Fetch>,
    timeout: Duration,
}

impl OverFetch {
    /// Waits at most `timeout` for the whole answer of a call.
    pub fn new(fetch: Arc<dyn Fetch>, timeout: Duration) -> Self {
        Self { fetch, timeout }
    }

    fn request(
        &self,
        method: Method,
        uri: &str,
        session_id: Option<&str>,
        token: Option<&str>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<FetchRequest, Failure> {
        let invalid = |what: &'static str| StreamableHttpError::UnexpectedServerResponse(what.into());
        let url = Url::parse(uri).map_err(|_| invalid("not the URL of an MCP server"))?;
        let mut request = FetchRequest::get(url);
        request.method = method;
        request.max_body = MAX_ANSWER;
        request.timeout = self.timeout;
        request
            .headers
            .insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        for (name, value) in headers {
            if name == SESSION || matches!(name, AUTHORIZATION | ACCEPT | CONTENT_TYPE) {
                return Err(StreamableHttpError::ReservedHeaderConflict(name.to_string()));
            }
            request.headers.insert(name, value);
        }
        if let Some(session_id) = session_id {
            let value = HeaderValue::from_str(session_id).map_err(|_| invalid("not a session id"))?;
            request.headers.insert(SESSION, value);
        }
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| invalid("not a token"))?;
            value.set_sensitive(true);
            request.headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }
}

impl StreamableHttpClient for OverFetch {
    type Error = FetchError;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let mut request = self.request(
            Method::POST,
            &uri,
            session_id.as_deref(),
            auth_header.as_deref(),
            headers,
        )?;
        request
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.body = serde_json::to_vec(&message)?;
        let answer = self.fetch.fetch(request).await.map_err(StreamableHttpError::Client)?;
        judge(&message, session_id.is_some(), answer)
    }

    /// The limit on the whole answer is the limit on an event.
    async fn post_message_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
        _: usize,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        self.post_message(uri, message, session_id, auth_header, headers).await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failure> {
        let request = self.request(Method::DELETE, &uri, Some(&session_id), auth_header.as_deref(), headers)?;
        let answer = self.fetch.fetch(request).await.map_err(StreamableHttpError::Client)?;
        let shrugged = matches!(answer.status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND);
        if answer.status.is_success() || shrugged {
            return Ok(());
        }
        Err(HttpStatusError::new(answer.status.as_u16(), None).into())
    }

    async fn get_stream(
        &self,
        _: Arc<str>,
        _: Option<Arc<str>>,
        _: Option<String>,
        _: Option<String>,
        _: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        // A stream that stays open cannot be read whole.
        Err(StreamableHttpError::ServerDoesNotSupportSse)
    }
}

fn judge(
    message: &ClientJsonRpcMessage,
    in_session: bool,
    answer: FetchResponse,
) -> Result<StreamableHttpPostResponse, Failure> {
    let status = answer.status;
    let session = text(&answer.headers, &SESSION);
    match status {
        StatusCode::UNAUTHORIZED => {
            return Err(StreamableHttpError::AuthRequired(AuthRequiredError::new(challenges(
                &answer,
            ))));
        }
        StatusCode::FORBIDDEN if answer.headers.contains_key(WWW_AUTHENTICATE) => {
            let refusal = InsufficientScopeError::new(challenges(&answer), None);
            return Err(StreamableHttpError::InsufficientScope(refusal));
        }
        StatusCode::ACCEPTED | StatusCode::NO_CONTENT => return Ok(StreamableHttpPostResponse::Accepted),
        StatusCode::NOT_FOUND if in_session => return Err(StreamableHttpError::SessionExpired),
        _ => {}
    }
    let expects_reply = matches!(message, ClientJsonRpcMessage::Request(_));
    let kind = text(&answer.headers, &CONTENT_TYPE)
        .unwrap_or_default()
        .to_ascii_lowercase();
    if !status.is_success() {
        let error = kind
            .starts_with("application/json")
            .then(|| rpc_error(&answer.body))
            .flatten();
        if let Some(reply) = discovery_refused(message, in_session, status, error.as_ref()) {
            return Ok(reply);
        }
        if let (Some(error), true) = (error, status != StatusCode::FORBIDDEN) {
            return Ok(StreamableHttpPostResponse::Json(error, session));
        }
        return Err(HttpStatusError::new(status.as_u16(), text(&answer.headers, &RETRY_AFTER)).into());
    }
    if kind.starts_with("text/event-stream") {
        return Ok(StreamableHttpPostResponse::Sse(events(answer.body), session));
    }
    if kind.starts_with("application/json") {
        return match serde_json::from_slice(&answer.body) {
            Ok(reply) => Ok(StreamableHttpPostResponse::Json(reply, session)),
            Err(_) if !expects_reply => Ok(StreamableHttpPostResponse::Accepted),
            Err(_) => Err(StreamableHttpError::UnexpectedServerResponse(
                "the answer is not a JSON-RPC message".into(),
            )),
        };
    }
    if !expects_reply {
        return Ok(StreamableHttpPostResponse::Accepted);
    }
    Err(StreamableHttpError::UnexpectedContentType(Some(kind)))
}

/// Every challenge: several headers are one list (RFC 9110, section 5.3).
fn challenges(answer: &FetchResponse) -> String {
    let values = answer
        .headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(", ")
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

fn rpc_error(body: &[u8]) -> Option<ServerJsonRpcMessage> {
    serde_json::from_slice(body)
        .ok()
        .filter(|message| matches!(message, ServerJsonRpcMessage::Error(_)))
}

/// A legacy server answers the probe of the modern wire with some 4xx: that is said in a form from which `rmcp` falls
/// back. 401 and 403 say nothing about the wire and never come here (CL-WR-02).
fn discovery_refused(
    message: &ClientJsonRpcMessage,
    in_session: bool,
    status: StatusCode,
    error: Option<&ServerJsonRpcMessage>,
) -> Option<StreamableHttpPostResponse> {
    let ClientJsonRpcMessage::Request(request) = message else {
        return None;
    };
    let is_probe = matches!(request.request, ClientRequest::DiscoverRequest(_));
    if !is_probe || in_session || !status.is_client_error() || status == StatusCode::FORBIDDEN {
        return None;
    }
    let error = match error {
        Some(ServerJsonRpcMessage::Error(error)) => error.error.clone(),
        _ => ErrorData::invalid_request(format!("the probe was answered with status {}", status.as_u16()), None),
    };
    Some(StreamableHttpPostResponse::Json(
        ServerJsonRpcMessage::error(error, Some(request.id.clone())),
        None,
    ))
}

fn events(body: Bytes) -> BoxStream<'static, Result<Sse, SseError>> {
    let whole = stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
    SseStream::from_bytes_stream(whole).boxed()
}
