//! An administrator looks at second factors and takes them away.

use lanyard_core::account::Own;
use lanyard_core::account::factors::{MadePasskey, add_passkey};
use lanyard_core::admin::grant::{Holder, RoleGrant};
use lanyard_core::admin::token::AdminRole;
use lanyard_core::outcome::Outcome;
use lanyard_testkit::company::ALICE;
use serde_json::{Value, json};

use crate::admin_world::{Api, refused};

/// Alice has a passkey and her recovery codes.
fn with_passkey(api: &Api) {
    let (vault, alice) = (
        std::sync::Arc::clone(&api.world.company.vault),
        api.world.company.user(ALICE),
    );
    let done = api.world.company.write(move |cx, tx| {
        let made = MadePasskey {
            credential: "credential".to_owned(),
            record: "the-record-of-a-passkey".to_owned(),
            challenge: [1; 32],
            challenge_ends_at: cx.now,
        };
        add_passkey(cx, tx, &vault, &Own::enrolling(alice), "Laptop", &made)
    });
    assert!(matches!(done, Outcome::Granted(_)));
}

#[tokio::test]
async fn factors_are_shown_without_a_secret_and_reset_with_before_and_after() {
    let api = Api::new().await;
    with_passkey(&api);
    let shown = api.ask("GET", "/users/alice/factors", Value::Null).await;
    let body = shown.json();
    assert_eq!(
        (body["recovery_codes"].as_u64(), body["passkeys"][0]["name"].as_str()),
        (Some(10), Some("Laptop"))
    );
    assert!(!shown.text().contains("the-record-of-a-passkey"));

    let before = api.count();
    let left = api.ask("POST", "/users/alice/factors/reset", json!({})).await.json();
    assert_eq!(left, json!({"recovery_codes": 0, "passkeys": []}));
    let event = &api.since(before)[0];
    assert_eq!(event.kind, "directory.factors.reset");
    assert_eq!(
        event.detail["before"],
        json!({"app": false, "passkeys": 1, "recovery_codes": 10})
    );
    assert_eq!(
        event.detail["after"],
        json!({"app": false, "passkeys": 0, "recovery_codes": 0})
    );
    assert_eq!(
        refused(&api.ask("GET", "/users/nobody/factors", Value::Null).await),
        (404, "not_found".to_owned())
    );
}

#[tokio::test]
async fn nobody_takes_the_factors_of_an_administrator_of_a_further_role() {
    let api = Api::new().await;
    with_passkey(&api);
    let alice = api.world.company.user(ALICE).id;
    api.world.company.write(move |cx, tx| {
        tx.insert_grant(&RoleGrant {
            holder: Holder::Person(alice),
            role: AdminRole::Owner,
            provisioned: false,
            version: 1,
            created_at: cx.now,
            updated_at: cx.now,
        })
    });
    let roles = [
        (AdminRole::Operator, "out_of_reach"),
        (AdminRole::Auditor, "not_permitted"),
    ];
    for (role, reason) in roles {
        let token = api.token(role, None);
        let before = api.count();
        let answer = api
            .ask_as(&token, "POST", "/users/alice/factors/reset", json!({}))
            .await;
        assert_eq!(refused(&answer), (403, reason.to_owned()), "{role:?}");
        assert_eq!(api.since(before)[0].kind, "admin.act.refused");
    }
    let left = api.get("/users/alice/factors").await;
    assert_eq!(left["recovery_codes"], 10);
}
