//! Evaluation of single rules and of slices.

use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::policy::rule::{Effect, ScopeSelection};

const SCOPES: [&str; 4] = ["read", "write", "admin", "files:list"];

fn id<T: Id>(n: usize) -> T {
    T::from_stored(format!("{}{n}", T::PREFIX))
}

fn rule(n: usize) -> Rule {
    Rule {
        id: id(n),
        title: format!("rule {n}"),
        effect: Effect::Allow,
        people: People::Everyone,
        clients: Selection::All,
        connectors: Selection::All,
        scopes: ScopeSelection::All,
        enabled: true,
        version: 1,
        created_at: Timestamp::from_seconds(0),
        updated_at: Timestamp::from_seconds(0),
    }
}

fn people() -> impl Strategy<Value = People> {
    prop_oneof![
        Just(People::Everyone),
        (
            prop::collection::vec(0..4_usize, 0..3),
            prop::collection::vec(0..3_usize, 0..3)
        )
            .prop_map(|(groups, users)| {
                People::Some {
                    groups: groups.into_iter().map(id).collect(),
                    users: users.into_iter().map(id).collect(),
                }
            }),
    ]
}

fn selection<T: Id + Clone + std::fmt::Debug + 'static>() -> impl Strategy<Value = Selection<T>> {
    prop_oneof![
        Just(Selection::All),
        prop::collection::vec((0..3_usize).prop_map(id), 0..3).prop_map(Selection::Only)
    ]
}

fn scopes() -> impl Strategy<Value = ScopeSet> {
    prop::sample::subsequence(SCOPES.to_vec(), 0..=SCOPES.len())
        .prop_map(|names| names.into_iter().map(|name| Scope::parse(name).unwrap()).collect())
}

prop_compose! {
    fn any_rule()(
        deny in prop::bool::weighted(0.3),
        people in people(),
        clients in selection(),
        connectors in selection(),
        scopes in prop_oneof![Just(ScopeSelection::All), scopes().prop_map(ScopeSelection::Only)],
        enabled in prop::bool::weighted(0.9),
    ) -> Rule {
        let effect = if deny { Effect::Deny } else { Effect::Allow };
        Rule { effect, people, clients, connectors, scopes, enabled, ..rule(0) }
    }
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    prop::collection::vec(any_rule(), 0..8).prop_map(|rules| {
        rules
            .into_iter()
            .enumerate()
            .map(|(n, rule)| Rule {
                id: id(n),
                title: format!("rule {n}"),
                ..rule
            })
            .collect()
    })
}

#[derive(Debug, Clone)]
struct Question {
    user: UserId,
    groups: Vec<GroupId>,
    client: ClientKey,
    connector: ConnectorId,
    requested: ScopeSet,
}

prop_compose! {
    fn question()(
        user in 0..3_usize,
        groups in prop::sample::subsequence(vec![0, 1, 2, 3], 0..=4),
        client in 0..3_usize,
        connector in 0..4_usize,
        requested in scopes(),
    ) -> Question {
        Question {
            user: id(user),
            groups: groups.into_iter().map(id).collect(),
            client: id(client),
            connector: id(connector),
            requested,
        }
    }
}

impl Question {
    fn facts(&self) -> Facts<'_> {
        Facts {
            user: &self.user,
            groups: &self.groups,
            client: &self.client,
            connector: &self.connector,
            requested: &self.requested,
        }
    }
}

/// Every rule asked, whatever it names.
fn unsliced(rules: &[Rule], facts: &Facts<'_>) -> Decision {
    let policy = CompiledPolicy::compile(1, rules).unwrap();
    let mut all = Policies::default();
    for rule in rules.iter().filter(|rule| rule.enabled) {
        if let Some(compiled) = policy.engine.policy(rule).unwrap() {
            all.add(&compiled).unwrap();
        }
    }
    policy.decide(&all, facts)
}

