//! Structured rules as Cedar policies. The only module that sees the policy engine.
//!
//! Owns the schema, the text made from a rule and one question to the engine. Never decides which rules are asked
//! (`evaluate.rs`) and never invents a permission: what the engine cannot decide is refused.

use std::collections::HashSet;
use std::fmt::Write;
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet,
    Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use lanyard_protocol::scope::Scope;

use crate::id::{ClientKey, ConnectorId, GroupId, Id, RuleId, UserId};
use crate::policy::evaluate::Facts;
use crate::policy::rule::{Effect, People, Rule, ScopeSelection, Selection};
use crate::session::requirement::{Evidence, Requirement};
use crate::session::strength::Strength;

/// What exists for policies. Facts that are not here cannot influence a decision.
const SCHEMA: &str = r#"
entity Group;
entity User in [Group];
entity Client;
entity Connector;
action "reach" appliesTo {
  principal: [User],
  resource: [Connector],
  context: { client: Client, scope: String, strength: Long, age: Long }
};
"#;

/// A rule that did not become a valid policy. Cannot happen for a rule that was written through the services.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rule {rule} does not become a valid policy: {problem}")]
pub struct InvalidRule {
    /// Which rule; the first one found.
    pub rule: String,
    /// What the engine says.
    pub problem: String,
}

/// Policies that are asked together.
#[derive(Debug, Clone, Default)]
pub(super) struct Policies(PolicySet);

/// One policy and the rule it was made from.
#[derive(Debug, Clone)]
pub(super) struct RulePolicy(Policy);

/// The answer about one scope.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) allowed: bool,
    /// The rules that decided: the allowing ones when allowed, the denying ones when denied; none by default deny.
    pub(super) rules: Vec<RuleId>,
}

/// The engine with its names prepared once.
pub(super) struct Engine {
    authorizer: Authorizer,
    schema: Schema,
    user: EntityTypeName,
    group: EntityTypeName,
    client: EntityTypeName,
    connector: EntityTypeName,
    reach: EntityUid,
}

/// A person with groups, ready to be asked about.
pub(super) struct Person {
    uid: EntityUid,
    entities: Entities,
}

impl Engine {
    pub(super) fn new() -> Result<Self, InvalidRule> {
        let failed = |problem: String| InvalidRule {
            rule: "schema".to_owned(),
            problem,
        };
        let name = |text: &str| EntityTypeName::from_str(text).map_err(|error| failed(error.to_string()));
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            authorizer: Authorizer::new(),
            schema,
            user: name("User")?,
            group: name("Group")?,
            client: name("Client")?,
            connector: name("Connector")?,
            reach: EntityUid::from_type_name_and_id(name("Action")?, EntityId::new("reach")),
        })
    }

    /// The policy of a rule; `None` for one that matches nobody or nothing.
    pub(super) fn policy(&self, rule: &Rule) -> Result<Option<RulePolicy>, InvalidRule> {
        let Some(text) = text(rule) else { return Ok(None) };
        Policy::parse(Some(PolicyId::new(rule.id.as_str())), text)
            .map(|policy| Some(RulePolicy(policy)))
            .map_err(|error| InvalidRule {
                rule: rule.id.to_string(),
                problem: error.to_string(),
            })
    }

    /// Strict validation against the schema.
    pub(super) fn validate(&self, policies: &Policies) -> Result<(), InvalidRule> {
        let result = Validator::new(self.schema.clone()).validate(&policies.0, ValidationMode::Strict);
        match result.validation_errors().next() {
            None => Ok(()),
            Some(error) => Err(InvalidRule {
                rule: error.policy_id().to_string(),
                problem: error.to_string(),
            }),
        }
    }

    pub(super) fn person(&self, user: &UserId, groups: &[GroupId]) -> Option<Person> {
        let uid = uid(&self.user, user.as_str());
        let parents: HashSet<EntityUid> = groups.iter().map(|group| uid_of(&self.group, group)).collect();
        let entities = Entities::from_entities([Entity::new_no_attrs(uid.clone(), parents)], None).ok()?;
        Some(Person { uid, entities })
    }

    /// Asks about one scope with one sign-in, which need not be the one of the facts. Anything that goes wrong is a
    /// refusal without a rule.
    pub(super) fn ask(
        &self,
        policies: &Policies,
        person: &Person,
        facts: &Facts<'_>,
        scope: &Scope,
        evidence: Evidence,
    ) -> Verdict {
        let refused = || Verdict {
            allowed: false,
            rules: Vec::new(),
        };
        let context = Context::from_pairs([
            (
                "client".to_owned(),
                RestrictedExpression::new_entity_uid(uid(&self.client, facts.client.as_str())),
            ),
            (
                "scope".to_owned(),
                RestrictedExpression::new_string(scope.as_str().to_owned()),
            ),
            (
                "strength".to_owned(),
                RestrictedExpression::new_long(rank(evidence.strength)),
            ),
            (
                "age".to_owned(),
                RestrictedExpression::new_long(i64::try_from(evidence.age).unwrap_or(i64::MAX)),
            ),
        ]);
        let Ok(context) = context else { return refused() };
        let resource = uid(&self.connector, facts.connector.as_str());
        let Ok(request) = Request::new(person.uid.clone(), self.reach.clone(), resource, context, None) else {
            return refused();
        };
        let response = self.authorizer.is_authorized(&request, &policies.0, &person.entities);
        // The engine leaves out a policy that it cannot evaluate; a left-out denial would be a permission.
        if response.diagnostics().errors().next().is_some() {
            return refused();
        }
        let ids = response.diagnostics().reason();
        let mut rules: Vec<RuleId> = ids.map(|id| RuleId::from_stored(id.to_string())).collect();
        rules.sort();
        Verdict {
            allowed: response.decision() == Decision::Allow,
            rules,
        }
    }
}

