//! Which of the requested scopes go into the ID-JAG (IDP-PL-02, IDP-PL-05).
//!
//! Owns the combination of several connectors. Never decides about one: that is policy.

use std::sync::Arc;

use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::{Scope, ScopeSet};

use crate::connector::record::Connector;
use crate::id::{ClientKey, GroupId, UserId};
use crate::idp::Stop;
use crate::idp::token_exchange::Denial;
use crate::idp::token_exchange::event::Trace;
use crate::idp::token_exchange::target::Chosen;
use crate::policy::evaluate::{CompiledPolicy, Decision, Facts};
use crate::policy::explain;
use crate::store::Tx;

/// Scopes of the sign-in itself; no connector has them.
const OWN: [&str; 2] = ["openid", "offline_access"];

/// Who asks.
pub(super) struct Who<'a> {
    pub(super) user: &'a UserId,
    pub(super) groups: &'a [GroupId],
    pub(super) client: &'a ClientKey,
}

/// What remains after policy.
pub(super) struct Granted {
    pub(super) resources: Vec<ResourceId>,
    pub(super) scope: ScopeSet,
}

struct Asked<'a> {
    connector: &'a Connector,
    known: ScopeSet,
    decision: Arc<Decision>,
}

/// Asks policy about every connector and combines the answers.
///
/// An ID-JAG has one list of scopes for all its resources. So a scope is granted only if every granted connector
/// that has a scope of that name grants it: equal names on two servers are not the same permission (SEC-02).
pub(super) fn grant(
    tx: &mut dyn Tx,
    policy: &CompiledPolicy,
    who: &Who<'_>,
    chosen: &Chosen,
    requested: Option<&ScopeSet>,
    trace: &mut Trace,
) -> Result<Granted, Stop<Denial>> {
    let mut asked = Vec::with_capacity(chosen.connectors.len());
    for connector in &chosen.connectors {
        let wanted = requested.unwrap_or(&connector.default_scopes);
        let known: ScopeSet = wanted.iter().filter(|scope| has(connector, scope)).cloned().collect();
        let decision = policy.evaluate(&facts(who, connector, &known));
        trace.decided(connector, &decision, wanted.difference(&known));
        asked.push(Asked {
            connector,
            known,
            decision,
        });
    }

    let mut remaining: Vec<&Asked<'_>> = asked.iter().filter(|one| !one.decision.granted.is_empty()).collect();
    // Without a name the ID-JAG could be redeemed for each of them, so each must be granted.
    if !chosen.named && remaining.len() < asked.len() {
        remaining.clear();
    }
    let shared = |scope: &Scope| {
        remaining
            .iter()
            .all(|one| one.decision.granted.contains(scope) || !has(one.connector, scope))
    };
    let mut resources = Vec::with_capacity(remaining.len());
    let mut scope = ScopeSet::empty();
    for one in &remaining {
        let own: ScopeSet = one
            .decision
            .granted
            .iter()
            .filter(|scope| shared(scope))
            .cloned()
            .collect();
        if own.is_empty() && !chosen.named {
            scope = ScopeSet::empty();
            break;
        }
        if !own.is_empty() {
            scope = scope.union(&own);
            resources.push(one.connector.resource.clone());
        }
    }
    if scope.is_empty() {
        return Err(refusal(tx, policy, who, &asked, trace)?);
    }
    if !chosen.named {
        resources.clear();
    }
    Ok(Granted { resources, scope })
}

/// Nothing remains: does no rule admit the person at all, or only not with these scopes (D-08)?
fn refusal(
    tx: &mut dyn Tx,
    policy: &CompiledPolicy,
    who: &Who<'_>,
    asked: &[Asked<'_>],
    trace: &mut Trace,
) -> Result<Stop<Denial>, Stop<Denial>> {
    let mut admitted = false;
    for one in asked {
        let most = explain::reach(policy, who.user, who.groups, who.client, one.connector);
        admitted |= !most.granted.is_empty();
        let sentences = explain::sentences(tx, &facts(who, one.connector, &one.known), &one.decision)?;
        trace.why.extend(sentences);
    }
    Ok(Stop::Denied(if admitted {
        Denial::NoScopeGranted
    } else {
        Denial::NotPermitted
    }))
}

fn facts<'a>(who: &Who<'a>, connector: &'a Connector, requested: &'a ScopeSet) -> Facts<'a> {
    Facts {
        user: who.user,
        groups: who.groups,
        client: who.client,
        connector: &connector.id,
        requested,
    }
}

fn has(connector: &Connector, scope: &Scope) -> bool {
    !OWN.contains(&scope.as_str()) && connector.scopes.iter().any(|own| own.scope == *scope)
}
