//! A whole organisation in one transaction.

use lanyard_testkit::company::{ALICE, PASSWORD};
use serde_json::{Value, json};

use crate::admin_world::{Api, refused};

fn organisation() -> Value {
    json!({
        "groups": [{"name": "sales"}],
        "users": [
            {"username": "erin", "groups": ["sales"], "password": "the password of erin"},
            {"username": "frank", "groups": ["sales", "engineering"]}
        ],
        "clients": [{"side": "ras", "client_id": "new-at-ras", "auth": "secret", "secret": "0123456789abcdef0123456789abcdef"}],
        "connectors": [{"name": "granola", "mcp_url": "https://mcp.ledger.example/granola/mcp",
            "scopes": [{"scope": "granola.read"}]}],
        "rules": [{"title": "Sales reads notes", "groups": ["sales"], "clients": "all",
            "connectors": ["granola"], "scopes": "all"}]
    })
}

#[tokio::test]
async fn applying_a_document_twice_changes_nothing_the_second_time() {
    let api = Api::new().await;
    let first = api.ask("POST", "/apply", organisation()).await;
    assert_eq!(first.status.as_u16(), 200, "{}", first.text());
    let report = first.json();
    assert_eq!(
        (&report["created"], &report["changed"], &report["unchanged"]),
        (&json!(6), &json!(0), &json!(0))
    );
    let before = api.count();
    let second = api.ask("POST", "/apply", organisation()).await.json();
    assert_eq!(
        (&second["created"], &second["changed"], &second["unchanged"]),
        (&json!(0), &json!(0), &json!(6))
    );
    assert_eq!(second["records"], json!([]));
    assert_eq!(api.count(), before, "nothing was done, nothing is recorded");
}

#[tokio::test]
async fn one_mistake_and_nothing_of_the_document_is_applied() {
    let api = Api::new().await;
    let mut document = organisation();
    document["rules"][0]["connectors"] = json!(["no such connector"]);
    let before = api.count();
    let answer = api.ask("POST", "/apply", document).await;
    assert_eq!(refused(&answer), (422, "not_found".to_owned()));
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("rule Sales reads notes: "), "{message}");
    let events = api.since(before);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].kind, "admin.act.refused");
    for path in [
        "/users/erin",
        "/users/frank",
        "/clients/ras/new-at-ras",
        "/connectors/granola",
        "/groups/sales/members",
    ] {
        assert_eq!(api.ask("GET", path, Value::Null).await.status.as_u16(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_name_that_stands_twice_is_refused() {
    let api = Api::new().await;
    let document = json!({"users": [{"username": "erin"}, {"username": "Erin", "active": false}]});
    let answer = api.ask("POST", "/apply", document).await;
    assert_eq!(refused(&answer), (422, "invalid".to_owned()));
    assert!(answer.json()["message"].as_str().unwrap().contains("twice"));
}

#[tokio::test]
async fn a_password_that_is_the_same_ends_no_session_and_another_one_does() {
    let api = Api::new().await;
    let session = api.world.session(ALICE);
    let live = || {
        let id = session.clone();
        api.world
            .company
            .read(move |tx| Ok(tx.find_session(&id)?.is_some_and(|session| session.ended_at.is_none())))
    };
    let same = json!({"users": [{"username": "alice", "password": PASSWORD}]});
    assert_eq!(api.ask("POST", "/apply", same).await.json()["unchanged"], 1);
    assert!(live(), "the same password ended a session");
    let other = json!({"users": [{"username": "alice", "password": "quite another password"}]});
    assert_eq!(api.ask("POST", "/apply", other).await.json()["changed"], 1);
    assert!(!live(), "a sign-in with the old password is still good");
}

#[tokio::test]
async fn a_short_password_is_refused_by_name_before_anything_is_written() {
    let api = Api::new().await;
    let mut document = organisation();
    document["users"][0]["password"] = json!("short");
    let answer = api.ask("POST", "/apply", document).await;
    assert_eq!(refused(&answer), (422, "invalid".to_owned()));
    let body = answer.json();
    assert_eq!(body["field"], "password");
    assert!(body["message"].as_str().unwrap().contains("erin"));
    assert_eq!(api.ask("GET", "/users/frank", Value::Null).await.status.as_u16(), 404);
}

#[tokio::test]
async fn people_a_document_deactivates_are_cut_off_before_the_answer_rv_03() {
    let api = Api::new().await;
    let document = json!({"users": [{"username": "alice", "active": false}]});
    assert_eq!(api.ask("POST", "/apply", document).await.json()["changed"], 1);
    assert!(!api.world.view.0.lock().unwrap().is_empty());
}
