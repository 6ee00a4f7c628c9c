//! Asking the person: a password without echo, a confirmation before something is removed.
//!
//! Owns the terminal while it asks. Never takes a password from the command line.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::client_config::outcome::Ending;
use crate::ui::Ui;

/// A password from a file, from the terminal without echo (typed twice), or from the first line of stdin.
pub(crate) async fn password(file: Option<&Path>, whose: &str, ui: &Ui) -> anyhow::Result<String> {
    let text = match file {
        Some(file) if file == Path::new("-") => from_stdin()?,
        Some(file) => {
            std::fs::read_to_string(file).with_context(|| format!("the file {} cannot be read", file.display()))?
        }
        None if ui.is_interactive() => return typed_twice(whose).await,
        None => from_stdin()?,
    };
    let password = text.lines().next().unwrap_or_default().to_owned();
    if password.is_empty() {
        let remedy = "Give it with --password-file, or on the first line of stdin.";
        return Err(Ending::failed("There is no password.", Some(remedy)).into());
    }
    Ok(password)
}

/// Asks before something is removed, when there is a person to ask.
pub(crate) fn confirm(question: &str, yes: bool, ui: &Ui) -> anyhow::Result<()> {
    if yes || !ui.is_interactive() {
        return Ok(());
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Ending::failed("Nothing was done.", Some("Answer y, or use --yes.")).into())
}

fn from_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(8192)
        .read_to_string(&mut text)
        .context("stdin cannot be read")?;
    Ok(text)
}

async fn typed_twice(whose: &str) -> anyhow::Result<String> {
    let first = typed(&format!("New password for {whose}: ")).await?;
    let second = typed("Once more: ").await?;
    if first != second {
        return Err(Ending::failed("The two were not the same.", Some("Nothing was changed; try again.")).into());
    }
    Ok(first)
}

async fn typed(prompt: &str) -> anyhow::Result<String> {
    eprint!("{prompt}");
    std::io::stderr().flush()?;
    let silence = Silence::begin();
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = tokio::select! {
        line = line => line,
        // The terminal gets its echo back before the process ends.
        _ = tokio::signal::ctrl_c() => {
            drop(silence);
            eprintln!();
            std::process::exit(130);
        }
    };
    drop(silence);
    eprintln!();
    Ok(line?
        .context("the terminal cannot be read")?
        .trim_end_matches(['\r', '\n'])
        .to_owned())
}

/// The terminal without echo, as long as this lives.
struct Silence(bool);

impl Silence {
    fn begin() -> Self {
        Self(std::io::stdin().is_terminal() && stty("-echo"))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if self.0 {
            stty("echo");
        }
    }
}

fn stty(argument: &str) -> bool {
    let status = Command::new("stty")
        .arg(argument)
        .stdin(Stdio::inherit())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
