//! A message of somebody who was let in: judged, decided, recorded, forwarded.
//!
//! Owns that order (requirements, wire examples, section 19). Never verifies tokens.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::Full;
use lanyard_protocol::scope::ScopeSet;
use lanyard_resource_server::refusal::Refusal;
use serde_json::value::RawValue;

use crate::answer;
use crate::body::{Body, Guarded};
use crate::decide::{self, Denial};
use crate::gateway::{Exchange, Gateway, unrecorded};
use crate::handles::HandleSeal;
use crate::mcp::edit::{Edit, ToolFilter};
use crate::mcp::message::{Message, MessageKind};
use crate::mcp::method;
use crate::mcp::version::{self, Era, WireError};
use crate::proxy::{self, is_type};
use crate::session::{SessionRefusal, id_of};

impl Gateway {
    /// A `POST`: one JSON-RPC message.
    pub(crate) async fn post(self: &Arc<Self>, exchange: &Exchange<'_>, body: &[u8]) -> Response<Body> {
        let mut message = match Message::read(body) {
            Ok(message) => message,
            Err(error) => {
                return self
                    .refuse(exchange, None, "malformed", answer::unreadable(error))
                    .await;
            }
        };
        let (era, session) = match self.judge(exchange, &mut message) {
            Ok(judged) => judged,
            Err(refused) => {
                return self
                    .refuse(exchange, Some(&message), refused.code, refused.response)
                    .await;
            }
        };
        if message.kind == MessageKind::Request && self.record(exchange, Some(&message), "allowed").await.is_err() {
            return unrecorded();
        }
        let request = proxy::post(&exchange.route.upstream, era, exchange.headers, session, &message);
        let begins_session = era == Era::Sessions && message.method == "initialize";
        let edit = self.edit_for(exchange, era, &message);
        self.forward(
            exchange,
            request,
            Passage {
                era,
                edit,
                begins_session,
                id: message.id,
            },
        )
        .await
    }

    /// A `GET` or `DELETE`: the standing stream and the end of a session in the older revisions (RS-W26-03).
    pub(crate) async fn bodiless(self: &Arc<Self>, exchange: &Exchange<'_>, method: &Method) -> Response<Body> {
        if *method != Method::GET && *method != Method::DELETE {
            return answer::method_not_allowed("POST, GET, DELETE");
        }
        let era = match version::judge_bodiless(exchange.headers) {
            Ok(era) => era,
            Err(error) => {
                return self
                    .refuse(exchange, None, error.name(), answer::wire_error(&error, None))
                    .await;
            }
        };
        let route = &exchange.route;
        if let Err(denial) = decide::require_any(&route.config, &route.scopes, exchange.held().as_deref()) {
            let refusal = Refusal::Scope(scopes_of(&denial));
            let response = answer::refused(&refusal, route.verifier.resource());
            return self.refuse(exchange, None, denial.code(), response).await;
        }
        if era == Era::Stateless {
            return self
                .refuse(exchange, None, "method_unknown", answer::method_not_allowed("POST"))
                .await;
        }
        let session = match self.session_of_request(exchange) {
            Ok(session) => session,
            Err(refusal) => {
                return self
                    .refuse(exchange, None, refusal.code(), session_refused(refusal, None))
                    .await;
            }
        };
        if self
            .record_as(exchange, Some((method.as_str(), None)), "allowed")
            .await
            .is_err()
        {
            return unrecorded();
        }
        let request = proxy::bodiless(&route.upstream, method.clone(), exchange.headers, session);
        let edit = Edit {
            tools: tool_filter(exchange),
            ..Edit::default()
        };
        let response = self
            .forward(
                exchange,
                request,
                Passage {
                    era,
                    edit,
                    begins_session: false,
                    id: None,
                },
            )
            .await;
        if let Some(session) = session
            && *method == Method::DELETE
            && (response.status().is_success() || response.status() == StatusCode::NOT_FOUND)
        {
            self.sessions.end(route.config.resource.as_str(), session);
        }
        response
    }

