//! `lanyard admin`
//!
//! Owns becoming an administrator, by a sign-in or by the one-time token, and administrator tokens. Never prints a
//! saved token.

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
use crate::admin_client::person::{self, Wish};
use crate::admin_client::{expiry, prompt, show};
use crate::client_config::Places;
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
    /// Sign in at the issuer as an administrator
    Login {
        /// The admin API
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// Print the address instead of opening the browser
        #[arg(long)]
        no_browser: bool,
        /// Ask for this kind of authentication
        #[arg(long, value_name = "ACR")]
        acr_values: Option<String>,
        /// A name for this machine, shown beside its key
        #[arg(long, value_name = "NAME", env = "HOSTNAME")]
        machine: Option<String>,
        #[command(flatten)]
        places: Places,
    },
    /// Say who you are to the admin API, and what you may do
    Whoami,
    /// End the sign-in and forget this machine's key
    Logout,
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
        /// Write it to this new file, mode 0600, instead of stdout
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
        AdminCommand::Login {
            url,
            no_browser,
            acr_values,
            machine,
            places,
        } => {
            let wish = Wish {
                places: &places,
                no_browser,
                acr_values,
                machine: machine.as_deref(),
            };
            login(&args.at, url, wish, ui).await
        }
        AdminCommand::Whoami => whoami(&args.at, ui).await,
        AdminCommand::Logout => logout(&args.at, ui).await,
        AdminCommand::ResetOwner { config } => reset(&args.at, config.as_deref(), ui).await,
        AdminCommand::Tokens(command) => tokens(&args.at, command, ui).await,
    };
    show::end(done)
}

fn address(at: &AdminAt, named: Option<String>) -> anyhow::Result<String> {
    match named {
        Some(url) => Ok(url),
        None => Ok(at.url()?.ok_or_else(|| Ending {
            code: 2,
            happened: "The address of the admin API is not known.".to_owned(),
            remedy: Some("Name it with --url, such as --url http://127.0.0.1:8003.".to_owned()),
            request_id: None,
        })?),
    }
}

async fn login(at: &AdminAt, url: Option<String>, wish: Wish<'_>, ui: &Ui) -> anyhow::Result<()> {
    let url = address(at, url)?;
    let who = person::sign_in(at, &url, wish, ui).await?;
    if at.json {
        return ui.json(&who);
    }
    ui.line(&format!("Signed in as {}.", person::line(&who, &url)));
    ui.note("It is renewed without asking and ends with your session at the issuer.");
    Ok(())
}

async fn whoami(at: &AdminAt, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    let who = client.get(&["whoami"], &[]).await?;
    if at.json {
        return ui.json(&who);
    }
    ui.line(&person::line(&who, client.url()));
    ui.line(&format!("may: {}", show::text(&who, "permissions")));
    Ok(())
}

async fn logout(at: &AdminAt, ui: &Ui) -> anyhow::Result<()> {
    let Some(sign_in) = at.sign_in()? else {
        return Err(Ending::failed("Nobody is signed in as an administrator here.", None).into());
    };
    let told = sign_in.end(at.ca_file()).await;
    let token_left = at.forget_sign_in()?;
    if at.json {
        ui.json(&json!({ "issuer_told": told.is_ok(), "token_left": token_left }))?;
    } else {
        ui.line("Signed out as an administrator.");
        if token_left {
            ui.note("An administrator token is still kept here and opens the admin API from now on.");
        }
    }
    told.context("the issuer could not be told; an administrator can remove this machine's key there")
}

async fn claim(at: &AdminAt, token_file: &Path, url: Option<String>, ui: &Ui) -> anyhow::Result<()> {
    let url = address(at, url)?;
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
            show::check_new(out.as_deref())?;
            expiry::check(expires_at.as_deref(), SystemClock.now())?;
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
