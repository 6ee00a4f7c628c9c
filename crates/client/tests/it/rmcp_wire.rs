//! `rmcp` over the client library, on both wires.

use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use lanyard_client::flow_error::FlowError;
use lanyard_client::rmcp::authorized::Authorized;
use lanyard_client::rmcp::over_fetch::OverFetch;
use lanyard_client::rmcp::{client_info, either_wire};
use lanyard_client::token_source::TokenSource;
use lanyard_fetch::{Fetch, FetchRequest};
use rmcp::model::CallToolRequestParams;
use rmcp::service::ClientServiceExt as _;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};

use crate::world::{MCP, World};

fn transport(
    world: &Arc<World>,
) -> (
    StreamableHttpClientTransport<Authorized<OverFetch>>,
    Authorized<OverFetch>,
) {
    let inner = OverFetch::new(Arc::clone(world) as Arc<dyn Fetch>, Duration::from_secs(30));
    let client = Authorized::new(inner, world.flow() as Arc<dyn TokenSource>);
    let config = StreamableHttpClientTransportConfig::with_uri(MCP);
    (
        StreamableHttpClientTransport::with_client(client.clone(), config),
        client,
    )
}

async fn call(world: &Arc<World>) -> Value {
    let (transport, _) = transport(world);
    let service = client_info("test", "1")
        .serve_with_lifecycle(transport, either_wire())
        .await
        .unwrap();
    let tools = service.peer().list_tools(None).await.unwrap();
    assert_eq!(tools.tools[0].name, "echo");
    let result = service.call_tool(CallToolRequestParams::new("echo")).await.unwrap();
    service.cancel().await.unwrap();
    serde_json::to_value(result).unwrap()
}

fn calls(world: &World) -> Vec<(FetchRequest, Value)> {
    let sent = world
        .sent(MCP)
        .into_iter()
        .filter(|request| request.method == http::Method::POST);
    sent.map(|request| {
        let body = serde_json::from_slice(&request.body).unwrap();
        (request, body)
    })
    .collect()
}

#[tokio::test]
async fn the_extension_is_declared_with_every_request_of_the_modern_wire_cl_wr_01() {
    let world = World::new();
    assert_eq!(call(&world).await["content"][0]["text"], "hello");
    for (request, body) in calls(&world) {
        assert_eq!(request.headers["mcp-protocol-version"], "2026-07-28");
        let capabilities = &body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
        assert_eq!(
            capabilities["extensions"]["io.modelcontextprotocol/enterprise-managed-authorization"],
            json!({})
        );
    }
}

#[tokio::test]
async fn a_legacy_server_behind_authorization_is_reached_by_initialize_cl_wr_01_cl_wr_02() {
    let world = World::new();
    world.change(|knobs| knobs.legacy = true);
    assert_eq!(call(&world).await["content"][0]["text"], "hello");
    let calls = calls(&world);
    let (_, body) = calls.iter().find(|(_, body)| body["method"] == "initialize").unwrap();
    let extensions = &body["params"]["capabilities"]["extensions"];
    assert_eq!(
        extensions["io.modelcontextprotocol/enterprise-managed-authorization"],
        json!({})
    );
    // The 401 of the first request said nothing about the wire: the probe went again, with a token.
    let probes = calls.iter().filter(|(_, body)| body["method"] == "server/discover");
    let with_token: Vec<_> = probes
        .map(|(request, _)| request.headers.contains_key(AUTHORIZATION))
        .collect();
    assert_eq!(with_token, [false, true]);
}

#[tokio::test]
async fn the_token_goes_to_the_server_in_a_header_and_nowhere_else_cl_wr_03() {
    let world = World::new();
    call(&world).await;
    for request in world.requests() {
        assert!(!request.contains("token-"), "{request}");
    }
    for place in [
        "https://mcp.example/.well-known/oauth-protected-resource/mcp",
        "https://idp.example/token",
    ] {
        assert!(
            world
                .sent(place)
                .iter()
                .all(|request| !request.headers.contains_key(AUTHORIZATION))
        );
    }
    for (request, _) in calls(&world).iter().skip(1) {
        assert!(
            request.headers[AUTHORIZATION]
                .to_str()
                .unwrap()
                .starts_with("Bearer token-")
        );
        assert_eq!(request.url.query(), None);
    }
}

#[tokio::test]
async fn a_call_steps_up_and_is_tried_again_cl_sc_02() {
    let world = World::new();
    let (transport, _) = transport(&world);
    let service = client_info("test", "1")
        .serve_with_lifecycle(transport, either_wire())
        .await
        .unwrap();
    let challenge = r#"Bearer error="insufficient_scope", scope="write""#.to_owned();
    world.change(|knobs| knobs.needs = Some(("write".to_owned(), challenge)));
    assert!(service.call_tool(CallToolRequestParams::new("echo")).await.is_ok());
    assert_eq!(world.exchanges().len(), 2);
    service.cancel().await.unwrap();
}

#[tokio::test]
async fn a_denial_reaches_the_host_as_a_value() {
    let world = World::new();
    world.change(|knobs| {
        knobs
            .exchange
            .push((400, json!({"error": "access_denied", "request_id": "req_3"})))
    });
    let (transport, client) = transport(&world);
    let started = client_info("test", "1")
        .serve_with_lifecycle(transport, either_wire())
        .await;
    assert!(started.is_err());
    let refusal = client.refusal().unwrap();
    assert!(matches!(&*refusal, FlowError::Denied { .. }));
    assert_eq!(refusal.request_id(), Some("req_3"));
}
