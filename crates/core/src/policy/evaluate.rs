//! The decision: a pure function of the rules and the facts (IDP-PL-01, IDP-PL-02).
//!
//! Owns slicing by connector, the shape of a decision, and which other sign-in would change it (SU-01). Never reads the
//! store and never knows the engine.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use lanyard_protocol::scope::{Scope, ScopeSet};

use crate::id::{ClientKey, ConnectorId, GroupId, RuleId, UserId};
pub use crate::policy::cedar::InvalidRule;
use crate::policy::cedar::{Engine, Person, Policies, RulePolicy, Verdict};
use crate::policy::memo::Memo;
use crate::policy::rule::{People, Rule, Selection};
use crate::session::requirement::{Evidence, Requirement};
use crate::session::strength::Strength;

/// What a decision is about.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The person, who is active.
    pub user: &'a UserId,
    /// The person's groups and roles, sorted.
    pub groups: &'a [GroupId],
    /// The client at the IdP.
    pub client: &'a ClientKey,
    /// The connector.
    pub connector: &'a ConnectorId,
    /// The scopes in question; every one exists for the connector.
    pub requested: &'a ScopeSet,
    /// What the sign-in is worth.
    pub evidence: Evidence,
}

/// What policy says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// The scopes that are granted; never more than was asked.
    pub granted: ScopeSet,
    /// The rules that granted them.
    pub hits: Vec<RuleHit>,
    /// The scopes that are not.
    pub refused: Vec<RefusedScope>,
}

/// A rule that granted something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleHit {
    /// The rule.
    pub rule: RuleId,
    /// Its title at the time.
    pub title: Arc<str>,
    /// What it granted.
    pub scopes: ScopeSet,
}

/// A scope that was not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedScope {
    /// The scope.
    pub scope: Scope,
    /// The denying rule; `None` when no rule grants it.
    pub by: Option<RuleId>,
    /// Set when another sign-in alone would unlock it.
    pub unlock: Option<Unlock>,
}

/// The sign-in that would unlock a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlock {
    /// What the sign-in must be: no stronger and no more recent than is needed.
    pub needs: Requirement,
    /// The rule that would grant the scope then.
    pub rule: RuleId,
    /// Its title at the time.
    pub title: Arc<str>,
}

/// The rules of one policy version, ready to be asked.
pub struct CompiledPolicy {
    version: i64,
    engine: Engine,
    titles: HashMap<RuleId, Arc<str>>,
    slices: HashMap<ConnectorId, Slice>,
    /// For connectors that no rule names.
    others: Slice,
    memo: Memo<Decision>,
}

/// The rules that can matter for one connector.
#[derive(Debug, Clone, Default)]
struct Slice {
    policies: Policies,
    groups: HashSet<GroupId>,
    users: HashSet<UserId>,
    /// Whether a rule asks for a strength.
    strengths: bool,
    /// The ages that rules ask for, in seconds.
    ages: BTreeSet<u64>,
}

impl CompiledPolicy {
    /// Compiles rules; switched-off ones are left out.
    ///
    /// # Errors
    /// [`InvalidRule`] for a rule that is not valid under the schema. Nothing is granted then.
    pub fn compile(version: i64, rules: &[Rule]) -> Result<Self, InvalidRule> {
        let engine = Engine::new()?;
        let mut all = Policies::default();
        let mut others = Slice::default();
        let mut compiled = Vec::new();
        for rule in rules.iter().filter(|rule| rule.enabled) {
            let Some(policy) = engine.policy(rule)? else { continue };
            all.add(&policy)?;
            if rule.connectors == Selection::All {
                others.add(rule, &policy)?;
            }
            compiled.push((rule, policy));
        }
        engine.validate(&all)?;
        let mut slices: HashMap<ConnectorId, Slice> = HashMap::new();
        for (rule, policy) in &compiled {
            let Selection::Only(connectors) = &rule.connectors else {
                continue;
            };
            // A rule may name a connector twice.
            for connector in connectors.iter().collect::<HashSet<_>>() {
                slices
                    .entry(connector.clone())
                    .or_insert_with(|| others.clone())
                    .add(rule, policy)?;
            }
        }
        let titles = compiled
            .iter()
            .map(|(rule, _)| (rule.id.clone(), Arc::from(rule.title.as_str())))
            .collect();
        Ok(Self {
            version,
            engine,
            titles,
            slices,
            others,
            memo: Memo::new(),
        })
    }

    /// Which version of the rules this is.
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// Decides. Without a matching allow rule nothing is granted; a matching deny rule wins.
    pub fn evaluate(&self, facts: &Facts<'_>) -> Arc<Decision> {
        let slice = self.slices.get(facts.connector).unwrap_or(&self.others);
        let key = slice.key(facts);
        if let Some(decision) = self.memo.get(&key) {
            return decision;
        }
        let decision = Arc::new(self.decide(slice, facts));
        self.memo.keep(key, Arc::clone(&decision));
        decision
    }

