//! Keeping and renewing.

use lanyard_client::flow_error::FlowError;
use lanyard_protocol::scope::ScopeSet;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::world::{IDP, MCP, World};

#[tokio::test]
async fn a_token_is_kept_and_renewed_silently_when_a_call_needs_it() {
    let world = World::new();
    let flow = world.flow();
    for _ in 0..3 {
        flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
    }
    assert_eq!(world.exchanges().len(), 1);
    world.advance(200);
    assert_eq!(world.exchanges().len(), 1, "nobody called, nothing is renewed");
    world.advance(375);
    let renewed = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
    assert_eq!(renewed.token.expose_secret(), "token-1");
}

#[tokio::test]
async fn callers_waiting_for_the_same_token_share_one_exchange() {
    let world = World::new();
    let flow = world.flow();
    let calls = (0..20).map(|_| {
        let flow = std::sync::Arc::clone(&flow);
        async move { flow.access_token(MCP, &ScopeSet::empty()).await.unwrap() }
    });
    let tokens = futures_util::future::join_all(calls).await;
    assert!(tokens.iter().all(|token| token.token.expose_secret() == "token-0"));
    assert_eq!((world.exchanges().len(), world.redemptions().len()), (1, 1));
}

#[tokio::test]
async fn an_expired_id_token_is_refreshed_once_cl_tx_03() {
    let world = World::new();
    let flow = world.flow();
    world.advance(290);
    flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
    let refreshes = world.forms(&format!("{IDP}/token"), "refresh_token");
    assert_eq!(refreshes.len(), 1);
    assert_eq!(refreshes[0].once("refresh_token").unwrap(), Some("refresh-1"));
    // The next renewal uses the rotated token.
    world.advance(3000);
    flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
    let refreshes = world.forms(&format!("{IDP}/token"), "refresh_token");
    assert_eq!(refreshes[1].once("refresh_token").unwrap(), Some("refresh-2"));
}

#[tokio::test]
async fn a_refused_id_token_is_renewed_once_and_then_the_sign_in_is_over_cl_tx_03() {
    let refused = json!({"error": "invalid_grant"});
    let world = World::new();
    world.change(|knobs| knobs.exchange = vec![(400, refused.clone())]);
    // A second later, so that the refreshed ID token is another one.
    world.advance(1);
    assert!(world.flow().access_token(MCP, &ScopeSet::empty()).await.is_ok());

    let world = World::new();
    world.change(|knobs| knobs.exchange = vec![(400, refused); 9]);
    let flow = world.flow();
    world.advance(1);
    let error = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
    assert!(matches!(error, FlowError::SignInOver { .. }), "{error}");
    assert_eq!(world.exchanges().len(), 2, "no loop");
}

#[tokio::test]
async fn a_refused_refresh_token_ends_the_sign_in_cl_tx_03() {
    let world = World::new();
    let flow = world.flow();
    world.change(|knobs| {
        knobs
            .refresh
            .push((400, json!({"error": "invalid_grant", "request_id": "req_9"})))
    });
    world.advance(400);
    let error = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
    assert!(error.needs_sign_in());
    assert_eq!(error.request_id(), Some("req_9"));
    assert!(world.exchanges().is_empty());
}

#[tokio::test]
async fn a_refresh_without_an_id_token_makes_the_refresh_token_the_subject_cl_tx_03() {
    let world = World::new();
    let flow = world.flow();
    let body = json!({"access_token": "a", "token_type": "Bearer", "refresh_token": "refresh-9"});
    world.change(|knobs| knobs.refresh.push((200, body)));
    world.advance(400);
    flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
    let form = &world.exchanges()[0];
    assert_eq!(
        form.once("subject_token_type").unwrap(),
        Some("urn:ietf:params:oauth:token-type:refresh_token")
    );
    assert_eq!(form.once("subject_token").unwrap(), Some("refresh-9"));
}

#[tokio::test]
async fn a_refreshed_id_token_of_somebody_else_is_not_taken_over_cl_ss_03() {
    let forged = lanyard_jose::key::SigningKey::generate(lanyard_jose::algorithm::Algorithm::Es256).unwrap();
    for (n, changes) in [
        json!({"sub": "mallory"}),
        json!({"aud": "other"}),
        json!({"iss": "https://evil.example"}),
        json!({"exp": 1}),
    ]
    .into_iter()
    .enumerate()
    {
        let world = World::new();
        let flow = world.flow();
        world.advance(400);
        let id_token = world.id_token(changes);
        let body = json!({"access_token": "a", "token_type": "Bearer", "id_token": id_token});
        world.change(|knobs| knobs.refresh.push((200, body)));
        assert!(flow.access_token(MCP, &ScopeSet::empty()).await.is_err(), "case {n}");
        assert!(world.exchanges().is_empty(), "case {n}");
    }
    let world = World::new();
    let flow = world.flow();
    world.advance(400);
    let claims = crate::world::payload(&world.id_token(json!({})));
    let body = json!({"access_token": "a", "token_type": "Bearer", "id_token": forged.sign("JWT", &claims).unwrap()});
    world.change(|knobs| knobs.refresh.push((200, body)));
    assert!(
        flow.access_token(MCP, &ScopeSet::empty()).await.is_err(),
        "a foreign signature"
    );
}

#[tokio::test]
async fn nobody_signed_in_is_said_before_anything_is_sent_to_the_idp() {
    let world = World::new();
    let store = std::sync::Arc::new(lanyard_client::store::MemoryStore::default());
    let flow = world.builder().store(store).build();
    let error = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
    assert!(matches!(error, FlowError::NotSignedIn { .. }));
    assert!(world.exchanges().is_empty());
}
