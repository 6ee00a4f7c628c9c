//! The release build: its size, its start-up time, and the demo.
//!
//! Owns recording; figures are printed and kept beside the build, and judged by the benchmarks, not here.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::json;

use crate::link_order;
use crate::shell::{self, cargo, output, program, run as run_it};

/// The build of the program alone.
const BUILD: [&str; 5] = ["build", "--release", "--package", "lanyard", "--locked"];
/// How often the start is measured; the median counts.
const STARTS: usize = 5;
/// A server that has not answered by then will not.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the stage.
pub(crate) fn run() -> anyhow::Result<()> {
    let built = build()?;
    let target = shell::target()?;
    let bytes = std::fs::metadata(&built)?.len();
    let start = start_up(&built, &target)?;
    let began = Instant::now();
    let demo = output(program(&built).args(["demo", "--json"]))?;
    let took = began.elapsed();
    let demo: serde_json::Value = serde_json::from_slice(&demo).context("the demo printed no JSON")?;
    let record = json!({
        "binary_bytes": bytes,
        "start_to_first_answer_ms": start.as_millis().to_string(),
        "demo_seconds": format!("{:.1}", took.as_secs_f64()),
        "demo": demo,
    });
    let file = target.join("xtask-release.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&record)?)?;
    println!("binary            {bytes} bytes");
    println!(
        "start             {} ms to the first answer, median of {STARTS}",
        start.as_millis()
    );
    println!("demo              {:.1} s, every step as told", took.as_secs_f64());
    let in_order = link_order::told(&built).unwrap_or_else(|error| format!("not known: {error:#}"));
    println!("in order          {in_order}");
    println!("kept in           {}", file.display());
    Ok(())
}

/// Builds the release program alone, as it is handed out: beside other packages its dependencies would get features of
/// theirs. Where it is.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    run_it(&mut cargo(BUILD))?;
    Ok(shell::target()?.join("release").join("lanyard"))
}

/// A release build that uses what other stages leave of the processors. Whoever builds after it waits for it.
pub(crate) struct Ahead(Child);

/// Begins it. Whether it can be begun, and how it ends, is nobody's concern: the stage builds what is not built.
pub(crate) fn build_ahead() -> Option<Ahead> {
    let build = cargo(BUILD);
    let mut polite = program("sh");
    // It ends with us, however we end: the pipe closes then.
    polite.args(["-c", "nice -n 19 \"$@\" & read -r _; kill -TERM 0", "sh"]);
    polite.arg(build.get_program()).args(build.get_args());
    polite.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    polite.process_group(0).spawn().ok().map(Ahead)
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // Closes the pipe.
        let _ = self.0.wait();
    }
}

/// From the start of the process to the first answered request, with a store that exists already.
fn start_up(built: &Path, target: &Path) -> anyhow::Result<Duration> {
    // Of this run alone: another checkout may share the build cache.
    let state = target.join(format!("xtask-start-{}", std::process::id()));
    if state.exists() {
        std::fs::remove_dir_all(&state)?;
    }
    std::fs::create_dir_all(&state)?;
    let port = free_port()?;
    let config = state.join("lanyard.toml");
    let text = format!(
        "development = true\nstate_dir = {:?}\n[log]\nlevel = \"error\"\n[idp]\nissuer = \"http://127.0.0.1:{port}\"\nlisten = \"127.0.0.1:{port}\"\n",
        state.join("state")
    );
    std::fs::write(&config, text)?;
    let mut times = Vec::new();
    // One more: the first start makes keys and the database.
    for _ in 0..=STARTS {
        times.push(one_start(built, &config, port)?);
    }
    let mut times: Vec<Duration> = times.into_iter().skip(1).collect();
    times.sort();
    let _ = std::fs::remove_dir_all(&state);
    times.get(STARTS / 2).copied().context("no start was measured")
}

fn one_start(built: &Path, config: &Path, port: u16) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut child = program(built)
        .arg("serve")
        .arg("--config")
        .arg(config)
        .spawn()
        .context("serve cannot be run")?;
    let answered = loop {
        if answers(port).is_some() {
            break Ok(began.elapsed());
        }
        if let Some(status) = child.try_wait()? {
            break Err(anyhow::anyhow!("serve ended with {status}"));
        }
        if began.elapsed() > PATIENCE {
            break Err(anyhow::anyhow!("serve did not answer within {} s", PATIENCE.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let _ = child.kill();
    let _ = child.wait();
    answered
}

fn answers(port: u16) -> Option<()> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let request = format!(
        "GET /.well-known/openid-configuration HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.starts_with("HTTP/1.1 200").then_some(())
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
