//! One MCP conversation by `rmcp`, pinned to one revision of the protocol.
//!
//! Owns the listing and the call. Never gets a token.

use anyhow::{Context as _, bail, ensure};
use rmcp::model::{CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use crate::arguments::sample;
use crate::facts::Connector;

/// Lists the tools, calls one of the connector's, and hands back its name.
pub(crate) async fn call(url: &str, token: &str, wire: &ProtocolVersion, of: &Connector) -> anyhow::Result<String> {
    let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(config);
    let lifecycle = if wire.has_initialize() {
        ClientLifecycleMode::Initialize
    } else {
        ClientLifecycleMode::Discover {
            preferred_versions: vec![wire.clone()],
        }
    };
    let mut client = ClientConfig::new(
        ClientCapabilities::default(),
        Implementation::new("lanyard-interop-rmcp", "1.0.0"),
    );
    client.protocol_version = wire.clone();
    let service = client
        .serve_with_lifecycle(transport, lifecycle)
        .await
        .with_context(|| format!("{wire}: the conversation did not start"))?;
    let spoken = service.peer_info().map(|info| info.protocol_version.clone());
    ensure!(spoken.as_ref() == Some(wire), "{wire}: {spoken:?} was spoken");
    let listed = service
        .list_all_tools()
        .await
        .with_context(|| format!("{wire}: tools/list"))?;
    let known = |name: &str| of.tools.iter().any(|tool| tool.name == name);
    let Some(tool) = listed.into_iter().find(|tool| known(&tool.name)) else {
        bail!("{wire}: tools/list shows none of the connector's tools");
    };
    let request = CallToolRequestParams::new(tool.name.clone()).with_arguments(sample(&tool.input_schema));
    let result = service
        .call_tool(request)
        .await
        .with_context(|| format!("{wire}: {}", tool.name))?;
    ensure!(
        result.is_error != Some(true) && !result.content.is_empty(),
        "{wire}: {result:?}"
    );
    service.cancel().await?;
    Ok(tool.name.into_owned())
}
