//! A decision in sentences for an administrator.
//!
//! Owns the wording. Never decides, and never speaks to the person or client who was refused.

use std::sync::Arc;

use lanyard_protocol::scope::ScopeSet;

use crate::connector::record::Connector;
use crate::id::{ClientKey, GroupId, RuleId, UserId};
use crate::policy::evaluate::{CompiledPolicy, Decision, Facts};
use crate::policy::rule::{People, Rule};
use crate::policy::step_up::Judged;
use crate::session::requirement::Evidence;
use crate::store::{StoreError, Tx};

/// What a person could get at most from a connector through a client, after the best sign-in: who can reach what.
pub fn reach(
    policy: &CompiledPolicy,
    user: &UserId,
    groups: &[GroupId],
    client: &ClientKey,
    connector: &Connector,
) -> Arc<Decision> {
    let requested = connector.scope_set();
    policy.evaluate(&Facts {
        user,
        groups,
        client,
        connector: &connector.id,
        requested: &requested,
        evidence: Evidence::BEST,
    })
}

/// Why the decision is as it is, one sentence per rule, requirement or gap.
///
/// # Errors
/// [`StoreError`].
pub fn sentences(
    tx: &mut dyn Tx,
    facts: &Facts<'_>,
    decision: &Decision,
    judged: &Judged,
) -> Result<Vec<String>, StoreError> {
    let mut sentences = Vec::new();
    for hit in &decision.hits {
        let through = matched(tx, facts, &hit.rule)?;
        sentences.push(format!("rule '{}' grants {} to {through}", hit.title, hit.scopes));
    }
    let mut gap = ScopeSet::empty();
    for refused in &decision.refused {
        match (&refused.by, &refused.unlock) {
            (Some(rule), unlock) => {
                let title = tx.find_rule(rule)?.map_or_else(|| rule.to_string(), |rule| rule.title);
                let through = matched(tx, facts, rule)?;
                let unless = unlock
                    .as_ref()
                    .map_or_else(String::new, |unlock| format!(" unless there is {}", unlock.needs));
                sentences.push(format!("rule '{title}' denies {} to {through}{unless}", refused.scope));
            }
            (None, Some(unlock)) => {
                let through = matched(tx, facts, &unlock.rule)?;
                let (title, scope, needs) = (&unlock.title, &refused.scope, unlock.needs);
                sentences.push(format!("rule '{title}' grants {scope} to {through} with {needs} only"));
            }
            (None, None) => gap.insert(refused.scope.clone()),
        }
    }
    for (scope, needs) in judged
        .locked
        .iter()
        .filter(|(scope, _)| decision.granted.contains(scope))
    {
        sentences.push(format!("the connector gives {scope} with {needs} only"));
    }
    if !judged.locked.is_empty() {
        sentences.push(format!("the sign-in is: {}", facts.evidence));
    }
    if !gap.is_empty() {
        sentences.push(format!("no rule grants {gap} to this person through this client"));
    }
    if sentences.is_empty() {
        sentences.push("no scope was asked for".to_owned());
    }
    Ok(sentences)
}

/// The part of a rule's people that the person belongs to.
fn matched(tx: &mut dyn Tx, facts: &Facts<'_>, rule: &RuleId) -> Result<String, StoreError> {
    let Some(Rule { people, .. }) = tx.find_rule(rule)? else {
        return Ok("this person".to_owned());
    };
    let People::Some { groups, .. } = people else {
        return Ok("everyone".to_owned());
    };
    match groups.iter().find(|group| facts.groups.contains(group)) {
        Some(group) => Ok(match tx.find_group(group)? {
            Some(group) => format!("{} {}", group.kind.as_str(), group.name),
            None => format!("group {group}"),
        }),
        None => Ok("this person by name".to_owned()),
    }
}
