//! `lanyard clients`
//!
//! Owns the administrator's commands about OAuth clients. Never shows a secret but the one just made, once.

use std::path::PathBuf;
use std::process::ExitCode;

use lanyard_core::admin::spec::ClientSpec;
use serde_json::json;

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, document, nothing, prompt, show};
use crate::client_config::outcome::Ending;
use crate::runtime::private_file;
use crate::ui::Ui;

/// Manage OAuth clients
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ClientsArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: ClientsCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum ClientsCommand {
    /// List clients of the issuer (idp) and of the authorization server (ras)
    List {
        /// Only those of this side
        #[arg(long, value_parser = ["idp", "ras"])]
        side: Option<String>,
    },
    /// Show a client
    Show(Which),
    /// Make or change a client from a document
    Set {
        /// TOML or JSON, `-` for stdin; `secret_file` names a file with a chosen secret
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Make a new secret beside the old one; it is printed once
    AddSecret {
        #[command(flatten)]
        which: Which,
        /// The older secrets end after so many seconds; without it they stay
        #[arg(long, value_name = "SECONDS")]
        retire_others_after: Option<u64>,
        /// Write it to this file, mode 0600, instead of stdout
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Switch a client off: its tokens are dead
    Disable {
        #[command(flatten)]
        which: Which,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct Which {
    /// The OAuth client id
    client_id: String,
    /// Needed when both sides have a client of this id
    #[arg(long, value_parser = ["idp", "ras"])]
    side: Option<String>,
}

impl Which {
    /// The side that was named, or the only one that has the client.
    async fn side(&self, client: &AdminClient) -> anyhow::Result<String> {
        if let Some(side) = &self.side {
            return Ok(side.clone());
        }
        let all = client.list(&["clients"], &[]).await?;
        let mut sides = all
            .iter()
            .filter(|one| show::text(one, "client_id") == self.client_id)
            .map(|one| show::text(one, "side"));
        match (sides.next(), sides.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(Ending {
                code: 2,
                happened: format!("Both sides have a client {}.", self.client_id),
                remedy: Some("Say which with --side idp or --side ras.".to_owned()),
                request_id: None,
            }
            .into()),
            (None, _) => {
                let happened = format!("There is no client named {}.", self.client_id);
                Err(Ending::failed(&happened, Some("`lanyard clients list` shows them.")).into())
            }
        }
    }
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: ClientsArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(&args.at, args.command, ui).await)
}

async fn act(at: &AdminAt, command: ClientsCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        ClientsCommand::List { side } => {
            let query: Vec<(&str, &str)> = side.as_deref().map(|side| ("side", side)).into_iter().collect();
            let items = client.list(&["clients"], &query).await?;
            let columns = [
                ("SIDE", "side"),
                ("CLIENT ID", "client_id"),
                ("NAME", "name"),
                ("AUTH", "auth"),
                ("GRANTS", "grants"),
                ("ENABLED", "enabled"),
            ];
            match side {
                Some(_) => show::found(items, &columns, at.json, ui),
                None => show::list(items, &columns, at.json, ui),
            }
        }
        ClientsCommand::Show(which) => {
            let side = which.side(&client).await?;
            show::record(
                &client.get(&["clients", &side, &which.client_id], &[]).await?,
                at.json,
                ui,
            )
        }
        ClientsCommand::Set { file } => {
            let spec = document::read::<ClientSpec>(&file)?;
            let (side, id) = (show::text(&spec, "side"), show::text(&spec, "client_id"));
            let answer = client.put(&["clients", &side, &id], &spec).await?;
            show::written(&answer, "client", &id, at.json, ui)
        }
        ClientsCommand::AddSecret {
            which,
            retire_others_after,
            out,
        } => {
            show::check_new(out.as_deref())?;
            let side = which.side(&client).await?;
            let request = json!({ "retire_others_after_seconds": retire_others_after });
            let answer = client
                .post(&["clients", &side, &which.client_id, "secrets"], &request)
                .await?;
            if let Some(out) = out {
                private_file::write(&out, show::text(&answer, "client_secret").as_bytes())?;
                if at.json {
                    return ui.json(&json!({ "client_secret_file": out }));
                }
                ui.line(&format!("client {}: new secret in {}", which.client_id, out.display()));
                return Ok(());
            }
            if at.json {
                return ui.json(&answer);
            }
            ui.note("The secret is shown this once:");
            ui.line(&show::text(&answer, "client_secret"));
            Ok(())
        }
        ClientsCommand::Disable { which, yes } => {
            prompt::confirm(&format!("Switch the client {} off?", which.client_id), yes, ui)?;
            let side = which.side(&client).await?;
            let answer = client
                .post(&["clients", &side, &which.client_id, "disable"], &nothing())
                .await?;
            show::written(&answer, "client", &which.client_id, at.json, ui)
        }
    }
}
