//! Who may do what at the admin API.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use lanyard_core::admin::owner;
use lanyard_core::admin::token::AdminRole;
use lanyard_core::clock::Clock;
use lanyard_server::admin::openapi::description;
use lanyard_server::http::peer::Peer;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::admin_world::{Api, refused};

/// Every operation of the description, with the segments of its path filled in.
fn operations() -> Vec<(String, String)> {
    let document = description();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.trim_start_matches("/admin/v1").replace("{side}", "idp");
        let path: String = path
            .split(['{', '}'])
            .enumerate()
            .map(|(n, part)| if n % 2 == 1 { "x" } else { part })
            .collect();
        for method in item.as_object().unwrap().keys() {
            operations.push((method.to_uppercase(), path.clone()));
        }
    }
    assert!(operations.len() > 45, "{operations:?}");
    operations
}

/// A write of every kind that would succeed.
fn writes() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("PUT", "/users/erin", json!({"username": "erin"})),
        ("POST", "/users/alice/deactivate", json!({})),
        ("POST", "/users/dave/reactivate", json!({})),
        (
            "POST",
            "/users/alice/password",
            json!({"password": "another long password"}),
        ),
        ("POST", "/users/alice/sign-out", json!({})),
        ("PUT", "/groups/new", json!({"name": "new"})),
        ("PUT", "/groups/engineering/members/carol", json!({})),
        ("DELETE", "/groups/engineering/members/alice", Value::Null),
        (
            "PUT",
            "/clients/idp/new",
            json!({"side": "idp", "client_id": "new", "auth": "native"}),
        ),
        ("POST", "/clients/ras/ide-at-ledger/secrets", json!({})),
        ("POST", "/clients/ras/ide-at-ledger/disable", json!({})),
        (
            "PUT",
            "/resources",
            json!({"id": "https://mcp.ledger.example/new", "scopes": "a"}),
        ),
        ("DELETE", "/connectors/figma", Value::Null),
        ("PUT", "/audiences", json!({"issuer": "https://auth.other.example"})),
        ("POST", "/keys/rotate", json!({"ring": "ras"})),
        ("POST", "/tokens", json!({"name": "new", "role": "auditor"})),
        ("POST", "/apply", json!({"groups": [{"name": "new"}]})),
    ]
}

