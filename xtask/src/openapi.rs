//! `cargo xtask openapi`: writes crates/server/openapi.json anew.
//!
//! Owns nothing but the call: the description comes from the code, and a test fails when the file differs.

use anyhow::bail;

use crate::shell::{cargo, run as run_it};

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    if !arguments.is_empty() {
        bail!("usage: cargo xtask openapi");
    }
    let mut test = cargo([
        "test",
        "--workspace",
        "--test",
        "it",
        "--",
        "the_description_is_the_committed_one",
    ]);
    run_it(test.env("LANYARD_UPDATE_OPENAPI", "1"))
}
