//! One event per call (RS-GW-06).
//!
//! Owns numbering and batching: an event waits at most a second, and a durable one is acknowledged only when it was
//! delivered. Never holds a token, arguments or results, and never drops an event it took.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lanyard_jose::token::{AccessToken, Verified};
use lanyard_protocol::gateway::CallEvent;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::delivery::CallDelivery;

/// Takes the events of calls.
pub trait CallSink: Send + Sync {
    /// Takes one event. `durable` asks for an acknowledgement after it was delivered.
    ///
    /// # Errors
    /// [`NotRecorded`] when no event can be taken; the call is refused with 503.
    fn record(&self, call: Call, durable: bool) -> Result<Acknowledgement, NotRecorded>;
}

/// A call before it is numbered.
#[derive(Clone)]
pub struct Call {
    /// Microseconds since the epoch.
    pub at: i64,
    /// Route name.
    pub connector: String,
    /// What the caller's token says, when one was verified.
    pub caller: Option<Verified<AccessToken>>,
    /// The MCP method.
    pub method: Option<String>,
    /// The tool, prompt or resource named.
    pub name: Option<String>,
    /// `allowed`, or the stable code of the refusal.
    pub decision: &'static str,
    /// The request id told to the caller.
    pub request_id: String,
}

impl Call {
    /// The event of this call, which is call `number` of the process that `gateway` names.
    pub fn event(&self, gateway: &str, number: u64) -> CallEvent {
        let caller = self.caller.as_ref();
        CallEvent {
            gateway: gateway.to_owned(),
            number,
            at: self.at,
            connector: self.connector.clone(),
            issuer: caller.map(|token| token.iss.as_str().to_owned()),
            subject: caller.map(|token| token.sub.as_str().to_owned()),
            client_id: caller.map(|token| token.client_id.as_str().to_owned()),
            jti: caller.map(|token| token.jti.as_str().to_owned()),
            method: self.method.clone(),
            name: self.name.clone(),
            decision: self.decision.to_owned(),
            request_id: self.request_id.clone(),
        }
    }
}

/// What a sink gives for an event that it took.
pub enum Acknowledgement {
    /// Nothing to wait for.
    Queued,
    /// Resolves when the event was delivered; an error means that it never will be by this process.
    Pending(oneshot::Receiver<()>),
}

impl Acknowledgement {
    /// Waits for the delivery, if it was asked for.
    ///
    /// # Errors
    /// [`NotRecorded`] when the writer stopped before the event was delivered.
    pub async fn wait(self) -> Result<(), NotRecorded> {
        match self {
            Self::Queued => Ok(()),
            Self::Pending(delivered) => delivered.await.map_err(|_| NotRecorded),
        }
    }
}

/// The event could not be taken: the queue is full or its writer stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the call cannot be recorded")]
pub struct NotRecorded;

/// How events are batched.
#[derive(Debug, Clone, Copy)]
pub struct Batching {
    /// The longest an event waits before its delivery begins.
    pub max_age: Duration,
    /// The most events in one delivery.
    pub max_events: usize,
    /// The most events waiting; beyond it calls are refused.
    pub max_waiting: usize,
    /// How long deliveries are tried after the shutdown began.
    pub grace: Duration,
}

impl Default for Batching {
    fn default() -> Self {
        Self {
            max_age: Duration::from_millis(500),
            max_events: 1_000,
            max_waiting: 100_000,
            grace: Duration::from_secs(5),
        }
    }
}

/// A queue of numbered events; its other half is a [`CallWriter`].
pub struct BatchingSink(Arc<Shared>);

/// Delivers what a [`BatchingSink`] took. Dropping it makes the sink refuse.
pub struct CallWriter(Arc<Shared>);

struct Shared {
    gateway: String,
    batching: Batching,
    queue: Mutex<Queue>,
    /// There is something to deliver.
    filled: Notify,
    /// Somebody waits, or a batch is full.
    urgent: Notify,
}

struct Queue {
    /// Of the last call that was taken.
    number: u64,
    calls: Vec<(u64, Call)>,
    waiting: Vec<(u64, oneshot::Sender<()>)>,
    oldest: Option<Instant>,
    closed: bool,
}

impl BatchingSink {
    /// A sink and its writer. `gateway` names this process and its start, so that numbers are never reused.
    pub fn new(gateway: impl Into<String>, batching: Batching) -> (Self, CallWriter) {
        let queue = Queue {
            number: 0,
            calls: Vec::new(),
            waiting: Vec::new(),
            oldest: None,
            closed: false,
        };
        let shared = Arc::new(Shared {
            gateway: gateway.into(),
            batching,
            queue: Mutex::new(queue),
            filled: Notify::new(),
            urgent: Notify::new(),
        });
        (Self(Arc::clone(&shared)), CallWriter(shared))
    }
}

