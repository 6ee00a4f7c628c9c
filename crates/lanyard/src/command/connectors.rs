//! `lanyard connectors`
//!
//! Owns the list as it is shown. Never decides who may reach what: the issuer does.

use std::process::ExitCode;

use serde::Serialize;

use crate::client_config::at::At;
use crate::client_config::open::Connector;
use crate::client_config::outcome::{Ending, plain};
use crate::ui::Ui;

/// List the connectors that you may reach
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ConnectorsArgs {
    #[command(flatten)]
    at: At,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    title: Option<&'a str>,
    mcp_url: &'a str,
    resource: Option<&'a str>,
    audience: Option<&'a str>,
    client_id: Option<&'a str>,
    scopes: Option<String>,
    rule: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(connector: &'a Connector) -> Self {
        let from_issuer = connector.reachable.as_ref();
        Self {
            name: &connector.name,
            title: from_issuer.map(|own| own.title.as_str()),
            mcp_url: &connector.mcp_url,
            resource: from_issuer.map(|own| own.resource.as_str()),
            audience: from_issuer.map(|own| own.audience.as_str()),
            client_id: from_issuer.map(|own| own.client_id.as_str()),
            scopes: from_issuer.map(|own| own.scopes.to_string()),
            rule: from_issuer.map(|own| own.rule.as_str()),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) async fn run(args: ConnectorsArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let connectors = match list(&args).await {
        Ok(connectors) => connectors,
        Err(error) => return Ok(Ending::of(&error).tell()),
    };
    let rows: Vec<Row<'_>> = connectors.iter().map(Row::of).collect();
    if args.json {
        ui.json(&serde_json::json!({ "connectors": rows }))?;
    } else if rows.is_empty() {
        ui.note("There is no connector that you may reach. An administrator can add a rule for you.");
    } else {
        let cells = rows.iter().map(|row| {
            let text = |value: Option<&str>| plain(value.unwrap_or("from client.toml"));
            vec![
                plain(row.name),
                text(row.title),
                text(row.scopes.as_deref()),
                text(row.rule),
                plain(row.mcp_url),
            ]
        });
        ui.table(&["NAME", "TITLE", "SCOPES", "RULE", "URL"], cells.collect());
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(args: &ConnectorsArgs) -> anyhow::Result<Vec<Connector>> {
    args.at.open()?.connectors().await
}
