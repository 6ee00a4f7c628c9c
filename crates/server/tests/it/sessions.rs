//! Sessions of a person, seen and ended by an administrator (RV-07).

use std::time::Duration;

use http::StatusCode;
use lanyard_core::admin::token::AdminRole;
use lanyard_core::id::SessionId;
use lanyard_protocol::gateway::Revoked;
use lanyard_testkit::company::{ALICE, CAROL, IDE, IDP};
use serde_json::{Value, json};

use crate::admin_world::{Api, refused};
use crate::support::{REFRESH_TOKEN, World, claims, token_url};

async fn refreshed(world: &World, tokens: &Value) -> (u16, String) {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    world.post(&token_url(IDP), IDE, &fields).await.error()
}

fn path(session: &SessionId) -> String {
    format!("/users/{ALICE}/sessions/{}", session.as_str())
}

#[tokio::test]
async fn a_session_is_listed_with_how_the_person_signed_in() {
    let api = Api::new().await;
    let first = api.world.session(ALICE);
    api.world.company.clock.advance(Duration::from_secs(1));
    let second = api.world.session(ALICE);
    api.world.session(CAROL);
    let listed = api.get(&format!("/users/{ALICE}/sessions")).await;
    let items = listed["items"].as_array().unwrap();
    let ids: Vec<&str> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [second.as_str(), first.as_str()], "newest first");
    assert_eq!(items[0]["strength"], "password");
    assert_eq!(items[0]["acr"], "urn:lanyard:acr:pwd");
    assert_eq!((&items[0]["live"], &items[0]["amr"]), (&json!(true), &json!(["pwd"])));
    assert!(items[0].get("secret_hash").is_none());
}

#[tokio::test]
async fn ending_one_session_ends_all_that_was_issued_in_it_and_nothing_else_rv_07() {
    let api = Api::new().await;
    let world = &api.world;
    let ended = world.session(ALICE);
    world.company.clock.advance(Duration::from_secs(1));
    let kept = world.session(ALICE);
    let (tokens, others) = (world.tokens_of(&ended).await, world.tokens_of(&kept).await);
    let id_token = tokens["id_token"].as_str().unwrap();
    let access_token = world.redeem(&world.exchange(id_token, &[]).await.token()).await.token();
    let waiting = world.exchange(id_token, &[]).await.token();
    let other_id_jag = world.exchange(others["id_token"].as_str().unwrap(), &[]).await.token();
    let other_access_token = world.redeem(&other_id_jag).await.token();

    let answer = api.ask("DELETE", &path(&ended), Value::Null).await;
    assert_eq!(
        (answer.status, answer.json()),
        (StatusCode::OK, json!({"change": "removed"}))
    );

    // With offline_access, and yet: an administrator ended it.
    assert_eq!(refreshed(world, &tokens).await, (400, "invalid_grant".to_owned()));
    world.assert_denied("idp.tokens.denied", "refresh_token_revoked");
    assert_eq!(
        world.exchange(id_token, &[]).await.error(),
        (400, "invalid_grant".to_owned())
    );
    world.assert_denied("idp.id_jag.denied", "grant_ended");
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let by_refresh = world
        .exchange(refresh_token, &[("subject_token_type", REFRESH_TOKEN)])
        .await;
    assert_eq!(by_refresh.error(), (400, "invalid_grant".to_owned()));

    // At the authorization server and at gateways, before the answer.
    let revoked: Vec<String> = world
        .view
        .0
        .lock()
        .unwrap()
        .iter()
        .filter_map(|entry| match &entry.revoked {
            Revoked::Token { jti, .. } => Some(jti.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(revoked, [claims(&access_token)["jti"].as_str().unwrap()]);
    assert_eq!(world.redeem(&waiting).await.error(), (400, "invalid_grant".to_owned()));
    world.assert_denied("ras.id_jag.denied", "session_ended");

    assert_ne!(claims(&other_access_token)["jti"].as_str().unwrap(), revoked[0]);
    let fresh = world.exchange(others["id_token"].as_str().unwrap(), &[]).await.token();
    assert_eq!(world.redeem(&fresh).await.status, StatusCode::OK);
    let listed = api.get(&format!("/users/{ALICE}/sessions")).await;
    let live: Vec<bool> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["live"] == true)
        .collect();
    assert_eq!(live, [true, false]);
}

#[tokio::test]
async fn an_ended_session_is_recorded_with_who_ended_it_rv_07() {
    let api = Api::new().await;
    let session = api.world.session(ALICE);
    let before = api.count();
    api.ask("DELETE", &path(&session), Value::Null).await;
    let events = api.since(before);
    assert_eq!(events[0].kind, "idp.session.ended");
    assert!(matches!(&events[0].actor, lanyard_core::audit::event::Actor::Admin(_)));
    assert_eq!(events[0].target.as_deref(), Some(session.as_str()));
    assert_eq!(events[1].kind, "ras.session.cut_off");
}

#[tokio::test]
async fn every_session_of_a_person_can_be_ended_at_once_rv_07() {
    let api = Api::new().await;
    let world = &api.world;
    let tokens = [
        world.tokens_of(&world.session(ALICE)).await,
        world.tokens_of(&world.session(ALICE)).await,
    ];
    let carols = world.sign_in(CAROL).await;
    let answer = api
        .ask("DELETE", &format!("/users/{ALICE}/sessions"), Value::Null)
        .await;
    assert_eq!(answer.json(), json!({"ended": 2}));
    for tokens in &tokens {
        assert_eq!(refreshed(world, tokens).await, (400, "invalid_grant".to_owned()));
    }
    assert_eq!(refreshed(world, &carols).await.1, "no error");
    assert_eq!(
        world.sign_in(ALICE).await["token_type"],
        "Bearer",
        "she may sign in again"
    );
    let again = api
        .ask("DELETE", &format!("/users/{CAROL}/sessions"), Value::Null)
        .await;
    assert_eq!(again.json(), json!({"ended": 1}));
}

#[tokio::test]
async fn nobody_ends_sessions_without_the_right_to_and_no_session_of_somebody_else() {
    let api = Api::new().await;
    let session = api.world.session(CAROL);
    let auditor = api.token(AdminRole::Auditor, None);
    let carols = format!("/users/{CAROL}/sessions");
    for path in [format!("{carols}/{}", session.as_str()), carols.clone()] {
        let answer = api.ask_as(&auditor, "DELETE", &path, Value::Null).await;
        assert_eq!(refused(&answer), (403, "not_permitted".to_owned()));
        api.world.assert_denied("admin.act.refused", "not_permitted");
    }
    assert_eq!(
        api.ask_as(&auditor, "GET", &carols, Value::Null).await.status,
        StatusCode::OK
    );
    for path in [
        path(&session),
        format!("/users/{ALICE}/sessions/nonsense"),
        "/users/nobody/sessions".to_owned(),
    ] {
        let answer = api.ask("DELETE", &path, Value::Null).await;
        assert_eq!(refused(&answer), (404, "not_found".to_owned()), "{path}");
    }
    assert_eq!(api.get(&carols).await["items"][0]["live"], true);
}
