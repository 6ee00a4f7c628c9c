//! `cargo xtask test`: everything, in the order in which it fails soonest.
//!
//! Owns the stages of CI. Every stage builds with the features of the whole workspace, so that nothing is built twice.

use anyhow::{Context as _, bail};

use crate::check::{CLIPPY, FORMAT};
use crate::shell::{self, cargo, program, run as run_it};
use crate::stages::{self, Stage};
use crate::{install, links, release};

const STAGES: [Stage; 12] = [
    FORMAT,
    Stage {
        name: "deny",
        what: "licences, bans, sources and advisories of every dependency",
        run: deny,
    },
    CLIPPY,
    Stage {
        name: "build",
        what: "every crate, test and example compiles",
        run: || run_it(&mut cargo(["build", "--workspace", "--all-targets", "--locked"])),
    },
    Stage {
        name: "sqlite",
        what: "tests of every crate, on SQLite where a store is needed",
        run: || {
            let mut tests = cargo(["test", "--workspace", "--locked", "--no-fail-fast", "--"]);
            run_it(tests.args(["--skip", "postgres", "--skip", "process::"]))
        },
    },
    Stage {
        name: "postgres",
        what: "the conformance suite of the store on PostgreSQL",
        run: || {
            let mut tests = cargo([
                "test",
                "--workspace",
                "--locked",
                "--no-fail-fast",
                "--test",
                "it",
                "--",
            ]);
            run_it(tests.args(["postgres", "--skip", "process::"]))
        },
    },
    Stage {
        name: "foreign",
        what: "foreign clients, servers, conformance suites and a browser against a lab",
        run: foreign,
    },
    Stage {
        name: "process",
        what: "the real program: starts, kills, a full disk, two replicas",
        run: || {
            let mut tests = cargo([
                "test",
                "--workspace",
                "--locked",
                "--no-fail-fast",
                "--test",
                "it",
                "--",
            ]);
            run_it(tests.args(["process::", "--test-threads", "2"]))
        },
    },
    Stage {
        name: "docs",
        what: "documentation builds without a warning",
        run: || {
            let mut docs = cargo(["doc", "--workspace", "--no-deps", "--locked"]);
            run_it(docs.env("RUSTDOCFLAGS", "-D warnings"))
        },
    },
    Stage {
        name: "links",
        what: "links between the pages lead somewhere",
        run: links::run,
    },
    Stage {
        name: "corpora",
        what: "committed fuzz corpora replayed on stable",
        run: || {
            let mut tests = cargo(["test", "--workspace", "--locked", "--test", "it", "--"]);
            run_it(tests.arg("corpora::"))
        },
    },
    Stage {
        name: "release",
        what: "the release build, its size, its start-up time, and the demo",
        run: release::run,
    },
];

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let (mut wanted, mut only, mut from) = (false, None, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--install" => wanted = true,
            "--only" => only = Some(rest.next().context("--only STAGE")?.as_str()),
            "--from" => from = Some(rest.next().context("--from STAGE")?.as_str()),
            other => {
                bail!("unknown argument {other}; usage: cargo xtask test [--install] [--only STAGE] [--from STAGE]")
            }
        }
    }
    let chosen = stages::select(&STAGES, only, from)?;
    if wanted {
        stages::run("test --install", &[&install::STAGE])?;
    }
    let releases = chosen.iter().any(|stage| stage.name == "release");
    let _ahead = (releases && chosen.len() > 1).then(release::build_ahead);
    stages::run("test", &chosen)
}

/// Advisories need a database from the network: where it cannot be had, that is said, and everything else still counts.
fn deny() -> anyhow::Result<()> {
    let tool = install::cargo_deny()?;
    let deny = |what: &[&str]| {
        let mut command = program(&tool);
        command
            .args(["--workspace", "--all-features", "--locked", "check"])
            .args(what);
        command
    };
    run_it(&mut deny(&["bans", "licenses", "sources"]))?;
    if install::advisories_can_be_had(&tool) {
        run_it(&mut deny(&["--disable-fetch", "advisories"]))
    } else {
        println!("NOT CHECKED: advisories. The database of RustSec cannot be fetched from here.");
        Ok(())
    }
}

fn foreign() -> anyhow::Result<()> {
    let debug = shell::target()?.join("debug");
    run_it(
        program("interop/run")
            .arg("all")
            .env("LANYARD_BIN", debug.join("lanyard"))
            .env("LANYARD_TEST_SERVER", debug.join("example-protected-server"))
            .env("LANYARD_RMCP_CLIENT", debug.join("interop-rmcp-client")),
    )
}
