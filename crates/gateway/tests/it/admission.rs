//! Before a message is read: address, host, origin, token.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::upstream::plain;
use crate::world::{ISSUER, NOW, World, message};

#[tokio::test]
async fn without_a_token_every_method_is_401_with_the_challenge_rs_tk_04_rs_ch_01_rs_ch_06() {
    let world = World::start(plain(), |_| {}).await;
    let expected = format!(
        r#"Bearer resource_metadata="{}/.well-known/oauth-protected-resource/ledger/mcp", scope="invoices.read""#,
        world.origin
    );
    let json = [("content-type", "application/json"), ("mcp-session-id", "s-1")];
    for method in ["initialize", "tools/list", "server/discover", "tools/call"] {
        let answer = world
            .send(
                Method::POST,
                "/ledger/mcp",
                &json,
                &message(method, json!({})).to_string(),
            )
            .await;
        assert_eq!(
            (answer.status, answer.challenge()),
            (StatusCode::UNAUTHORIZED, expected.as_str()),
            "{method}"
        );
        assert_eq!(answer.body, "");
    }
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        let answer = world.send(method.clone(), "/ledger/mcp", &json, "").await;
        assert_eq!(
            (answer.status, answer.challenge()),
            (StatusCode::UNAUTHORIZED, expected.as_str()),
            "{method}"
        );
    }
    assert!(world.upstream.requests().is_empty());
    assert!(world.calls.all().is_empty(), "discovery is no decision");
}

