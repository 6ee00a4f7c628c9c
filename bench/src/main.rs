//! Load on a server, and what it costs: CPU from `/proc`, wall clock beside it.
//!
//! Owns the generator and its arithmetic. Checks every answer: a fast wrong answer is a failure, not a figure. The
//! server under test has the first core and the generator the second, except where a run says otherwise.

mod backend;
mod browser;
mod drive;
mod lab;
mod measure;
mod peers;
mod postgres;
mod process;
mod provisioning;
mod serve;
mod table;
mod target;
mod tools;
mod runs {
    pub(crate) mod chains;
    pub(crate) mod gateway;
    pub(crate) mod growth;
    pub(crate) mod memory;
    pub(crate) mod oidc;
    pub(crate) mod postgres;
    pub(crate) mod rules;
    pub(crate) mod scim;
}

use std::future::Future;
use std::pin::Pin;

use anyhow::bail;

use crate::tools::Tools;

/// A run, by its name on the command line.
type Run = fn(&Tools) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + '_>>;

const RUNS: [(&str, Run); 8] = [
    ("chains", |tools| Box::pin(runs::chains::run(tools))),
    ("postgres", |tools| Box::pin(runs::postgres::run(tools))),
    ("gateway", |tools| Box::pin(runs::gateway::run(tools))),
    ("memory", |tools| Box::pin(runs::memory::run(tools))),
    ("growth", |tools| Box::pin(runs::growth::run(tools))),
    ("rules", |tools| Box::pin(runs::rules::run(tools))),
    ("oidc", |tools| Box::pin(runs::oidc::run(tools))),
    ("scim", |tools| Box::pin(runs::scim::run(tools))),
];

fn main() -> anyhow::Result<()> {
    let tools = Tools::parse(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        println!("{}", measure::machine());
        let wanted = tools.run.as_str();
        if wanted != "all" && !RUNS.iter().any(|(name, _)| *name == wanted) {
            let names: Vec<&str> = RUNS.iter().map(|(name, _)| *name).collect();
            bail!("no run named {wanted}; there are all, {}", names.join(", "));
        }
        for (name, run) in RUNS {
            if wanted == name || wanted == "all" {
                println!("\n== {name}");
                run(&tools).await?;
            }
        }
        tools.table.print();
        Ok(())
    })
}
