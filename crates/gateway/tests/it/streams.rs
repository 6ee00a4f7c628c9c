//! Streams: passed on as they come, and ended when the right to read them ends.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use lanyard_protocol::gateway::Revoked;
use lanyard_protocol::issuer::Issuer;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::upstream::{Handler, event_stream};
use crate::world::{ISSUER, NOW, World, message, snapshot};

const SOON: Duration = Duration::from_secs(5);

/// A server whose every answer is a stream that the test feeds.
fn streaming() -> (Handler, mpsc::UnboundedSender<String>) {
    let (events, receiver) = mpsc::unbounded_channel();
    let receiver = Mutex::new(Some(receiver));
    (
        Arc::new(move |_| event_stream(receiver.lock().unwrap().take().expect("one stream"))),
        events,
    )
}

async fn open(world: &World, token: &str) -> Response<Incoming> {
    let authorization = format!("Bearer {token}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
    ];
    let body = message("tools/call", json!({"name": "list_invoices"})).to_string();
    world.open(Method::POST, "/ledger/mcp", &headers, &body).await
}

/// The next piece of a stream, or `None` when it ended in good order.
async fn next(response: &mut Response<Incoming>) -> Option<String> {
    let frame = timeout(SOON, response.body_mut().frame())
        .await
        .expect("the stream moves")?;
    Some(String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn events_pass_one_by_one_without_waiting_for_the_next() {
    let (handler, events) = streaming();
    let world = World::start(handler, |_| {}).await;
    let mut response = open(&world, &world.token(|_| {})).await;
    for n in 0..3 {
        let event = format!("id: {n}\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}}\n\n");
        events.send(event.clone()).unwrap();
        assert_eq!(next(&mut response).await, Some(event));
    }
    drop(events);
    assert_eq!(next(&mut response).await, None);
}

#[tokio::test]
async fn a_revocation_ends_a_stream_within_a_second_rs_w26_08() {
    let (handler, events) = streaming();
    let world = World::start(handler, |_| {}).await;
    let mut response = open(&world, &world.token(|_| {})).await;
    events.send("data: 1\n\n".to_owned()).unwrap();
    assert!(next(&mut response).await.is_some());

    let issuer = Issuer::parse(ISSUER).unwrap();
    let unrelated = Revoked::Token {
        issuer: issuer.clone(),
        jti: "other".to_owned(),
    };
    world.revocations.revoke(&unrelated, NOW + 700);
    events.send("data: 2\n\n".to_owned()).unwrap();
    assert!(
        next(&mut response).await.is_some(),
        "somebody else's revocation changes nothing"
    );

    world.revocations.revoke(
        &Revoked::Subject {
            issuer,
            subject: "acct_88213".to_owned(),
            not_after: NOW,
        },
        NOW + 700,
    );
    let end = timeout(Duration::from_secs(1), next(&mut response))
        .await
        .expect("within a second");
    assert_eq!(end, None);
    timeout(SOON, events.closed())
        .await
        .expect("the exchange with the server behind is closed too");
}

#[tokio::test]
async fn nothing_is_delivered_after_a_revocation() {
    let (handler, events) = streaming();
    let world = World::start(handler, |_| {}).await;
    let mut response = open(&world, &world.token(|_| {})).await;
    let issuer = Issuer::parse(ISSUER).unwrap();
    world.revocations.revoke(
        &Revoked::Token {
            issuer,
            jti: "at-1".to_owned(),
        },
        NOW + 700,
    );
    let _ = events.send("data: secret\n\n".to_owned());
    assert_eq!(next(&mut response).await, None);
}

#[tokio::test]
async fn a_stream_ends_when_its_token_expires_rs_w26_08() {
    let (handler, events) = streaming();
    let world = World::start_with(
        handler,
        |_| {},
        |settings, _| settings.stream_check = Duration::from_millis(20),
    )
    .await;
    let mut response = open(&world, &world.token(|_| {})).await;
    events.send("data: 1\n\n".to_owned()).unwrap();
    assert!(next(&mut response).await.is_some());
    world.now.store(NOW + 600, Ordering::Relaxed);
    assert_eq!(next(&mut response).await, None);
}

#[tokio::test]
async fn a_stream_ends_when_its_route_is_switched_off() {
    let (handler, events) = streaming();
    let world = World::start(handler, |_| {}).await;
    let mut response = open(&world, &world.token(|_| {})).await;
    events.send("data: 1\n\n".to_owned()).unwrap();
    assert!(next(&mut response).await.is_some());
    assert_eq!(world.gateway.replace_routes(snapshot(2, &[])), []);
    assert_eq!(next(&mut response).await, None);
}

#[tokio::test]
async fn the_standing_stream_is_opened_with_a_token_and_hides_tools_in_replayed_answers() {
    let (handler, events) = streaming();
    let world = World::start(handler, |_| {}).await;
    let authorization = format!("Bearer {}", world.token(|_| {}));
    let headers = [
        ("authorization", authorization.as_str()),
        ("accept", "text/event-stream"),
        ("last-event-id", "41"),
    ];
    let mut response = world.open(Method::GET, "/ledger/mcp", &headers, "").await;
    let replayed: Value =
        json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "drop_db"}, {"name": "list_invoices"}]}});
    events.send(format!("id: 42\ndata: {replayed}\n\n")).unwrap();
    let event = next(&mut response).await.unwrap();
    assert!(
        event.starts_with("id: 42\n") && event.contains("list_invoices") && !event.contains("drop_db"),
        "{event}"
    );
    let seen = world.upstream.requests().pop().unwrap();
    assert_eq!((seen.method.as_str(), seen.header("last-event-id")), ("GET", "41"));
    assert_eq!(world.calls.last().method.as_deref(), Some("GET"));
}

#[tokio::test]
async fn a_caller_that_goes_away_ends_the_exchange_with_the_server_behind() {
    let (handler, events) = streaming();
    let world = World::start(handler, |_| {}).await;
    let mut response = open(&world, &world.token(|_| {})).await;
    events.send("data: 1\n\n".to_owned()).unwrap();
    assert!(next(&mut response).await.is_some());
    drop(response);
    timeout(SOON, events.closed())
        .await
        .expect("the stream behind is closed");
}