    /// Judges a message by everything that is known of it: revision, permission, sign-in, session and request state.
    fn judge<'a>(
        &self,
        exchange: &Exchange<'a>,
        message: &mut Message<'_>,
    ) -> Result<(Era, Option<&'a str>), Box<Refused>> {
        let route = &exchange.route;
        let era = self
            .revision(exchange, message)
            .map_err(|error| Refused::new(error.name(), answer::wire_error(&error, message.id)))?;
        decide::decide(&route.config, &route.scopes, exchange.held().as_deref(), era, message)
            .map_err(|denial| Refused::new(denial.code(), denied(&denial, exchange, era, message)))?;
        if let Some(need) = decide::authentication_needed(&route.config, era, message) {
            let verifier = &route.verifier;
            verifier
                .require_authentication(&exchange.token, need)
                .map_err(|refusal| Refused::new(refusal.code(), answer::refused(&refusal, verifier.resource())))?;
        }
        let session = self
            .session(exchange, era, message)
            .map_err(|refusal| Refused::new(refusal.code(), session_refused(refusal, message.id)))?;
        if let Some(state) = &message.state {
            let Some(state) = self.handles_of(exchange).open(state) else {
                let error = WireError::new(-32602, "the request state is not valid");
                let response = answer::wire_error(&error, message.id);
                return Err(Refused::new("request_state_foreign", response));
            };
            message.state = Some(Cow::Owned(state));
        }
        Ok((era, session))
    }

    fn revision(&self, exchange: &Exchange<'_>, message: &Message<'_>) -> Result<Era, WireError> {
        let era = version::judge(exchange.headers, message)?;
        if era == Era::Stateless {
            if message.kind == MessageKind::Response {
                return Err(WireError::new(
                    -32600,
                    "there are no requests of the server to answer in this revision",
                ));
            }
            let must_declare = self.settings.require_declaration && message.kind == MessageKind::Request;
            if must_declare && !version::declares_extension(message) {
                return Err(version::extension_missing());
            }
        }
        Ok(era)
    }

    /// The session that a message belongs to. The newer revision has none, and the header is not looked at.
    fn session<'a>(
        &self,
        exchange: &Exchange<'a>,
        era: Era,
        message: &Message<'_>,
    ) -> Result<Option<&'a str>, SessionRefusal> {
        if era == Era::Stateless || message.method == "initialize" {
            return Ok(None);
        }
        self.session_of_request(exchange)
    }

    fn session_of_request<'a>(&self, exchange: &Exchange<'a>) -> Result<Option<&'a str>, SessionRefusal> {
        match id_of(exchange.headers)? {
            Some(id) => {
                self.sessions
                    .check(exchange.route.config.resource.as_str(), id, &exchange.token)?;
                Ok(Some(id))
            }
            // A server that was never seen to give an id may well be one without sessions; it answers for itself.
            None if exchange.route.keeps_sessions.load(Ordering::Relaxed) => Err(SessionRefusal::Missing),
            None => Ok(None),
        }
    }

    /// What is changed in the answer to a request.
    fn edit_for(&self, exchange: &Exchange<'_>, era: Era, message: &Message<'_>) -> Edit {
        if message.kind != MessageKind::Request {
            return Edit::default();
        }
        Edit {
            tools: if message.method == "tools/list" {
                tool_filter(exchange)
            } else {
                None
            },
            declare: matches!(message.method.as_ref(), "initialize" | "server/discover"),
            private: era == Era::Stateless && method::is_cacheable(&message.method),
            handles: (era == Era::Stateless && method::may_ask(&message.method)).then(|| self.handles_of(exchange)),
        }
    }

    fn handles_of(&self, exchange: &Exchange<'_>) -> HandleSeal {
        HandleSeal::new(
            Arc::clone(&self.handle_key),
            Arc::clone(&exchange.route),
            exchange.token.clone(),
        )
    }

    async fn forward(
        self: &Arc<Self>,
        exchange: &Exchange<'_>,
        mut request: Request<Full<Bytes>>,
        passage: Passage<'_>,
    ) -> Response<Body> {
        let Passage {
            era,
            edit,
            begins_session,
            id,
        } = passage;
        let route = &exchange.route;
        let failed = |what: &str, error: &dyn std::error::Error| {
            let source = error.source().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(connector = route.config.name, request_id = exchange.request_id, %error, source, "{what}");
            answer::bad_gateway(id)
        };
        match self
            .credentials
            .authorization(&route.config.name, &exchange.token)
            .await
        {
            Ok(credential) => proxy::authorize(&mut request, credential),
            Err(error) => return failed("no credential for the server behind the gateway", &error),
        }
        let response = match self.upstream.send(request).await {
            Ok(response) => response,
            Err(error) => return failed("the server behind the gateway failed", &error),
        };
        if begins_session && response.status().is_success() && !self.begin_session(exchange, response.headers()) {
            return answer::bad_gateway(id);
        }
        match proxy::answer(response, era, edit).await {
            Ok(response) => self.guarded(exchange, response),
            Err(proxy::NotForCallers) => answer::bad_gateway(id),
        }
    }

    /// Binds the session that an answer begins. `false` when the server broke the rules in a way that would mix callers.
    fn begin_session(&self, exchange: &Exchange<'_>, headers: &http::HeaderMap) -> bool {
        let route = &exchange.route;
        match id_of(headers) {
            Ok(None) => {
                route.keeps_sessions.store(false, Ordering::Relaxed);
                true
            }
            Ok(Some(id)) => {
                route.keeps_sessions.store(true, Ordering::Relaxed);
                let own = self.sessions.bind(route.config.resource.as_str(), id, &exchange.token);
                if !own {
                    tracing::error!(
                        connector = route.config.name,
                        "the server behind gave two callers the same session id"
                    );
                }
                own
            }
            Err(_) => false,
        }
    }

    /// Puts a watch on a body that may live longer than the right to read it (RS-W26-08).
    fn guarded(self: &Arc<Self>, exchange: &Exchange<'_>, response: Response<Body>) -> Response<Body> {
        if !is_type(response.headers(), "text/event-stream") && response.body().size_hint().exact().is_some() {
            return response;
        }
        let end = self.end_of(exchange);
        response.map(|body| Body::new(Guarded::new(body, end)))
    }

    /// Resolves when a stream opened now must end: the token expired or was revoked, nobody can say whether it was, or
    /// the route is not what it was.
    fn end_of(self: &Arc<Self>, exchange: &Exchange<'_>) -> impl Future<Output = ()> + Send + 'static {
        let gateway = Arc::clone(self);
        let route = Arc::clone(&exchange.route);
        let token = exchange.token.clone();
        let request_id = exchange.request_id.to_owned();
        async move {
            let mut revoked = route.verifier.revocations().changes();
            let mut replaced = gateway.table_changed.subscribe();
            loop {
                let why = match route.verifier.verify_again(&token) {
                    Err(refusal) => refusal.code(),
                    Ok(()) if !gateway.table.load().still_serves(&route) => "route_changed",
                    Ok(()) => "",
                };
                if !why.is_empty() {
                    tracing::info!(connector = route.config.name, request_id, why, "stream closed");
                    return;
                }
                let left = u64::try_from(route.verifier.seconds_left(&token)).unwrap_or(0);
                let pause = Duration::from_secs(left).min(gateway.settings.stream_check);
                tokio::select! {
                    // A view that is gone changes no more; time still does.
                    Ok(()) = revoked.changed() => {}
                    Ok(()) = replaced.changed() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }
}

/// A message that does not go on: what is recorded, and the answer.
struct Refused {
    code: &'static str,
    response: Response<Body>,
}

impl Refused {
    fn new(code: &'static str, response: Response<Body>) -> Box<Self> {
        Box::new(Self { code, response })
    }
}

/// What is known of a request while it is away.
struct Passage<'a> {
    era: Era,
    edit: Edit,
    begins_session: bool,
    id: Option<&'a RawValue>,
}

fn tool_filter(exchange: &Exchange<'_>) -> Option<ToolFilter> {
    let route = Arc::clone(&exchange.route);
    let held = exchange.held().map(Cow::into_owned);
    route
        .config
        .filter_tools
        .then(|| -> ToolFilter { Box::new(move |tool| decide::may_call(&route.config, held.as_ref(), tool)) })
}

fn denied(denial: &Denial, exchange: &Exchange<'_>, era: Era, message: &Message<'_>) -> Response<Body> {
    match denial {
        Denial::Scope(needed) => answer::refused(&Refusal::Scope(needed.clone()), exchange.route.verifier.resource()),
        // No challenge: no scope would help, and a client must not try to get one.
        Denial::UnmappedTool => answer::plain(
            StatusCode::FORBIDDEN,
            "access_denied",
            "this tool is not available here",
        ),
        Denial::UnknownMethod => {
            // In the older revisions 404 means that the session ended, so the error is an ordinary answer.
            let status = match (era, message.kind) {
                (Era::Stateless, _) => StatusCode::NOT_FOUND,
                (Era::Sessions, MessageKind::Request) => StatusCode::OK,
                (Era::Sessions, _) => StatusCode::BAD_REQUEST,
            };
            answer::json_rpc(status, message.id, -32601, "method not found", None)
        }
    }
}

fn scopes_of(denial: &Denial) -> ScopeSet {
    match denial {
        Denial::Scope(needed) => needed.clone(),
        Denial::UnmappedTool | Denial::UnknownMethod => ScopeSet::empty(),
    }
}

/// Row 29. A session of somebody else does not exist (RS-W25-02).
fn session_refused(refusal: SessionRefusal, id: Option<&RawValue>) -> Response<Body> {
    match refusal {
        SessionRefusal::Unknown | SessionRefusal::Foreign => {
            answer::json_rpc(StatusCode::NOT_FOUND, id, -32001, "session not found", None)
        }
        SessionRefusal::Missing => {
            answer::json_rpc(StatusCode::BAD_REQUEST, id, -32600, "a session id is needed", None)
        }
        SessionRefusal::Malformed => {
            answer::json_rpc(StatusCode::BAD_REQUEST, id, -32600, "the session id is malformed", None)
        }
    }
}
