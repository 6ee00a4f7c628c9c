//! What the client does in each scenario.
//!
//! Owns the calls. Never judges: the suite does.

use std::sync::Arc;

use lanyard_client::flow::Flow;
use lanyard_fetch::Fetch;
use rmcp::model::{
    ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability, GetPromptRequestParams,
    ProtocolVersion, ReadResourceRequestParams,
};
use rmcp::service::{ClientLifecycleMode, RequestContext};
use rmcp::{ClientHandler, ErrorData, RoleClient};

use super::{ConformanceClientArgs, Context};
use crate::client_config::mcp::{Mcp, this_program};

/// Tools that the suite's servers offer, in the order in which they are called when they are listed.
const KNOWN_TOOLS: &[&str] = &[
    "test-tool",
    "test_headers",
    "my-hyphenated-tool",
    "valid_tool",
    "test_mrtr_echo_state",
    "test_mrtr_no_state",
    "test_mrtr_unrelated",
    "test_mrtr_no_result_type",
];

/// Accepts what a server asks a person: the suite wants `confirmed`.
struct Accepting {
    elicits: bool,
}

impl ClientHandler for Accepting {
    fn get_info(&self) -> ClientConfig {
        let mut info = this_program();
        if self.elicits {
            info.capabilities.elicitation = Some(ElicitationCapability::default());
        }
        info
    }

    async fn create_elicitation(
        &self,
        _: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let mut result = ElicitResult::new(ElicitationAction::Accept);
        result.content = Some(serde_json::json!({ "confirmed": true }));
        Ok(result)
    }
}

/// Connects on the wire that the suite asks for, lists, and calls.
pub(super) async fn run(
    args: &ConformanceClientArgs,
    context: &Context,
    fetch: &Arc<dyn Fetch>,
    flow: &Arc<Flow>,
) -> anyhow::Result<()> {
    let lifecycle = if args.protocol_version.as_str() >= "2026-07-28" {
        ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        }
    } else {
        ClientLifecycleMode::Initialize
    };
    let handler = Accepting {
        elicits: args.scenario.contains("sep-2322") || args.scenario.contains("elicitation"),
    };
    let mcp = Mcp::connect(flow, fetch, &args.url, handler, lifecycle).await?;
    let done = calls(&mcp, args, context).await;
    mcp.close().await;
    done
}

async fn calls(mcp: &Mcp<Accepting>, args: &ConformanceClientArgs, context: &Context) -> anyhow::Result<()> {
    let tools = mcp.tools().await?;
    if args.scenario.contains("json-schema-ref") {
        return Ok(());
    }
    if !context.tool_calls.is_empty() {
        for call in &context.tool_calls {
            mcp.call(&call.name, call.arguments.clone()).await?;
        }
        return Ok(());
    }
    for known in KNOWN_TOOLS {
        if tools.iter().any(|tool| tool.name == *known) {
            mcp.call(known, None).await?;
        }
    }
    if args.scenario.contains("standard-headers") {
        resources_and_prompts(mcp).await?;
    }
    Ok(())
}

async fn resources_and_prompts(mcp: &Mcp<Accepting>) -> anyhow::Result<()> {
    let service = mcp.service();
    for resource in service.list_resources(None).await?.resources {
        service
            .read_resource(ReadResourceRequestParams::new(resource.uri.clone()))
            .await?;
    }
    for prompt in service.list_prompts(None).await?.prompts {
        service.get_prompt(GetPromptRequestParams::new(prompt.name)).await?;
    }
    Ok(())
}