#[tokio::test]
async fn without_a_token_every_operation_but_the_claim_is_refused() {
    let api = Api::new().await;
    let before = api.count();
    for (method, path) in operations()
        .into_iter()
        .filter(|(_, path)| path != "/claim" && path != "/sign-in")
    {
        let request = Request::builder()
            .method(method.as_str())
            .uri(format!("/admin/v1{path}"));
        let answer = api.send(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(refused(&answer), (401, "unauthenticated".to_owned()), "{method} {path}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert_eq!(api.count(), before, "a request that proves nothing changes nothing");
}

#[tokio::test]
async fn unknown_revoked_and_expired_tokens_look_the_same_and_are_recorded() {
    let api = Api::new().await;
    let expiring = api.token(
        AdminRole::Owner,
        Some(api.world.company.clock.now().plus(Duration::from_secs(60))),
    );
    let made = api
        .ask("POST", "/tokens", json!({"name": "short-lived", "role": "owner"}))
        .await
        .json();
    let (id, revoked) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert_eq!(
        api.ask_as(revoked, "GET", "/users", Value::Null).await.status.as_u16(),
        200
    );
    assert_eq!(
        api.ask("DELETE", &format!("/tokens/{id}"), Value::Null)
            .await
            .status
            .as_u16(),
        200
    );
    assert_eq!(
        api.ask_as(&expiring, "GET", "/users", Value::Null)
            .await
            .status
            .as_u16(),
        200
    );
    api.world.company.clock.advance(Duration::from_secs(60));
    for token in [revoked, expiring.as_str(), "lny_admin_unknown"] {
        let answer = api.ask_as(token, "GET", "/users", Value::Null).await;
        assert_eq!(refused(&answer), (401, "unauthenticated".to_owned()));
        assert_eq!(api.world.company.last_event().0, "admin.authentication.refused");
    }
}

#[tokio::test]
async fn two_credentials_or_another_scheme_are_no_credentials() {
    let api = Api::new().await;
    let bearer = format!("Bearer {}", api.owner);
    for values in [
        vec![bearer.clone(), bearer.clone()],
        vec![format!("Basic {}", api.owner)],
        vec![api.owner.clone()],
    ] {
        let mut request = Request::get("/admin/v1/users");
        for value in values {
            request = request.header("authorization", value);
        }
        assert_eq!(
            api.send(request.body(Body::empty()).unwrap()).await.status.as_u16(),
            401
        );
    }
}

#[tokio::test]
async fn a_source_that_guesses_has_to_wait_and_others_do_not_sec_22() {
    let api = Api::new().await;
    let mut waited = None;
    for n in 0..200 {
        let answer = api.ask_as(&format!("guess-{n}"), "GET", "/users", Value::Null).await;
        if answer.status.as_u16() == 429 {
            waited = Some(answer);
            break;
        }
    }
    let answer = waited.expect("guessing is not limited");
    assert_eq!(refused(&answer), (429, "too_many_attempts".to_owned()));
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    // A neighbour who guesses keeps no administrator from cutting somebody off.
    assert_eq!(api.ask("GET", "/users", Value::Null).await.status.as_u16(), 200);
    let again = api.ask_as("guess-again", "GET", "/users", Value::Null).await;
    assert_eq!(refused(&again), (429, "too_many_attempts".to_owned()));
    let mut request = Request::get("/admin/v1/users").header("authorization", format!("Bearer {}", api.owner));
    request
        .extensions_mut()
        .unwrap()
        .insert(Peer(IpAddr::from([198, 51, 100, 7])));
    assert_eq!(
        api.send(request.body(Body::empty()).unwrap()).await.status.as_u16(),
        200
    );
}

#[tokio::test]
async fn an_auditor_reads_and_changes_nothing() {
    let api = Api::new().await;
    let auditor = api.token(AdminRole::Auditor, None);
    for path in [
        "/users",
        "/users/alice",
        "/users/alice/keys",
        "/groups",
        "/groups/engineering/members",
        "/clients",
        "/clients/idp/ide",
        "/connectors",
        "/connectors/linear",
        "/audiences",
        "/resources",
        "/trusts",
        "/rules",
        "/keys",
        "/grants",
        "/tokens",
        "/audit",
        "/audit/export",
        "/routes",
        "/revocations",
    ] {
        let answer = api.ask_as(&auditor, "GET", path, Value::Null).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text());
    }
    for (method, path, body) in writes() {
        let before = api.count();
        let answer = api.ask_as(&auditor, method, path, body).await;
        assert_eq!(refused(&answer), (403, "not_permitted".to_owned()), "{method} {path}");
        let events = api.since(before);
        let told: Vec<_> = events
            .iter()
            .map(|event| (event.kind.as_str(), event.reason.as_deref()))
            .collect();
        assert_eq!(told, [("admin.act.refused", Some("not_permitted"))], "{method} {path}");
        assert_eq!(events[0].target.as_deref(), Some(format!("{method} {path}").as_str()));
    }
}

#[tokio::test]
async fn a_gateway_reads_routes_and_revocations_delivers_calls_and_nothing_else() {
    let api = Api::new().await;
    let gateway = api.token(AdminRole::Gateway, None);
    for path in ["/routes", "/revocations", "/revocations?after=0"] {
        assert_eq!(
            api.ask_as(&gateway, "GET", path, Value::Null).await.status.as_u16(),
            200,
            "{path}"
        );
    }
    assert_eq!(
        api.ask_as(&gateway, "POST", "/calls", json!([])).await.status.as_u16(),
        200
    );
    for path in [
        "/users",
        "/clients",
        "/tokens",
        "/audit",
        "/audit/export",
        "/keys",
        "/rules",
        "/grants",
    ] {
        let answer = api.ask_as(&gateway, "GET", path, Value::Null).await;
        assert_eq!(refused(&answer), (403, "not_permitted".to_owned()), "{path}");
    }
    for (method, path, body) in writes() {
        let answer = api.ask_as(&gateway, method, path, body).await;
        assert_eq!(refused(&answer), (403, "not_permitted".to_owned()), "{method} {path}");
    }
    let auditor = api.token(AdminRole::Auditor, None);
    assert_eq!(
        api.ask_as(&auditor, "POST", "/calls", json!([])).await.status.as_u16(),
        403
    );
}

#[tokio::test]
async fn every_write_of_the_owner_is_recorded_under_its_token() {
    for (method, path, body) in writes() {
        let api = Api::new().await;
        let before = api.count();
        let answer = api.ask("PUT", "/groups/marker", json!({"name": "marker"})).await;
        assert_eq!(answer.status.as_u16(), 200);
        let owner = serde_json::to_value(&api.since(before)[0].actor).unwrap();
        let before = api.count();
        let answer = api.ask(method, path, body).await;
        assert_eq!(answer.status.as_u16(), 200, "{method} {path}: {}", answer.text());
        let events = api.since(before);
        let by_owner = events
            .iter()
            .filter(|event| serde_json::to_value(&event.actor).unwrap() == owner)
            .count();
        assert!(by_owner >= 1, "{method} {path}: {events:?}");
    }
}

#[tokio::test]
async fn the_owner_token_is_traded_once_and_within_its_hour() {
    let api = Api::new().await;
    let one_time = api
        .world
        .company
        .write(|cx, tx| owner::reset(cx, tx))
        .expose_secret()
        .to_owned();
    assert_eq!(
        api.ask("GET", "/users", Value::Null).await.status.as_u16(),
        401,
        "a reset revokes owner tokens"
    );
    let claim = async |token: &str| {
        let body = Body::from(json!({"owner_token": token}).to_string());
        api.send(Request::post("/admin/v1/claim").body(body).unwrap()).await
    };
    assert_eq!(
        refused(&claim("lny_owner_guess").await),
        (403, "unknown_owner_token".to_owned())
    );
    let answer = claim(&one_time).await;
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(
        api.ask_as(&token, "GET", "/users", Value::Null).await.status.as_u16(),
        200
    );
    assert_eq!(refused(&claim(&one_time).await), (403, "owner_token_used".to_owned()));
    assert_eq!(
        api.world.company.last_event(),
        ("admin.owner_token.refused".into(), Some("owner_token_used".into()))
    );

    let late = api
        .world
        .company
        .write(|cx, tx| owner::reset(cx, tx))
        .expose_secret()
        .to_owned();
    api.world.company.clock.advance(Duration::from_secs(3600));
    assert_eq!(refused(&claim(&late).await), (403, "owner_token_expired".to_owned()));
}