impl Policies {
    pub(super) fn add(&mut self, policy: &RulePolicy) -> Result<(), InvalidRule> {
        let rule = policy.0.id().to_string();
        self.0.add(policy.0.clone()).map_err(|error| InvalidRule {
            rule,
            problem: error.to_string(),
        })
    }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn uid_of(kind: &EntityTypeName, group: &GroupId) -> EntityUid {
    uid(kind, group.as_str())
}

/// The Cedar text of a rule; `None` when a part of it selects nothing.
fn text(rule: &Rule) -> Option<String> {
    let mut conditions = Vec::new();
    match &rule.people {
        People::Everyone => {}
        People::Some { groups, users } => {
            let groups = entities("Group", groups.iter().map(GroupId::as_str)).map(|set| format!("principal in {set}"));
            let users =
                entities("User", users.iter().map(UserId::as_str)).map(|set| format!("{set}.contains(principal)"));
            conditions.push(match (groups, users) {
                (Some(groups), Some(users)) => format!("({groups} || {users})"),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => return None,
            });
        }
    }
    if let Selection::Only(connectors) = &rule.connectors {
        let set = entities("Connector", connectors.iter().map(ConnectorId::as_str))?;
        conditions.push(format!("{set}.contains(resource)"));
    }
    if let Selection::Only(clients) = &rule.clients {
        let set = entities("Client", clients.iter().map(ClientKey::as_str))?;
        conditions.push(format!("{set}.contains(context.client)"));
    }
    if let ScopeSelection::Only(scopes) = &rule.scopes {
        let set = set(scopes.iter().map(|scope| quoted(scope.as_str())))?;
        conditions.push(format!("{set}.contains(context.scope)"));
    }
    let met = rule.requires.as_ref().and_then(met);
    let effect = match rule.effect {
        Effect::Allow => {
            conditions.extend(met);
            "permit"
        }
        Effect::Deny => {
            conditions.extend(met.map(|met| format!("!({met})")));
            "forbid"
        }
    };
    let mut text = format!("{effect} (principal, action == Action::\"reach\", resource)");
    if !conditions.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(text, " when {{ {} }}", conditions.join(" && "));
    }
    text.push(';');
    Some(text)
}

/// The condition that a sign-in is strong and recent enough; `None` when nothing is asked for.
fn met(requirement: &Requirement) -> Option<String> {
    let strength = requirement
        .strength
        .map(|least| format!("context.strength >= {}", rank(least)));
    let age = requirement
        .max_age
        .map(|most| format!("context.age <= {}", i64::try_from(most).unwrap_or(i64::MAX)));
    match (strength, age) {
        (Some(strength), Some(age)) => Some(format!("{strength} && {age}")),
        (one, two) => one.or(two),
    }
}

/// The order of strengths as a number.
const fn rank(strength: Strength) -> i64 {
    match strength {
        Strength::Password => 0,
        Strength::MultiFactor => 1,
        Strength::PhishingResistant => 2,
    }
}

fn entities<'a>(kind: &str, ids: impl Iterator<Item = &'a str>) -> Option<String> {
    set(ids.map(|id| format!("{kind}::{}", quoted(id))))
}

