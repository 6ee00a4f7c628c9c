//! `cargo xtask bench`: benchmarks against the targets of docs/performance.md.
//!
//! Owns building what is measured. The generator is `bench/`. Never compares figures of different machines.

use crate::shell;

/// Builds the release program and the generator, then runs `[chains|gateway|growth|memory|all] [PEOPLE]`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    shell::run(&mut shell::cargo([
        "build",
        "--release",
        "--package",
        "lanyard",
        "--package",
        "lanyard-bench",
    ]))?;
    let directory = shell::target()?.join("release");
    let mut generator = shell::program("taskset");
    generator
        .args(["-c", "1"])
        .arg(directory.join("lanyard-bench"))
        .arg(directory.join("lanyard"))
        .args(arguments);
    shell::run(&mut generator)
}
