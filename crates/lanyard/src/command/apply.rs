//! `lanyard apply`
//!
//! Owns sending an organisation and telling what changed. Never decides an order: the server does, in one transaction.

use std::path::PathBuf;
use std::process::ExitCode;

use lanyard_core::admin::spec::Organisation;
use serde_json::Value;

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, document, show};
use crate::ui::Ui;

/// Make the organisation as a file says: everything or nothing, and nothing the second time
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    at: AdminAt,
    /// The organisation, TOML or JSON, `-` for stdin
    #[arg(long, short, value_name = "FILE")]
    file: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: ApplyArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(apply(&args, ui).await)
}

async fn apply(args: &ApplyArgs, ui: &Ui) -> anyhow::Result<()> {
    let organisation = document::read::<Organisation>(&args.file)?;
    let report = AdminClient::open(&args.at)?.post(&["apply"], &organisation).await?;
    if args.at.json {
        return ui.json(&report);
    }
    for record in report.get("records").and_then(Value::as_array).into_iter().flatten() {
        let field = |name| show::text(record, name);
        ui.line(&format!("{} {}: {}", field("what"), field("name"), field("change")));
    }
    let count = |name| show::text(&report, name);
    let (created, changed, unchanged) = (count("created"), count("changed"), count("unchanged"));
    if created == "0" && changed == "0" {
        ui.line(&format!("Nothing to do: {unchanged} unchanged."));
    } else {
        ui.line(&format!(
            "Applied: {created} created, {changed} changed, {unchanged} unchanged."
        ));
    }
    Ok(())
}
