//! Log lines: text for people or JSON for collectors, on standard error.

use std::io::IsTerminal as _;

use anyhow::{Context, anyhow};
use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;

/// Installs the subscriber of this process.
///
/// # Errors
/// Wpub(crate) the filter cannot be read.
pub(crate) fn install(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.level).with_context(|| {
        format!(
            "log.level: {:?} is no filter; write info, or info,lanyard_server=debug",
            config.level
        )
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Colours are for terminals: a journal would keep the escape codes.
    let builder = if std::io::stderr().is_terminal() {
        builder
    } else {
        builder.with_ansi(false)
    };
    let installed = if config.json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
    installed.map_err(|error| anyhow!("log lines cannot be written: {error}"))
}
