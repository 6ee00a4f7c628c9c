//! `cargo xtask`: what contributors and CI run, with nothing to install first.
//!
//! Owns the order of checks and how they are told. Never weakens one: what is missing fails by name.

mod bench;
mod chaos;
mod check;
mod dist;
mod fuzz;
mod install;
mod link_order;
mod links;
mod openapi;
mod release;
mod shell;
mod stages;
mod test;

use std::process::ExitCode;

use anyhow::bail;

const USAGE: &str = "\
cargo xtask COMMAND

  check                  format, clippy and the fast tests; needs no network
  test [--install]       everything CI runs; --install first installs what it needs
       [--only STAGE]    one stage by its name
       [--from STAGE]    that stage and what follows
  bench [ARGUMENT…]      benchmarks; figures and machine for docs/performance.md
  chaos [KILLS]          the server killed under load, 1,000 times when not told otherwise
  fuzz TARGET            looks for inputs that break a parser; needs nightly and cargo-fuzz
  dist                   the release binary with completions and licence, in an archive
  openapi                writes crates/server/openapi.json anew
  link-order [--check]   records which functions a server calls, for the linker; needs valgrind";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        bail!("no command given\n\n{USAGE}");
    };
    match command.as_str() {
        "check" => check::run(rest),
        "test" => test::run(rest),
        "bench" => bench::run(rest),
        "chaos" => chaos::run(rest),
        "fuzz" => fuzz::run(rest),
        "dist" => dist::run(rest),
        "openapi" => openapi::run(rest),
        "link-order" => link_order::run(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("no command named {other}\n\n{USAGE}"),
    }
}
