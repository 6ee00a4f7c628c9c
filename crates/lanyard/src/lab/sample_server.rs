//! A sample MCP server: real Streamable HTTP by `rmcp`, both protocol revisions, made-up answers.
//!
//! Owns serving one [`Sample`]. It has no authorization of its own: the gateway stands before it.

use std::sync::Arc;

use axum::Router;
use rmcp::ErrorData;
use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, InitializeResult,
    JsonObject, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;

use crate::lab::catalogue::{self, Sample};

/// The MCP endpoint of a sample, below `/mcp`.
pub(crate) fn router(sample: &'static Sample) -> Router {
    let mut config = StreamableHttpServerConfig::default();
    // Samples stand on loopback behind the gateway, which calls them by address.
    config.allowed_hosts = vec!["127.0.0.1".to_owned()];
    config.json_response = true;
    let service = StreamableHttpService::new(
        move || Ok(Server { sample }),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    Router::new().route_service("/mcp", service)
}

#[derive(Clone)]
struct Server {
    sample: &'static Sample,
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let mut info = InitializeResult::new(ServerCapabilities::builder().enable_tools().build());
        info.server_info = Implementation::new(self.sample.title, env!("CARGO_PKG_VERSION"));
        info.instructions = Some("A sample server with made-up answers.".to_owned());
        info
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(
            self.sample.tools.iter().map(described).collect(),
        ))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = self.sample.tools.iter().find(|tool| tool.name == request.name) else {
            return Err(ErrorData::invalid_params("there is no such tool", None));
        };
        Ok(CallToolResult::success(vec![ContentBlock::text(tool.answer)]).into())
    }
}

fn described(tool: &catalogue::Tool) -> Tool {
    let schema = json!({
        "type": "object",
        "properties": { tool.argument: { "type": "string" } },
    });
    let schema: JsonObject = schema.as_object().cloned().unwrap_or_default();
    Tool::new(tool.name, tool.description, schema)
}
