//! `lanyard serve`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use lanyard_core::admin::owner;
use lanyard_core::store::StoreExt;
use tokio::signal::unix::{SignalKind, signal};

use crate::compose::{self, Running};
use crate::config::Config;
use crate::runtime::{log, owner_files};
use crate::ui::Ui;

/// The number of SIGXFSZ.
const FILE_SIZE_LIMIT: i32 = 25;

/// Run the configured roles
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ServeArgs {
    /// The configuration file
    #[arg(long, short, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
}

/// Runs until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// When the configuration cannot be started.
pub(crate) async fn run(args: ServeArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let config = Config::load(Some(&args.config))?;
    log::install(&config.log)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Handled, so that a file size limit is a write that fails, answered with 503, and not the end of the process.
    let _file_size_limit = signal(SignalKind::from_raw(FILE_SIZE_LIMIT))?;
    let running = compose::start(&config).await?;
    offer_owner_token(&config, &running, ui).await?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "ready");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: no new connections, requests under way are finished");
    running.stop().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// At the first start: a one-time token in a file that only the operator reads.
async fn offer_owner_token(config: &Config, running: &Running, ui: &Ui) -> anyhow::Result<()> {
    let (Some(basis), Some(admin)) = (&running.basis, &config.admin) else {
        return Ok(());
    };
    let cx = basis.own_cx();
    let made = basis.store.write(move |tx| owner::first_start(&cx, tx)).await;
    let Some(token) = made.context("the owner token cannot be made")? else {
        return Ok(());
    };
    let files = owner_files::write(config, &token)?;
    let scheme = if admin.listener.tls.is_some() { "https" } else { "http" };
    tracing::info!(
        "first start: within an hour, run `lanyard admin claim --url {scheme}://{} --token-file {}`",
        admin.listener.address,
        files.token.display()
    );
    if let Some(path) = &files.link {
        tracing::info!("or open the link in {} in a browser", path.display());
    }
    // A log keeps what it is told; a terminal shows it to whoever started the program.
    if let (Some(idp), true) = (&running.idp, ui.is_interactive()) {
        ui.line(&format!("First sign-in: {}", owner_files::link(&idp.issuer, &token)));
    }
    Ok(())
}
