//! `cargo xtask bench`: benchmarks against the targets of docs/performance.md.
//!
//! Owns the measured runs. Never compares figures of different machines.

use anyhow::bail;

/// Runs the command.
pub(crate) fn run(_arguments: &[String]) -> anyhow::Result<()> {
    bail!("there are no benchmarks in this checkout yet: xtask/src/bench.rs is where they belong")
}
