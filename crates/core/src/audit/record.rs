//! Writing an event in the unit of the change it describes (IDP-PL-06, P1).
//!
//! Owns the builder and the text that is hashed later. Never seals and never reads events back.

use lanyard_protocol::client_id::ClientId;
use serde_json::Value;

use crate::audit::event::{Actor, AuditEvent, AuditOutcome};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::{EventId, RequestId, TenantId};
use crate::store::StoreError;
use crate::store::audit::AuditStore;

/// An event before it has an id and a time. Details never hold tokens, assertions or secrets (SEC-10).
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// `<room>.<noun>.<verb, past>`.
    pub kind: &'static str,
    /// How it was decided.
    pub outcome: AuditOutcome,
    /// The stable code of the exact reason, on a denial.
    pub reason: Option<&'static str>,
    /// Who acted.
    pub actor: Actor,
    /// On whose behalf or about whom.
    pub subject: Option<String>,
    /// The OAuth client.
    pub client_id: Option<String>,
    /// What was acted on.
    pub target: Option<String>,
    /// The tenant of the RAS.
    pub tenant: Option<String>,
    /// Named details.
    pub detail: serde_json::Map<String, Value>,
    at: Option<Timestamp>,
    request_id: Option<RequestId>,
}

impl NewEvent {
    /// Something was done.
    pub fn granted(kind: &'static str) -> Self {
        Self::new(kind, AuditOutcome::Granted, None)
    }

    /// Something was refused, for this exact reason.
    pub fn denied(kind: &'static str, reason: &'static str) -> Self {
        Self::new(kind, AuditOutcome::Denied, Some(reason))
    }

    fn new(kind: &'static str, outcome: AuditOutcome, reason: Option<&'static str>) -> Self {
        Self {
            kind,
            outcome,
            reason,
            actor: Actor::Anonymous,
            subject: None,
            client_id: None,
            target: None,
            tenant: None,
            detail: serde_json::Map::new(),
            at: None,
            request_id: None,
        }
    }

    /// Who acted; without it, nobody proved who they are.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// On whose behalf or about whom: a user id, or `issuer|sub`.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// The OAuth client.
    pub fn client(mut self, client: &ClientId) -> Self {
        self.client_id = Some(client.as_str().to_owned());
        self
    }

    /// What was acted on.
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// The tenant of the RAS.
    pub fn tenant(mut self, tenant: &TenantId) -> Self {
        self.tenant = Some(tenant.as_str().to_owned());
        self
    }

    /// A named detail.
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }

    /// A named detail, when there is one.
    pub fn detail_if(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.detail(name, value),
            None => self,
        }
    }

    /// When it happened, for an event that is delivered later (calls at a gateway).
    pub const fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// Under which request id the caller knows it, when that is not the present request.
    pub fn request(mut self, id: RequestId) -> Self {
        self.request_id = Some(id);
        self
    }
}

/// Appends an event to the log, in the unit that holds `tx`.
///
/// # Errors
/// [`StoreError`]; the unit must then fail, so that nothing happens unrecorded.
pub fn record(cx: &Cx, tx: &mut dyn AuditStore, event: NewEvent) -> Result<EventId, StoreError> {
    let event = AuditEvent {
        id: cx.new_id(),
        at: event.at.unwrap_or(cx.now),
        kind: event.kind.to_owned(),
        outcome: event.outcome,
        reason: event.reason.map(str::to_owned),
        actor: event.actor,
        subject: event.subject,
        client_id: event.client_id,
        target: event.target,
        tenant: event.tenant,
        detail: event.detail,
        request_id: event.request_id.unwrap_or_else(|| cx.request_id.clone()),
        peer: cx.peer,
    };
    let text = text(&event)?;
    tx.append_event(&event, &text)?;
    Ok(event.id)
}

/// Room for the text of most events, so that it grows without being copied.
const ROOM: usize = 1024;

/// The JSON text of an event: one line, as it is stored, hashed and exported.
///
/// # Errors
/// [`StoreError::Corrupt`], which cannot happen: every member is text, a number or a map with text keys.
pub fn text(event: &AuditEvent) -> Result<String, StoreError> {
    let mut text = Vec::with_capacity(ROOM);
    serde_json::to_writer(&mut text, event)
        .ok()
        .and_then(|()| String::from_utf8(text).ok())
        .ok_or_else(|| StoreError::Corrupt("an audit event has no JSON form".to_owned()))
}
