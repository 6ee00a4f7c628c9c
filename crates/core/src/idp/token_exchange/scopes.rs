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
use crate::policy::step_up::Judged;
use crate::session::requirement::{Evidence, Requirement};
use crate::store::{StoreError, Tx};

/// Scopes of the sign-in itself; no connector has them.
const OWN: [&str; 2] = ["openid", "offline_access"];

/// Who asks.
pub(super) struct Who<'a> {
    pub(super) user: &'a UserId,
    pub(super) groups: &'a [GroupId],
    pub(super) client: &'a ClientKey,
    /// What the original sign-in is worth (SU-04).
    pub(super) evidence: Evidence,
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
    judged: Judged,
}

/// Asks policy about every connector and combines the answers.
///
/// An ID-JAG has one list of scopes for all its resources. So a scope is granted only if every granted connector
/// that has a scope of that name grants it: equal names on two servers are not the same permission (SEC-02).
///
/// When a better sign-in alone would add a scope that was asked for, that is the answer rather than fewer scopes (SU-01).
/// Who asked for nothing in particular gets what there is without it.
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
        let judged = Judged::of(connector, &decision, who.evidence);
        trace.decided(connector, &decision, wanted.difference(&known));
        asked.push(Asked {
            connector,
            known,
            decision,
            judged,
        });
    }

    let now: Vec<&ScopeSet> = asked.iter().map(|one| one.judged.granted(&one.decision)).collect();
    let mut granted = combine(&asked, &now, chosen.named);
    if let Some(needed) = step_up(&asked, chosen.named, &granted, requested.is_some()) {
        explain_to(tx, who, &asked, trace)?;
        return Err(Stop::Denied(Denial::StepUpNeeded { needed }));
    }
    if granted.scope.is_empty() {
        return Err(refusal(tx, policy, who, &asked, trace)?);
    }
    if !chosen.named {
        granted.resources.clear();
    }
    Ok(granted)
}

/// What remains over all connectors, when each grants what stands at its place in `each`.
fn combine(asked: &[Asked<'_>], each: &[&ScopeSet], named: bool) -> Granted {
    let mut remaining: Vec<(&Asked<'_>, &ScopeSet)> = asked
        .iter()
        .zip(each.iter().copied())
        .filter(|(_, own)| !own.is_empty())
        .collect();
    // Without a name the ID-JAG could be redeemed for each of them, so each must be granted.
    if !named && remaining.len() < asked.len() {
        remaining.clear();
    }
    let shared = |scope: &Scope| {
        remaining
            .iter()
            .all(|(one, own)| own.contains(scope) || !has(one.connector, scope))
    };
    let mut granted = Granted {
        resources: Vec::with_capacity(remaining.len()),
        scope: ScopeSet::empty(),
    };
    for (one, own) in &remaining {
        let own: ScopeSet = own.iter().filter(|scope| shared(scope)).cloned().collect();
        if own.is_empty() && !named {
            granted.scope = ScopeSet::empty();
            break;
        }
        if !own.is_empty() {
            granted.scope = granted.scope.union(&own);
            granted.resources.push(one.connector.resource.clone());
        }
    }
    granted
}

/// The sign-in that would add something to what is granted now, if that is to be asked for.
fn step_up(asked: &[Asked<'_>], named: bool, now: &Granted, by_name: bool) -> Option<Requirement> {
    let nothing_locked = asked.iter().all(|one| one.judged.locked.is_empty());
    if nothing_locked || (!by_name && !now.scope.is_empty()) {
        return None;
    }
    let then: Vec<ScopeSet> = asked.iter().map(|one| one.judged.reachable(&one.decision)).collect();
    let then = combine(asked, &then.iter().collect::<Vec<_>>(), named);
    if then.scope.is_subset(&now.scope) && then.resources.len() <= now.resources.len() {
        return None;
    }
    let locked = asked.iter().flat_map(|one| &one.judged.locked);
    let needed = locked
        .filter(|(scope, _)| then.scope.contains(scope))
        .fold(Requirement::default(), |all, (_, needs)| all.and(*needs));
    (!needed.is_nothing()).then_some(needed)
}

/// Nothing remains: does no rule admit the person at all, or only not with these scopes (D-08)?
fn refusal(
    tx: &mut dyn Tx,
    policy: &CompiledPolicy,
    who: &Who<'_>,
    asked: &[Asked<'_>],
    trace: &mut Trace,
) -> Result<Stop<Denial>, Stop<Denial>> {
    explain_to(tx, who, asked, trace)?;
    let admitted = asked.iter().any(|one| {
        let most = explain::reach(policy, who.user, who.groups, who.client, one.connector);
        !most.granted.is_empty()
    });
    Ok(Stop::Denied(if admitted {
        Denial::NoScopeGranted
    } else {
        Denial::NotPermitted
    }))
}

fn explain_to(tx: &mut dyn Tx, who: &Who<'_>, asked: &[Asked<'_>], trace: &mut Trace) -> Result<(), StoreError> {
    for one in asked {
        let facts = facts(who, one.connector, &one.known);
        trace
            .why
            .extend(explain::sentences(tx, &facts, &one.decision, &one.judged)?);
    }
    Ok(())
}

fn facts<'a>(who: &Who<'a>, connector: &'a Connector, requested: &'a ScopeSet) -> Facts<'a> {
    Facts {
        user: who.user,
        groups: who.groups,
        client: who.client,
        connector: &connector.id,
        requested,
        evidence: who.evidence,
    }
}

fn has(connector: &Connector, scope: &Scope) -> bool {
    !OWN.contains(&scope.as_str()) && connector.scopes.iter().any(|own| own.scope == *scope)
}
