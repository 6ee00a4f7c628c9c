//! From the URL of a server to its authorization server.

use lanyard_client::credentials::ClientIdentity;
use lanyard_client::discovery::DiscoveryError;
use lanyard_client::flow_error::FlowError;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::scope::ScopeSet;
use serde_json::json;

use crate::world::{IDP, MCP, World};

async fn error(world: &std::sync::Arc<World>) -> FlowError {
    world.flow().access_token(MCP, &ScopeSet::empty()).await.unwrap_err()
}

#[tokio::test]
async fn metadata_of_another_resource_stops_before_any_authorization_server_cl_di_02() {
    let world = World::new();
    world.change(|knobs| knobs.resource["resource"] = json!("https://evil.example/mcp"));
    assert!(matches!(
        error(&world).await,
        FlowError::Discovery(DiscoveryError::OtherResource)
    ));
    assert_eq!(world.requests().len(), 1);
}

#[tokio::test]
async fn metadata_of_another_issuer_is_discarded_before_an_id_jag_is_minted_cl_di_04() {
    for other in ["https://as.example/", "https://attacker.example"] {
        let world = World::new();
        world.change(|knobs| knobs.ras["issuer"] = json!(other));
        assert!(matches!(error(&world).await, FlowError::Metadata { .. }), "{other}");
        assert!(world.exchanges().is_empty());
    }
}

#[tokio::test]
async fn a_token_endpoint_on_another_origin_gets_no_grant_sec_03() {
    let world = World::new();
    world.change(|knobs| knobs.ras["token_endpoint"] = json!("https://attacker.example/token"));
    assert!(matches!(
        error(&world).await,
        FlowError::Discovery(DiscoveryError::ForeignTokenEndpoint)
    ));
    assert!(world.exchanges().is_empty());
}

#[tokio::test]
async fn the_idp_is_the_configured_one_whatever_the_server_says_cl_di_06() {
    let world = World::new();
    world.change(|knobs| {
        knobs.resource["identity_provider"] = json!("https://evil.example");
        knobs.resource["issuer"] = json!("https://evil.example");
    });
    world.flow().access_token(MCP, &ScopeSet::empty()).await.unwrap();
    assert_eq!(world.exchanges().len(), 1);
    assert!(!world.requests().iter().any(|request| request.contains("evil")));
    assert!(world.requests().contains(&format!("POST {IDP}/token")));
}

#[tokio::test]
async fn among_several_authorization_servers_the_one_with_credentials_is_chosen_cl_di_02() {
    let world = World::new();
    world.change(|knobs| knobs.resource["authorization_servers"] = json!(["https://evil.example", crate::world::RAS]));
    world.flow().access_token(MCP, &ScopeSet::empty()).await.unwrap();
    assert!(!world.requests().iter().any(|request| request.contains("evil")));
}

#[tokio::test]
async fn credentials_are_not_taken_to_another_authorization_server_cl_st_02() {
    let world = World::new();
    let other = Issuer::parse("https://other.example").unwrap();
    let identity = ClientIdentity::public(ClientId::parse("x").unwrap());
    // The server moved to an authorization server that this client does not know.
    world.change(|knobs| {
        knobs.resource["authorization_servers"] = json!([crate::world::RAS]);
        knobs.ras["authorization_grant_profiles_supported"] = json!(["urn:ietf:params:oauth:grant-profile:id-jag"]);
    });
    let session = world.session();
    let flow = lanyard_client::flow::Flow::builder(std::sync::Arc::clone(&world) as _)
        .store(std::sync::Arc::new(lanyard_client::store::MemoryStore::with(session)))
        .enterprise(lanyard_client::subject::Enterprise::new(
            Issuer::parse(IDP).unwrap(),
            world.at_idp(),
        ))
        .credentials(other, identity)
        .build();
    let error = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
    assert!(matches!(error, FlowError::NoCredentials { .. }), "{error}");
    assert!(world.exchanges().is_empty() && world.redemptions().is_empty());
}

#[tokio::test]
async fn an_unmanaged_server_is_refused_when_the_code_flow_is_off_cl_di_05() {
    let world = World::new();
    world.change(|knobs| {
        knobs.ras["authorization_grant_profiles_supported"] = json!([]);
        knobs.ras["grant_types_supported"] = json!(["authorization_code"]);
    });
    assert!(matches!(error(&world).await, FlowError::NotManaged { .. }));
}

#[tokio::test]
async fn jwt_bearer_alone_is_enough_where_the_organisation_mapped_the_server_cl_di_05() {
    let world = World::new();
    world.change(|knobs| knobs.ras["authorization_grant_profiles_supported"] = json!([]));
    assert!(world.flow().access_token(MCP, &ScopeSet::empty()).await.is_ok());
}

#[tokio::test]
async fn plain_http_off_loopback_is_not_called_ht_01() {
    let world = World::new();
    let error = world
        .flow()
        .access_token("http://mcp.example/mcp", &ScopeSet::empty())
        .await
        .unwrap_err();
    assert!(matches!(error, FlowError::McpUrl(_)));
    assert!(world.requests().is_empty());
}
