//! 2026-07-28: every request stands alone, headers mirror the body.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::json;

use crate::upstream::{Handler, json_answer, plain, respond};
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

/// A server that asks for something first and gives a state to bring back.
fn asking(events: bool) -> Handler {
    Arc::new(move |seen| {
        let request = seen.json();
        let result = match request["params"]["requestState"].as_str() {
            Some(state) => json!({"resultType": "complete", "content": [], "was": state}),
            None => json!({"resultType": "input_required", "requestState": "made.by \"server\"", "inputRequests": {}}),
        };
        let answer = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
        if events {
            return respond(
                200,
                &[("content-type", "text/event-stream")],
                &format!("data: {answer}\n\n"),
            );
        }
        json_answer(&answer)
    })
}

#[tokio::test]
async fn a_state_comes_back_only_from_whom_it_was_made_for_rs_w26_07() {
    for events in [false, true] {
        let world = World::start(asking(events), |_| {}).await;
        let token = world.token(|_| {});
        let asked = world
            .post_stateless(&token, "tools/call", json!({"name": "list_invoices"}))
            .await;
        let body = asked.body.trim().trim_start_matches("data: ");
        let result = serde_json::from_str::<serde_json::Value>(body).unwrap()["result"].clone();
        let state = result["requestState"].as_str().unwrap().to_owned();
        assert_ne!(state, "made.by \"server\"");
        let params = json!({"name": "list_invoices", "requestState": state, "inputResponses": {}});

        let done = world.post_stateless(&token, "tools/call", params.clone()).await;
        assert!(done.body.contains(r#""was":"made.by \"server\"""#), "{}", done.body);

        let seen = world.upstream.requests().len();
        for (member, value) in [("sub", "acct_other"), ("client_id", "other-client")] {
            let thief = world.token(|claims| claims[member] = json!(value));
            let refused = world.post_stateless(&thief, "tools/call", params.clone()).await;
            assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, -32602));
            assert_eq!(world.calls.last().decision, "request_state_foreign");
            // Nor with the seal taken off, nor in the older revision, which has no such member.
            let bare = json!({"name": "list_invoices", "requestState": "made.by \"server\""});
            let refused = world.post_stateless(&thief, "tools/call", bare.clone()).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
            let older = [("mcp-protocol-version", "2025-11-25")];
            let refused = world.post_as(&thief, &message("tools/call", bare), &older).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        }
        assert_eq!(
            world.upstream.requests().len(),
            seen,
            "nothing of a thief reaches the server"
        );
    }
}

#[tokio::test]
async fn a_long_result_is_passed_on_whole_and_a_long_list_is_not() {
    let handler: Handler = Arc::new(|seen| {
        let request = seen.json();
        let result = json!({"tools": [], "content": [{"type": "text", "text": "x".repeat(5 * 1024 * 1024)}]});
        json_answer(&json!({"jsonrpc": "2.0", "id": request["id"], "result": result}))
    });
    let world = World::start(handler, |_| {}).await;
    let token = world.token(|_| {});
    let result = world
        .post_stateless(&token, "tools/call", json!({"name": "list_invoices"}))
        .await;
    assert_eq!(
        result.json()["result"]["content"][0]["text"].as_str().unwrap().len(),
        5 * 1024 * 1024
    );
    let list = world.post_stateless(&token, "tools/list", json!({})).await;
    assert_eq!(list.status, StatusCode::BAD_GATEWAY);
}
