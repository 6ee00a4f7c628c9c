//! Every operation of the admin API with every role, and what each leaves in the log.

use lanyard_core::audit::event::{AuditEvent, AuditOutcome};
use lanyard_server::admin::acts::{ACTS, Needs, ROLES, act_of};
use lanyard_server::admin::openapi::description;

use crate::admin_samples::{Leaves, prepared, sample};

/// Every operation of the description: method in upper case, path below `/admin/v1`.
fn operations() -> Vec<(String, String)> {
    let document = description();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/admin/v1").unwrap();
        for method in item.as_object().unwrap().keys() {
            operations.push((method.to_uppercase(), path.to_owned()));
        }
    }
    assert!(operations.len() > 70, "{operations:?}");
    operations
}

#[test]
fn every_operation_has_a_row_in_the_table_of_acts_and_no_row_is_for_none() {
    let operations = operations();
    let missing: Vec<_> = operations
        .iter()
        .filter(|(method, path)| act_of(method, path).is_none())
        .collect();
    assert!(
        missing.is_empty(),
        "give them a row in server/src/admin/acts.rs: {missing:?}"
    );
    let rows = ACTS.iter().flat_map(|act| act.operations);
    let stale: Vec<_> = rows
        .clone()
        .filter(|(method, path)| !operations.contains(&((*method).to_owned(), (*path).to_owned())))
        .collect();
    assert!(stale.is_empty(), "no operation is served for: {stale:?}");
    assert_eq!(rows.count(), operations.len(), "an operation stands in two rows");
}

#[tokio::test]
async fn each_role_may_do_what_the_table_says_and_nothing_else() {
    for role in ROLES {
        let (api, known) = prepared().await;
        let token = api.token(role, None);
        for (method, path) in operations() {
            let needs = act_of(&method, &path).map(|act| act.needs);
            // Who asks is of no consequence there.
            if needs == Some(Needs::Nothing) {
                continue;
            }
            let sample = sample(&known, &method, &path)
                .unwrap_or_else(|| panic!("write a sample for {method} {path} in admin_samples.rs"));
            let before = api.count();
            let answer = api.ask_as(&token, &method, &sample.path, sample.body).await;
            let refused = answer.status.as_u16() == 403 && answer.json()["error"] == "not_permitted";
            let allowed = needs.is_some_and(|needs| needs.allow(role));
            assert_eq!(
                !refused,
                allowed,
                "{} at {method} {path}: {}",
                role.as_str(),
                answer.text()
            );
            if refused {
                let events = api.since(before);
                let told: Vec<_> = events.iter().map(|event| event.reason.as_deref()).collect();
                assert_eq!(told, [Some("not_permitted")], "{} at {method} {path}", role.as_str());
            }
        }
    }
}

#[tokio::test]
async fn every_act_of_an_administrator_leaves_an_event_with_before_and_after() {
    for (method, path) in operations() {
        let (api, known) = prepared().await;
        let sample = sample(&known, &method, &path)
            .unwrap_or_else(|| panic!("write a sample for {method} {path} in admin_samples.rs"));
        if sample.leaves == Leaves::Nothing {
            continue;
        }
        let before = api.count();
        let answer = api.ask(&method, &sample.path, sample.body).await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
        let events = api.since(before);
        let has = |event: &AuditEvent, part: &str| event.detail.get(part).is_some_and(|value| !value.is_null());
        let fits = |event: &&AuditEvent| {
            let (was, is) = (has(event, "before"), has(event, "after"));
            event.outcome == AuditOutcome::Granted
                && match sample.leaves {
                    Leaves::Nothing => false,
                    Leaves::After => is && !was,
                    Leaves::Both => was && is,
                    Leaves::Before => was && !is,
                    Leaves::Told => true,
                }
        };
        assert!(
            events.iter().any(|event| fits(&event)),
            "{method} {path} left {events:#?}"
        );
        let text = serde_json::to_string(&events).unwrap();
        for secret in ["another long password", "lny_admin_", "lny_owner_", "argon2"] {
            assert!(!text.contains(secret), "{method} {path} wrote a secret: {text}");
        }
    }
}
