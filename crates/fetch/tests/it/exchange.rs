//! One request and one answer: what is sent, what is read, when it ends.

use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderValue};
use lanyard_fetch::{Fetch, FetchError, FetchRequest, FetchResponse, HttpFetch, Outbound};
use lanyard_protocol::form::Form;
use url::Url;

use crate::server::{Server, ok};

fn request(server: &Server) -> FetchRequest {
    FetchRequest::get(Url::parse(&server.url("http", "127.0.0.1")).unwrap())
}

async fn send(request: FetchRequest) -> Result<FetchResponse, FetchError> {
    HttpFetch::new(&Outbound {
        development: true,
        ..Outbound::default()
    })
    .unwrap()
    .fetch(request)
    .await
}

#[tokio::test]
async fn a_form_arrives_with_its_headers() {
    let server = Server::plain(&ok(r#"{"a":1}"#));
    let url = Url::parse(&server.url("http", "127.0.0.1")).unwrap();
    let form = Form::default().with("grant_type", "urn:x").with("scope", "a b");
    let request = FetchRequest::post_form(url, &form).header(AUTHORIZATION, HeaderValue::from_static("Basic eDp5"));
    let answer = send(request).await.unwrap();
    assert_eq!(answer.json::<serde_json::Value>().unwrap(), serde_json::json!({"a": 1}));
    let seen = server.requests().join("").to_ascii_lowercase();
    assert!(seen.starts_with("post / http/1.1\r\n"), "{seen}");
    for line in [
        "content-type: application/x-www-form-urlencoded\r\n",
        "accept: application/json\r\n",
        "authorization: basic edp5\r\n",
        "grant_type=urn%3ax&scope=a+b",
    ] {
        assert!(seen.contains(line), "{line} in {seen}");
    }
    for absent in ["cookie", "referer", "accept-encoding"] {
        assert!(!seen.contains(absent), "{absent} in {seen}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_sec_08() {
    let target = Server::plain(&ok("{}"));
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
        "304 Not Modified",
    ] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nlocation: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            target.url("http", "127.0.0.1")
        );
        let server = Server::plain(&answer);
        assert_eq!(
            send(request(&server)).await.unwrap_err(),
            FetchError::Forbidden("a redirect"),
            "{status}"
        );
    }
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn an_answer_is_read_to_its_limit_and_no_further_sec_08() {
    let announced = Server::plain("HTTP/1.1 200 OK\r\ncontent-length: 65537\r\n\r\nx");
    assert_eq!(send(request(&announced)).await.unwrap_err(), FetchError::TooLarge);
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let unannounced = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}",
        chunk.repeat(5)
    );
    // It never ends; only the limit can end it.
    assert_eq!(
        send(request(&Server::plain(&unannounced))).await.unwrap_err(),
        FetchError::TooLarge
    );
    let full = Server::plain(&ok(&"x".repeat(64 * 1024)));
    assert_eq!(send(request(&full)).await.unwrap().body.len(), 64 * 1024);
    let mut small = request(&full);
    small.max_body = 64 * 1024 - 1;
    assert_eq!(send(small).await.unwrap_err(), FetchError::TooLarge);
}

#[tokio::test]
async fn a_slow_answer_ends_at_the_deadline_sec_08() {
    for beginning in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\"",
    ] {
        let server = Server::plain(beginning);
        let mut request = request(&server);
        request.timeout = Duration::from_millis(150);
        assert_eq!(send(request).await.unwrap_err(), FetchError::Timeout, "{beginning:?}");
    }
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let request = FetchRequest::get(Url::parse(&format!("http://{free}/")).unwrap());
    assert_eq!(send(request).await.unwrap_err(), FetchError::Unreachable);
}

#[tokio::test]
async fn an_error_status_is_an_answer_and_json_is_not_read_from_it() {
    let server = Server::plain(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 25\r\nconnection: close\r\n\r\n{\"error\":\"invalid_grant\"}",
    );
    let answer = send(request(&server)).await.unwrap();
    assert_eq!(answer.status.as_u16(), 400);
    assert_eq!(answer.json::<serde_json::Value>(), Err(FetchError::Status(400)));
}

#[tokio::test]
async fn a_page_for_people_is_not_json_and_duplicate_members_are_not_either() {
    let page = Server::plain("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\n{}");
    let answer = send(request(&page)).await.unwrap();
    assert!(matches!(
        answer.json::<serde_json::Value>(),
        Err(FetchError::Content(_))
    ));
    let twice = Server::plain(&ok(r#"{"a":1,"a":2}"#));
    let answer = send(request(&twice)).await.unwrap();
    assert!(matches!(
        answer.json::<serde_json::Value>(),
        Err(FetchError::Content(_))
    ));
}

#[tokio::test]
async fn neither_credentials_nor_bodies_are_printed_sec_10() {
    let server = Server::plain(&ok(r#"{"access_token":"canary-answer"}"#));
    let url = Url::parse(&format!("{}?code=canary-query", server.url("http", "127.0.0.1"))).unwrap();
    let form = Form::default().with("client_secret", "canary-body");
    let request = FetchRequest::post_form(url, &form).header(AUTHORIZATION, HeaderValue::from_static("canary-header"));
    let mut printed = format!("{request:?}");
    let answer = send(request).await.unwrap();
    printed.push_str(&format!("{answer:?} {:?}", answer.json::<Vec<u8>>()));
    assert!(!printed.contains("canary"), "{printed}");
}
