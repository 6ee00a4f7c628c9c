//! The gateway: one request from the door to the server behind and back.
//!
//! Owns the order: admission, message, revision, decision, session, record, forward. Never reaches a database.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use bytes::{Buf, Bytes};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use lanyard_jose::digest::HmacKey;
use lanyard_jose::token::{AccessToken, Verified};
use lanyard_protocol::gateway::RouteSnapshot;
use lanyard_protocol::scope::ScopeSet;
use lanyard_resource_server::clock::Clock;
use lanyard_resource_server::verifier::VerifierParts;
use tokio::sync::watch;

use crate::admission::{Admitted, StrangerBudget, Turned, admit, share_with_origin};
use crate::answer;
use crate::audit::{Call, CallSink, NotRecorded};
use crate::body::{Body, BodyError};
use crate::credentials::UpstreamCredentials;
use crate::mcp::message::Message;
use crate::proxy::is_type;
use crate::route::{RouteProblem, RouteTable, ServedRoute};
use crate::session::Sessions;
use crate::settings::{GatewayDeps, GatewaySettings};
use crate::upstream::Upstream;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Protects MCP servers that cannot do it themselves.
pub struct Gateway {
    pub(crate) settings: GatewaySettings,
    pub(crate) table: ArcSwap<RouteTable>,
    pub(crate) table_changed: watch::Sender<u64>,
    verifier_parts: VerifierParts,
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
    calls: Arc<dyn CallSink>,
    pub(crate) credentials: Arc<dyn UpstreamCredentials>,
    pub(crate) sessions: Sessions,
    pub(crate) handle_key: Arc<HmacKey>,
    pub(crate) upstream: Upstream,
    strangers: StrangerBudget,
    requests: AtomicU64,
}

/// One request of somebody who was let in.
pub(crate) struct Exchange<'a> {
    pub(crate) route: Arc<ServedRoute>,
    pub(crate) token: Verified<AccessToken>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) request_id: &'a str,
}

impl Exchange<'_> {
    /// What the caller may do here.
    pub(crate) fn held(&self) -> Option<Cow<'_, ScopeSet>> {
        self.route.verifier.scopes_of(&self.token)
    }
}

impl Gateway {
    /// A gateway with the routes of `snapshot`. Routes that cannot be served are left out and reported.
    pub fn new(
        deps: GatewayDeps,
        settings: GatewaySettings,
        snapshot: RouteSnapshot,
    ) -> (Arc<Self>, Vec<RouteProblem>) {
        let micros = Arc::clone(&deps.now);
        let clock: Clock = Arc::new(move || micros().div_euclid(1_000_000));
        let gateway = Self {
            verifier_parts: VerifierParts {
                keys: deps.keys,
                revocations: deps.revocations,
                tokens: deps.tokens,
                clock,
            },
            upstream: Upstream::new(deps.tls, settings.connect_within, settings.headers_within),
            table: ArcSwap::from_pointee(RouteTable::default()),
            table_changed: watch::Sender::new(0),
            now: deps.now,
            calls: deps.calls,
            credentials: deps.credentials,
            sessions: Sessions::new(),
            handle_key: Arc::new(deps.handle_key),
            strangers: StrangerBudget::default(),
            requests: AtomicU64::new(0),
            settings,
        };
        let problems = gateway.replace_routes(snapshot);
        (Arc::new(gateway), problems)
    }

    /// Exchanges all routes at once. Calls under way end with the routes they began with; long streams of routes that
    /// are gone, not active any more or lead elsewhere are closed.
    pub fn replace_routes(&self, snapshot: RouteSnapshot) -> Vec<RouteProblem> {
        let before = self.table.load();
        let version = snapshot.version;
        let (table, problems) = RouteTable::build(
            snapshot,
            &self.verifier_parts,
            self.settings.leeway,
            &self.settings.host_aliases,
            &before,
        );
        for problem in &problems {
            tracing::error!(route = problem.name, problem = problem.problem, "a route is not served");
        }
        self.table.store(Arc::new(table));
        self.table_changed.send_modify(|count| *count = count.wrapping_add(1));
        tracing::info!(version, refused = problems.len(), "routes replaced");
        problems
    }

    /// The version of the routes that are served.
    pub fn routes_version(&self) -> u64 {
        self.table.load().version
    }