/// A set literal; `None` for the empty set, which has no type in strict mode and matches nothing anyway.
fn set(items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.collect();
    (!items.is_empty()).then(|| format!("[{}]", items.join(", ")))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", EntityId::new(text).escaped())
}

#[cfg(test)]
mod tests {
    use lanyard_protocol::scope::ScopeSet;

    use super::*;
    use crate::clock::Timestamp;

    fn rule() -> Rule {
        Rule {
            id: RuleId::from_stored("rul_1".to_owned()),
            title: "Engineering may use Linear".to_owned(),
            effect: Effect::Allow,
            people: People::Some {
                groups: vec![GroupId::from_stored("grp_eng".to_owned())],
                users: vec![UserId::from_stored("usr_ada".to_owned())],
            },
            clients: Selection::Only(vec![ClientKey::from_stored("cli_ide".to_owned())]),
            connectors: Selection::Only(vec![ConnectorId::from_stored("con_linear".to_owned())]),
            scopes: ScopeSelection::Only(ScopeSet::parse("read write").unwrap()),
            requires: None,
            enabled: true,
            version: 1,
            created_at: Timestamp::from_seconds(0),
            updated_at: Timestamp::from_seconds(0),
        }
    }

    #[test]
    fn a_rule_becomes_one_readable_policy() {
        assert_eq!(
            text(&rule()).unwrap(),
            "permit (principal, action == Action::\"reach\", resource) when { \
             (principal in [Group::\"grp_eng\"] || [User::\"usr_ada\"].contains(principal)) && \
             [Connector::\"con_linear\"].contains(resource) && [Client::\"cli_ide\"].contains(context.client) && \
             [\"read\", \"write\"].contains(context.scope) };"
        );
    }

    #[test]
    fn a_requirement_becomes_a_condition_of_the_context_su_01() {
        let strict = Rule {
            people: People::Everyone,
            clients: Selection::All,
            connectors: Selection::All,
            scopes: ScopeSelection::All,
            requires: Some(Requirement {
                strength: Some(Strength::MultiFactor),
                max_age: Some(900),
            }),
            ..rule()
        };
        let head = "(principal, action == Action::\"reach\", resource) when";
        assert_eq!(
            text(&strict).unwrap(),
            format!("permit {head} {{ context.strength >= 1 && context.age <= 900 }};")
        );
        let otherwise_denied = Rule {
            effect: Effect::Deny,
            ..strict
        };
        assert_eq!(
            text(&otherwise_denied).unwrap(),
            format!("forbid {head} {{ !(context.strength >= 1 && context.age <= 900) }};")
        );
    }

    #[test]
    fn a_rule_that_selects_nothing_becomes_no_policy() {
        let nobody = Rule {
            people: People::Some {
                groups: vec![],
                users: vec![],
            },
            ..rule()
        };
        let nowhere = Rule {
            connectors: Selection::Only(vec![]),
            ..rule()
        };
        let by_nothing = Rule {
            clients: Selection::Only(vec![]),
            ..rule()
        };
        let for_nothing = Rule {
            scopes: ScopeSelection::Only(ScopeSet::empty()),
            ..rule()
        };
        for empty in [nobody, nowhere, by_nothing, for_nothing] {
            assert_eq!(text(&empty), None, "{empty:?}");
        }
    }

    #[test]
    fn an_identifier_cannot_break_out_of_its_quotes() {
        let engine = Engine::new().unwrap();
        let hostile = Rule {
            people: People::Some {
                groups: vec![GroupId::from_stored(
                    "grp_\"] || true || principal in [Group::\"x\\".to_owned(),
                )],
                users: vec![],
            },
            ..rule()
        };
        let mut policies = Policies::default();
        policies.add(&engine.policy(&hostile).unwrap().unwrap()).unwrap();
        engine.validate(&policies).unwrap();
        let person = engine.person(&UserId::from_stored("usr_eve".to_owned()), &[]).unwrap();
        let facts = Facts {
            user: &UserId::from_stored("usr_eve".to_owned()),
            groups: &[],
            client: &ClientKey::from_stored("cli_ide".to_owned()),
            connector: &ConnectorId::from_stored("con_linear".to_owned()),
            requested: &ScopeSet::parse("read").unwrap(),
            evidence: Evidence::BEST,
        };
        let verdict = engine.ask(
            &policies,
            &person,
            &facts,
            &Scope::parse("read").unwrap(),
            facts.evidence,
        );
        assert!(!verdict.allowed);
    }
}