impl CallSink for BatchingSink {
    fn record(&self, call: Call, durable: bool) -> Result<Acknowledgement, NotRecorded> {
        let shared = &self.0;
        let mut queue = shared.lock();
        if queue.closed || queue.calls.len() >= shared.batching.max_waiting {
            return Err(NotRecorded);
        }
        queue.number += 1;
        let number = queue.number;
        queue.calls.push((number, call));
        queue.oldest.get_or_insert_with(Instant::now);
        let full = queue.calls.len() >= shared.batching.max_events;
        let first = queue.calls.len() == 1;
        let acknowledgement = if durable {
            let (delivered, pending) = oneshot::channel();
            queue.waiting.push((number, delivered));
            Acknowledgement::Pending(pending)
        } else {
            Acknowledgement::Queued
        };
        drop(queue);
        if first {
            shared.filled.notify_one();
        }
        if durable || full {
            shared.urgent.notify_one();
        }
        Ok(acknowledgement)
    }
}

impl CallWriter {
    /// Delivers until `shutdown` resolves, then what is left within the grace period. Returns how many events were
    /// taken and not delivered: 0 unless the delivery failed to the end.
    pub async fn run(self, delivery: Arc<dyn CallDelivery>, shutdown: impl Future<Output = ()> + Send) -> usize {
        let mut shutdown = pin!(shutdown);
        let mut stop_at = None;
        loop {
            if stop_at.is_none() {
                tokio::select! {
                    () = shutdown.as_mut() => stop_at = Some(self.close()),
                    () = self.due() => {}
                }
            }
            let batch = self.take();
            if batch.is_empty() {
                if stop_at.is_some() {
                    return 0;
                }
                continue;
            }
            let last = batch.last().map_or(0, |(number, _)| *number);
            match self
                .deliver(delivery.as_ref(), &batch, shutdown.as_mut(), &mut stop_at)
                .await
            {
                Ok(()) => self.acknowledge(last),
                Err(GaveUp) => {
                    let lost = batch.len() + self.0.lock().calls.len();
                    tracing::error!(lost, gateway = %self.0.gateway, "call events could not be delivered before the end");
                    return lost;
                }
            }
        }
    }

    /// Resolves when a delivery should begin.
    async fn due(&self) {
        let oldest = loop {
            let filled = self.0.filled.notified();
            if let Some(oldest) = self.0.lock().oldest {
                break oldest;
            }
            filled.await;
        };
        {
            let queue = self.0.lock();
            if !queue.waiting.is_empty() || queue.calls.len() >= self.0.batching.max_events {
                return;
            }
        }
        tokio::select! {
            () = self.0.urgent.notified() => {}
            () = sleep_until(oldest + self.0.batching.max_age) => {}
        }
    }

    async fn deliver<F: Future<Output = ()>>(
        &self,
        delivery: &dyn CallDelivery,
        batch: &[(u64, Call)],
        mut shutdown: Pin<&mut F>,
        stop_at: &mut Option<Instant>,
    ) -> Result<(), GaveUp> {
        let mut pause = Duration::from_millis(50);
        loop {
            let events = batch.iter().map(|(number, call)| call.event(&self.0.gateway, *number));
            let failure = match delivery.deliver(events.collect()).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            tracing::warn!(error = %failure, events = batch.len(), "call events were not delivered, trying again");
            let next = Instant::now() + pause;
            if stop_at.is_some_and(|stop_at| next >= stop_at) {
                return Err(GaveUp);
            }
            pause = (pause * 2).min(Duration::from_secs(5));
            match stop_at {
                Some(_) => sleep_until(next).await,
                None => tokio::select! {
                    () = shutdown.as_mut() => *stop_at = Some(self.close()),
                    () = sleep_until(next) => {}
                },
            }
        }
    }

    fn take(&self) -> Vec<(u64, Call)> {
        let mut queue = self.0.lock();
        let count = queue.calls.len().min(self.0.batching.max_events);
        let rest = queue.calls.split_off(count);
        let batch = std::mem::replace(&mut queue.calls, rest);
        queue.oldest = (!queue.calls.is_empty()).then(Instant::now);
        batch
    }

    fn acknowledge(&self, up_to: u64) {
        let mut queue = self.0.lock();
        let (done, rest) = std::mem::take(&mut queue.waiting)
            .into_iter()
            .partition(|(number, _)| *number <= up_to);
        queue.waiting = rest;
        drop(queue);
        let done: Vec<(u64, oneshot::Sender<()>)> = done;
        for (_, delivered) in done {
            // A caller that went away needs no answer.
            let _ = delivered.send(());
        }
    }

    fn close(&self) -> Instant {
        self.0.lock().closed = true;
        Instant::now() + self.0.batching.grace
    }
}

impl Drop for CallWriter {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.closed = true;
        queue.waiting.clear();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct GaveUp;
