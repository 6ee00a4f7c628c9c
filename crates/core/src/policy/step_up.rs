//! What the scopes of a connector ask of a sign-in by themselves, on top of what policy says (IDP-PL-03).
//!
//! Owns the combination of both. Never asks the rules (`evaluate.rs`) and never speaks to anybody.

use lanyard_protocol::scope::{Scope, ScopeSet};

use crate::connector::record::Connector;
use crate::policy::evaluate::Decision;
use crate::session::requirement::{Evidence, Requirement};
use crate::session::strength::Strength;

/// What a sign-in gets from a connector, and what a better one would add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What remains of what policy grants; `None` when that is all of it.
    kept: Option<ScopeSet>,
    /// Scopes that a better sign-in alone would unlock, with what it must be.
    pub locked: Vec<(Scope, Requirement)>,
}

impl Judged {
    /// Holds a decision of policy against the connector's own requirements.
    pub fn of(connector: &Connector, decision: &Decision, evidence: Evidence) -> Self {
        let own = |scope: &Scope| connector.requirement(scope).filter(|needs| !needs.is_met(evidence));
        let mut locked: Vec<(Scope, Requirement)> = decision
            .granted
            .iter()
            .filter_map(|scope| Some((scope.clone(), own(scope)?)))
            .collect();
        let kept = (!locked.is_empty()).then(|| {
            let lost: ScopeSet = locked.iter().map(|(scope, _)| scope.clone()).collect();
            decision.granted.difference(&lost)
        });
        locked.extend(decision.refused.iter().filter_map(|refused| {
            let needs = refused.unlock.as_ref()?.needs;
            let own = connector.requirement(&refused.scope).unwrap_or_default();
            Some((refused.scope.clone(), needs.and(own)))
        }));
        for (_, needs) in &mut locked {
            *needs = no_weaker(*needs, evidence);
        }
        Self { kept, locked }
    }

    /// What is granted now.
    pub fn granted<'a>(&'a self, decision: &'a Decision) -> &'a ScopeSet {
        self.kept.as_ref().unwrap_or(&decision.granted)
    }

    /// What would be granted after the best sign-in.
    pub fn reachable(&self, decision: &Decision) -> ScopeSet {
        let locked: ScopeSet = self.locked.iter().map(|(scope, _)| scope.clone()).collect();
        self.granted(decision).union(&locked)
    }
}

/// A sign-in that is asked to be more recent must not be weaker than the present one: other rules may count on that.
fn no_weaker(needs: Requirement, evidence: Evidence) -> Requirement {
    let floor = (needs.max_age.is_some() && evidence.strength > Strength::Password).then_some(evidence.strength);
    Requirement {
        strength: needs.strength.max(floor),
        ..needs
    }
}