    /// Answers one request.
    pub async fn handle<B>(self: &Arc<Self>, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body + Send,
        B::Data: Buf + Send,
        B::Error: Into<BodyError>,
    {
        let (parts, body) = request.into_parts();
        let request_id = self.next_request_id();
        let table = self.table.load_full();
        let mut response = match admit(&table, &parts).await {
            Err(turned) => self.turn_away(*turned, &parts, &request_id).await,
            Ok(admitted) => {
                let body = if parts.method == Method::POST {
                    Some(self.read_body(&parts, body).await)
                } else {
                    None
                };
                let mut response = self.serve(admitted, &parts, body, &request_id).await;
                share_with_origin(&parts.headers, &mut response);
                response
            }
        };
        if let Ok(value) = HeaderValue::try_from(request_id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }

    async fn serve(
        self: &Arc<Self>,
        admitted: Admitted,
        parts: &Parts,
        body: Option<Result<Bytes, Response<Body>>>,
        request_id: &str,
    ) -> Response<Body> {
        let exchange = Exchange {
            route: admitted.route,
            token: admitted.token,
            headers: &parts.headers,
            request_id,
        };
        match body {
            Some(Ok(body)) => self.post(&exchange, &body).await,
            Some(Err(response)) => self.refuse(&exchange, None, "body_not_accepted", response).await,
            None => self.bodiless(&exchange, &parts.method).await,
        }
    }

    /// Reads a body whole, within its limits (SEC-22).
    async fn read_body<B>(&self, parts: &Parts, body: B) -> Result<Bytes, Response<Body>>
    where
        B: http_body::Body + Send,
        B::Data: Buf + Send,
        B::Error: Into<BodyError>,
    {
        if !is_type(&parts.headers, "application/json") || parts.headers.contains_key(CONTENT_ENCODING) {
            let description = "the body must be application/json without an encoding";
            return Err(answer::plain(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "invalid_request",
                description,
            ));
        }
        let too_large = || {
            answer::plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                "invalid_request",
                "the body is too large",
            )
        };
        let announced = parts
            .headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > self.settings.max_body) {
            return Err(too_large());
        }
        let limited = Limited::new(body, self.settings.max_body);
        match tokio::time::timeout(self.settings.body_within, limited.collect()).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
            Ok(Err(_)) => Err(answer::plain(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "the body is incomplete",
            )),
            Err(_) => Err(answer::plain(
                StatusCode::REQUEST_TIMEOUT,
                "invalid_request",
                "the body took too long",
            )),
        }
    }

    /// Ends a request that was not let in.
    async fn turn_away(&self, turned: Turned, parts: &Parts, request_id: &str) -> Response<Body> {
        let Turned {
            mut response,
            route,
            token,
            code,
        } = turned;
        if let (Some(route), Some(code)) = (&route, code) {
            tracing::info!(code, connector = route.config.name, request_id, "request refused");
            let record = token.is_some() || self.strangers.take((self.now)());
            let call = self.call(&route.config.name, token.as_ref(), None, code, request_id);
            if record && self.write_down(call, route.config.durable).await.is_err() {
                return unrecorded();
            }
        }
        if code != Some("origin") && route.is_some() {
            share_with_origin(&parts.headers, &mut response);
        }
        response
    }

    /// Records a refusal and answers with it.
    pub(crate) async fn refuse(
        &self,
        exchange: &Exchange<'_>,
        message: Option<&Message<'_>>,
        code: &'static str,
        response: Response<Body>,
    ) -> Response<Body> {
        tracing::info!(
            code,
            connector = exchange.route.config.name,
            request_id = exchange.request_id,
            "call refused"
        );
        match self.record(exchange, message, code).await {
            Ok(()) => response,
            Err(NotRecorded) => unrecorded(),
        }
    }

    /// Records a decision; on a durable route it is on disk when this returns.
    pub(crate) async fn record(
        &self,
        exchange: &Exchange<'_>,
        message: Option<&Message<'_>>,
        decision: &'static str,
    ) -> Result<(), NotRecorded> {
        let about = message.map(|message| (message.method.as_ref(), message.name.as_deref()));
        self.record_as(exchange, about, decision).await
    }

    /// As [`Self::record`], for exchanges without a message.
    pub(crate) async fn record_as(
        &self,
        exchange: &Exchange<'_>,
        about: Option<(&str, Option<&str>)>,
        decision: &'static str,
    ) -> Result<(), NotRecorded> {
        let call = self.call(
            &exchange.route.config.name,
            Some(&exchange.token),
            about,
            decision,
            exchange.request_id,
        );
        self.write_down(call, exchange.route.config.durable).await
    }

    async fn write_down(&self, call: Call, durable: bool) -> Result<(), NotRecorded> {
        self.calls.record(call, durable)?.wait().await
    }

    fn call(
        &self,
        connector: &str,
        token: Option<&Verified<AccessToken>>,
        about: Option<(&str, Option<&str>)>,
        decision: &'static str,
        request_id: &str,
    ) -> Call {
        Call {
            at: (self.now)(),
            connector: connector.to_owned(),
            caller: token.cloned(),
            method: about
                .map(|(method, _)| shortened(method))
                .filter(|method| !method.is_empty()),
            name: about.and_then(|(_, name)| name).map(without_query),
            decision,
            request_id: request_id.to_owned(),
        }
    }

    fn next_request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("{}_{number}", self.settings.request_id_prefix)
    }
}

/// No event, no answer: what could not be recorded did not happen.
pub(crate) fn unrecorded() -> Response<Body> {
    answer::plain(
        StatusCode::SERVICE_UNAVAILABLE,
        "temporarily_unavailable",
        "calls cannot be recorded at the moment, try again",
    )
}

/// The query of a resource URI may hold secrets; the audit log does not need it (RS-GW-06).
fn without_query(name: &str) -> String {
    shortened(name.split(['?', '#']).next().unwrap_or_default())
}

fn shortened(text: &str) -> String {
    if text.len() <= 256 && !text.contains(char::is_control) {
        return text.to_owned();
    }
    text.chars().filter(|c| !c.is_control()).take(256).collect()
}
