//! `lanyard status`
//!
//! Owns what is shown of the sign-in. Never shows a token and sends nothing.

use std::process::ExitCode;

use lanyard_client::clock::{Clock as _, SystemClock};
use lanyard_client::session::Session;
use serde::Serialize;

use crate::client_config::at::At;
use crate::client_config::open::Client;
use crate::client_config::outcome::{Ending, plain};
use crate::client_config::words::{instant, relative};
use crate::ui::Ui;

/// Show who is signed in, where, and for how long
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    at: At,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Status {
    issuer: String,
    client_id: String,
    subject: String,
    name: Option<String>,
    signed_in_at: i64,
    authenticated_at: Option<i64>,
    acr: Option<String>,
    id_token_expires_at: i64,
    renewable: bool,
    key: Option<Key>,
    kept_in: String,
}

#[derive(Serialize)]
struct Key {
    kid: String,
    expires_at: i64,
    authorization_servers: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) async fn run(args: StatusArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let status = match status(&args).await {
        Ok(status) => status,
        Err(error) => return Ok(Ending::of(&error).tell()),
    };
    if args.json {
        ui.json(&status)?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = SystemClock.now();
    let who = status
        .name
        .as_deref()
        .map_or_else(|| status.subject.clone(), |name| format!("{name} ({})", status.subject));
    ui.line(&format!("Signed in as      {}", ui.strong(&plain(&who))));
    ui.line(&format!("Issuer            {}", status.issuer));
    ui.line(&format!("Client            {}", status.client_id));
    ui.line(&format!(
        "Signed in at      {} ({})",
        instant(status.signed_in_at),
        relative(status.signed_in_at, now)
    ));
    if let Some(at) = status.authenticated_at {
        let how = status
            .acr
            .as_deref()
            .map(|acr| format!(", {}", plain(acr)))
            .unwrap_or_default();
        ui.line(&format!(
            "Authenticated     {} ({}){how}",
            instant(at),
            relative(at, now)
        ));
    }
    let renewal = if status.renewable {
        "renewed when a call needs it"
    } else {
        "not renewable"
    };
    let expires_at = status.id_token_expires_at;
    ui.line(&format!(
        "ID token          until {} ({}); {renewal}",
        instant(expires_at),
        relative(expires_at, now)
    ));
    match &status.key {
        Some(key) => {
            ui.line(&format!(
                "Key of machine    {}, until {}",
                key.kid,
                instant(key.expires_at)
            ));
            for server in &key.authorization_servers {
                ui.line(&format!("  accepted by     {server}"));
            }
        }
        None => ui.line("Key of machine    none (credentials come from client.toml)"),
    }
    if !status.kept_in.is_empty() {
        ui.line(&format!("Secrets are in    {}", status.kept_in));
    }
    Ok(ExitCode::SUCCESS)
}

async fn status(args: &StatusArgs) -> anyhow::Result<Status> {
    let client = args.at.open()?;
    let session = match client.flow.subject() {
        Some(subject) => subject.session().await?,
        None => return Err(Ending::not_signed_in(Some(&client.issuer)).into()),
    };
    Ok(of(&client, session))
}

fn of(client: &Client, session: Session) -> Status {
    let record = client.state.issuers.get(&client.issuer);
    let key = record.and_then(|record| record.key.as_ref()).map(|key| Key {
        kid: key.kid.clone(),
        expires_at: key.expires_at,
        authorization_servers: key.ras.iter().map(|at| at.issuer.as_str().to_owned()).collect(),
    });
    Status {
        issuer: session.issuer.as_str().to_owned(),
        client_id: client.identity.client_id.as_str().to_owned(),
        subject: session.subject,
        name: session.name,
        signed_in_at: session.signed_in_at,
        authenticated_at: session.auth_time,
        acr: session.acr,
        id_token_expires_at: session.id_token_expires_at,
        renewable: session.refresh_token.is_some(),
        key,
        kept_in: record.map(|record| record.kept_in.clone()).unwrap_or_default(),
    }
}