/// What the rules mean, without an engine.
fn meant(rules: &[Rule], facts: &Facts<'_>) -> ScopeSet {
    let matches = |rule: &Rule, scope: &Scope| {
        let person = match &rule.people {
            People::Everyone => true,
            People::Some { groups, users } => {
                users.contains(facts.user) || groups.iter().any(|group| facts.groups.contains(group))
            }
        };
        let client = match &rule.clients {
            Selection::All => true,
            Selection::Only(clients) => clients.contains(facts.client),
        };
        let connector = match &rule.connectors {
            Selection::All => true,
            Selection::Only(connectors) => connectors.contains(facts.connector),
        };
        let covered = match &rule.scopes {
            ScopeSelection::All => true,
            ScopeSelection::Only(scopes) => scopes.contains(scope),
        };
        rule.enabled && person && client && connector && covered
    };
    let says = |effect: Effect, scope: &Scope| rules.iter().any(|rule| rule.effect == effect && matches(rule, scope));
    facts
        .requested
        .iter()
        .filter(|scope| says(Effect::Allow, scope) && !says(Effect::Deny, scope))
        .cloned()
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_set_of_rules_compiles_and_means_what_it_says_idp_pl_01(rules in rules(), question in question()) {
        let policy = CompiledPolicy::compile(1, &rules).unwrap();
        let decision = policy.evaluate(&question.facts());
        prop_assert_eq!(&decision.granted, &meant(&rules, &question.facts()));
        prop_assert!(decision.granted.is_subset(&question.requested), "narrowing never widens (IDP-PL-02)");
        let refused: ScopeSet = decision.refused.iter().map(|refused| refused.scope.clone()).collect();
        prop_assert_eq!(decision.granted.union(&refused), question.requested.clone());
        prop_assert!(decision.granted.intersection(&refused).is_empty());
        let by_rules = decision.hits.iter().fold(ScopeSet::empty(), |all, hit| all.union(&hit.scopes));
        prop_assert_eq!(by_rules, decision.granted.clone(), "every grant names its rule (IDP-PL-06)");
    }

    #[test]
    fn the_slice_decides_like_all_rules_together(rules in rules(), question in question()) {
        let policy = CompiledPolicy::compile(1, &rules).unwrap();
        let sliced = policy.evaluate(&question.facts());
        prop_assert_eq!(&*sliced, &unsliced(&rules, &question.facts()));
        prop_assert_eq!(sliced, policy.evaluate(&question.facts()), "asked again, from memory");
    }

    #[test]
    fn memory_never_answers_another_question(rules in rules(), questions in prop::collection::vec(question(), 1..20)) {
        let warm = CompiledPolicy::compile(1, &rules).unwrap();
        for question in &questions {
            let cold = CompiledPolicy::compile(1, &rules).unwrap();
            prop_assert_eq!(warm.evaluate(&question.facts()), cold.evaluate(&question.facts()));
        }
    }

    #[test]
    fn taking_an_allow_rule_away_never_grants_more(rules in rules(), question in question()) {
        let before = CompiledPolicy::compile(1, &rules).unwrap().evaluate(&question.facts());
        for n in 0..rules.len() {
            if rules[n].effect != Effect::Allow {
                continue;
            }
            let mut fewer = rules.clone();
            fewer.remove(n);
            let after = CompiledPolicy::compile(2, &fewer).unwrap().evaluate(&question.facts());
            prop_assert!(after.granted.is_subset(&before.granted));
        }
    }

    #[test]
    fn a_deny_rule_wins_over_any_allow_rule(rules in rules(), question in question(), denied in scopes()) {
        let mut rules = rules;
        let n = rules.len();
        rules.push(Rule { effect: Effect::Deny, scopes: ScopeSelection::Only(denied.clone()), ..rule(n) });
        let decision = CompiledPolicy::compile(1, &rules).unwrap().evaluate(&question.facts());
        prop_assert!(decision.granted.intersection(&denied).is_empty());
    }
}

#[test]
fn without_rules_nothing_is_granted_idp_pl_01() {
    let requested = ScopeSet::parse("read write").unwrap();
    let (user, client, connector) = (id(0), id(0), id(0));
    let facts = Facts {
        user: &user,
        groups: &[],
        client: &client,
        connector: &connector,
        requested: &requested,
    };
    let decision = CompiledPolicy::compile(1, &[]).unwrap().evaluate(&facts);
    assert!(decision.granted.is_empty() && decision.hits.is_empty());
    assert_eq!(decision.refused.len(), 2);
}

#[test]
fn a_refusal_names_the_denying_rule_idp_pl_06() {
    let rules = [
        rule(0),
        Rule {
            effect: Effect::Deny,
            ..rule(1)
        },
    ];
    let requested = ScopeSet::parse("read").unwrap();
    let (user, client, connector) = (id(0), id(0), id(0));
    let facts = Facts {
        user: &user,
        groups: &[],
        client: &client,
        connector: &connector,
        requested: &requested,
    };
    let decision = CompiledPolicy::compile(1, &rules).unwrap().evaluate(&facts);
    assert_eq!(
        decision.refused,
        [RefusedScope {
            scope: Scope::parse("read").unwrap(),
            by: Some(id(1))
        }]
    );
}
