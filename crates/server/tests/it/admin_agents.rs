//! Agents through the API, and what a client of a stopped agent is told.

use http::StatusCode;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_protocol::gateway::Revoked;
use lanyard_testkit::company::{IDE, IDE_AT_RAS};
use serde_json::{Value, json};

use crate::admin_world::{Api, refused};

async fn register(api: &Api, status: &str) {
    let spec = json!({
        "name": "desk", "purpose": "Drafts answers", "owners": ["alice", "carol"], "client": IDE, "status": status,
    });
    let answer = api.ask("PUT", "/agents/desk", spec).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn a_client_of_a_stopped_agent_is_no_client_and_the_log_says_why() {
    let api = Api::new().await;
    register(&api, "active").await;
    let id_token = api.world.id_token("alice").await;
    assert_eq!(api.world.exchange(&id_token, &[]).await.status, StatusCode::OK);
    for (act, reason) in [("suspend", "agent_suspended"), ("deactivate", "agent_inactive")] {
        let answer = api.ask("POST", &format!("/agents/desk/{act}"), json!({})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let answer = api.world.exchange(&id_token, &[]).await;
        assert_eq!(answer.error(), (401, "invalid_client".to_owned()));
        api.world.assert_denied("idp.client.refused", reason);
    }
}

#[tokio::test]
async fn a_stopped_agent_has_no_access_any_more_when_the_answer_comes_rv_03() {
    let api = Api::new().await;
    register(&api, "active").await;
    let (used, on_its_way) = (api.world.id_jag("alice").await, api.world.id_jag("alice").await);
    assert_eq!(api.world.redeem(&used).await.status, StatusCode::OK);
    let answer = api.ask("POST", "/agents/desk/suspend", json!({})).await;
    assert_eq!(answer.json()["status"], "suspended");
    assert_eq!(api.get("/grants").await["items"], json!([]));
    let told = api.world.view.0.lock().unwrap().clone();
    assert!(
        told.iter()
            .any(|entry| matches!(&entry.revoked, Revoked::Client { client_id, .. } if client_id == IDE_AT_RAS)),
        "{told:?}"
    );
    assert_eq!(
        api.world.redeem(&on_its_way).await.error(),
        (400, "invalid_grant".to_owned())
    );
    api.world.assert_denied("ras.id_jag.denied", "cut_off");
}

#[tokio::test]
async fn the_last_owner_who_is_deactivated_takes_the_agent_along_rv_03() {
    let api = Api::new().await;
    register(&api, "active").await;
    let id_jag = api.world.id_jag("alice").await;
    assert_eq!(api.world.redeem(&id_jag).await.status, StatusCode::OK);
    api.ask("POST", "/users/carol/deactivate", json!({})).await;
    assert_eq!(api.get("/agents/desk").await["status"], "active");
    // By a document, which is another way.
    let end = api
        .ask(
            "POST",
            "/apply",
            json!({"users": [{"username": "alice", "active": false}]}),
        )
        .await;
    assert_eq!(end.status, StatusCode::OK, "{}", end.text());
    let agent = api.get("/agents/desk").await;
    assert_eq!(
        (&agent["status"], &agent["standing"]["orphaned"]),
        (&"suspended".into(), &true.into())
    );
    assert_eq!(api.get("/grants").await["items"], json!([]));
    let answer = api.ask("POST", "/agents/desk/activate", json!({})).await;
    assert_eq!(refused(&answer), (422, "invalid".to_owned()));
}

#[tokio::test]
async fn what_is_not_registered_is_listed_and_goes_on_working() {
    let api = Api::new().await;
    let names = async || {
        let list = api.get("/clients?unregistered=true").await;
        let items = list["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|one| one["client_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(names().await.contains(&IDE.to_owned()));
    api.world.id_token("alice").await;
    register(&api, "active").await;
    assert!(!names().await.contains(&IDE.to_owned()));
    let shown = api.get("/agents/desk").await;
    assert!(
        shown["standing"]["warnings"][0].as_str().unwrap().contains("secret"),
        "{shown}"
    );
}

#[tokio::test]
async fn an_agent_is_written_back_as_it_was_shown_and_its_private_key_is_refused() {
    let api = Api::new().await;
    let spec = json!({"name": "helper", "purpose": "Tests", "owners": ["alice"], "client": "agent"});
    assert_eq!(api.ask("PUT", "/agents/helper", spec).await.json()["change"], "created");
    let mut shown = api.get("/agents/helper").await;
    for field in ["id", "created_at", "updated_at", "standing"] {
        shown.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(
        api.ask("PUT", "/agents/helper", shown).await.json()["change"],
        "unchanged"
    );
    let private = SigningKey::generate(Algorithm::Es256)
        .unwrap()
        .to_private_jwk()
        .unwrap();
    let answer = api.ask("POST", "/agents/helper/keys", json!({"jwk": private})).await;
    assert_eq!(refused(&answer), (422, "invalid".to_owned()));
    let text = api.ask("GET", "/audit", Value::Null).await.text();
    assert!(!text.contains(private["d"].as_str().unwrap()));
}
