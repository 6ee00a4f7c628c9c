//! The log as it leaves the admin API.

use lanyard_core::audit::event::Checkpoint;
use lanyard_core::audit::verify::{Known, verify};
use serde_json::{Value, json};

use crate::admin_world::{Api, refused};

#[tokio::test]
async fn an_export_verifies_offline_and_an_altered_one_does_not() {
    let api = Api::new().await;
    assert_eq!(
        refused(&api.ask("GET", "/audit/checkpoint", Value::Null).await),
        (404, "not_found".to_owned())
    );
    api.ask("PUT", "/groups/sales", json!({"name": "sales"})).await;
    let worker = api.world.worker();
    worker.seal_all().await.unwrap();
    worker.checkpoint(true).await.unwrap();
    let answer = api.ask("GET", "/audit/export", Value::Null).await;
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let kept: Checkpoint = serde_json::from_value(api.get("/audit/checkpoint").await).unwrap();
    let known = Known {
        keys: Vec::new(),
        since: Some(kept),
    };
    let report = verify(answer.body.as_slice(), &known).unwrap();
    assert!(report.is_sound(), "{:?}", report.problem);
    assert_eq!(report.since_met, Some(true));
    assert_eq!(usize::try_from(report.counts.events).unwrap(), api.count());

    let text = answer.text();
    let altered = text.replacen("admin.group.created", "admin.group.credited", 1);
    let altered = if altered == text {
        text.replacen("sales", "salas", 1)
    } else {
        altered
    };
    assert!(!verify(altered.as_bytes(), &known).unwrap().is_sound());
    let cut: String = text.lines().take(4).map(|line| format!("{line}\n")).collect();
    assert!(!verify(cut.as_bytes(), &known).unwrap().is_sound());
}

#[tokio::test]
async fn calls_of_a_gateway_are_written_once_however_often_they_come() {
    let api = Api::new().await;
    let gateway = api.token(lanyard_core::admin::token::AdminRole::Gateway, None);
    let call = json!([{
        "gateway": "edge-1", "number": 1, "at": 1_795_000_000_000_000_i64, "request_id": "req_x",
        "connector": "linear", "decision": "allowed"
    }]);
    let first = api.ask_as(&gateway, "POST", "/calls", call.clone()).await;
    if first.status.as_u16() == 400 {
        panic!("{}", first.text());
    }
    assert_eq!(first.json()["new"], 1, "{}", first.text());
    assert_eq!(api.ask_as(&gateway, "POST", "/calls", call).await.json()["new"], 0);
}

#[tokio::test]
async fn the_trail_of_a_person_holds_both_parties_and_the_administrators_acts() {
    let api = Api::new().await;
    let alice = api
        .ask(
            "PUT",
            "/users/alice",
            json!({"username": "alice", "display_name": "Alice E."}),
        )
        .await;
    assert_eq!(alice.json()["change"], "changed");
    let id_jag = api.world.id_jag("alice").await;
    assert_eq!(api.world.redeem(&id_jag).await.status.as_u16(), 200);
    api.world.id_jag("carol").await;
    let trail = api.get("/audit?subject=alice&limit=1000").await;
    let kinds: Vec<&str> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    for kind in ["directory.user.changed", "idp.id_jag.issued", "ras.access_token.issued"] {
        assert!(kinds.contains(&kind), "{kind} is missing in {kinds:?}");
    }
    let issued = kinds.iter().filter(|kind| **kind == "idp.id_jag.issued").count();
    assert_eq!(issued, 1, "another person's events are in it");

    let mut paged = Vec::new();
    let mut path = "/audit?subject=alice&limit=2".to_owned();
    loop {
        let page = api.get(&path).await;
        paged.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| event["kind"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/audit?subject=alice&limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(paged, kinds);
}
