//! `lanyard audiences`
//!
//! Owns the administrator's commands about the authorization servers that the issuer issues for.

use std::path::PathBuf;
use std::process::ExitCode;

use lanyard_core::admin::spec::AudienceSpec;

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, document, prompt, show};
use crate::ui::Ui;

/// Manage the authorization servers that the issuer issues for
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AudiencesArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: AudiencesCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum AudiencesCommand {
    /// List them, with the client ids there
    List,
    /// Make or change one from a document
    Set {
        /// TOML or JSON, `-` for stdin
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Remove one: nothing is issued for it any more
    Remove {
        /// Its issuer identifier
        issuer: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: AudiencesArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(&args.at, args.command, ui).await)
}

async fn act(at: &AdminAt, command: AudiencesCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        AudiencesCommand::List => {
            let items = client.all(&["audiences"]).await?;
            let columns = [
                ("ISSUER", "issuer"),
                ("NAME", "name"),
                ("CLIENTS", "clients"),
                ("ID-JAG SECONDS", "id_jag_ttl_seconds"),
                ("ENABLED", "enabled"),
            ];
            show::list(items, &columns, at.json, ui)
        }
        AudiencesCommand::Set { file } => {
            let spec = document::read::<AudienceSpec>(&file)?;
            let answer = client.put(&["audiences"], &spec).await?;
            show::written(&answer, "audience", &show::text(&spec, "issuer"), at.json, ui)
        }
        AudiencesCommand::Remove { issuer, yes } => {
            prompt::confirm(&format!("Remove the audience {issuer}?"), yes, ui)?;
            let answer = client.delete(&["audiences"], &[("issuer", &issuer)]).await?;
            show::written(&answer, "audience", &issuer, at.json, ui)
        }
    }
}
