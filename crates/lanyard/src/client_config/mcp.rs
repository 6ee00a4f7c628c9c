//! Calling an MCP server with the tokens of a flow.
//!
//! Owns the connection of one command. Never prints.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use lanyard_client::flow::Flow;
use lanyard_client::rmcp::authorized::Authorized;
use lanyard_client::rmcp::client_info;
use lanyard_client::rmcp::over_fetch::OverFetch;
use lanyard_client::token_source::TokenSource;
use lanyard_fetch::Fetch;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientConfig, JsonObject, PaginatedRequestParams, ProtocolVersion, Tool,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, RoleClient};

/// How long a tool may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(300);
/// A server that never ends its list is not read for ever.
const MAX_TOOLS: usize = 10_000;

/// A connection to one MCP server.
pub(crate) struct Mcp<H: ClientHandler = ClientConfig> {
    service: RunningService<RoleClient, H>,
    client: Authorized<OverFetch>,
}

/// This program, with the extension declared (CL-WR-01).
pub(crate) fn this_program() -> ClientConfig {
    let mut info = client_info("lanyard", env!("CARGO_PKG_VERSION"));
    info.protocol_version = ProtocolVersion::V_2025_11_25;
    info
}

impl<H: ClientHandler> Mcp<H> {
    /// Connects to `mcp_url`.
    pub(crate) async fn connect(
        flow: &Arc<Flow>,
        fetch: &Arc<dyn Fetch>,
        mcp_url: &str,
        handler: H,
        lifecycle: ClientLifecycleMode,
    ) -> anyhow::Result<Self> {
        let tokens: Arc<dyn TokenSource> = Arc::<Flow>::clone(flow);
        let client = Authorized::new(OverFetch::new(Arc::clone(fetch), CALL_TIMEOUT), tokens);
        let config = StreamableHttpClientTransportConfig::with_uri(mcp_url);
        let transport = StreamableHttpClientTransport::with_client(client.clone(), config);
        match handler.serve_with_lifecycle(transport, lifecycle).await {
            Ok(service) => Ok(Self { service, client }),
            Err(error) => Err(told(&client, error).context(format!("{mcp_url} could not be used"))),
        }
    }

    /// The tools, all pages.
    pub(crate) async fn tools(&self) -> anyhow::Result<Vec<Tool>> {
        let mut tools = Vec::new();
        let mut cursor = None;
        loop {
            let mut page = PaginatedRequestParams::default();
            page.cursor = cursor;
            let answer = self
                .service
                .list_tools(Some(page))
                .await
                .map_err(|error| told(&self.client, error))?;
            tools.extend(answer.tools);
            if tools.len() > MAX_TOOLS {
                bail!("the server lists more than {MAX_TOOLS} tools");
            }
            cursor = answer.next_cursor;
            if cursor.is_none() {
                return Ok(tools);
            }
        }
    }

    /// Calls a tool.
    pub(crate) async fn call(&self, tool: &str, arguments: Option<JsonObject>) -> anyhow::Result<CallToolResult> {
        let mut params = CallToolRequestParams::new(tool.to_owned());
        params.arguments = arguments;
        self.service
            .call_tool(params)
            .await
            .map_err(|error| told(&self.client, error))
    }

    /// Everything else that `rmcp` can ask a server.
    pub(crate) const fn service(&self) -> &RunningService<RoleClient, H> {
        &self.service
    }

    /// Ends the connection. What was got stays got, however the end goes.
    pub(crate) async fn close(self) {
        let _ = self.service.cancel().await;
    }
}

/// The refusal of the flow, when that is what stopped the request; else the transport's words.
fn told(client: &Authorized<OverFetch>, error: impl std::error::Error + Send + Sync + 'static) -> anyhow::Error {
    match client.refusal() {
        Some(refusal) => anyhow::Error::new(refusal),
        None => anyhow::Error::new(error),
    }
}
