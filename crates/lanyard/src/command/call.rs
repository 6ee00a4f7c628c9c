//! `lanyard call CONNECTOR TOOL [JSON]`
//!
//! Owns one call and how its result is shown. Never retries a call that reached the tool.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::Context as _;
use lanyard_client::rmcp::either_wire;
use rmcp::model::{CallToolResult, JsonObject};
use serde_json::Value;

use crate::client_config::at::At;
use crate::client_config::mcp::{Mcp, this_program};
use crate::client_config::outcome::{Ending, plain};
use crate::ui::Ui;

/// Call a tool of a connector
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct CallArgs {
    /// The connector's name, or the URL of an MCP server
    connector: String,
    /// The tool
    tool: String,
    /// The arguments, a JSON object; `-` reads them from stdin
    #[arg(value_name = "JSON")]
    arguments: Option<String>,
    #[command(flatten)]
    at: At,
    /// Print the whole result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command. A tool that reports an error of its own ends with 1.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) async fn run(args: CallArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let arguments = match arguments(args.arguments.as_deref()) {
        Ok(arguments) => arguments,
        Err(error) => {
            let remedy = "Give the arguments as one JSON object, for example '{\"id\": 7}'.";
            let mut ending = Ending::failed(&format!("{error:#}"), Some(remedy));
            ending.code = 2;
            return Ok(ending.tell());
        }
    };
    let result = match call(&args, ui, arguments.clone()).await {
        Ok(result) => result,
        Err(error) => return Ok(Ending::of(&error).tell()),
    };
    let failed = result.is_error == Some(true);
    let result = serde_json::to_value(result)?;
    if args.json {
        ui.json(&result)?;
    } else {
        show(&result, ui)?;
    }
    if failed {
        ui.note("The tool reports an error.");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn arguments(text: Option<&str>) -> anyhow::Result<Option<JsonObject>> {
    let text = match text {
        None => return Ok(None),
        Some("-") => {
            let mut text = String::new();
            std::io::stdin()
                .take(16 * 1024 * 1024)
                .read_to_string(&mut text)
                .context("stdin cannot be read")?;
            text
        }
        Some(text) => text.to_owned(),
    };
    serde_json::from_str(&text)
        .map(Some)
        .context("The arguments are not a JSON object")
}

async fn call(args: &CallArgs, ui: &Ui, arguments: Option<JsonObject>) -> anyhow::Result<CallToolResult> {
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
    let result = mcp.call(&args.tool, arguments).await;
    mcp.close().await;
    result
}

/// Text as it is; anything else is named.
fn show(result: &Value, ui: &Ui) -> anyhow::Result<()> {
    let blocks = result
        .get("content")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    for block in blocks {
        let kind = block.get("type").and_then(Value::as_str).unwrap_or("unknown");
        let text = |name| block.get(name).and_then(Value::as_str);
        match (kind, text("text")) {
            ("text", Some(text)) => ui.line(&plain(text)),
            _ => {
                let what = text("mimeType").or_else(|| text("uri")).unwrap_or_default();
                ui.line(&ui.dim(&format!("[{} {}]", plain(kind), plain(what))));
            }
        }
    }
    if blocks.is_empty()
        && let Some(structured) = result.get("structuredContent")
    {
        ui.json(structured)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_one_json_object() {
        assert!(arguments(None).unwrap().is_none());
        assert_eq!(arguments(Some(r#"{"id": 7}"#)).unwrap().unwrap()["id"], 7);
        for bad in ["", "7", "[1]", "{\"id\": 7", "null"] {
            assert!(arguments(Some(bad)).is_err(), "{bad}");
        }
    }
}
