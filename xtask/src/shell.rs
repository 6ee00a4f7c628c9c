//! Running programs from the repository's root.
//!
//! Owns how a failure of a program reads. Never hides what a program prints.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// Variables that the outer cargo sets for us and that an inner cargo should not see: some build scripts run again
/// when they change.
const OUTER: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// The repository's root: of the checkout that cargo runs us in, which need not be the one we were built in when they
/// share a build cache.
pub(crate) fn root() -> PathBuf {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&folder).join("..")
}

/// A program, run in the root with our own environment.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(Stdio::null());
    for (key, _) in std::env::vars_os() {
        if OUTER.iter().any(|prefix| key.to_string_lossy().starts_with(prefix)) {
            command.env_remove(key);
        }
    }
    command
}

/// The cargo that runs us.
pub(crate) fn cargo<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Runs it with its output shown.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let told = told(command);
    let status = command.status().with_context(|| format!("{told} cannot be run"))?;
    if !status.success() {
        bail!("{told} ended with {status}");
    }
    Ok(())
}

/// What it prints on standard output; the rest is shown.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let told = told(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{told} cannot be run"))?;
    if !output.status.success() {
        bail!("{told} ended with {}", output.status);
    }
    Ok(output.stdout)
}

fn told(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default();
    let arguments = command
        .get_args()
        .map(|argument| argument.to_string_lossy().into_owned());
    let words: Vec<String> = std::iter::once(name.to_string_lossy().into_owned())
        .chain(arguments)
        .collect();
    format!("`{}`", words.join(" "))
}

/// Where a program is: on the PATH, or in one of these folders.
pub(crate) fn find(name: &str, beside: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = beside.to_vec();
    places.extend(std::env::split_paths(&path));
    places
        .into_iter()
        .map(|place| place.join(name))
        .find(|file| file.is_file())
}

/// What outlives the checkout: tools and packages of tests.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
    {
        Some(path) => path,
        None => {
            PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache")
        }
    };
    Ok(base.join("lanyard"))
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let metadata = output(&mut cargo(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value = serde_json::from_slice(&metadata).context("cargo metadata")?;
    let directory = metadata.get("target_directory").and_then(serde_json::Value::as_str);
    Ok(PathBuf::from(
        directory.context("cargo metadata names no target directory")?,
    ))
}
