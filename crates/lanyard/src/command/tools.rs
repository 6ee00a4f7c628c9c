//! `lanyard tools CONNECTOR`
//!
//! Owns the list of tools as it is shown. Never calls one.

use std::process::ExitCode;

use lanyard_client::rmcp::either_wire;
use rmcp::model::Tool;

use crate::client_config::at::At;
use crate::client_config::mcp::{Mcp, this_program};
use crate::client_config::outcome::{Ending, plain};
use crate::ui::Ui;

/// List the tools of a connector that you may call
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ToolsArgs {
    /// The connector's name, or the URL of an MCP server
    connector: String,
    #[command(flatten)]
    at: At,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) async fn run(args: ToolsArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let tools = match list(&args, ui).await {
        Ok(tools) => tools,
        Err(error) => return Ok(Ending::of(&error).tell()),
    };
    if args.json {
        ui.json(&serde_json::json!({ "tools": tools }))?;
    } else if tools.is_empty() {
        ui.note("This connector has no tool that you may call.");
    } else {
        let rows = tools.iter().map(|tool| {
            let description = tool.description.as_deref().unwrap_or_default();
            vec![plain(&tool.name), plain(description.lines().next().unwrap_or_default())]
        });
        ui.table(&["TOOL", "DESCRIPTION"], rows.collect());
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(args: &ToolsArgs, ui: &Ui) -> anyhow::Result<Vec<Tool>> {
    let client = args.at.open_for(ui)?;
    let connector = client.connector(&args.connector).await?;
    let connector = connector.ok_or_else(|| Ending::unknown_connector(&args.connector))?;
    let mcp = Mcp::connect(
        &client.flow,
        &client.fetch,
        &connector.mcp_url,
        this_program(),
        either_wire(),
    )
    .await?;
    let tools = mcp.tools().await;
    mcp.close().await;
    tools
}
