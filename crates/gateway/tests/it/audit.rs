//! Call events: what is in them, how they are batched, and that none is lost.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::StatusCode;
use lanyard_gateway::audit::{Acknowledgement, Batching, BatchingSink, Call, CallSink};
use lanyard_gateway::delivery::{CallDelivery, DeliveryError, FileDelivery};
use lanyard_protocol::gateway::CallEvent;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::upstream::plain;
use crate::world::{ISSUER, NOW, World, message};

#[tokio::test]
async fn each_call_is_one_event_without_arguments_or_tokens_rs_gw_06() {
    let world = World::start(plain(), |_| {}).await;
    let token = world.token(|_| {});
    let call = message(
        "tools/call",
        json!({"name": "list_invoices", "arguments": {"password": "canary"}}),
    );
    let answer = world.post_as(&token, &call, &[]).await;
    let expected = CallEvent {
        gateway: "gw".to_owned(),
        number: 1,
        at: NOW * 1_000_000,
        connector: "ledger".to_owned(),
        issuer: Some(ISSUER.to_owned()),
        subject: Some("acct_88213".to_owned()),
        client_id: Some("ide-at-ledger-77".to_owned()),
        jti: Some("at-1".to_owned()),
        method: Some("tools/call".to_owned()),
        name: Some("list_invoices".to_owned()),
        decision: "allowed".to_owned(),
        request_id: answer.headers["x-request-id"].to_str().unwrap().to_owned(),
    };
    assert_eq!(world.calls.all(), [expected]);
    world
        .post_as(
            &token,
            &message("resources/read", json!({"uri": "file:///a?token=canary"})),
            &[],
        )
        .await;
    assert_eq!(world.calls.last().name.as_deref(), Some("file:///a"));
    let everything = format!("{:?}", world.calls.all());
    assert!(!everything.contains("canary") && !everything.contains(&token));
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    let world = World::start(plain(), |_| {}).await;
    world.calls.full.store(true, Ordering::Relaxed);
    let answer = world
        .post(&message("tools/call", json!({"name": "list_invoices"})), &[])
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers["retry-after"], "1");
    assert!(world.upstream.requests().is_empty());
    world.calls.full.store(false, Ordering::Relaxed);
    assert_eq!(
        world
            .post(&message("tools/call", json!({"name": "list_invoices"})), &[])
            .await
            .status,
        StatusCode::OK
    );
}

/// Takes batches, and fails while it is told to.
#[derive(Default)]
struct Receiver {
    batches: Mutex<Vec<Vec<CallEvent>>>,
    attempts: AtomicUsize,
    failing: AtomicBool,
}

impl CallDelivery for Receiver {
    fn deliver(&self, events: Vec<CallEvent>) -> BoxFuture<'_, Result<(), DeliveryError>> {
        Box::pin(async move {
            self.attempts.fetch_add(1, Ordering::Relaxed);
            if self.failing.load(Ordering::Relaxed) {
                return Err(DeliveryError::Refused("down".to_owned()));
            }
            self.batches.lock().unwrap().push(events);
            Ok(())
        })
    }
}

impl Receiver {
    fn numbers(&self) -> Vec<u64> {
        self.batches
            .lock()
            .unwrap()
            .iter()
            .flatten()
            .map(|event| event.number)
            .collect()
    }
}

fn call() -> Call {
    Call {
        at: 1,
        connector: "c".to_owned(),
        caller: None,
        method: None,
        name: None,
        decision: "allowed",
        request_id: "r".to_owned(),
    }
}

struct Running {
    sink: BatchingSink,
    receiver: Arc<Receiver>,
    stop: oneshot::Sender<()>,
    writer: JoinSet<usize>,
}

fn run(batching: Batching) -> Running {
    let (sink, writer) = BatchingSink::new("gw-1", batching);
    let receiver = Arc::new(Receiver::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let mut tasks = JoinSet::new();
    let delivery = receiver.clone();
    tasks.spawn(writer.run(delivery, async {
        let _ = stopped.await;
    }));
    Running {
        sink,
        receiver,
        stop,
        writer: tasks,
    }
}

#[tokio::test(start_paused = true)]
async fn events_wait_at_most_their_age_and_come_numbered_in_order() {
    let Running {
        sink,
        receiver,
        stop: _stop,
        writer: _writer,
    } = run(Batching::default());
    for _ in 0..3 {
        sink.record(call(), false).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(receiver.numbers().is_empty());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.numbers(), [1, 2, 3]);
    assert_eq!(receiver.batches.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_durable_event_is_acknowledged_only_when_it_was_delivered() {
    let Running {
        sink,
        receiver,
        stop: _stop,
        writer: _writer,
    } = run(Batching::default());
    receiver.failing.store(true, Ordering::Relaxed);
    let acknowledgement = sink.record(call(), true).unwrap();
    assert!(matches!(acknowledgement, Acknowledgement::Pending(_)));
    let mut waiting = Box::pin(acknowledgement.wait());
    assert!(timeout(Duration::from_secs(3), waiting.as_mut()).await.is_err());
    assert!(receiver.attempts.load(Ordering::Relaxed) > 1);
    receiver.failing.store(false, Ordering::Relaxed);
    assert_eq!(timeout(Duration::from_secs(10), waiting).await, Ok(Ok(())));
    assert_eq!(receiver.numbers(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_takes_no_more() {
    let Running {
        sink,
        receiver,
        stop: _stop,
        writer: _writer,
    } = run(Batching {
        max_waiting: 2,
        ..Batching::default()
    });
    receiver.failing.store(true, Ordering::Relaxed);
    assert!(sink.record(call(), false).is_ok());
    assert!(sink.record(call(), false).is_ok());
    assert!(sink.record(call(), false).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_delivers_what_was_taken_and_takes_no_more() {
    let Running {
        sink,
        receiver,
        stop,
        mut writer,
    } = run(Batching {
        max_events: 2,
        ..Batching::default()
    });
    for _ in 0..5 {
        sink.record(call(), false).unwrap();
    }
    stop.send(()).unwrap();
    assert_eq!(writer.join_next().await.unwrap().unwrap(), 0);
    assert_eq!(receiver.numbers(), [1, 2, 3, 4, 5]);
    assert!(sink.record(call(), false).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_says_how_many_events_it_could_not_deliver() {
    let Running {
        sink,
        receiver,
        stop,
        mut writer,
    } = run(Batching::default());
    receiver.failing.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        sink.record(call(), false).unwrap();
    }
    stop.send(()).unwrap();
    assert_eq!(writer.join_next().await.unwrap().unwrap(), 3);
}

#[tokio::test]
async fn a_file_keeps_one_event_per_line_also_after_a_line_was_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("calls.jsonl");
    std::fs::write(&path, "{\"gateway\":\"old\",\"num").unwrap();
    let (sink, writer) = BatchingSink::new("gw-1", Batching::default());
    let acknowledged = sink.record(call(), true).unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(writer.run(Arc::new(FileDelivery::open(&path).unwrap()), std::future::pending()));
    acknowledged.wait().await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(serde_json::from_str::<CallEvent>(lines[1]).unwrap().number, 1);
}
