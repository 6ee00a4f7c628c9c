//! 2026-07-28: every request stands alone, headers mirror the body.

use http::{Method, StatusCode};
use serde_json::json;

use crate::upstream::plain;
use crate::world::{STATELESS, World, message, stateless};

#[tokio::test]
async fn a_call_is_forwarded_with_headers_made_from_the_body_rs_w26_02() {
    let world = World::start(plain(), |route| route["tools"]["überweisen"] = json!("invoices.read")).await;
    let token = world.token(|_| {});
    let message = stateless("tools/call", json!({"name": "überweisen", "arguments": {"to": "b"}}));
    let headers = [
        ("mcp-protocol-version", STATELESS),
        ("mcp-method", "tools/call"),
        ("mcp-name", "=?base64?w7xiZXJ3ZWlzZW4=?="),
        ("mcp-param-to", "b"),
        ("mcp-session-id", "ignored"),
        ("last-event-id", "ignored"),
    ];
    let answer = world.post_as(&token, &message, &headers).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let seen = world.upstream.requests().pop().unwrap();
    assert_eq!(seen.json(), message);
    assert_eq!(seen.header("mcp-protocol-version"), STATELESS);
    assert_eq!(
        (seen.header("mcp-method"), seen.header("mcp-name")),
        ("tools/call", "=?base64?w7xiZXJ3ZWlzZW4=?=")
    );
    assert_eq!(seen.header("mcp-param-to"), "b");
    assert_eq!(
        (seen.header("mcp-session-id"), seen.header("last-event-id")),
        ("", ""),
        "RS-W26-03"
    );
}

#[tokio::test]
async fn a_header_that_says_another_tool_than_the_body_is_refused_rs_w26_02() {
    let world = World::start(plain(), |_| {}).await;
    let body = stateless("tools/call", json!({"name": "drop_db"}));
    for (headers, code, name) in [
        (
            &[
                ("mcp-protocol-version", STATELESS),
                ("mcp-method", "tools/call"),
                ("mcp-name", "list_invoices"),
            ][..],
            -32020,
            "header_mismatch",
        ),
        (
            &[
                ("mcp-protocol-version", STATELESS),
                ("mcp-method", "tools/list"),
                ("mcp-name", "drop_db"),
            ],
            -32020,
            "header_mismatch",
        ),
        (
            &[("mcp-protocol-version", STATELESS), ("mcp-method", "tools/call")],
            -32020,
            "header_mismatch",
        ),
        (
            &[
                ("mcp-protocol-version", "2025-11-25"),
                ("mcp-method", "tools/call"),
                ("mcp-name", "drop_db"),
            ],
            -32020,
            "header_mismatch",
        ),
        (
            &[("mcp-method", "tools/call"), ("mcp-name", "drop_db")],
            -32020,
            "header_mismatch",
        ),
    ] {
        let answer = world.post(&body, headers).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_REQUEST, code),
            "{headers:?}"
        );
        assert_eq!(answer.json()["id"], 7);
        assert_eq!(world.calls.last().decision, name);
    }
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn meta_is_needed_on_every_request_rs_w26_01() {
    let world = World::start(plain(), |_| {}).await;
    let headers = [("mcp-protocol-version", STATELESS), ("mcp-method", "tools/list")];
    for meta in [json!({}), json!({"io.modelcontextprotocol/protocolVersion": STATELESS})] {
        let answer = world
            .post(&message("tools/list", json!({"_meta": meta})), &headers)
            .await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, -32602));
    }
}

#[tokio::test]
async fn an_unknown_version_is_named_rs_w26_03() {
    let world = World::start(plain(), |_| {}).await;
    let mut body = stateless("server/discover", json!({}));
    body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2027-01-01");
    let headers = [
        ("mcp-protocol-version", "2027-01-01"),
        ("mcp-method", "server/discover"),
    ];
    let answer = world.post(&body, &headers).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, -32022));
    assert_eq!(answer.json()["error"]["data"]["requested"], "2027-01-01");
}

#[tokio::test]
async fn get_and_delete_are_405_and_removed_methods_404_rs_w26_03() {
    let world = World::start(plain(), |_| {}).await;
    let token = world.token(|_| {});
    let authorization = format!("Bearer {token}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("mcp-protocol-version", STATELESS),
    ];
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        let answer = world.send(method.clone(), "/ledger/mcp", &headers, "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert!(answer.headers["allow"].to_str().unwrap().contains("POST"));
    }
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "vendor/thing",
    ] {
        let answer = world.post_stateless(&token, method, json!({})).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::NOT_FOUND, -32601),
            "{method}"
        );
    }
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn discovery_declares_the_extension_and_is_private_rs_w26_04_rs_w26_06() {
    let world = World::start(plain(), |_| {}).await;
    let answer = world
        .post_stateless(&world.token(|_| {}), "server/discover", json!({}))
        .await;
    let result = &answer.json()["result"];
    assert_eq!(
        result["capabilities"]["extensions"],
        json!({"io.modelcontextprotocol/enterprise-managed-authorization": {}})
    );
    assert_eq!(result["cacheScope"], "private");
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn a_list_that_depends_on_the_caller_is_private_whatever_the_server_says_rs_w26_06() {
    let world = World::start(plain(), |_| {}).await;
    let answer = world
        .post_stateless(&world.token(|_| {}), "tools/list", json!({}))
        .await;
    assert_eq!(answer.json()["result"]["cacheScope"], "private");
}

#[tokio::test]
async fn a_declaration_can_be_demanded_and_proves_nothing_rs_w26_05() {
    let world = World::start_with(plain(), |_| {}, |settings, _| settings.require_declaration = true).await;
    let token = world.token(|_| {});
    let refused = world.post_stateless(&token, "tools/list", json!({})).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, -32021));
    let extension = json!({"io.modelcontextprotocol/enterprise-managed-authorization": {}});
    assert_eq!(
        refused.json()["error"]["data"]["requiredCapabilities"]["extensions"],
        extension
    );
    let mut body = stateless("tools/call", json!({"name": "drop_db"}));
    body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"extensions": extension});
    let headers = [
        ("mcp-protocol-version", STATELESS),
        ("mcp-method", "tools/call"),
        ("mcp-name", "drop_db"),
    ];
    assert_eq!(
        world.post_as(&token, &body, &headers).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn there_is_no_request_of_the_server_to_answer() {
    let world = World::start(plain(), |_| {}).await;
    let headers = [("mcp-protocol-version", STATELESS), ("mcp-method", "x")];
    let answer = world
        .post(&json!({"jsonrpc": "2.0", "id": 1, "result": {}}), &headers)
        .await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, -32600));
}

#[tokio::test]
async fn headers_are_checked_before_scopes_and_scopes_before_methods() {
    let world = World::start(plain(), |_| {}).await;
    let poor = world.token(|claims| claims["scope"] = json!("foreign"));
    let wrong = [("mcp-protocol-version", STATELESS), ("mcp-method", "other")];
    assert_eq!(
        world
            .post_as(&poor, &stateless("vendor/thing", json!({})), &wrong)
            .await
            .status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        world.post_stateless(&poor, "vendor/thing", json!({})).await.status,
        StatusCode::FORBIDDEN
    );
}
