//! `cargo xtask fuzz TARGET`: looks for inputs that break a parser.
//!
//! Owns calling cargo-fuzz. The committed corpora are replayed on stable by `cargo xtask test`.

use anyhow::bail;

use crate::shell::{self, cargo, find, program, run as run_it};

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(shell::root().join("fuzz/fuzz_targets"))? {
        names.extend(
            entry?
                .path()
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned()),
        );
    }
    names.sort();
    let Some((target, rest)) = arguments.split_first() else {
        bail!("which one? There are {}", names.join(", "));
    };
    if !names.contains(target) {
        bail!("no target named {target}; there are {}", names.join(", "));
    }
    if find("cargo-fuzz", &[]).is_none() {
        bail!("missing: cargo-fuzz; `cargo install cargo-fuzz --locked` and `rustup toolchain install nightly`");
    }
    let mut command = if find("rustup", &[]).is_some() {
        let mut command = program("rustup");
        command.args(["run", "nightly", "cargo"]);
        command
    } else {
        cargo(Vec::<String>::new())
    };
    run_it(command.args(["fuzz", "run", target]).args(rest))
}