    fn decide(&self, slice: &Slice, facts: &Facts<'_>) -> Decision {
        let person = self.engine.person(facts.user, facts.groups);
        let mut decision = Decision::default();
        let mut hits: BTreeMap<RuleId, ScopeSet> = BTreeMap::new();
        for scope in facts.requested.iter() {
            let verdict = match &person {
                Some(person) => self.engine.ask(&slice.policies, person, facts, scope, facts.evidence),
                None => Verdict {
                    allowed: false,
                    rules: Vec::new(),
                },
            };
            if verdict.allowed {
                decision.granted.insert(scope.clone());
                for rule in verdict.rules {
                    hits.entry(rule).or_default().insert(scope.clone());
                }
            } else {
                decision.refused.push(RefusedScope {
                    scope: scope.clone(),
                    by: verdict.rules.into_iter().next(),
                    unlock: person
                        .as_ref()
                        .and_then(|person| self.unlock(slice, person, facts, scope)),
                });
            }
        }
        decision.hits = hits
            .into_iter()
            .map(|(rule, scopes)| RuleHit {
                title: self.title(&rule),
                rule,
                scopes,
            })
            .collect();
        decision
    }

    /// The least sign-in that would unlock a refused scope: the weakest that does if made now, and how old it may be.
    /// More strength and less age never lose a scope, so the first that fits is the least.
    fn unlock(&self, slice: &Slice, person: &Person, facts: &Facts<'_>, scope: &Scope) -> Option<Unlock> {
        if !slice.strengths && slice.ages.is_empty() {
            return None;
        }
        let ask = |strength, age| {
            let evidence = Evidence { strength, age };
            self.engine.ask(&slice.policies, person, facts, scope, evidence)
        };
        let (strength, verdict) = Strength::ALL
            .into_iter()
            .map(|strength| (strength, ask(strength, 0)))
            .find(|(_, verdict)| verdict.allowed)?;
        let max_age = if ask(strength, facts.evidence.age).allowed {
            None
        } else {
            slice.ages.iter().rev().copied().find(|age| ask(strength, *age).allowed)
        };
        let rule = verdict.rules.into_iter().next()?;
        Some(Unlock {
            needs: Requirement {
                strength: Some(strength).filter(|strength| *strength > Strength::Password),
                max_age,
            },
            title: self.title(&rule),
            rule,
        })
    }

    fn title(&self, rule: &RuleId) -> Arc<str> {
        let title = self.titles.get(rule).cloned();
        title.unwrap_or_else(|| Arc::from(rule.as_str()))
    }
}

impl std::fmt::Debug for CompiledPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompiledPolicy")
            .field("version", &self.version)
            .field("rules", &self.titles.len())
            .finish_non_exhaustive()
    }
}

impl Slice {
    fn add(&mut self, rule: &Rule, policy: &RulePolicy) -> Result<(), InvalidRule> {
        self.policies.add(policy)?;
        if let People::Some { groups, users } = &rule.people {
            self.groups.extend(groups.iter().cloned());
            self.users.extend(users.iter().cloned());
        }
        if let Some(requirement) = &rule.requires {
            self.strengths |= requirement.strength.is_some();
            self.ages.extend(requirement.max_age);
        }
        Ok(())
    }

    /// Everything the decision depends on. Groups and persons that no rule of the slice names cannot matter.
    fn key(&self, facts: &Facts<'_>) -> Vec<u8> {
        let mut key = Vec::with_capacity(256);
        part(&mut key, facts.connector.as_str());
        part(&mut key, facts.client.as_str());
        part(
            &mut key,
            if self.users.contains(facts.user) {
                facts.user.as_str()
            } else {
                ""
            },
        );
        for group in facts.groups.iter().filter(|group| self.groups.contains(*group)) {
            part(&mut key, group.as_str());
        }
        // No group has this length: here the scopes begin.
        key.extend_from_slice(&u32::MAX.to_be_bytes());
        for scope in facts.requested.iter() {
            part(&mut key, scope.as_str());
        }
        // Of a sign-in only counts what some rule asks for, and of its age only which bounds it is past.
        if self.strengths {
            part(&mut key, facts.evidence.strength.as_str());
        }
        if !self.ages.is_empty() {
            let past = self.ages.iter().filter(|age| **age < facts.evidence.age).count();
            key.extend_from_slice(&u32::try_from(past).unwrap_or(u32::MAX).to_be_bytes());
        }
        key
    }
}

/// Appends a text with its length, so that two lists of texts never look the same.
fn part(key: &mut Vec<u8>, text: &str) {
    key.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    key.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
