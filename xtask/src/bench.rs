//! `cargo xtask bench`: benchmarks against the targets of docs/performance.md.
//!
//! Owns building what is measured and installing the peers. The generator is `bench/`. Never compares figures of
//! different machines.

use std::path::PathBuf;

use crate::{release, shell};

/// Builds the release program, the generator and the yardstick, installs the peers, then runs
/// `[all|chains|postgres|gateway|memory|growth|rules|oidc|scim|assertions] [--people N] [--most-people N] [--chains N]
/// [--rounds N] [--postgres URL]`. `--without-peers` leaves Authlib and oidc-provider out; `assertions` needs none of
/// this and runs alone, or at the end of `all`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let asked = arguments.first().filter(|first| !first.starts_with("--"));
    let asked = asked.map_or("all", String::as_str);
    if asked != "assertions" {
        load(arguments)?;
    }
    if asked == "all" || asked == "assertions" {
        assertions()?;
    }
    Ok(())
}

/// Builds the generator and the yardstick. The folder that they are in.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let mut build = shell::cargo(["build", "--release", "--locked"]);
    for package in ["lanyard-bench", "lanyard-floor"] {
        build.args(["--package", package]);
    }
    shell::run(&mut build)?;
    Ok(shell::target()?.join("release"))
}

fn load(arguments: &[String]) -> anyhow::Result<()> {
    let lanyard = release::build()?;
    let directory = build()?;
    let mut generator = shell::program("taskset");
    generator
        .args(["-c", "1"])
        .arg(directory.join("lanyard-bench"))
        .arg("--lanyard")
        .arg(lanyard)
        .arg("--floor")
        .arg(directory.join("lanyard-floor"));
    let without = |argument: &String| argument == "--without-peers";
    if !arguments.iter().any(without) {
        shell::run(&mut shell::program("interop/install"))?;
        let interop = shell::cache()?.join("interop");
        generator
            .arg("--node")
            .arg(interop.join("node/node_modules/node/bin/node"))
            .arg("--gunicorn")
            .arg(interop.join("python/venv/bin/gunicorn"))
            .arg("--peers")
            .arg(shell::root().canonicalize()?.join("interop/peers"));
    }
    generator.args(arguments.iter().filter(|argument| !without(argument)));
    shell::run(&mut generator)
}

/// What the validation of one SAML assertion costs.
fn assertions() -> anyhow::Result<()> {
    shell::run(&mut shell::cargo([
        "bench",
        "--package",
        "lanyard-federation",
        "--bench",
        "assertion",
    ]))
}
