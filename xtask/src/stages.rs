//! Stages: one thing that can fail, its time, and the command that runs it again.
//!
//! Owns the order and the summary. Never goes on after a failure.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// One stage.
pub(crate) struct Stage {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it shows when it passes.
    pub(crate) what: &'static str,
    /// The work.
    pub(crate) run: fn() -> anyhow::Result<()>,
}

/// Runs them in order.
pub(crate) fn run(command: &str, stages: &[&Stage]) -> anyhow::Result<()> {
    let mut done: Vec<(&Stage, Duration)> = Vec::new();
    for stage in stages {
        println!("\n== {}: {}", stage.name, stage.what);
        let began = Instant::now();
        let end = (stage.run)();
        let took = began.elapsed();
        if let Err(error) = end {
            summary(&done);
            println!("FAILED {:<10} {:>7.1} s", stage.name, took.as_secs_f64());
            return Err(error).context(format!(
                "stage {} failed; run it again with `cargo xtask {command} --only {}`",
                stage.name, stage.name
            ));
        }
        println!("ok {}, {:.1} s", stage.name, took.as_secs_f64());
        done.push((stage, took));
    }
    summary(&done);
    Ok(())
}

fn summary(done: &[(&Stage, Duration)]) {
    println!();
    for (stage, took) in done {
        println!(
            "ok     {:<10} {:>7.1} s  {}",
            stage.name,
            took.as_secs_f64(),
            stage.what
        );
    }
    let total: Duration = done.iter().map(|(_, took)| *took).sum();
    println!("       {:<10} {:>7.1} s", "in all", total.as_secs_f64());
}

/// The stages that `--only NAME` or `--from NAME` leaves.
pub(crate) fn select<'a>(all: &'a [Stage], only: Option<&str>, from: Option<&str>) -> anyhow::Result<Vec<&'a Stage>> {
    let known = |name: &str| -> anyhow::Result<usize> {
        match all.iter().position(|stage| stage.name == name) {
            Some(position) => Ok(position),
            None => {
                let names: Vec<&str> = all.iter().map(|stage| stage.name).collect();
                bail!("no stage named {name}; there are {}", names.join(", "))
            }
        }
    };
    Ok(match (only, from) {
        (Some(name), _) => all.iter().skip(known(name)?).take(1).collect(),
        (None, Some(name)) => all.iter().skip(known(name)?).collect(),
        (None, None) => all.iter().collect(),
    })
}
