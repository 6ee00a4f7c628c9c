//! `lanyard token CONNECTOR`
//!
//! Owns printing one access token, and nothing else on stdout.

use std::process::ExitCode;

use lanyard_client::cache::AccessToken;
use lanyard_protocol::scope::ScopeSet;
use secrecy::ExposeSecret as _;

use crate::client_config::at::At;
use crate::client_config::outcome::Ending;
use crate::ui::Ui;

/// Print an access token for a connector
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TokenArgs {
    /// The connector's name, or the URL of an MCP server
    connector: String,
    /// Ask for these scopes too
    #[arg(long, value_name = "SCOPES", default_value = "", value_parser = parse_scopes)]
    scope: ScopeSet,
    #[command(flatten)]
    at: At,
    /// Print JSON, with expiry and granted scopes
    #[arg(long)]
    json: bool,
}

fn parse_scopes(text: &str) -> Result<ScopeSet, String> {
    ScopeSet::parse(text).map_err(|error| error.to_string())
}

/// Runs the command.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) async fn run(args: TokenArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let token = match obtain(&args, ui).await {
        Ok(token) => token,
        Err(error) => return Ok(Ending::of(&error).tell()),
    };
    if ui.stdout_is_terminal() {
        ui.note("This is a credential: whoever has it can act as you until it expires.");
    }
    if let Some(granted) = &token.scope
        && !args.scope.is_subset(granted)
    {
        ui.note(&format!("Not granted: {}.", args.scope.difference(granted)));
    }
    let text = token.token.expose_secret();
    if args.json {
        let scope = token.scope.as_ref().map(ToString::to_string);
        ui.json(&serde_json::json!({ "access_token": text, "expires_at": token.expires_at, "scope": scope }))?;
    } else {
        ui.line(text);
    }
    Ok(ExitCode::SUCCESS)
}

async fn obtain(args: &TokenArgs, ui: &Ui) -> anyhow::Result<AccessToken> {
    let client = args.at.open_for(ui)?;
    let connector = client.connector(&args.connector).await?;
    let connector = connector.ok_or_else(|| Ending::unknown_connector(&args.connector))?;
    Ok(client.flow.access_token(&connector.mcp_url, &args.scope).await?)
}
