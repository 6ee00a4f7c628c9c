//! `lanyard keys`
//!
//! Owns the administrator's commands about signing keys. Never sees a private key.

use std::process::ExitCode;

use serde_json::json;

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, prompt, show};
use crate::ui::Ui;

/// Manage signing keys
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum KeysCommand {
    /// List the keys of every ring
    List,
    /// Publish a new key that signs once every cache has it
    Rotate {
        /// Whose key
        #[arg(value_parser = ["idp", "ras", "audit", "saml"])]
        ring: String,
        /// The algorithm; the one of the present key when left out
        #[arg(long, value_parser = ["ES256", "EdDSA", "RS256"])]
        algorithm: Option<String>,
    },
    /// Take a key out of use at once, everywhere: what it signed is refused
    Remove {
        /// The key id, as `list` shows it
        // A thumbprint may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: KeysArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(&args.at, args.command, ui).await)
}

async fn act(at: &AdminAt, command: KeysCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        KeysCommand::List => {
            let items = client.all(&["keys"]).await?;
            let columns = [
                ("RING", "ring"),
                ("STATE", "state"),
                ("ALGORITHM", "algorithm"),
                ("KEY", "kid"),
                ("SIGNS FROM", "activates_at"),
                ("PUBLISHED UNTIL", "remove_after"),
            ];
            show::list(items, &columns, at.json, ui)
        }
        KeysCommand::Rotate { ring, algorithm } => {
            let answer = client
                .post(&["keys", "rotate"], &json!({ "ring": ring, "algorithm": algorithm }))
                .await?;
            if at.json {
                return ui.json(&answer);
            }
            let (kid, from) = (show::text(&answer, "kid"), show::text(&answer, "signs_from"));
            ui.line(&format!("key {kid}: published now, signs from {from}"));
            Ok(())
        }
        KeysCommand::Remove { kid, yes } => {
            prompt::confirm(
                &format!("Remove {kid}? Everything it signed is refused from now on."),
                yes,
                ui,
            )?;
            let answer = client.delete(&["keys", &kid], &[]).await?;
            if at.json {
                return ui.json(&answer);
            }
            ui.line(&format!("key {}: not accepted any more", show::text(&answer, "kid")));
            let next = show::text(&answer, "signs_now");
            if !next.is_empty() {
                ui.line(&format!("key {next}: signs now"));
            }
            Ok(())
        }
    }
}
