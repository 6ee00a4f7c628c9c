//! `lanyard connectors list|show|set|status|activate|remove`: the administrator's view of connectors.
//!
//! Owns commands about approved MCP servers. `lanyard connectors` alone is the client's list.

use std::path::PathBuf;
use std::process::ExitCode;

use lanyard_core::admin::spec::ConnectorSpec;
use serde_json::{Value, json};

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, document, nothing, prompt, show};
use crate::client_config::outcome::plain;
use crate::ui::Ui;

/// The administrator's commands about connectors.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum ConnectorsAdmin {
    /// List every connector, as an administrator
    List {
        #[command(flatten)]
        at: AdminAt,
    },
    /// Show a connector, as an administrator
    Show {
        #[command(flatten)]
        at: AdminAt,
        /// Its name
        name: String,
    },
    /// Make or change a connector from a document
    Set {
        #[command(flatten)]
        at: AdminAt,
        /// TOML or JSON, `-` for stdin
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Switch a connector on or off
    Status {
        #[command(flatten)]
        at: AdminAt,
        /// Its name
        name: String,
        /// Staged: administrators see it, nobody reaches it
        #[arg(value_parser = ["active", "staged", "off"])]
        status: String,
    },
    /// Approve a connector that is staged
    Activate {
        #[command(flatten)]
        at: AdminAt,
        /// Its name
        name: String,
    },
    /// Remove a connector
    Remove {
        #[command(flatten)]
        at: AdminAt,
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(command: ConnectorsAdmin, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(command, ui).await)
}

async fn act(command: ConnectorsAdmin, ui: &Ui) -> anyhow::Result<()> {
    match command {
        ConnectorsAdmin::List { at } => {
            let items = AdminClient::open(&at)?.list(&["connectors"], &[]).await?;
            let columns = [
                ("NAME", "name"),
                ("TITLE", "title"),
                ("STATUS", "status"),
                ("MCP URL", "mcp_url"),
                ("UPSTREAM", "upstream.url"),
                ("AUTHORIZATION SERVER", "audience"),
            ];
            show::list(items, &columns, at.json, ui)
        }
        ConnectorsAdmin::Show { at, name } => show::record(
            &AdminClient::open(&at)?.get(&["connectors", &name], &[]).await?,
            at.json,
            ui,
        ),
        ConnectorsAdmin::Set { at, file } => {
            let spec = document::read::<ConnectorSpec>(&file)?;
            put(&at, &spec, ui).await
        }
        ConnectorsAdmin::Status { at, name, status } => {
            let mut spec = AdminClient::open(&at)?.get(&["connectors", &name], &[]).await?;
            if let Some(members) = spec.as_object_mut() {
                for field in show::SERVER_FIELDS {
                    members.remove(field);
                }
                members.insert("status".to_owned(), json!(status));
            }
            put(&at, &spec, ui).await
        }
        ConnectorsAdmin::Activate { at, name } => {
            let path = ["connectors", &name, "activate"];
            let answer = AdminClient::open(&at)?.post(&path, &nothing()).await?;
            show::written(&answer, "connector", &name, at.json, ui)
        }
        ConnectorsAdmin::Remove { at, name, yes } => {
            prompt::confirm(&format!("Remove the connector {name}?"), yes, ui)?;
            let answer = AdminClient::open(&at)?.delete(&["connectors", &name], &[]).await?;
            show::written(&answer, "connector", &name, at.json, ui)
        }
    }
}

async fn put(at: &AdminAt, spec: &Value, ui: &Ui) -> anyhow::Result<()> {
    let name = show::text(spec, "name");
    let answer = AdminClient::open(at)?.put(&["connectors", &name], spec).await?;
    let insecure = answer
        .pointer("/upstream/insecure")
        .and_then(Value::as_bool)
        .unwrap_or_default();
    if insecure {
        ui.note(&format!(
            "warning: {} is reached over plain http; tokens stay here, tool calls do not.",
            plain(&name)
        ));
    }
    show::written(&answer, "connector", &name, at.json, ui)
}
