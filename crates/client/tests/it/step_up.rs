//! More scopes, or a stronger sign-in.

use std::sync::Arc;

use lanyard_client::flow::Flow;
use lanyard_client::flow_error::FlowError;
use lanyard_client::token_source::{Attempts, Rejection, TokenSource as _};
use lanyard_protocol::scope::ScopeSet;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::world::{MCP, World};

const MORE: &str = r#"Bearer error="insufficient_scope", scope="write""#;

async fn first(flow: &Flow) -> SecretString {
    flow.access_token(MCP, &ScopeSet::empty()).await.unwrap().token
}

#[tokio::test]
async fn a_403_asks_for_the_union_of_scopes_cl_sc_02() {
    let world = World::new();
    let flow = world.flow();
    let token = first(&flow).await;
    let mut attempts = Attempts::default();
    let better = flow
        .answer(MCP, Rejection::new(403, MORE, Some(token)), &mut attempts)
        .await
        .unwrap();
    assert_eq!(better.expose_secret(), "token-1");
    assert_eq!(world.exchanges()[1].once("scope").unwrap(), Some("read write"));
    assert_eq!(attempts.step_ups, 1);
    let kept = flow.current(MCP).await.unwrap().unwrap();
    assert_eq!(
        kept.expose_secret(),
        "token-1",
        "the wider token is the one that is kept"
    );
}

#[tokio::test]
async fn step_up_ends_when_nothing_can_be_added_cl_sc_02() {
    let world = World::new();
    let flow = world.flow();
    let token = first(&flow).await;
    let mut attempts = Attempts::default();
    let better = flow
        .answer(MCP, Rejection::new(403, MORE, Some(token)), &mut attempts)
        .await
        .unwrap();
    let error = flow
        .answer(MCP, Rejection::new(403, MORE, Some(better)), &mut attempts)
        .await
        .unwrap_err();
    assert!(matches!(&*error, FlowError::ScopeWithheld { .. }), "{error}");
    assert_eq!(world.exchanges().len(), 2);
}

#[tokio::test]
async fn a_server_that_always_wants_more_is_given_up_on_cl_sc_02() {
    let world = World::new();
    let flow = world.flow();
    let mut token = first(&flow).await;
    let mut attempts = Attempts::default();
    for n in 0.. {
        let challenge = format!(r#"Bearer error="insufficient_scope", scope="more{n}""#);
        match flow
            .answer(MCP, Rejection::new(403, &challenge, Some(token)), &mut attempts)
            .await
        {
            Ok(better) => token = better,
            Err(error) => {
                assert!(error.is_denial());
                break;
            }
        }
    }
    assert_eq!(world.exchanges().len(), 3, "one token and two step-ups");
}

#[tokio::test]
async fn a_scope_that_policy_withholds_ends_the_call_and_spoils_nothing() {
    let world = World::new();
    let flow = world.flow();
    let token = first(&flow).await;
    world.change(|knobs| knobs.exchange.push((400, json!({"error": "invalid_scope"}))));
    let rejection = Rejection::new(403, MORE, Some(token.clone()));
    let error = flow.answer(MCP, rejection, &mut Attempts::default()).await.unwrap_err();
    assert!(error.is_denial());
    let kept = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
    assert_eq!(
        kept.token.expose_secret(),
        token.expose_secret(),
        "the narrow token is still good"
    );
}

#[tokio::test]
async fn a_narrowed_grant_is_told_as_a_withheld_scope() {
    let world = World::new();
    let flow = world.flow();
    let token = first(&flow).await;
    world.change(|knobs| knobs.ceiling = Some("read".into()));
    let error = flow
        .answer(MCP, Rejection::new(403, MORE, Some(token)), &mut Attempts::default())
        .await
        .unwrap_err();
    match &*error {
        FlowError::ScopeWithheld { missing } => assert_eq!(missing.to_string(), "write"),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_plain_403_is_final() {
    let world = World::new();
    let flow = world.flow();
    let token = first(&flow).await;
    let error = flow
        .answer(MCP, Rejection::new(403, "", Some(token)), &mut Attempts::default())
        .await
        .unwrap_err();
    assert!(matches!(&*error, FlowError::Forbidden));
    assert_eq!(world.exchanges().len(), 1);
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_is_not_tried_a_third_time() {
    let world = World::new();
    let flow = world.flow();
    let mut attempts = Attempts::default();
    let token = flow
        .answer(MCP, Rejection::new(401, "Bearer", None), &mut attempts)
        .await
        .unwrap();
    let error = flow
        .answer(MCP, Rejection::new(401, "Bearer", Some(token)), &mut attempts)
        .await
        .unwrap_err();
    assert!(matches!(&*error, FlowError::Rejected));
}

#[tokio::test]
async fn the_server_can_ask_for_a_stronger_sign_in_su_06() {
    let world = World::new();
    let challenge = r#"Bearer error="insufficient_user_authentication", acr_values="urn:x:phrh", max_age="300""#;
    let rejection = Rejection::new(401, challenge, None);
    let error = world
        .flow()
        .answer(MCP, rejection, &mut Attempts::default())
        .await
        .unwrap_err();
    match &*error {
        FlowError::StepUp { acr_values, max_age } => {
            assert_eq!((acr_values.as_deref(), *max_age), (Some("urn:x:phrh"), Some(300)));
        }
        other => panic!("{other}"),
    }
    assert!(error.needs_sign_in() && !error.is_denial());
    assert!(world.requests().is_empty(), "scope step-up is something else (SU-08)");
}

#[tokio::test]
async fn the_idp_can_ask_for_a_stronger_sign_in_su_03() {
    let world = World::new();
    let body = json!({"error": "insufficient_user_authentication", "acr_values": "urn:x:phrh", "max_age": 300});
    world.change(|knobs| knobs.exchange.push((400, body)));
    let flow: Arc<Flow> = world.flow();
    let error = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
    assert!(matches!(error, FlowError::StepUp { max_age: Some(300), .. }), "{error}");
    assert_eq!(world.exchanges().len(), 1, "no loop");
}
