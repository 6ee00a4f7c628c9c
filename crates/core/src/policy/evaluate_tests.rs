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
        requires: None,
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

fn requirement() -> impl Strategy<Value = Option<Requirement>> {
    prop_oneof![
        2 => Just(None),
        1 => (
            prop::option::of(prop::sample::select(Strength::ALL.to_vec())),
            prop::option::of(prop::sample::select(vec![60_u64, 300, 900])),
        )
            .prop_map(|(strength, max_age)| Some(Requirement { strength, max_age })),
    ]
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let ages = prop::sample::select(vec![0_u64, 60, 61, 300, 301, 900, 901, 86_400]);
    (prop::sample::select(Strength::ALL.to_vec()), ages).prop_map(|(strength, age)| Evidence { strength, age })
}

prop_compose! {
    fn any_rule()(
        deny in prop::bool::weighted(0.3),
        people in people(),
        clients in selection(),
        connectors in selection(),
        scopes in prop_oneof![Just(ScopeSelection::All), scopes().prop_map(ScopeSelection::Only)],
        requires in requirement(),
        enabled in prop::bool::weighted(0.9),
    ) -> Rule {
        let effect = if deny { Effect::Deny } else { Effect::Allow };
        Rule { effect, people, clients, connectors, scopes, requires, enabled, ..rule(0) }
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
    evidence: Evidence,
}

prop_compose! {
    fn question()(
        user in 0..3_usize,
        groups in prop::sample::subsequence(vec![0, 1, 2, 3], 0..=4),
        client in 0..3_usize,
        connector in 0..4_usize,
        requested in scopes(),
        evidence in evidence(),
    ) -> Question {
        Question {
            user: id(user),
            groups: groups.into_iter().map(id).collect(),
            client: id(client),
            connector: id(connector),
            requested,
            evidence,
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
            evidence: self.evidence,
        }
    }
}

/// Every rule asked, whatever it names.
fn unsliced(rules: &[Rule], facts: &Facts<'_>) -> Decision {
    let policy = CompiledPolicy::compile(1, rules).unwrap();
    let mut all = Slice::default();
    for rule in rules.iter().filter(|rule| rule.enabled) {
        if let Some(compiled) = policy.engine.policy(rule).unwrap() {
            all.add(rule, &compiled).unwrap();
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
        let met = rule.requires.is_none_or(|requires| requires.is_met(facts.evidence));
        let counts = match rule.effect {
            Effect::Allow => met,
            Effect::Deny => !met || rule.requires.is_none_or(|requires| requires.is_nothing()),
        };
        rule.enabled && person && client && connector && covered && counts
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
    fn a_better_sign_in_never_loses_a_scope(rules in rules(), question in question(), other in evidence()) {
        let better = Evidence {
            strength: question.evidence.strength.max(other.strength),
            age: question.evidence.age.min(other.age),
        };
        let policy = CompiledPolicy::compile(1, &rules).unwrap();
        let now = policy.evaluate(&question.facts());
        let then = policy.evaluate(&Question { evidence: better, ..question }.facts());
        prop_assert!(now.granted.is_subset(&then.granted));
    }

    #[test]
    fn exactly_what_a_sign_in_would_unlock_is_said_with_the_least_that_does_su_01(
        rules in rules(),
        question in question(),
    ) {
        let policy = CompiledPolicy::compile(1, &rules).unwrap();
        let with = |evidence| policy.evaluate(&Question { evidence, ..question.clone() }.facts());
        let best = with(Evidence::BEST);
        for refused in &policy.evaluate(&question.facts()).refused {
            let Some(unlock) = &refused.unlock else {
                prop_assert!(!best.granted.contains(&refused.scope), "a sign-in would unlock {}", refused.scope);
                continue;
            };
            let least = unlock.needs.strength.unwrap_or(Strength::Password);
            let oldest = unlock.needs.max_age.unwrap_or(question.evidence.age);
            let does = |strength, age| with(Evidence { strength, age }).granted.contains(&refused.scope);
            prop_assert!(does(least, oldest));
            prop_assert!(Strength::ALL.into_iter().filter(|weaker| *weaker < least).all(|weaker| !does(weaker, 0)));
            prop_assert!(unlock.needs.max_age.is_none() || !does(least, oldest + 1));
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
        evidence: Evidence::BEST,
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
        evidence: Evidence::BEST,
    };
    let decision = CompiledPolicy::compile(1, &rules).unwrap().evaluate(&facts);
    assert_eq!(
        decision.refused,
        [RefusedScope {
            scope: Scope::parse("read").unwrap(),
            by: Some(id(1)),
            unlock: None,
        }]
    );
}
