//! `cargo xtask check`: the quick half.
//!
//! Owns what a contributor runs before a commit. Needs no network, no PostgreSQL and no foreign software.

use anyhow::bail;

use crate::shell::{cargo, run as run_it};
use crate::stages::{self, Stage};

pub(crate) const FORMAT: Stage = Stage {
    name: "format",
    what: "rustfmt changes nothing",
    run: || run_it(&mut cargo(["fmt", "--all", "--check"])),
};

pub(crate) const CLIPPY: Stage = Stage {
    name: "clippy",
    what: "no lint is broken in any target",
    run: || {
        run_it(&mut cargo([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    },
};

const FAST: Stage = Stage {
    name: "fast",
    what: "tests without PostgreSQL, processes and foreign software",
    run: || {
        let mut tests = cargo(["test", "--workspace", "--lib", "--bins", "--tests", "--locked", "--"]);
        tests.args(["--skip", "postgres", "--skip", "process::"]);
        run_it(&mut tests)
    },
};

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let all = [FORMAT, CLIPPY, FAST];
    let only = match arguments {
        [] => None,
        [flag, name] if flag == "--only" => Some(name.as_str()),
        _ => bail!("usage: cargo xtask check [--only STAGE]"),
    };
    stages::run("check", &stages::select(&all, only, None)?)
}
