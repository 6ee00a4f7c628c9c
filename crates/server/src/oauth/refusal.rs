//! A "no" on its way to the wire and to the audit log.
//!
//! Owns the shape of an OAuth error answer (ER-01). Never decides which code a reason gets (`error.rs`).

use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use lanyard_core::audit::record::{NewEvent, record};
use lanyard_core::client::registration::Client;
use lanyard_core::cx::Cx;
use lanyard_core::id::RequestId;
use lanyard_core::session::requirement::Requirement;
use lanyard_core::store::{StoreError, Tx};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::oauth::error::{ErrorBody, ErrorCode};

use crate::http::answer;

/// What the caller is told, and under which name the exact reason is known inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status; for most codes the one of [`status_of`].
    pub(crate) status: StatusCode,
    /// The code on the wire.
    pub(crate) error: ErrorCode,
    /// A short neutral sentence in ASCII for the caller.
    pub(crate) description: &'static str,
    /// The stable code of the exact reason: audit and metrics.
    pub(crate) reason: &'static str,
    /// The sign-in that would change it (SU-02).
    pub(crate) needed: Requirement,
}

impl Refusal {
    /// A refusal with the usual status of its code.
    pub(crate) const fn new(error: ErrorCode, reason: &'static str, description: &'static str) -> Self {
        Self {
            status: status_of(error),
            error,
            description,
            reason,
            needed: Requirement {
                strength: None,
                max_age: None,
            },
        }
    }

    /// The same with the sign-in that would change it.
    pub(crate) const fn with_needed(mut self, needed: Requirement) -> Self {
        self.needed = needed;
        self
    }

    /// The same with another status.
    pub(crate) const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Writes the refusal down for an authenticated client, under the kind of what it asked for.
    pub(crate) fn record(
        &self,
        cx: &Cx,
        tx: &mut dyn Tx,
        kind: &'static str,
        client: &Client,
    ) -> Result<(), StoreError> {
        use lanyard_core::audit::event::Actor;
        let actor = Actor::Client(client.client_id.as_str().to_owned());
        record(
            cx,
            tx,
            NewEvent::denied(kind, self.reason)
                .actor(actor)
                .client(&client.client_id),
        )
        .map(|_| ())
    }

    /// Writes the refusal of a caller down whom nobody authenticated; `claimed` is only what it said.
    pub(crate) fn record_anonymous(
        &self,
        cx: &Cx,
        tx: &mut dyn Tx,
        kind: &'static str,
        claimed: Option<&ClientId>,
    ) -> Result<(), StoreError> {
        let mut event = NewEvent::denied(kind, self.reason);
        if let Some(claimed) = claimed {
            event = event.detail("claimed_client_id", claimed.as_str());
        }
        record(cx, tx, event).map(|_| ())
    }

    /// The answer.
    pub(crate) fn answer(&self, request_id: &RequestId) -> Response {
        let body = ErrorBody {
            error: self.error.as_str().to_owned(),
            error_description: Some(self.description.to_owned()),
            request_id: Some(request_id.as_str().to_owned()),
            acr_values: self.needed.strength.map(|strength| strength.acr().to_owned()),
            max_age: self.needed.max_age,
        };
        let mut response = answer::json(self.status, &body);
        if self.status == StatusCode::UNAUTHORIZED && self.error == ErrorCode::InvalidClient {
            let challenge = HeaderValue::from_static("Basic realm=\"oauth\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The usual status of a code at the token endpoint (requirements, section 16).
pub(crate) const fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// A failure of ours: logged once, here, and told without a word about the inside (ER-01, row 18).
pub(crate) fn failure(error: &StoreError, request_id: &RequestId) -> Response {
    match error {
        StoreError::Full | StoreError::Unavailable => {
            tracing::warn!(request.id = request_id.as_str(), error = %error, "the store takes no work");
            let refusal = Refusal::new(
                ErrorCode::TemporarilyUnavailable,
                "store_unavailable",
                "the service cannot answer now, try again shortly",
            );
            answer::retry_after(refusal.answer(request_id), 2)
        }
        other => {
            tracing::error!(request.id = request_id.as_str(), error = %Chain(other), "a request failed");
            SERVER_ERROR.answer(request_id)
        }
    }
}

/// What the caller sees of a failure of ours.
pub(crate) const SERVER_ERROR: Refusal =
    Refusal::new(ErrorCode::ServerError, "server_error", "the request failed on our side");

/// An error with its sources.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

/// The caller has to wait (row 18).
pub(crate) fn slow_down(request_id: &RequestId, seconds: u64) -> Response {
    let refusal = Refusal::new(
        ErrorCode::TemporarilyUnavailable,
        "too_many_failures",
        "too many failed attempts from this address, try again later",
    )
    .with_status(StatusCode::TOO_MANY_REQUESTS);
    answer::retry_after(refusal.answer(request_id), seconds)
}
