//! `lanyard admin`
//!
//! Owns becoming an administrator and administrator tokens. Never prints a saved token.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use lanyard_core::admin::owner;
use lanyard_core::clock::Clock as _;
use lanyard_core::cx::Cx;
use lanyard_core::store::{Store, StoreExt as _};
use lanyard_jose::random::SystemRandom;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::admin_client::AdminClient;
use crate::admin_client::at::{AdminAt, read_token};
use crate::admin_client::{prompt, show};
use crate::client_config::outcome::Ending;
use crate::compose;
use crate::config::Config;
use crate::runtime::clock::SystemClock;
use crate::runtime::owner_files;
use crate::ui::Ui;

/// Become an administrator, and manage administrator tokens
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AdminArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum AdminCommand {
    /// Trade the one-time token of the first start for an administrator token, and keep it
    Claim {
        /// The file that the first start, or reset-owner, wrote
        #[arg(long, value_name = "FILE")]
        token_file: PathBuf,
        /// The admin API
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Revoke every owner token and make a new one-time token; needs the store of the server
    ResetOwner {
        /// The server's configuration file
        #[arg(long, short, value_name = "FILE", env = "LANYARD_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Administrator tokens
    #[command(subcommand)]
    Tokens(TokensCommand),
}

#[derive(Debug, Clone, clap::Subcommand)]
enum TokensCommand {
    /// List the tokens, without themselves
    List,
    /// Make a token; it is printed once
    Create {
        /// A name for people
        name: String,
        /// What it may do
        #[arg(long, value_parser = ["owner", "operator", "approver", "auditor", "gateway"], default_value = "owner")]
        role: String,
        /// When it stops being accepted, such as 2027-01-31T00:00:00Z
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
        /// Write it to this file, mode 0600, instead of stdout
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Revoke a token by its id
    Revoke {
        /// The id, as `list` shows it
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
pub(crate) async fn run(args: AdminArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let done = match args.command {
        AdminCommand::Claim { token_file, url } => claim(&args.at, &token_file, url, ui).await,
        AdminCommand::ResetOwner { config } => reset(&args.at, config.as_deref(), ui).await,
        AdminCommand::Tokens(command) => tokens(&args.at, command, ui).await,
    };
    show::end(done)
}

async fn claim(at: &AdminAt, token_file: &Path, url: Option<String>, ui: &Ui) -> anyhow::Result<()> {
    let url = match url {
        Some(url) => url,
        None => at.url()?.ok_or_else(|| Ending {
            code: 2,
            happened: "The address of the admin API is not known.".to_owned(),
            remedy: Some("Name it with --url, such as --url http://127.0.0.1:8003.".to_owned()),
            request_id: None,
        })?,
    };
    let one_time = read_token(token_file)?;
    let client = AdminClient::new(&url, None, at.ca_file())?;
    let answer = client
        .post(&["claim"], &json!({ "owner_token": one_time.expose_secret() }))
        .await?;
    let token = answer
        .get("token")
        .and_then(Value::as_str)
        .context("the server gave no token")?;
    let token = SecretString::from(token.to_owned());
    let path = at.save(client.url(), &token)?;
    // It is used up: a file that looks like a key and opens nothing helps nobody.
    let _ = std::fs::remove_file(token_file);
    let _ = std::fs::remove_file(token_file.with_file_name(owner_files::LINK));
    let id = show::text(&answer, "id");
    if at.json {
        return ui.json(&json!({ "id": id, "url": client.url(), "kept_in": path }));
    }
    ui.line(&format!(
        "You are an administrator of {} now (token {id}, kept in {}).",
        client.url(),
        path.display()
    ));
    ui.note("Next: write your organisation into a file and run `lanyard apply -f org.toml`;");
    ui.note("      `lanyard users list` shows who is there, `lanyard audit list` what happened.");
    Ok(())
}

async fn reset(at: &AdminAt, config: Option<&Path>, ui: &Ui) -> anyhow::Result<()> {
    let config = Config::load(config)?;
    let opened = compose::open_store(&config).await?;
    let token = reset_owner(&opened.store).await;
    opened.handle.shutdown();
    let files = owner_files::write(&config, &token?)?;
    let path = files.token;
    if at.json {
        return ui.json(&json!({ "token_file": path }));
    }
    ui.line(&format!(
        "Every owner token is revoked. The new one-time token is in {}.",
        path.display()
    ));
    ui.note(&format!(
        "Next: within an hour, run `lanyard admin claim --url URL --token-file {}`.",
        path.display()
    ));
    if let Some(link) = &files.link {
        ui.note(&format!("Or open the link in {} in a browser.", link.display()));
    }
    Ok(())
}

/// Revokes every owner token and makes a new one-time token, audited; for whoever can open the store.
///
/// # Errors
/// When the store fails.
pub(crate) async fn reset_owner(store: &Arc<dyn Store>) -> anyhow::Result<SecretString> {
    let cx = Cx::new(SystemClock.now(), None, Arc::new(SystemRandom));
    store
        .write(move |tx| owner::reset(&cx, tx))
        .await
        .context("the owner could not be reset")
}

async fn tokens(at: &AdminAt, command: TokensCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        TokensCommand::List => {
            let items = client.all(&["tokens"]).await?;
            let columns = [
                ("ID", "id"),
                ("NAME", "name"),
                ("ROLE", "role"),
                ("MADE", "created_at"),
                ("EXPIRES", "expires_at"),
                ("REVOKED", "revoked_at"),
            ];
            show::list(items, &columns, at.json, ui)
        }
        TokensCommand::Create {
            name,
            role,
            expires_at,
            out,
        } => {
            let spec = json!({ "name": name, "role": role, "expires_at": expires_at });
            let answer = client.post(&["tokens"], &spec).await?;
            show::token_once(answer, out.as_deref(), at.json, ui)
        }
        TokensCommand::Revoke { id, yes } => {
            prompt::confirm(&format!("Revoke the token {id}?"), yes, ui)?;
            let answer = client.delete(&["tokens", &id], &[]).await?;
            show::written(&answer, "token", &id, at.json, ui)
        }
    }
}
