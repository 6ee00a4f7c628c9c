//! `lanyard resources`
//!
//! Owns the administrator's commands about resources of our authorization server that are no connectors here.

use std::path::PathBuf;
use std::process::ExitCode;

use lanyard_core::admin::spec::ResourceSpec;

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, document, prompt, show};
use crate::ui::Ui;

/// Manage resources of the authorization server
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ResourcesArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: ResourcesCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum ResourcesCommand {
    /// List resources; a connector of ours is one too
    List,
    /// Make or change one from a document
    Set {
        /// TOML or JSON, `-` for stdin
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Remove one
    Remove {
        /// The resource identifier
        id: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: ResourcesArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(&args.at, args.command, ui).await)
}

async fn act(at: &AdminAt, command: ResourcesCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        ResourcesCommand::List => {
            let items = client.all(&["resources"]).await?;
            let columns = [
                ("RESOURCE", "id"),
                ("NAME", "name"),
                ("SCOPES", "scopes"),
                ("STATUS", "status"),
            ];
            show::list(items, &columns, at.json, ui)
        }
        ResourcesCommand::Set { file } => {
            let spec = document::read::<ResourceSpec>(&file)?;
            let answer = client.put(&["resources"], &spec).await?;
            show::written(&answer, "resource", &show::text(&spec, "id"), at.json, ui)
        }
        ResourcesCommand::Remove { id, yes } => {
            prompt::confirm(&format!("Remove the resource {id}?"), yes, ui)?;
            let answer = client.delete(&["resources"], &[("id", &id)]).await?;
            show::written(&answer, "resource", &id, at.json, ui)
        }
    }
}
