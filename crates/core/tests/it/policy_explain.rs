//! A decision in sentences.

use std::sync::Arc;

use lanyard_core::admin::spec::{AllOr, RuleSpec};
use lanyard_core::client::registration::Side;
use lanyard_core::policy::evaluate::Facts;
use lanyard_core::policy::explain;
use lanyard_core::policy::rule::Effect;
use lanyard_testkit::company::{ALICE, CAROL, Company, IDE};

fn sentences(company: &Company, username: &'static str, connector: &'static str, scopes: &str) -> Vec<String> {
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
        };
        let decision = policy.evaluate(&facts);
        explain::sentences(tx, &facts, &decision)
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
            enabled: true,
        });
    });
    assert_eq!(
        sentences(&company, ALICE, "linear", "linear.write"),
        ["rule 'Freeze' denies linear.write to everyone"]
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
