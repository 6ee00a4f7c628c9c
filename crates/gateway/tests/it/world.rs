//! A gateway with one route, its authorization server's key, and a caller.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use lanyard_gateway::audit::{Acknowledgement, Call, CallSink, NotRecorded};
use lanyard_gateway::credentials::FixedCredentials;
use lanyard_gateway::gateway::Gateway;
use lanyard_gateway::settings::{GatewayDeps, GatewaySettings};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::HmacKey;
use lanyard_jose::jwk::{JwkSet, KeySet};
use lanyard_jose::key::SigningKey;
use lanyard_jose::verify::AccessTokenCache;
use lanyard_protocol::gateway::{CallEvent, Route, RouteSnapshot};
use lanyard_protocol::issuer::Issuer;
use lanyard_resource_server::keys::StaticKeys;
use lanyard_resource_server::revocation::RevocationList;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::upstream::{Handler, Upstream};

pub(crate) const NOW: i64 = 1_789_387_200;
pub(crate) const ISSUER: &str = "https://auth.ledger.example";
pub(crate) const STATELESS: &str = "2026-07-28";

pub(crate) struct World {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) upstream: Upstream,
    pub(crate) revocations: Arc<RevocationList>,
    pub(crate) calls: Arc<Recorder>,
    pub(crate) now: Arc<AtomicI64>,
    pub(crate) key: SigningKey,
    /// `http://127.0.0.1:PORT`
    pub(crate) origin: String,
    pub(crate) resource: String,
    client: Client<HttpConnector, Full<Bytes>>,
    _tasks: JoinSet<()>,
}

/// Keeps the events of calls.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) calls: Mutex<Vec<CallEvent>>,
    pub(crate) full: AtomicBool,
}

impl CallSink for Recorder {
    fn record(&self, call: Call, _: bool) -> Result<Acknowledgement, NotRecorded> {
        if self.full.load(Ordering::Relaxed) {
            return Err(NotRecorded);
        }
        let mut calls = self.calls.lock().unwrap();
        let number = u64::try_from(calls.len()).unwrap() + 1;
        calls.push(call.event("gw", number));
        Ok(Acknowledgement::Queued)
    }
}

impl Recorder {
    pub(crate) fn all(&self) -> Vec<CallEvent> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> CallEvent {
        self.all().pop().expect("an event was recorded")
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn challenge(&self) -> &str {
        self.headers
            .get("www-authenticate")
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The JSON-RPC error code, or 0.
    pub(crate) fn code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap_or(0)
    }
}

impl World {
    /// A gateway in front of `handler`; `change` alters the healthy route.
    pub(crate) async fn start(handler: Handler, change: impl FnOnce(&mut Value)) -> Self {
        Self::start_with(handler, change, |_, _| {}).await
    }

    pub(crate) async fn start_with(
        handler: Handler,
        change: impl FnOnce(&mut Value),
        settle: impl FnOnce(&mut GatewaySettings, &mut FixedCredentials),
    ) -> Self {
        let upstream = Upstream::start(handler).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let resource = format!("{origin}/ledger/mcp");
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let now = Arc::new(AtomicI64::new(NOW));
        let clock = Arc::clone(&now);
        let seconds = Arc::clone(&now);
        let revocations = Arc::new(RevocationList::local(Arc::new(move || seconds.load(Ordering::Relaxed))));
        let calls = Arc::new(Recorder::default());
        let mut settings = GatewaySettings {
            leeway: 0,
            ..GatewaySettings::default()
        };
        let mut credentials = FixedCredentials::none();
        settle(&mut settings, &mut credentials);
        let keys = KeySet::from_jwks(&JwkSet {
            keys: vec![key.public_jwk()],
        });
        let deps = GatewayDeps {
            now: Arc::new(move || clock.load(Ordering::Relaxed) * 1_000_000),
            keys: Arc::new(StaticKeys::new(Issuer::parse(ISSUER).unwrap(), keys)),
            revocations: revocations.clone(),
            tokens: AccessTokenCache::new(100),
            calls: calls.clone(),
            credentials: Arc::new(credentials),
            handle_key: HmacKey::new(&[7; 32]),
            tls: tls(),
        };
        let mut route = json!({
            "name": "ledger", "title": "Ledger invoices", "resource": resource, "authorization_server": ISSUER,
            "upstream": upstream.url, "scopes": "invoices.read", "status": "active",
            "tools": {"list_invoices": "invoices.read", "approve_invoice": "invoices.read invoices.approve"},
        });
        change(&mut route);
        let (gateway, problems) = Gateway::new(deps, settings, snapshot(1, &[route]));
        assert_eq!(problems, []);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&gateway)));
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        Self {
            gateway,
            upstream,
            revocations,
            calls,
            now,
            key,
            origin,
            resource,
            client,
            _tasks: tasks,
        }
    }

    pub(crate) fn token(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({
            "iss": ISSUER, "sub": "acct_88213", "aud": self.resource, "client_id": "ide-at-ledger-77", "jti": "at-1",
            "iat": NOW, "exp": NOW + 600, "scope": "invoices.read",
        });
        change(&mut claims);
        self.key.sign("at+jwt", &claims).unwrap()
    }

    /// Sends a request as it is; `path` is below the origin.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Incoming> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        tokio::time::timeout(Duration::from_secs(10), self.client.request(request))
            .await
            .expect("an answer")
            .unwrap()
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let response = self.open(method, path, headers, body).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// A `POST` of a message to the route with the healthy token; `extra` headers come on top.
    pub(crate) async fn post(&self, message: &Value, extra: &[(&str, &str)]) -> Answer {
        let token = self.token(|_| {});
        self.post_as(&token, message, extra).await
    }

    pub(crate) async fn post_as(&self, token: &str, message: &Value, extra: &[(&str, &str)]) -> Answer {
        let authorization = format!("Bearer {token}");
        let mut headers = vec![
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        headers.extend_from_slice(extra);
        self.send(Method::POST, "/ledger/mcp", &headers, &message.to_string())
            .await
    }

    /// A message of the stateless revision with its mirrored headers.
    pub(crate) async fn post_stateless(&self, token: &str, method: &str, params: Value) -> Answer {
        let name = params["name"]
            .as_str()
            .or(params["uri"].as_str())
            .unwrap_or("-")
            .to_owned();
        let headers = [
            ("mcp-protocol-version", STATELESS),
            ("mcp-method", method),
            ("mcp-name", name.as_str()),
        ];
        self.post_as(token, &stateless(method, params), &headers).await
    }
}

pub(crate) fn snapshot(version: u64, routes: &[Value]) -> RouteSnapshot {
    let routes: Vec<Route> = routes
        .iter()
        .map(|route| serde_json::from_value(route.clone()).unwrap())
        .collect();
    RouteSnapshot { version, routes }
}

pub(crate) fn message(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
}

pub(crate) fn stateless(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": STATELESS,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    message(method, params)
}

async fn serve(listener: TcpListener, gateway: Arc<Gateway>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let gateway = Arc::clone(&gateway);
        connections.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let gateway = Arc::clone(&gateway);
                async move { Ok::<_, Infallible>(gateway.handle(request).await) }
            });
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn tls() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}
