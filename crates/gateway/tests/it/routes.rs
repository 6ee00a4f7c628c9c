//! Routes: several, staged, off, replaced.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::upstream::plain;
use crate::world::{ISSUER, World, message, snapshot};

const METADATA: &str = "/.well-known/oauth-protected-resource/ledger/mcp";

fn route(world: &World, name: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut route = json!({
        "name": name, "resource": format!("{}/{name}/mcp", world.origin), "authorization_server": ISSUER,
        "upstream": world.upstream.url, "scopes": "invoices.read", "status": "active", "tools": {"*": "invoices.read"},
    });
    change(&mut route);
    route
}

#[tokio::test]
async fn a_token_for_one_route_is_no_token_for_another_rs_gw_01() {
    let world = World::start(plain(), |_| {}).await;
    let routes = [route(&world, "ledger", |_| {}), route(&world, "payroll", |_| {})];
    assert_eq!(world.gateway.replace_routes(snapshot(2, &routes)), []);
    let authorization = format!("Bearer {}", world.token(|_| {}));
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
    ];
    let body = message("ping", json!({})).to_string();
    assert_eq!(
        world.send(Method::POST, "/ledger/mcp", &headers, &body).await.status,
        StatusCode::OK
    );
    let other = world.send(Method::POST, "/payroll/mcp", &headers, &body).await;
    assert_eq!(other.status, StatusCode::UNAUTHORIZED);
    assert!(
        other.challenge().contains("/payroll/mcp\""),
        "its own metadata: {}",
        other.challenge()
    );
}

#[tokio::test]
async fn a_staged_route_has_metadata_and_is_403_for_a_good_token() {
    let world = World::start(plain(), |route| route["status"] = json!("staged")).await;
    assert_eq!(world.send(Method::GET, METADATA, &[], "").await.status, StatusCode::OK);
    assert_eq!(
        world.send(Method::POST, "/ledger/mcp", &[], "{}").await.status,
        StatusCode::UNAUTHORIZED
    );
    let answer = world.post(&message("ping", json!({})), &[]).await;
    assert_eq!((answer.status, answer.challenge()), (StatusCode::FORBIDDEN, ""));
    assert_eq!(world.calls.last().decision, "staged");
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn a_route_that_is_off_looks_like_one_that_never_was() {
    let world = World::start(plain(), |route| route["status"] = json!("off")).await;
    // Another route keeps the host known.
    let routes = [
        route(&world, "ledger", |route| route["status"] = json!("off")),
        route(&world, "payroll", |_| {}),
    ];
    assert_eq!(world.gateway.replace_routes(snapshot(2, &routes)), []);
    let off = world.post(&message("ping", json!({})), &[]).await;
    let never = world.send(Method::POST, "/never/mcp", &[], "{}").await;
    assert_eq!(off.status, StatusCode::NOT_FOUND);
    assert_eq!((off.status, off.body), (never.status, never.body));
    assert_eq!(
        world.send(Method::GET, METADATA, &[], "").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn replaced_routes_serve_the_next_call() {
    let world = World::start(plain(), |_| {}).await;
    assert_eq!(
        world
            .post(&message("tools/call", json!({"name": "new_tool"})), &[])
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        world
            .gateway
            .replace_routes(snapshot(2, &[route(&world, "ledger", |_| {})])),
        []
    );
    assert_eq!(world.gateway.routes_version(), 2);
    assert_eq!(
        world
            .post(&message("tools/call", json!({"name": "new_tool"})), &[])
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_route_that_cannot_be_served_is_named_and_the_others_are_served() {
    let world = World::start(plain(), |_| {}).await;
    let routes = [
        route(&world, "ledger", |_| {}),
        route(&world, "plain", |route| {
            route["upstream"] = json!("http://10.0.0.7/mcp")
        }),
        route(&world, "cloud", |route| {
            route["upstream"] = json!("http://169.254.169.254/mcp");
            route["insecure_upstream"] = json!(true);
        }),
        route(&world, "twin", |route| route["resource"] = json!(world.resource)),
    ];
    let problems = world.gateway.replace_routes(snapshot(2, &routes));
    let names: Vec<&str> = problems.iter().map(|problem| problem.name.as_str()).collect();
    assert_eq!(names, ["plain", "cloud", "twin"]);
    assert_eq!(
        world.post(&message("ping", json!({})), &[]).await.status,
        StatusCode::OK
    );
}
