//! The two legs.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use lanyard_client::flow_error::FlowError;
use lanyard_client::jwt_bearer::{RedemptionScope, RedemptionStyle};
use lanyard_protocol::scope::ScopeSet;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::world::{IDP, MCP, RAS, World};

async fn token(world: &Arc<World>) -> Result<String, FlowError> {
    let token = world.flow().access_token(MCP, &ScopeSet::empty()).await?;
    Ok(token.token.expose_secret().to_owned())
}

#[tokio::test]
async fn the_whole_path_gives_a_token_for_the_server() {
    let world = World::new();
    assert_eq!(token(&world).await.unwrap(), "token-0");
    assert_eq!(
        world.requests(),
        [
            "GET https://mcp.example/.well-known/oauth-protected-resource/mcp",
            "GET https://as.example/.well-known/oauth-authorization-server",
            "GET https://idp.example/.well-known/oauth-authorization-server",
            "GET https://idp.example/.well-known/openid-configuration",
            "POST https://idp.example/token",
            "POST https://as.example/token",
        ]
    );
}

#[tokio::test]
async fn the_exchange_carries_audience_and_resource_verbatim_cl_tx_01() {
    let world = World::new();
    token(&world).await.unwrap();
    let form = &world.exchanges()[0];
    for (name, value) in [
        ("audience", RAS),
        ("resource", MCP),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:id-jag"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("scope", "read"),
    ] {
        assert_eq!(form.once(name).unwrap(), Some(value));
    }
}

#[tokio::test]
async fn a_client_without_a_secret_exchanges_with_its_id_in_the_body_cf_03() {
    let world = World::new();
    token(&world).await.unwrap();
    assert_eq!(world.exchanges()[0].once("client_id").unwrap(), Some("agent"));
    let request = &world.sent(&format!("{IDP}/token"))[0];
    assert!(!request.headers.contains_key(AUTHORIZATION));
}

#[tokio::test]
async fn the_redemption_authenticates_by_basic_and_names_the_client_in_the_body() {
    let world = World::new();
    token(&world).await.unwrap();
    let request = &world.sent(&format!("{RAS}/token"))[0];
    assert!(request.headers[AUTHORIZATION].to_str().unwrap().starts_with("Basic "));
    assert!(request.headers[AUTHORIZATION].is_sensitive());
    let form = &world.redemptions()[0];
    assert_eq!(form.once("client_id").unwrap(), Some("agent-at-ras"));
    assert!(!form.has("client_secret"));
}

#[tokio::test]
async fn the_scope_of_a_redemption_has_three_modes_cl_jb_02() {
    let explicit = RedemptionScope::Explicit(ScopeSet::parse("a b").unwrap());
    for (scope, resource, expected) in [
        (RedemptionScope::Omit, true, None),
        (RedemptionScope::Inherit, false, Some("read")),
        (explicit, true, Some("a b")),
    ] {
        let world = World::new();
        let flow = world.builder().redemption(RedemptionStyle { scope, resource }).build();
        flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
        let form = &world.redemptions()[0];
        assert_eq!(form.once("scope").unwrap(), expected);
        assert_eq!(form.once("resource").unwrap(), resource.then_some(MCP));
    }
}

#[tokio::test]
async fn an_answer_that_is_no_id_jag_is_refused_cl_tx_02() {
    let id_jag = "urn:ietf:params:oauth:token-type:id-jag";
    for body in [
        json!({"access_token": "x", "token_type": "Bearer", "issued_token_type": id_jag}),
        json!({"access_token": "x", "token_type": "N_A"}),
        json!({"access_token": "x", "token_type": "N_A", "issued_token_type": "urn:ietf:params:oauth:token-type:jwt"}),
        json!({"access_token": "", "token_type": "N_A", "issued_token_type": id_jag}),
        json!({"token_type": "N_A", "issued_token_type": id_jag}),
    ] {
        let world = World::new();
        world.change(|knobs| knobs.exchange.push((200, body.clone())));
        assert!(matches!(token(&world).await, Err(FlowError::Token { .. })), "{body}");
        assert!(world.redemptions().is_empty(), "nothing is redeemed");
    }
}

