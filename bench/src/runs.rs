//! The runs, one per target of docs/performance.md.

use std::cell::{Cell, RefCell};
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use http::{Method, StatusCode};
use serde_json::json;

use crate::backend;
use crate::lab::Lab;
use crate::load::Load;
use crate::measure::{percentiles, used};

const PORT: u16 = 24_100;
/// Connections at once.
const AT_ONCE: usize = 32;
/// Every n-th ID-JAG is sent twice.
const REPLAY_EVERY: usize = 100;

struct Chains {
    done: usize,
    wall: Duration,
    cpu: Duration,
    latencies: Vec<Duration>,
    replays_refused: usize,
    tokens: Vec<String>,
}

impl Chains {
    fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / to_f64(self.done)
    }

    fn tell(&self, what: &str, rss_kib: u64) {
        println!(
            "{what}: {} chains in {:.2} s ({:.0}/s), {:.0} µs of server CPU each ({:.0}/s and core), {}, {} replays \
             refused, {:.1} MiB resident",
            self.done,
            self.wall.as_secs_f64(),
            to_f64(self.done) / self.wall.as_secs_f64(),
            self.cpu_micros(),
            1e6 / self.cpu_micros(),
            percentiles(self.latencies.clone()),
            self.replays_refused,
            rss_kib_to_mib(rss_kib),
        );
    }
}

fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

fn rss_kib_to_mib(kib: u64) -> f64 {
    u32::try_from(kib).map_or(f64::from(u32::MAX), f64::from) / 1024.0
}

