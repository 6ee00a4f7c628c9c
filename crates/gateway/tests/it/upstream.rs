//! An MCP server behind the gateway that writes down what reaches it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use lanyard_gateway::body::Body;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) type Handler = Arc<dyn Fn(&Seen) -> Response<Body> + Send + Sync>;

pub(crate) struct Upstream {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

impl Upstream {
    pub(crate) async fn start(handler: Handler) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/behind", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let record = Arc::clone(&seen);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, record) = (Arc::clone(&handler), Arc::clone(&record));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (handler, record) = (Arc::clone(&handler), Arc::clone(&record));
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.unwrap().to_bytes();
                        let seen = Seen {
                            method: head.method.to_string(),
                            path: head.uri.to_string(),
                            headers: head.headers,
                            body: String::from_utf8(body.to_vec()).unwrap(),
                        };
                        record.lock().unwrap().push(seen.clone());
                        Ok::<_, Infallible>(handler(&seen))
                    }
                });
                connections.spawn(async move {
                    let _ = auto::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            url,
            seen,
            _tasks: tasks,
        }
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// Answers like an ordinary MCP server: a JSON result that says which method was asked for.
pub(crate) fn plain() -> Handler {
    Arc::new(|seen| {
        let request = seen.json();
        if request.get("id").is_none() || request.get("method").is_none() {
            return respond(202, &[], "");
        }
        let result = match request["method"].as_str().unwrap_or_default() {
            "tools/list" => json!({"tools": [
                {"name": "list_invoices"}, {"name": "approve_invoice"}, {"name": "drop_db"}], "nextCursor": "2", "cacheScope": "public"}),
            "initialize" => json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}),
            "server/discover" => json!({"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}),
            other => json!({"did": other}),
        };
        json_answer(&json!({"jsonrpc": "2.0", "id": request["id"], "result": result}))
    })
}

pub(crate) fn json_answer(value: &Value) -> Response<Body> {
    respond(200, &[("content-type", "application/json")], &value.to_string())
}

pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let body = Full::new(Bytes::from(body.to_owned()))
        .map_err(|never| match never {})
        .boxed_unsync();
    response.body(body).unwrap()
}

/// An event stream that the test feeds.
pub(crate) fn event_stream(mut events: mpsc::UnboundedReceiver<String>) -> Response<Body> {
    let frames = futures_util::stream::poll_fn(move |cx| {
        events
            .poll_recv(cx)
            .map(|event| event.map(|event| Ok(Frame::data(Bytes::from(event)))))
    });
    let body = BodyExt::boxed_unsync(StreamBody::new(frames));
    Response::builder()
        .header("content-type", "text/event-stream")
        .body(body)
        .unwrap()
}
