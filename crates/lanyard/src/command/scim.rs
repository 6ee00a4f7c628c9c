//! `lanyard scim`
//!
//! Owns the administrator's commands about provisioning clients and their tokens.

use std::path::PathBuf;
use std::process::ExitCode;

use lanyard_core::clock::Clock as _;
use serde_json::{Value, json};

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, expiry, prompt, show};
use crate::client_config::outcome::Ending;
use crate::runtime::clock::SystemClock;
use crate::ui::Ui;

/// Manage provisioning clients (SCIM): Okta, Entra ID, scripts
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ScimArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: ScimCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum ScimCommand {
    /// Make a directory, or change it: what is not said is off
    Add {
        /// Its name
        name: String,
        /// Let it take over people and groups that you made, by their name
        #[arg(long)]
        adopt_by_user_name: bool,
        /// Refuse a PATCH path that meets no element, as RFC 7644 has it; not for Entra ID
        #[arg(long)]
        strict_paths: bool,
        /// Accept none of its tokens
        #[arg(long)]
        disabled: bool,
    },
    /// List directories and the URL that their clients provision to
    List,
    /// Manage the tokens of a directory
    #[command(subcommand)]
    Token(TokenCommand),
    /// Remove a directory; its people and groups stay, and are yours
    Remove {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Clone, clap::Subcommand)]
enum TokenCommand {
    /// Make a token; others stay live until you revoke them
    Create {
        /// The directory
        directory: String,
        /// What it is for
        #[arg(long)]
        name: String,
        /// When it ends, like 2027-01-31T00:00:00Z
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
        /// Write it into this new file instead of printing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// List the tokens of a directory and when each was last used
    List {
        /// The directory
        directory: String,
    },
    /// Revoke a token
    Revoke {
        /// The directory
        directory: String,
        /// The token's id
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
pub(crate) async fn run(args: ScimArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(&args.at, args.command, ui).await)
}

async fn act(at: &AdminAt, command: ScimCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        ScimCommand::Add {
            name,
            adopt_by_user_name,
            strict_paths,
            disabled,
        } => {
            let spec = json!({
                "name": name, "adopt_by_user_name": adopt_by_user_name, "strict_paths": strict_paths,
                "enabled": !disabled,
            });
            let answer = client.put(&["directories"], &spec).await?;
            show::written(&answer, "directory", &name, at.json, ui)?;
            if !at.json {
                next_steps(&client, &name, ui).await?;
            }
            Ok(())
        }
        ScimCommand::List => {
            let items = client.all(&["directories"]).await?;
            let columns = [
                ("NAME", "name"),
                ("ENABLED", "enabled"),
                ("ADOPTS", "adopt_by_user_name"),
                ("STRICT", "strict_paths"),
                ("URL", "url"),
                ("ID", "id"),
            ];
            show::list(items, &columns, at.json, ui)
        }
        ScimCommand::Token(command) => token(&client, at, command, ui).await,
        ScimCommand::Remove { name, yes } => {
            prompt::confirm(&format!("Remove the directory {name} and its tokens?"), yes, ui)?;
            let answer = client.delete(&["directories", &name], &[]).await?;
            show::written(&answer, "directory", &name, at.json, ui)
        }
    }
}

async fn next_steps(client: &AdminClient, name: &str, ui: &Ui) -> anyhow::Result<()> {
    let all = client.all(&["directories"]).await?;
    let own = all
        .iter()
        .find(|one| one.get("name").and_then(Value::as_str) == Some(name));
    if let Some(url) = own.and_then(|own| own.get("url")).and_then(Value::as_str) {
        ui.note(&format!("Next: give its client the URL {url}"));
        ui.note(&format!(
            "      and a token: `lanyard scim token create {name} --name first`."
        ));
    }
    Ok(())
}

async fn token(client: &AdminClient, at: &AdminAt, command: TokenCommand, ui: &Ui) -> anyhow::Result<()> {
    match command {
        TokenCommand::Create {
            directory,
            name,
            expires_at,
            out,
        } => {
            show::check_new(out.as_deref())?;
            expiry::check(expires_at.as_deref(), SystemClock.now())?;
            let spec = json!({ "name": name, "expires_at": expires_at });
            let answer = client.post(&["directories", &directory, "tokens"], &spec).await?;
            show::token_once(answer, out.as_deref(), at.json, ui)
        }
        TokenCommand::List { directory } => {
            let items = client.all(&["directories", &directory, "tokens"]).await?;
            let columns = [
                ("ID", "id"),
                ("NAME", "name"),
                ("MADE", "created_at"),
                ("EXPIRES", "expires_at"),
                ("LAST USED", "last_used_at"),
                ("REVOKED", "revoked_at"),
            ];
            show::list(items, &columns, at.json, ui)
        }
        TokenCommand::Revoke { directory, id, yes } => {
            if !id.starts_with("dtk_") {
                let remedy = format!("`lanyard scim token list {directory}` shows them.");
                return Err(Ending::failed(&format!("{id} is no id of such a token."), Some(&remedy)).into());
            }
            prompt::confirm(&format!("Revoke the token {id} of {directory}?"), yes, ui)?;
            let answer = client.delete(&["directories", &directory, "tokens", &id], &[]).await?;
            show::written(&answer, "token", &id, at.json, ui)
        }
    }
}