#[tokio::test]
async fn an_id_jag_that_is_another_grant_is_sent_nowhere() {
    for change in [
        json!({"iss": "https://other.example"}),
        json!({"aud": "https://as.example/"}),
        json!({"aud": [RAS, "https://b.example"]}),
        json!({"client_id": "somebody-else"}),
        json!({"resource": "https://mcp.example/other"}),
        json!({"scope": "read admin"}),
        json!({"exp": crate::world::NOW}),
        json!({"iat": crate::world::NOW + 600, "exp": crate::world::NOW + 900}),
        json!({"jti": null}),
    ] {
        let world = World::new();
        world.change(|knobs| knobs.id_jag = change.clone());
        assert!(
            matches!(token(&world).await, Err(FlowError::UnwantedIdJag(_))),
            "{change}"
        );
        assert!(world.redemptions().is_empty(), "{change}");
    }
}

#[tokio::test]
async fn an_id_jag_may_leave_resource_and_scope_out_cf_01() {
    let world = World::new();
    world.change(|knobs| knobs.id_jag = json!({"resource": null, "scope": null}));
    assert!(token(&world).await.is_ok());
}

#[tokio::test]
async fn a_token_of_another_kind_is_refused_at_the_redemption() {
    for body in [
        json!({"access_token": "x", "token_type": "N_A", "expires_in": 60}),
        json!({"access_token": "x", "token_type": "DPoP", "expires_in": 60}),
        json!({"access_token": "x", "token_type": "Bearer", "expires_in": 0}),
    ] {
        let world = World::new();
        world.change(|knobs| knobs.redemption.push((200, body.clone())));
        assert!(matches!(token(&world).await, Err(FlowError::Token { .. })), "{body}");
    }
}

#[tokio::test]
async fn each_id_jag_is_redeemed_once_and_the_exchange_repeated_once_cl_jb_03() {
    let refused = json!({"error": "invalid_grant", "request_id": "req_7"});
    let world = World::new();
    world.change(|knobs| knobs.redemption.push((400, refused.clone())));
    assert!(token(&world).await.is_ok(), "the second ID-JAG is accepted");
    assert_eq!(world.exchanges().len(), 2);
    let assertions: Vec<_> = world
        .redemptions()
        .iter()
        .map(|form| form.once("assertion").unwrap().unwrap().to_owned())
        .collect();
    assert_ne!(assertions[0], assertions[1]);

    let world = World::new();
    world.change(|knobs| knobs.redemption = vec![(400, refused); 5]);
    let error = token(&world).await.unwrap_err();
    assert!(error.is_denial());
    assert_eq!(error.request_id(), Some("req_7"));
    assert_eq!((world.exchanges().len(), world.redemptions().len()), (2, 2));
}

#[tokio::test]
async fn each_authorization_server_gets_its_own_grant_and_credentials_cl_jb_01() {
    let world = World::new();
    world.change(|knobs| {
        knobs.moved = true;
        knobs.id_jag = json!({});
    });
    let other = lanyard_protocol::issuer::Issuer::parse("https://as2.example").unwrap();
    let auth = lanyard_client::credentials::ClientAuth::SecretBasic("as2-secret".into());
    let client_id = lanyard_protocol::client_id::ClientId::parse("agent-at-as2").unwrap();
    let identity = lanyard_client::credentials::ClientIdentity { client_id, auth };
    let flow = world.builder().credentials(other, identity).build();
    flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
    world.change(|knobs| knobs.id_jag = json!({"client_id": "agent-at-as2"}));
    flow.access_token("https://mcp2.example/mcp", &ScopeSet::empty())
        .await
        .unwrap();

    let exchanges = world.exchanges();
    assert_eq!(exchanges[0].once("audience").unwrap(), Some(RAS));
    assert_eq!(exchanges[1].once("audience").unwrap(), Some("https://as2.example"));
    assert_eq!(exchanges[1].once("resource").unwrap(), Some("https://mcp2.example/mcp"));
    let first = &world.sent(&format!("{RAS}/token"))[0].headers[AUTHORIZATION];
    let second = &world.sent("https://as2.example/token")[0].headers[AUTHORIZATION];
    assert_ne!(first, second);
    assert_eq!(world.redemptions().len(), 1, "nothing of the second went to the first");
}
