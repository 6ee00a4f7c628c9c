//! Load: everybody × every connector, a fixed rate, and tool calls.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use http::StatusCode;

use crate::measure::{Latencies, to_f64, used};
use crate::target::Target;

/// Connections at once.
pub(crate) const AT_ONCE: usize = 32;
/// Every n-th ID-JAG is sent twice.
const REPLAY_EVERY: usize = 100;

/// What a load did.
pub(crate) struct Done {
    /// Chains or calls.
    pub(crate) count: usize,
    /// How long it took.
    pub(crate) wall: Duration,
    /// CPU of the server.
    pub(crate) cpu: Duration,
    /// Of each.
    pub(crate) latencies: Latencies,
    /// ID-JAGs that were sent again, and refused.
    pub(crate) replays_refused: usize,
    /// Access tokens for the first connector.
    pub(crate) tokens: Vec<String>,
}

impl Done {
    /// CPU of the server for each, in microseconds.
    pub(crate) fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / to_f64(self.count)
    }

    /// How many in a second.
    pub(crate) fn rate(&self) -> f64 {
        to_f64(self.count) / self.wall.as_secs_f64()
    }

    /// One line.
    pub(crate) fn tell(&self, what: &str) {
        println!(
            "{what}: {} in {:.2} s ({:.0}/s), {:.1} µs of server CPU each, {}, {} replays refused",
            self.count,
            self.wall.as_secs_f64(),
            self.rate(),
            self.cpu_micros(),
            self.latencies,
            self.replays_refused,
        );
    }
}

/// Everybody × every connector, with so many at once; every answer is checked.
pub(crate) async fn drive(target: &Rc<Target>, id_tokens: &[String]) -> anyhow::Result<Done> {
    let connectors = target.connectors.len();
    let total = id_tokens.len() * connectors;
    let (tokens, replays) = (Rc::new(RefCell::new(Vec::new())), Rc::new(Cell::new(0_usize)));
    let id_tokens = Rc::new(id_tokens.to_vec());
    let (kept, refused) = (Rc::clone(&tokens), Rc::clone(&replays));
    let own = Rc::clone(target);
    let mut done = saturate(target.pid, total, AT_ONCE, move |at| {
        let (target, id_tokens) = (Rc::clone(&own), Rc::clone(&id_tokens));
        let (tokens, replays) = (Rc::clone(&kept), Rc::clone(&refused));
        async move {
            let (person, connector) = (at / connectors, at % connectors);
            let id_token = id_tokens.get(person).context("no token")?;
            let started = Instant::now();
            let (id_jag, access) = target.chain(id_token, connector).await?;
            let took = started.elapsed();
            if connector == 0 {
                tokens.borrow_mut().push(access);
            }
            if at % REPLAY_EVERY == 0 {
                let (status, _) = target.redeem(&id_jag).await?;
                anyhow::ensure!(status == StatusCode::BAD_REQUEST, "a replay was answered {status}");
                replays.set(replays.get() + 1);
            }
            Ok(took)
        }
    })
    .await?;
    done.tokens = tokens.take();
    done.replays_refused = replays.get();
    Ok(done)
}

/// Tool calls, every token `rounds` times.
pub(crate) async fn calls(target: &Rc<Target>, url: &str, tokens: &[String], rounds: usize) -> anyhow::Result<Done> {
    let shared = Rc::new((url.to_owned(), tokens.to_vec()));
    let own = Rc::clone(target);
    saturate(target.pid, tokens.len() * rounds, AT_ONCE, move |at| {
        let (target, shared) = (Rc::clone(&own), Rc::clone(&shared));
        async move {
            let token = shared.1.get(at % shared.1.len()).context("no token")?;
            let started = Instant::now();
            target.call(&shared.0, token, "search").await?;
            Ok(started.elapsed())
        }
    })
    .await
}

/// Does `total` pieces of work, so many at once.
pub(crate) async fn saturate<F, W>(pid: u32, total: usize, at_once: usize, work: F) -> anyhow::Result<Done>
where
    F: Fn(usize) -> W + 'static,
    W: Future<Output = anyhow::Result<Duration>> + 'static,
{
    let (next, work) = (Rc::new(Cell::new(0)), Rc::new(work));
    let latencies = Rc::new(RefCell::new(Vec::with_capacity(total)));
    let before = used(pid);
    let began = Instant::now();
    let set = tokio::task::LocalSet::new();
    let mut workers = Vec::new();
    for _ in 0..at_once {
        let (next, work, latencies) = (Rc::clone(&next), Rc::clone(&work), Rc::clone(&latencies));
        workers.push(set.spawn_local(async move {
            loop {
                let at = next.get();
                if at == total {
                    return anyhow::Ok(());
                }
                next.set(at + 1);
                let took = work(at).await?;
                latencies.borrow_mut().push(took);
            }
        }));
    }
    set.run_until(async {
        for worker in workers {
            worker.await??;
        }
        anyhow::Ok(())
    })
    .await?;
    let wall = began.elapsed();
    Ok(Done {
        count: total,
        wall,
        cpu: used(pid).cpu.saturating_sub(before.cpu),
        latencies: Latencies::new(latencies.take()),
        replays_refused: 0,
        tokens: Vec::new(),
    })
}

/// So many chains per second from planned starts: a slow answer delays nobody else's start.
pub(crate) async fn open_loop(
    target: &Rc<Target>,
    id_tokens: &[String],
    rate: u32,
    seconds: u32,
) -> anyhow::Result<Done> {
    let latencies = Rc::new(RefCell::new(Vec::new()));
    let set = tokio::task::LocalSet::new();
    let before = used(target.pid);
    let began = Instant::now();
    let total = rate * seconds;
    set.run_until(async {
        let mut running = Vec::new();
        for n in 0..total {
            let planned = began + Duration::from_secs(1) / rate * n;
            tokio::time::sleep_until(planned.into()).await;
            let at = usize::try_from(n).unwrap_or(0);
            let id_token = id_tokens.get(at % id_tokens.len()).context("no token")?.clone();
            let (target, latencies) = (Rc::clone(target), Rc::clone(&latencies));
            running.push(tokio::task::spawn_local(async move {
                target.chain(&id_token, at % target.connectors.len()).await?;
                latencies.borrow_mut().push(planned.elapsed());
                anyhow::Ok(())
            }));
        }
        for one in running {
            one.await??;
        }
        anyhow::Ok(())
    })
    .await?;
    Ok(Done {
        count: usize::try_from(total).unwrap_or(0),
        wall: began.elapsed(),
        cpu: used(target.pid).cpu.saturating_sub(before.cpu),
        latencies: Latencies::new(latencies.take()),
        replays_refused: 0,
        tokens: Vec::new(),
    })
}
