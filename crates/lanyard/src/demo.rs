//! `lanyard demo`: the main job on real software, in a fresh temporary organisation of 2,000 employees.
//!
//! Owns the story and its checks. Every request is a real one over HTTP; nothing is told that was not seen.

mod organisation;
mod report;
mod steps;
mod work;

use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::LogConfig;
use crate::demo::report::Report;
use crate::demo::work::Company;
use crate::lab::addresses::Addresses;
use crate::lab::catalogue::SAMPLES;
use crate::lab::people;
use crate::lab::start::{self, Lab};
use crate::runtime::log;
use crate::ui::Ui;

/// Show the whole loop: 2,000 people, seven connectors each, one cut off
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DemoArgs {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// The first of the ports to use [default: free ones]
    #[arg(long, value_name = "PORT")]
    port_base: Option<u16>,
}

/// Runs the demo; exit code 1 when a step is not as told.
///
/// # Errors
/// When the demo cannot run at all.
pub(crate) async fn run(args: DemoArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    log::install(&LogConfig {
        level: "error".to_owned(),
        json: false,
    })?;
    let addresses = match args.port_base {
        Some(base) => Addresses::new(base).context("--port-base: 1 to 65500")?,
        None => free_addresses()?,
    };
    let teller = Teller {
        ui: *ui,
        json: args.json,
    };
    let state = tempfile::Builder::new()
        .prefix("lanyard-demo-")
        .tempdir()
        .context("no temporary directory")?;
    let config = start::config(addresses, state.path(), None)?;
    let began = Instant::now();
    teller.title("A fresh organisation: 2,000 employees in 12 groups, 20 contractors, 8 connectors");
    let lab = Lab::start(&config, addresses).await?;
    let organisation = organisation::make(addresses)?;
    let bar = teller.bar(organisation.users.len(), "passwords hashed (argon2id, 19 MiB each)");
    let hashes = people::hashes(&lab.running.passwords, &organisation.users, || bar.inc(1)).await?;
    bar.finish_and_clear();
    lab.apply(organisation.document.clone(), hashes).await?;
    teller.line(&format!(
        "Issuer, authorization server, gateway and {} sample MCP servers run on 127.0.0.1 (names of products stand on \
         sample servers; their makers have no part in this).",
        SAMPLES.len()
    ));
    teller.line(&format!("Ready after {:.1} s.", began.elapsed().as_secs_f64()));
    let company = Company::new(&lab, organisation)?;
    let told = steps::all(&teller, &company).await;
    drop(company);
    lab.stop().await;
    let report = Report {
        seconds: began.elapsed().as_secs_f64(),
        ..told?
    };
    report.end(&teller)
}

/// Speaks to the terminal, or not at all when JSON is wanted.
pub(crate) struct Teller {
    pub(crate) ui: Ui,
    pub(crate) json: bool,
}

impl Teller {
    /// The headline of a step.
    pub(crate) fn title(&self, text: &str) {
        if !self.json {
            self.ui.line("");
            self.ui.line(&self.ui.strong(text));
        }
    }

    /// A line of a step.
    pub(crate) fn line(&self, text: &str) {
        if !self.json {
            self.ui.line(&format!("  {text}"));
        }
    }

    /// Progress of long work, on a terminal.
    pub(crate) fn bar(&self, length: usize, what: &'static str) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(u64::try_from(length).unwrap_or(0));
        if let Ok(style) = ProgressStyle::with_template("  {bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar
    }
}

/// Ports that are free now, next to each other.
fn free_addresses() -> anyhow::Result<Addresses> {
    let needed = u16::try_from(SAMPLES.len() + 5).unwrap_or(16);
    for _ in 0..50 {
        let probe = TcpListener::bind("127.0.0.1:0").context("no socket can be bound on 127.0.0.1")?;
        let base = probe.local_addr()?.port();
        drop(probe);
        let Some(addresses) = Addresses::new(base) else {
            continue;
        };
        let all = (0..needed).map(|offset| TcpListener::bind(("127.0.0.1", base.saturating_add(offset))));
        if all.collect::<Result<Vec<_>, _>>().is_ok() {
            return Ok(addresses);
        }
    }
    bail!("no free ports next to each other were found; name one with --port-base")
}
