//! `cargo xtask bench`: benchmarks against the targets of docs/performance.md.
//!
//! Owns building what is measured. The generator is `bench/`. Never compares figures of different machines.

use crate::shell;

/// Builds the release program and the generator, then runs `[chains|gateway|growth|memory|all] [PEOPLE]`; `assertions`
/// needs neither and runs alone, or at the end of `all`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let asked = arguments.first().map_or("all", String::as_str);
    if asked == "assertions" {
        return assertions();
    }
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
    shell::run(&mut generator)?;
    if asked == "all" { assertions() } else { Ok(()) }
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
