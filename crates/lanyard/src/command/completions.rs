//! `lanyard completions SHELL`
//!
//! Owns writing the script. Never knows the commands: it is given them.

use std::process::ExitCode;

use clap_complete::Shell;

use crate::ui::Ui;

/// Print a completion script for your shell
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Runs the command for the whole `program`.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn run(args: &CompletionsArgs, mut program: clap::Command, ui: &Ui) -> anyhow::Result<ExitCode> {
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, name, &mut script);
    ui.line(String::from_utf8_lossy(&script).trim_end());
    Ok(ExitCode::SUCCESS)
}
