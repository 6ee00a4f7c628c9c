//! 2025-11-25: the handshake, sessions, standing streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::upstream::{Handler, json_answer, plain, respond};
use crate::world::{World, message};

const V25: (&str, &str) = ("mcp-protocol-version", "2025-11-25");

/// A server with sessions `s-1`, `s-2`, … that ends them on `DELETE`.
fn with_sessions() -> Handler {
    let count = AtomicU64::new(0);
    Arc::new(move |seen| {
        let request = seen.json();
        if seen.method == "DELETE" {
            return respond(200, &[], "");
        }
        if request["method"] == "initialize" {
            let id = format!("s-{}", count.fetch_add(1, Ordering::Relaxed) + 1);
            let mut answer = json_answer(&json!({"jsonrpc": "2.0", "id": request["id"], "result": {
                "protocolVersion": "2025-11-25", "capabilities": {"tools": {}, "extensions": {"vendor/x": {}}}}}));
            answer.headers_mut().insert("mcp-session-id", id.parse().unwrap());
            return answer;
        }
        plain()(seen)
    })
}

fn initialize() -> Value {
    message(
        "initialize",
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}),
    )
}

async fn session(world: &World) -> String {
    let answer = world.post(&initialize(), &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.headers["mcp-session-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_begins_is_used_and_ends_rs_w25_01() {
    let world = World::start(with_sessions(), |_| {}).await;
    let id = session(&world).await;
    let own = [V25, ("mcp-session-id", id.as_str())];
    let answer = world.post(&message("ping", json!({})), &own).await;
    assert_eq!(answer.status, StatusCode::OK);
    let seen = world.upstream.requests().pop().unwrap();
    assert_eq!(
        (seen.header("mcp-session-id"), seen.header("mcp-protocol-version")),
        (id.as_str(), "2025-11-25")
    );

    let missing = world.post(&message("ping", json!({})), &[V25]).await;
    assert_eq!(missing.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.calls.last().decision, "session_missing");

    let authorization = format!("Bearer {}", world.token(|_| {}));
    let ended = world
        .send(
            Method::DELETE,
            "/ledger/mcp",
            &[("authorization", &authorization), own[0], own[1]],
            "",
        )
        .await;
    assert_eq!(ended.status, StatusCode::OK);
    let late = world.post(&message("ping", json!({})), &own).await;
    assert_eq!(late.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_session_of_somebody_else_does_not_exist_rs_w25_02() {
    let world = World::start(with_sessions(), |_| {}).await;
    let id = session(&world).await;
    let forwarded = world.upstream.requests().len();
    for (member, value) in [("sub", "acct_other"), ("client_id", "other-client")] {
        let thief = world.token(|claims| claims[member] = json!(value));
        let foreign = world
            .post_as(&thief, &message("ping", json!({})), &[V25, ("mcp-session-id", &id)])
            .await;
        let unknown = world
            .post_as(
                &thief,
                &message("ping", json!({})),
                &[V25, ("mcp-session-id", "nobody's")],
            )
            .await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
        assert_eq!((foreign.status, &foreign.body), (unknown.status, &unknown.body));
        let decisions: Vec<String> = world.calls.all().into_iter().map(|call| call.decision).collect();
        assert!(decisions.ends_with(&["session_foreign".to_owned(), "session_unknown".to_owned()]));
        let authorization = format!("Bearer {thief}");
        for method in [Method::GET, Method::DELETE] {
            let headers = [("authorization", authorization.as_str()), V25, ("mcp-session-id", &id)];
            assert_eq!(
                world.send(method, "/ledger/mcp", &headers, "").await.status,
                StatusCode::NOT_FOUND
            );
        }
    }
    assert_eq!(
        world.upstream.requests().len(),
        forwarded,
        "nothing of a thief reaches the server"
    );
    assert_eq!(
        world
            .post(&message("ping", json!({})), &[V25, ("mcp-session-id", &id)])
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_session_id_without_a_token_is_401_rs_tk_04() {
    let world = World::start(with_sessions(), |_| {}).await;
    let id = session(&world).await;
    let headers = [
        ("content-type", "application/json"),
        V25,
        ("mcp-session-id", id.as_str()),
    ];
    let answer = world
        .send(
            Method::POST,
            "/ledger/mcp",
            &headers,
            &message("ping", json!({})).to_string(),
        )
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_server_that_gives_two_callers_one_session_id_is_not_believed() {
    let same: Handler = Arc::new(|seen| {
        let mut answer = plain()(seen);
        answer
            .headers_mut()
            .insert("mcp-session-id", "default".parse().unwrap());
        answer
    });
    let world = World::start(same, |_| {}).await;
    assert_eq!(world.post(&initialize(), &[]).await.status, StatusCode::OK);
    let other = world.token(|claims| claims["sub"] = json!("acct_other"));
    assert_eq!(
        world.post_as(&other, &initialize(), &[]).await.status,
        StatusCode::BAD_GATEWAY
    );
}

#[tokio::test]
async fn a_server_without_sessions_needs_none() {
    let world = World::start(plain(), |_| {}).await;
    let answer = world.post(&initialize(), &[]).await;
    assert!(!answer.headers.contains_key("mcp-session-id"));
    assert_eq!(
        world.post(&message("ping", json!({})), &[V25]).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_handshake_declares_the_extension_beside_the_servers_own_rs_w25_03() {
    let world = World::start(with_sessions(), |_| {}).await;
    let answer = world.post(&initialize(), &[]).await;
    assert_eq!(
        answer.json()["result"]["capabilities"],
        json!({"tools": {}, "extensions": {"vendor/x": {}, "io.modelcontextprotocol/enterprise-managed-authorization": {}}})
    );
}

#[tokio::test]
async fn notifications_and_answers_to_the_server_pass() {
    let world = World::start(plain(), |_| {}).await;
    for body in [
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": "srv-1", "result": {"roots": []}}),
        json!({"jsonrpc": "2.0", "id": "srv-2", "error": {"code": -1, "message": "declined"}}),
    ] {
        assert_eq!(world.post(&body, &[V25]).await.status, StatusCode::ACCEPTED);
        assert_eq!(world.upstream.requests().pop().unwrap().json(), body);
    }
}

#[tokio::test]
async fn a_version_that_nobody_knows_is_400() {
    let world = World::start(plain(), |_| {}).await;
    let answer = world
        .post(&message("ping", json!({})), &[("mcp-protocol-version", "1999-01-01")])
        .await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, -32022));
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn batches_are_refused() {
    let world = World::start(plain(), |_| {}).await;
    let answer = world.post(&json!([message("ping", json!({}))]), &[]).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, -32600));
}

#[tokio::test]
async fn an_older_version_decides_on_the_body_and_forwards_no_forged_mirror_rs_gw_05() {
    let world = World::start(plain(), |_| {}).await;
    let forged = [V25, ("mcp-method", "tools/list"), ("mcp-name", "list_invoices")];
    let denied = world
        .post(&message("tools/call", json!({"name": "drop_db"})), &forged)
        .await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    assert_eq!(
        world
            .post(&message("tools/call", json!({"name": "list_invoices"})), &forged)
            .await
            .status,
        StatusCode::OK
    );
    let seen = world.upstream.requests().pop().unwrap();
    assert_eq!((seen.header("mcp-method"), seen.header("mcp-name")), ("", ""));
}

#[tokio::test]
async fn an_unknown_method_of_the_older_revision_is_an_ordinary_error_because_404_would_end_the_session() {
    let world = World::start(plain(), |_| {}).await;
    let answer = world.post(&message("vendor/thing", json!({})), &[V25]).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::OK, -32601));
    assert!(world.upstream.requests().is_empty());
}