/// Everybody × every resource, with so many at once; every answer is checked.
async fn drive(lab: &Lab, load: &Rc<Load>, id_tokens: &[String]) -> anyhow::Result<Chains> {
    let work: Vec<(usize, usize)> = (0..id_tokens.len())
        .flat_map(|user| (0..load.resources.len()).map(move |resource| (user, resource)))
        .collect();
    let next = Rc::new(Cell::new(0));
    let latencies = Rc::new(RefCell::new(Vec::with_capacity(work.len())));
    let tokens = Rc::new(RefCell::new(Vec::new()));
    let replays = Rc::new(Cell::new(0));
    let before = used(lab.pid());
    let began = Instant::now();
    let (work, id_tokens) = (Rc::new(work), Rc::new(id_tokens.to_vec()));
    let set = tokio::task::LocalSet::new();
    let mut workers = Vec::new();
    for _ in 0..AT_ONCE {
        let (load, work, id_tokens) = (Rc::clone(load), Rc::clone(&work), Rc::clone(&id_tokens));
        let (next, latencies, tokens, replays) = (
            Rc::clone(&next),
            Rc::clone(&latencies),
            Rc::clone(&tokens),
            Rc::clone(&replays),
        );
        workers.push(set.spawn_local(async move {
            loop {
                let at = next.get();
                let Some((user, resource)) = work.get(at).copied() else {
                    return anyhow::Ok(());
                };
                next.set(at + 1);
                let id_token = id_tokens.get(user).context("no token")?;
                let url = load.resources.get(resource).context("no resource")?;
                let started = Instant::now();
                let (id_jag, access) = load.chain(id_token, url).await?;
                latencies.borrow_mut().push(started.elapsed());
                if resource == 0 {
                    tokens.borrow_mut().push(access);
                }
                if at % REPLAY_EVERY == 0 {
                    let (status, _) = load.redeem(&id_jag).await?;
                    anyhow::ensure!(status == StatusCode::BAD_REQUEST, "a replay was answered {status}");
                    replays.set(replays.get() + 1);
                }
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
    let cpu = used(lab.pid()).cpu.saturating_sub(before.cpu);
    let (latencies, tokens) = (latencies.take(), tokens.take());
    Ok(Chains {
        done: work.len(),
        wall,
        cpu,
        latencies,
        replays_refused: replays.get(),
        tokens,
    })
}

fn people(count: usize) -> Vec<String> {
    vec!["--people".to_owned(), count.to_string()]
}

/// T1, T3: everybody × seven connectors, cold, durable.
pub(crate) async fn chains(binary: &str, count: usize) -> anyhow::Result<()> {
    let lab = Lab::start(binary, PORT, &people(count)).await?;
    let id_tokens = lab.id_tokens(binary, count)?;
    let load = Rc::new(Load::new(&lab)?);
    let run = drive(&lab, &load, &id_tokens).await?;
    run.tell(
        &format!("cold, {count} people × {} connectors", load.resources.len()),
        used(lab.pid()).rss_kib,
    );
    for round in 1..=3 {
        let run = drive(&lab, &load, &id_tokens).await?;
        run.tell(&format!("round {round}"), used(lab.pid()).rss_kib);
    }
    open_loop(&lab, &load, &id_tokens).await
}

/// T5: 200 chains per second from planned starts.
async fn open_loop(lab: &Lab, load: &Rc<Load>, id_tokens: &[String]) -> anyhow::Result<()> {
    const RATE: u32 = 200;
    const SECONDS: u32 = 10;
    let latencies = Rc::new(RefCell::new(Vec::new()));
    let set = tokio::task::LocalSet::new();
    let before = used(lab.pid());
    let began = Instant::now();
    set.run_until(async {
        let mut running = Vec::new();
        for n in 0..RATE * SECONDS {
            let planned = began + Duration::from_secs(1) / RATE * n;
            tokio::time::sleep_until(planned.into()).await;
            let at = usize::try_from(n).unwrap_or(0);
            let id_token = id_tokens.get(at % id_tokens.len()).context("no token")?.clone();
            let url = load
                .resources
                .get(at % load.resources.len())
                .context("no resource")?
                .clone();
            let (load, latencies) = (Rc::clone(load), Rc::clone(&latencies));
            running.push(tokio::task::spawn_local(async move {
                load.chain(&id_token, &url).await?;
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
    let cpu = used(lab.pid()).cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6 / f64::from(RATE * SECONDS);
    println!(
        "open loop at {RATE}/s: {}, {cpu:.0} µs of server CPU each",
        percentiles(latencies.take())
    );
    Ok(())
}

/// T7: tool calls with a cached verdict, and with a token each that was never seen.
pub(crate) async fn gateway(binary: &str) -> anyhow::Result<()> {
    let (backend, serve) = backend::start().await?;
    let calls = async {
        let mut arguments = people(500);
        arguments.extend(["--upstream".to_owned(), format!("bench={backend}")]);
        let lab = Lab::start(binary, PORT + 100, &arguments).await?;
        let id_tokens = lab.id_tokens(binary, 500)?;
        let mut load = Load::new(&lab)?;
        load.resources.retain(|resource| resource.ends_with("/bench/mcp"));
        let load = Rc::new(load);
        let tokens = drive(&lab, &load, &id_tokens).await?.tokens;
        let url = load.resources.first().context("no route")?.clone();
        call_round(&lab, &load, &url, &tokens, 1, "tokens never seen").await?;
        call_round(&lab, &load, &url, &tokens, 40, "tokens seen before").await
    };
    tokio::select! {
        done = calls => done,
        () = serve => anyhow::bail!("the backend ended"),
    }
}

async fn call_round(
    lab: &Lab,
    load: &Rc<Load>,
    url: &str,
    tokens: &[String],
    rounds: usize,
    what: &str,
) -> anyhow::Result<()> {
    let total = tokens.len() * rounds;
    let next = Rc::new(Cell::new(0));
    let latencies = Rc::new(RefCell::new(Vec::with_capacity(total)));
    let before = used(lab.pid());
    let began = Instant::now();
    let set = tokio::task::LocalSet::new();
    let shared = Rc::new((url.to_owned(), tokens.to_vec()));
    let mut workers = Vec::new();
    for _ in 0..AT_ONCE {
        let (load, next, latencies, shared) = (
            Rc::clone(load),
            Rc::clone(&next),
            Rc::clone(&latencies),
            Rc::clone(&shared),
        );
        workers.push(set.spawn_local(async move {
            loop {
                let at = next.get();
                if at == total {
                    return anyhow::Ok(());
                }
                next.set(at + 1);
                let token = shared.1.get(at % shared.1.len()).context("no token")?;
                let started = Instant::now();
                load.call(&shared.0, token, "search").await?;
                latencies.borrow_mut().push(started.elapsed());
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
    let (wall, after) = (began.elapsed(), used(lab.pid()));
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6 / to_f64(total);
    println!(
        "gateway, {what}: {total} calls in {:.2} s ({:.0}/s), {cpu:.1} µs of server CPU each, {}, {:.1} MiB resident",
        wall.as_secs_f64(),
        to_f64(total) / wall.as_secs_f64(),
        percentiles(latencies.take()),
        rss_kib_to_mib(after.rss_kib)
    );
    Ok(())
}

/// T6: idle and after 100,000 chains.
pub(crate) async fn memory(binary: &str) -> anyhow::Result<()> {
    let lab = Lab::start(binary, PORT + 200, &people(500)).await?;
    println!(
        "memory: {:.1} MiB resident when idle after hashing 505 passwords; answered {:.0} ms after its start, hashing \
         included",
        rss_kib_to_mib(used(lab.pid()).rss_kib),
        lab.started_in.as_secs_f64() * 1000.0
    );
    let id_tokens = lab.id_tokens(binary, 500)?;
    let load = Rc::new(Load::new(&lab)?);
    let mut done = 0;
    while done < 100_000 {
        done += drive(&lab, &load, &id_tokens).await?.done;
        println!(
            "memory: {:.1} MiB resident after {done} chains",
            rss_kib_to_mib(used(lab.pid()).rss_kib)
        );
    }
    Ok(())
}

/// T9: CPU per chain by people and by rules.
pub(crate) async fn growth(binary: &str) -> anyhow::Result<()> {
    for (n, count) in [10_usize, 1000, 10_000].into_iter().enumerate() {
        let port = PORT + 300 + u16::try_from(n * 50).unwrap_or(0);
        let lab = Lab::start(binary, port, &people(count)).await?;
        let id_tokens = lab.id_tokens(binary, count.min(1000))?;
        let repeated: Vec<String> = id_tokens.iter().cycle().take(1000).cloned().collect();
        let load = Rc::new(Load::new(&lab)?);
        drive(&lab, &load, &repeated).await?;
        let run = drive(&lab, &load, &repeated).await?;
        println!(
            "growth: {count} people: {:.0} µs of server CPU per chain",
            run.cpu_micros()
        );
        if count == 1000 {
            add_rules(&lab, 1000)?;
            drive(&lab, &load, &repeated).await?;
            let run = drive(&lab, &load, &repeated).await?;
            println!(
                "growth: {count} people, 1000 more rules: {:.0} µs of server CPU per chain",
                run.cpu_micros()
            );
        }
    }
    Ok(())
}

/// Adds rules for other connectors and groups through the admin API, in one document.
fn add_rules(lab: &Lab, count: usize) -> anyhow::Result<()> {
    let connectors: Vec<&str> = vec!["asana", "atlassian", "canva", "figma", "granola", "linear", "supabase"];
    let rules: Vec<_> = (0..count)
        .map(|n| {
            let connector = connectors.get(n % connectors.len()).copied().unwrap_or("linear");
            json!({
                "title": format!("rule {n}"), "groups": ["engineering"], "clients": "all",
                "connectors": [connector], "scopes": "all",
            })
        })
        .collect();
    let document = json!({ "rules": rules }).to_string();
    let output = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--fail-with-body",
            "--request",
            Method::POST.as_str(),
        ])
        .args(["--header", "content-type: application/json", "--data-binary", "@-"])
        .args([
            "--header",
            &format!("authorization: Bearer {}", lab.fact("/admin/token")?),
        ])
        .arg(format!("{}/admin/v1/apply", lab.fact("/admin/url")?))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .and_then(|mut child| {
            use std::io::Write as _;
            if let Some(mut input) = child.stdin.take() {
                input.write_all(document.as_bytes())?;
            }
            child.wait_with_output()
        })?;
    anyhow::ensure!(
        output.status.success(),
        "rules: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(())
}
