//! Who may provision: tokens, their rotation, and the administrators who make them.

use axum::body::Body;
use http::{Request, StatusCode};
use lanyard_core::admin::token::AdminRole;
use serde_json::{Value, json};

use super::world::Scim;
use crate::admin_world::refused;

#[tokio::test]
async fn nothing_here_is_anonymous_sc_02() {
    let scim = Scim::new().await;
    for path in [
        "/Users",
        "/Groups",
        "/ServiceProviderConfig",
        "/Schemas",
        "/ResourceTypes",
        "/nothing",
        "/Users/usr_1",
    ] {
        let request = Request::get(format!("/scim/v2{path}")).body(Body::empty()).unwrap();
        let answer = scim.send(request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(answer.json()["status"], "401");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn two_tokens_live_side_by_side_until_one_is_revoked_sc_02() {
    let scim = Scim::new().await;
    let second = scim.fresh_token("okta").await;
    for token in [&scim.token, &second] {
        assert_eq!(
            scim.ask_as(token, "GET", "/Users", Value::Null).await.status,
            StatusCode::OK
        );
    }
    let tokens = scim.api.get("/directories/okta/tokens").await;
    let first = tokens["items"][0]["id"].as_str().unwrap().to_owned();
    assert!(tokens["items"][0]["last_used_at"].is_string(), "{tokens}");
    assert!(!tokens.to_string().contains(&scim.token));
    let before = scim.count();
    let revoked = scim
        .api
        .ask("DELETE", &format!("/directories/okta/tokens/{first}"), Value::Null)
        .await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text());
    assert_eq!(scim.kinds(before), ["admin.directory_token.revoked"]);
    let answer = scim.ask("GET", "/Users", Value::Null).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    scim.api
        .world
        .assert_denied("directory.authentication.refused", "token_revoked");
    assert_eq!(
        scim.ask_as(&second, "GET", "/Users", Value::Null).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_token_that_is_over_unknown_or_of_a_switched_off_directory_is_refused_sc_02() {
    let scim = Scim::new().await;
    let world = &scim.api.world;
    let end = world.basis.now().plus(std::time::Duration::from_secs(60));
    let spec = json!({"name": "short", "expires_at": end});
    let short = scim.api.ask("POST", "/directories/okta/tokens", spec).await.json();
    let short = short["token"].as_str().unwrap();
    assert_eq!(
        scim.ask_as(short, "GET", "/Users", Value::Null).await.status,
        StatusCode::OK
    );
    world.company.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(
        scim.ask_as(short, "GET", "/Users", Value::Null).await.status,
        StatusCode::UNAUTHORIZED
    );
    world.assert_denied("directory.authentication.refused", "token_expired");
    assert_eq!(
        scim.ask_as("lny_scim_guess", "GET", "/Users", Value::Null).await.status,
        StatusCode::UNAUTHORIZED
    );
    world.assert_denied("directory.authentication.refused", "unknown_token");
    let owner = &scim.api.owner;
    assert_eq!(
        scim.ask_as(owner, "GET", "/Users", Value::Null).await.status,
        StatusCode::UNAUTHORIZED
    );
    scim.api
        .ask("PUT", "/directories", json!({"name": "okta", "enabled": false}))
        .await;
    assert_eq!(
        scim.ask("GET", "/Users", Value::Null).await.status,
        StatusCode::UNAUTHORIZED
    );
    world.assert_denied("directory.authentication.refused", "directory_disabled");
}

#[tokio::test]
async fn whoever_guesses_waits_and_a_good_token_is_heard_all_the_same_sc_02() {
    let scim = Scim::new().await;
    let mut statuses = Vec::new();
    for n in 0..12 {
        let answer = scim.ask_as(&format!("guess-{n}"), "GET", "/Users", Value::Null).await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!((statuses[0], statuses[11]), (401, 429), "{statuses:?}");
    assert_eq!(scim.ask("GET", "/Users", Value::Null).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_of_a_directory_opens_nothing_else() {
    let scim = Scim::new().await;
    let answer = scim.api.ask_as(&scim.token, "GET", "/users", Value::Null).await;
    assert_eq!(refused(&answer), (401, "unauthenticated".to_owned()));
}

#[tokio::test]
async fn only_owners_make_directories_and_tokens() {
    let scim = Scim::new().await;
    for role in [AdminRole::Operator, AdminRole::Auditor, AdminRole::Approver] {
        let token = scim.api.token(role, None);
        for (method, path, body) in [
            ("PUT", "/directories", json!({"name": "mine"})),
            ("DELETE", "/directories/okta", Value::Null),
            ("POST", "/directories/okta/tokens", json!({"name": "mine"})),
            ("DELETE", "/directories/okta/tokens/dtk_1", Value::Null),
        ] {
            let answer = scim.api.ask_as(&token, method, path, body).await;
            assert_eq!(
                refused(&answer),
                (403, "not_permitted".to_owned()),
                "{role:?} {method} {path}"
            );
            scim.api.world.assert_denied("admin.act.refused", "not_permitted");
        }
        let seen = scim.api.ask_as(&token, "GET", "/directories", Value::Null).await;
        assert_eq!(seen.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_directory_is_made_changed_and_removed_and_its_people_stay() {
    let scim = Scim::new().await;
    let listed = scim.api.get("/directories").await;
    assert_eq!(listed["items"][0]["url"], "https://login.northwind.example/scim/v2");
    let before = scim.count();
    let put = |body: Value| scim.api.ask("PUT", "/directories", body);
    assert_eq!(put(json!({"name": "okta"})).await.json()["change"], "unchanged");
    let changed = put(json!({"name": "okta", "strict_paths": true})).await.json();
    assert_eq!(
        (&changed["change"], &changed["strict_paths"]),
        (&json!("changed"), &json!(true))
    );
    let event = scim.since(before).remove(0);
    assert_eq!(
        (event.kind.as_str(), &event.detail["before"]["strict_paths"]),
        ("admin.directory.changed", &json!(false))
    );
    for bad in [
        json!({"name": ""}),
        json!({"name": "a/b"}),
        json!({"name": "x".repeat(65)}),
    ] {
        assert_eq!(refused(&put(bad).await), (422, "invalid".to_owned()));
    }
    scim.person("mira").await;
    let group = scim.group("g", &[]).await;
    let before = scim.count();
    let gone = scim.api.ask("DELETE", "/directories/okta", Value::Null).await;
    assert_eq!(gone.json()["change"], "removed", "{}", gone.text());
    let event = scim.since(before).remove(0);
    assert_eq!(
        (event.kind.as_str(), &event.detail["people"], &event.detail["groups"]),
        ("admin.directory.removed", &json!(1), &json!(1))
    );
    assert_eq!(
        scim.ask("GET", &format!("/Groups/{group}"), Value::Null).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(scim.api.get("/users/mira").await["active"], true);
    let again = scim.api.ask("DELETE", "/directories/okta", Value::Null).await;
    assert_eq!(refused(&again), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_token_with_an_impossible_end_or_name_is_not_made() {
    let scim = Scim::new().await;
    for spec in [
        json!({"name": " "}),
        json!({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}),
    ] {
        let answer = scim.api.ask("POST", "/directories/okta/tokens", spec).await;
        assert_eq!(refused(&answer), (422, "invalid".to_owned()));
    }
    let answer = scim
        .api
        .ask("POST", "/directories/nobody/tokens", json!({"name": "x"}))
        .await;
    assert_eq!(refused(&answer), (404, "not_found".to_owned()));
    for id in ["dtk_nobody", "adm_1"] {
        let answer = scim
            .api
            .ask("DELETE", &format!("/directories/okta/tokens/{id}"), Value::Null)
            .await;
        assert_eq!(refused(&answer), (404, "not_found".to_owned()));
    }
}
