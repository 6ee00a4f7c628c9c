//! What reaches the server behind, and what of its answers comes back.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::json;

use crate::upstream::{Handler, plain, respond};
use crate::world::{World, message};

#[tokio::test]
async fn nothing_of_the_callers_identity_reaches_the_server_behind_rs_gw_02_rs_gw_03() {
    let world = World::start(plain(), |_| {}).await;
    let token = world.token(|_| {});
    let spoofed = [
        ("cookie", "session=1"),
        ("dpop", "proof"),
        ("proxy-authorization", "Basic x"),
        ("x-user", "root"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-user", "root"),
        ("forwarded", "for=10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
        ("remote-user", "root"),
        ("x-ms-client-principal", "root"),
        ("connection", "keep-alive, x-user"),
        ("te", "trailers"),
        ("origin", "http://127.0.0.1:1"),
        ("referer", "http://127.0.0.1/secret"),
    ];
    assert_eq!(
        world
            .post_as(&token, &message("ping", json!({})), &spoofed)
            .await
            .status,
        StatusCode::OK
    );
    let seen = world.upstream.requests().pop().unwrap();
    let mut names: Vec<&str> = seen.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["accept", "content-length", "content-type", "host", "user-agent"]
    );
    assert!(!format!("{seen:?}").contains(&token));
}

#[tokio::test]
async fn the_gateways_own_credential_is_used_in_place_of_the_callers_rs_gw_02() {
    let world = World::start_with(
        plain(),
        |_| {},
        |_, credentials| {
            *credentials = std::mem::take(credentials)
                .with_bearer("ledger", "service-secret")
                .unwrap();
        },
    )
    .await;
    world.post(&message("ping", json!({})), &[]).await;
    assert_eq!(
        world.upstream.requests().pop().unwrap().header("authorization"),
        "Bearer service-secret"
    );
}

#[tokio::test]
async fn the_body_is_written_anew_and_means_the_same() {
    let world = World::start(plain(), |_| {}).await;
    let authorization = format!("Bearer {}", world.token(|_| {}));
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json; charset=utf-8"),
    ];
    let body = " {\"method\" : \"tools\\/call\", \"jsonrpc\":\"2.0\", \"id\":\"\\u0061\",\n \"params\": {\"arguments\": {\"n\": 98765432109876543210}, \"name\":\"list_\\u0069nvoices\"} } ";
    let answer = world.send(Method::POST, "/ledger/mcp", &headers, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(
        world.upstream.requests().pop().unwrap().body,
        r#"{"jsonrpc":"2.0","id":"\u0061","method":"tools/call","params":{"arguments":{"n": 98765432109876543210},"name":"list_invoices"}}"#
    );
}

#[tokio::test]
async fn what_the_server_behind_says_about_its_own_failure_stays_here() {
    for (status, headers) in [
        (500, &[("content-type", "text/plain")][..]),
        (503, &[]),
        (
            401,
            &[("www-authenticate", "Bearer resource_metadata=\"https://evil.example\"")],
        ),
        (
            403,
            &[(
                "www-authenticate",
                "Bearer error=\"insufficient_scope\", scope=\"everything\"",
            )],
        ),
        (302, &[("location", "http://169.254.169.254/latest")]),
        (307, &[("location", "https://evil.example/mcp")]),
    ] {
        let headers = headers.to_vec();
        let handler: Handler = Arc::new(move |_| respond(status, &headers, "canary"));
        let world = World::start(handler, |_| {}).await;
        let answer = world.post(&message("ping", json!({})), &[]).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_GATEWAY, -32603),
            "{status}"
        );
        assert_eq!(answer.json()["id"], 7);
        assert!(
            !answer.body.contains("canary")
                && answer.challenge().is_empty()
                && !answer.headers.contains_key("location")
        );
        assert_eq!(world.upstream.requests().len(), 1, "no redirect is followed");
    }
}

#[tokio::test]
async fn refusals_that_concern_the_caller_come_back_as_they_are() {
    for status in [400, 404, 405, 406, 429] {
        let handler: Handler = Arc::new(move |_| {
            respond(
                status,
                &[
                    ("content-type", "application/json"),
                    ("set-cookie", "a=b"),
                    ("server", "x"),
                    ("retry-after", "9"),
                ],
                r#"{"x":1}"#,
            )
        });
        let world = World::start(handler, |_| {}).await;
        let answer = world.post(&message("ping", json!({})), &[]).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (status, r#"{"x":1}"#));
        assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("server"));
        assert_eq!(answer.headers["retry-after"], "9");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_502_without_details() {
    let world = World::start(plain(), |route| route["upstream"] = json!("http://127.0.0.1:1/mcp")).await;
    let answer = world.post(&message("ping", json!({})), &[]).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(!answer.body.contains("127.0.0.1"));
}

#[tokio::test]
async fn an_answer_with_an_encoding_nobody_asked_for_is_not_passed_on() {
    let handler: Handler = Arc::new(|_| {
        respond(
            200,
            &[("content-type", "application/json"), ("content-encoding", "gzip")],
            "x",
        )
    });
    let world = World::start(handler, |_| {}).await;
    assert_eq!(
        world.post(&message("tools/list", json!({})), &[]).await.status,
        StatusCode::BAD_GATEWAY
    );
}
