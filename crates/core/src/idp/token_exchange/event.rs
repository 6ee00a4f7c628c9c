//! The audit event of an exchange (IDP-PL-06): who, client, target, what was granted and refused, by which rule.
//!
//! Owns what is written. Never writes token material.

use std::sync::Arc;

use lanyard_protocol::oauth::token_request::TokenExchangeRequest;
use lanyard_protocol::scope::ScopeSet;
use serde_json::{Map, Value};

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::auth::AuthenticatedClient;
use crate::connector::record::Connector;
use crate::cx::Cx;
use crate::id::UserId;
use crate::idp::excerpt;
use crate::idp::id_jag::IdJagGrant;
use crate::idp::token_exchange::Denial;
use crate::policy::evaluate::Decision;
use crate::session::requirement::Evidence;
use crate::store::{StoreError, Tx};

/// Rules that an event names even when others granted the same: enough to see why, and no event as long as a rule book.
const NAMED_RULES: usize = 16;

/// What became known while deciding.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) user: Option<UserId>,
    /// What the sign-in was worth.
    pub(super) evidence: Option<Evidence>,
    /// Why nothing was granted, in sentences.
    pub(super) why: Vec<String>,
    decisions: Vec<(String, Arc<Decision>, ScopeSet)>,
}

impl Trace {
    /// Notes what policy said of a connector, and which scopes it does not have.
    pub(super) fn decided(&mut self, connector: &Connector, decision: &Arc<Decision>, unknown: ScopeSet) {
        self.decisions
            .push((connector.name.clone(), Arc::clone(decision), unknown));
    }

    fn connectors(&self) -> Value {
        Value::from(
            self.decisions
                .iter()
                .map(|(name, _, _)| name.as_str())
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    /// Rules that granted something, with what they granted: for each scope at least one, and [`NAMED_RULES`] in all if
    /// there are so many. With it, how many more there were.
    fn rules(&self) -> (Vec<Value>, u64) {
        let hits = self.decisions.iter().flat_map(|(_, decision, _)| &decision.hits);
        let (mut named, mut more, mut told) = (Vec::new(), 0_u64, ScopeSet::default());
        for hit in hits {
            if named.len() >= NAMED_RULES && hit.scopes.is_subset(&told) {
                more = more.saturating_add(1);
                continue;
            }
            told = told.union(&hit.scopes);
            named.push(object([
                ("rule", hit.rule.as_str().into()),
                ("title", hit.title.as_ref().into()),
                ("scope", hit.scopes.to_string().into()),
            ]));
        }
        (named, more)
    }

    /// Scopes that were not granted, with the denying rule if there is one.
    fn refused(&self) -> Vec<Value> {
        let mut refused = Vec::new();
        for (_, decision, unknown) in &self.decisions {
            for scope in &decision.refused {
                let by = scope.by.as_ref().map_or(Value::Null, |rule| rule.as_str().into());
                let needs = scope.unlock.as_ref().map(|unlock| unlock.needs.to_string());
                let mut entry = vec![("scope", scope.scope.as_str().into()), ("rule", by)];
                entry.extend(needs.map(|needs| ("needs", needs.into())));
                refused.push(object(entry));
            }
            for scope in unknown.iter() {
                refused.push(object([("scope", scope.as_str().into()), ("unknown", true.into())]));
            }
        }
        refused
    }

    fn describe(&self, mut event: NewEvent) -> NewEvent {
        if let Some(user) = &self.user {
            event = event.subject(user.as_str());
        }
        if self.decisions.is_empty() {
            return event;
        }
        event = event.detail("connector", self.connectors());
        let refused = self.refused();
        if refused.is_empty() {
            event
        } else {
            event.detail("refused", refused)
        }
    }
}

pub(super) fn issued(
    cx: &Cx,
    tx: &mut dyn Tx,
    client: &AuthenticatedClient,
    grant: &IdJagGrant,
    trace: &Trace,
) -> Result<(), StoreError> {
    let target = match grant.resources.as_slice() {
        [] => grant.audience.as_str().to_owned(),
        resources => resources
            .iter()
            .map(|resource| resource.as_str())
            .collect::<Vec<_>>()
            .join(" "),
    };
    let (rules, more) = trace.rules();
    let event = NewEvent::granted("idp.id_jag.issued")
        .actor(Actor::Client(client.client.client_id.as_str().to_owned()))
        .client(&client.client.client_id)
        .target(target)
        .detail("audience", grant.audience.as_str())
        .detail("exp", grant.expires_at().seconds())
        .detail("jti", grant.jti.as_str())
        .detail("ras_client_id", grant.client_id.as_str())
        .detail("rules", rules)
        .detail_if("more_rules", (more > 0).then_some(more))
        .detail("scope", grant.scope.to_string())
        .detail("sub", grant.subject.as_str());
    record(cx, tx, trace.describe(event)).map(|_| ())
}

pub(super) fn denied(
    cx: &Cx,
    tx: &mut dyn Tx,
    client: &AuthenticatedClient,
    request: &TokenExchangeRequest,
    denial: &Denial,
    trace: &Trace,
) -> Result<(), StoreError> {
    let resources: Vec<&str> = request.resources.iter().map(|resource| resource.as_str()).collect();
    let target = if resources.is_empty() {
        request.audience.clone()
    } else {
        resources.join(" ")
    };
    let mut event = NewEvent::denied("idp.id_jag.denied", denial.code())
        .actor(Actor::Client(client.client.client_id.as_str().to_owned()))
        .client(&client.client.client_id)
        .target(excerpt(&target))
        .detail("audience", excerpt(&request.audience))
        .detail("because", denial.to_string());
    if let Some(scope) = &request.scope {
        event = event.detail("requested", excerpt(&scope.to_string()));
    }
    if let (Denial::StepUpNeeded { .. }, Some(evidence)) = (denial, trace.evidence) {
        event = event.detail("sign_in", evidence.to_string());
    }
    if !trace.why.is_empty() {
        event = event.detail("why", trace.why.clone());
    }
    record(cx, tx, trace.describe(event)).map(|_| ())
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
    Value::Object(members.collect::<Map<_, _>>())
}