#[tokio::test]
async fn a_bad_token_is_401_before_anything_about_the_message_is_said_rs_wr_01() {
    let world = World::start(plain(), |_| {}).await;
    let token = world.token(|claims| claims["aud"] = json!("https://other.example/mcp"));
    let broken = [("mcp-protocol-version", "1999-01-01")];
    let answer = world.post_as(&token, &json!({"broken": true}), &broken).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.challenge().contains(r#"error="invalid_token""#));
    assert_eq!(world.calls.last().decision, "audience");
    assert_eq!(
        world.calls.last().subject,
        None,
        "nothing of an unverified token is recorded"
    );
}

#[tokio::test]
async fn an_id_jag_is_not_an_access_token_rs_tk_02() {
    let world = World::start(plain(), |_| {}).await;
    let claims = json!({
        "iss": ISSUER, "sub": "a", "aud": world.resource, "client_id": "c", "jti": "j", "iat": NOW, "exp": NOW + 300,
        "scope": "invoices.read", "resource": world.resource,
    });
    let id_jag = world.key.sign("oauth-id-jag+jwt", &claims).unwrap();
    assert_eq!(
        world.post_as(&id_jag, &message("ping", json!({})), &[]).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_foreign_origin_is_403_even_with_a_good_token_rs_wr_02() {
    let world = World::start(plain(), |_| {}).await;
    for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example"] {
        let answer = world.post(&message("ping", json!({})), &[("origin", origin)]).await;
        assert_eq!(
            (answer.status, answer.challenge()),
            (StatusCode::FORBIDDEN, ""),
            "{origin}"
        );
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_ask_and_read() {
    let world = World::start(plain(), |route| {
        route["allowed_origins"] = json!(["https://app.example"])
    })
    .await;
    let origin = [("origin", "https://app.example")];
    let preflight = world.send(Method::OPTIONS, "/ledger/mcp", &origin, "").await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.headers["access-control-allow-origin"], "https://app.example");
    let answer = world.post(&message("ping", json!({})), &origin).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["access-control-allow-origin"], "https://app.example");
    let refused = world.send(Method::POST, "/ledger/mcp", &origin, "").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.headers["access-control-allow-origin"], "https://app.example");
}

#[tokio::test]
async fn a_host_that_is_not_ours_is_refused_against_dns_rebinding() {
    let world = World::start(plain(), |_| {}).await;
    for host in ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:1"] {
        let answer = world.post(&message("ping", json!({})), &[("host", host)]).await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
    let port = world.origin.rsplit(':').next().unwrap();
    let local = format!("localhost:{port}");
    assert_eq!(
        world
            .post(&message("ping", json!({})), &[("host", &local)])
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn only_the_exact_address_is_a_route() {
    let world = World::start(plain(), |_| {}).await;
    let authorization = format!("Bearer {}", world.token(|_| {}));
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
    ];
    let body = message("ping", json!({})).to_string();
    for path in [
        "/",
        "/ledger",
        "/ledger/mcp/",
        "/ledger//mcp",
        "/x/../ledger/mcp",
        "/ledger%2Fmcp",
        "/LEDGER/mcp",
    ] {
        let answer = world.send(Method::POST, path, &headers, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let answer = world.send(Method::POST, "/ledger/mcp?x=1", &headers, &body).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        world.upstream.requests().last().unwrap().path,
        "/behind",
        "the query stays here"
    );
}

#[tokio::test]
async fn each_route_publishes_its_own_metadata_md_prm_01_rs_gw_01() {
    let world = World::start(plain(), |_| {}).await;
    let answer = world
        .send(Method::GET, "/.well-known/oauth-protected-resource/ledger/mcp", &[], "")
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json(),
        json!({
            "resource": world.resource, "authorization_servers": [ISSUER], "scopes_supported": ["invoices.read"],
            "bearer_methods_supported": ["header"], "resource_name": "Ledger invoices",
        })
    );
    let other = world
        .send(Method::GET, "/.well-known/oauth-protected-resource", &[], "")
        .await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_token_in_the_query_is_400_rs_tk_03() {
    let world = World::start(plain(), |_| {}).await;
    let path = format!("/ledger/mcp?access_token={}", world.token(|_| {}));
    let answer = world
        .send(Method::POST, &path, &[("content-type", "application/json")], "{}")
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.challenge().starts_with(r#"Bearer error="invalid_request""#));
}

#[tokio::test]
async fn strangers_cannot_fill_the_audit_log() {
    let world = World::start(plain(), |_| {}).await;
    for _ in 0..30 {
        let answer = world.post_as("a.b.c", &message("ping", json!({})), &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(world.calls.all().len(), 10);
}

/// Writes bytes to the gateway and reads what comes back until the connection ends or is quiet.
async fn raw(world: &World, bytes: &str) -> String {
    let address = world.origin.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut out = Vec::new();
    let _ = tokio::time::timeout(std::time::Duration::from_secs(5), stream.read_to_end(&mut out)).await;
    String::from_utf8_lossy(&out).into_owned()
}

#[tokio::test]
async fn a_request_hidden_in_another_never_reaches_the_server_behind() {
    let world = World::start(plain(), |_| {}).await;
    let host = world.origin.strip_prefix("http://").unwrap();
    let token = world.token(|_| {});
    let ping = message("ping", json!({})).to_string();
    let hidden = format!(
        "POST /ledger/mcp HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{ping}",
        ping.len()
    );
    let head = format!(
        "POST /ledger/mcp HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    );
    let size = format!("{:x}", ping.len());
    for framing in [
        format!(
            "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\n{ping}\r\n0\r\n\r\n{hidden}",
            ping.len()
        ),
        format!("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{size}\r\n{ping}\r\n0\r\n\r\n{hidden}"),
        format!(
            "Transfer-Encoding: xchunked\r\nContent-Length: {}\r\n\r\n{ping}{hidden}",
            ping.len()
        ),
        format!("Transfer-Encoding: chunked, identity\r\n\r\n{ping}{hidden}"),
        format!(
            "Content-Length: {}\r\nContent-Length: 0\r\n\r\n{ping}{hidden}",
            ping.len()
        ),
        format!(
            "Content-Length: {}\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n{ping}{hidden}",
            ping.len()
        ),
    ] {
        let before = world.upstream.requests().len();
        let answer = raw(&world, &format!("{head}{framing}")).await;
        let reached = world.upstream.requests().split_off(before);
        // The one with the token at most; the hidden one has none and is refused like any other.
        assert!(reached.len() <= 1, "{framing}\n{answer}");
        for seen in &reached {
            assert_eq!(seen.json()["method"], "ping");
            assert_eq!(seen.body.matches("jsonrpc").count(), 1);
        }
    }
}

#[tokio::test]
async fn several_hosts_and_absolute_targets_that_differ_are_refused() {
    let world = World::start(plain(), |_| {}).await;
    let host = world.origin.strip_prefix("http://").unwrap();
    for request in [
        format!("GET /ledger/mcp HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n"),
        format!("GET http://evil.example/ledger/mcp HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        "GET /ledger/mcp HTTP/1.1\r\n\r\n".to_owned(),
    ] {
        let answer = raw(&world, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{request}{answer}");
    }
}

#[tokio::test]
async fn bodies_beyond_the_limit_or_of_another_type_are_refused_sec_22() {
    let world = World::start(plain(), |_| {}).await;
    let long = message(
        "tools/call",
        json!({"name": "list_invoices", "arguments": {"x": "y".repeat(1024 * 1024)}}),
    );
    assert_eq!(world.post(&long, &[]).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let authorization = format!("Bearer {}", world.token(|_| {}));
    for headers in [
        &[
            ("authorization", authorization.as_str()),
            ("content-type", "text/plain"),
        ][..],
        &[("authorization", authorization.as_str())],
        &[
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ],
    ] {
        let answer = world.send(Method::POST, "/ledger/mcp", headers, "{}").await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let deep = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{{\"a\":{}1{}}}}}",
        "[".repeat(40),
        "]".repeat(40)
    );
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
    ];
    let answer = world.send(Method::POST, "/ledger/mcp", &headers, &deep).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, -32700));
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let world = World::start(plain(), |_| {}).await;
    let answer = world.post(&message("ping", json!({})), &[]).await;
    let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(world.calls.last().request_id, id);
    assert_eq!(answer.json()["result"], json!({"did": "ping"}));
    assert_ne!(answer.json(), Value::Null);
}
