//! A decision in sentences.

use std::sync::Arc;

use lanyard_core::admin::requirement::RequirementSpec;
use lanyard_core::admin::spec::{AllOr, RuleSpec};
use lanyard_core::client::registration::Side;
use lanyard_core::policy::evaluate::Facts;
use lanyard_core::policy::explain;
use lanyard_core::policy::rule::Effect;
use lanyard_core::policy::step_up::Judged;
use lanyard_core::session::requirement::Evidence;
use lanyard_core::session::strength::Strength;
use lanyard_testkit::company::{ALICE, CAROL, Company, IDE};

fn sentences(company: &Company, username: &'static str, connector: &'static str, scopes: &str) -> Vec<String> {
    sentences_with(company, username, connector, scopes, Evidence::BEST)
}

fn sentences_with(
    company: &Company,
    username: &'static str,
    connector: &'static str,
    scopes: &str,
    evidence: Evidence,
) -> Vec<String> {
    let (policy, user) = (Arc::clone(&company.policy), company.user(username).id);
    let client = company.client(Side::Idp, IDE).key;
    let requested = crate::idp_support::scopes(scopes);
    company.read(move |tx| {
        let policy = policy.current(tx)?;
        let groups = tx.list_group_ids_of(&user)?;
        let connector = tx.find_connector_by_name(connector)?.unwrap();
        let facts = Facts {
            user: &user,
            groups: &groups,
            client: &client,
            connector: &connector.id,
            requested: &requested,
            evidence,
        };
        let decision = policy.evaluate(&facts);
        let judged = Judged::of(&connector, &decision, evidence);
        explain::sentences(tx, &facts, &decision, &judged)
    })
}

#[test]
fn an_administrator_reads_which_rule_granted_and_what_no_rule_grants() {
    let company = Company::new();
    assert_eq!(
        sentences(&company, ALICE, "linear", "linear.read linear.write"),
        ["rule 'Engineering uses every connector' grants linear.read linear.write to group engineering"]
    );
    assert_eq!(
        sentences(&company, CAROL, "linear", "linear.read linear.write"),
        [
            "rule 'Contractors read Linear' grants linear.read to group contractors",
            "no rule grants linear.write to this person through this client"
        ]
    );
    assert_eq!(sentences(&company, CAROL, "figma", ""), ["no scope was asked for"]);
}

#[test]
fn an_administrator_reads_which_rule_denied() {
    let company = Company::with(|organisation| {
        organisation.rules.push(RuleSpec {
            title: "Freeze".to_owned(),
            effect: Effect::Deny,
            everyone: true,
            groups: Vec::new(),
            users: Vec::new(),
            clients: AllOr::ALL,
            connectors: AllOr::ALL,
            scopes: AllOr::only(["linear.write"]),
            requires: None,
            enabled: true,
        });
    });
    assert_eq!(
        sentences(&company, ALICE, "linear", "linear.write"),
        ["rule 'Freeze' denies linear.write to everyone"]
    );
}

#[test]
fn an_administrator_reads_which_sign_in_is_needed_su_01() {
    let strict = RequirementSpec {
        strength: Some(Strength::MultiFactor),
        max_age: Some("15m".to_owned()),
    };
    let company = Company::with(|organisation| {
        for rule in &mut organisation.rules {
            rule.requires = Some(strict.clone());
        }
        organisation.connectors[0].scopes[1].requires = Some(RequirementSpec {
            strength: Some(Strength::PhishingResistant),
            max_age: None,
        });
    });
    let evidence = Evidence {
        strength: Strength::Password,
        age: 3600,
    };
    assert_eq!(
        sentences_with(&company, ALICE, "linear", "linear.read", evidence),
        [
            "rule 'Engineering uses every connector' grants linear.read to group engineering with a sign-in with two \
             factors at most 15m old only",
            "the sign-in is: password, 1h ago",
        ]
    );
    let evidence = Evidence {
        strength: Strength::MultiFactor,
        age: 60,
    };
    assert_eq!(
        sentences_with(&company, ALICE, "linear", "linear.write", evidence),
        [
            "rule 'Engineering uses every connector' grants linear.write to group engineering",
            "the connector gives linear.write with a phishing-resistant sign-in only",
            "the sign-in is: multi_factor, 1m ago",
        ]
    );
}

#[test]
fn the_cache_follows_the_version_of_the_rules() {
    let company = Company::new();
    let current = || {
        let policy = Arc::clone(&company.policy);
        company.read(move |tx| policy.current(tx))
    };
    let (one, two) = (current(), current());
    assert!(Arc::ptr_eq(&one, &two), "compiled once");
    company.write(|_, tx| {
        let rule = tx.find_rule_by_title("Contractors read Linear")?.unwrap();
        tx.remove_rule(&rule.id)
    });
    let three = current();
    assert!(!Arc::ptr_eq(&one, &three) && three.version() > one.version());
}
