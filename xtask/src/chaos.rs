//! `cargo xtask chaos`: the test of kills, longer than CI has time for.
//!
//! Owns the number. The test itself is the one that CI runs 50 times, in crates/lanyard/tests/it/process/.

use anyhow::{Context as _, bail};

use crate::shell::{cargo, run as run_it};

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let kills = match arguments {
        [] => 1000,
        [number] => number.parse::<u32>().context("the number of kills")?,
        _ => bail!("usage: cargo xtask chaos [KILLS]"),
    };
    let mut test = cargo([
        "test",
        "--release",
        "--package",
        "lanyard",
        "--test",
        "it",
        "--locked",
        "--",
    ]);
    test.args(["process::kill::", "--nocapture", "--test-threads", "1"]);
    run_it(test.env("LANYARD_TEST_KILLS", kills.to_string()))
}
