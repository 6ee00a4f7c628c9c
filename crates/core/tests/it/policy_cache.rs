//! The compiled policy of a process: as the unit sees it, and compiled beside units where others wait.

use std::sync::Arc;

use lanyard_core::admin::rule;
use lanyard_core::admin::spec::RuleSpec;
use lanyard_core::policy::cache::PolicyCache;
use lanyard_testkit::company::Company;
use serde_json::json;

use crate::ras_world::granted;

fn add_rule(company: &Company, title: &'static str) {
    let admin = company.admin.clone();
    let spec = json!({
        "title": title, "groups": ["engineering"], "clients": "all", "connectors": "all", "scopes": "all",
    });
    let spec: RuleSpec = serde_json::from_value(spec).unwrap();
    granted(company.write(move |cx, tx| rule::put(cx, tx, &admin, &spec)));
}

#[test]
fn a_unit_that_others_wait_for_is_told_that_the_policy_is_not_compiled_yet() {
    let company = Company::new();
    let look = || {
        let policy = Arc::clone(&company.policy);
        company.read(move |tx| policy.at_hand(tx)).is_some()
    };
    let compile = || {
        let policy = Arc::clone(&company.policy);
        let changed = company.read(move |tx| policy.uncompiled(tx));
        changed.map(|rules| company.policy.compile(rules).unwrap().version())
    };
    assert!(!look());
    assert!(compile().is_some() && look());
    assert_eq!(compile(), None, "it is compiled already");
    add_rule(&company, "one more");
    assert!(!look(), "a change counts at once");
    assert!(compile().is_some() && look());
}

#[test]
fn what_was_compiled_late_is_compiled_over() {
    let company = Company::new();
    let policy = Arc::clone(&company.policy);
    let old = company.read(move |tx| policy.uncompiled(tx)).unwrap();
    add_rule(&company, "one more");
    let current = |policy: Arc<PolicyCache>| company.read(move |tx| policy.current(tx)).version();
    let version = current(Arc::clone(&company.policy));
    company.policy.compile(old).unwrap();
    assert_eq!(current(Arc::clone(&company.policy)), version);
    assert_eq!(company.policy.version(), Some(version));
}
