//! Policy says no.

use std::sync::Arc;

use lanyard_client::flow_error::{FlowError, Leg};
use lanyard_client::interactive::{AuthorizationAgent, Interactive};
use lanyard_client::store::BoxFuture;
use lanyard_protocol::scope::ScopeSet;
use serde_json::json;
use url::Url;

use crate::world::{MCP, World};

/// A browser that must stay closed.
struct NoBrowser;

impl AuthorizationAgent for NoBrowser {
    fn redirect_uri(&self) -> String {
        panic!("the browser was about to open")
    }

    fn authorize<'a>(&'a self, _: &'a Url) -> BoxFuture<'a, Result<String, String>> {
        panic!("the browser opened")
    }
}

#[tokio::test]
async fn a_denial_never_opens_a_browser_cl_di_07() {
    for code in [
        "access_denied",
        "invalid_target",
        "invalid_scope",
        "unauthorized_client",
    ] {
        let world = World::new();
        let body = json!({"error": code, "error_description": "not permitted by policy", "request_id": "req_1"});
        world.change(|knobs| knobs.exchange.push((400, body)));
        let flow = world
            .builder()
            .interactive(Interactive::new(Arc::new(NoBrowser), "test"))
            .build();
        let error = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
        assert!(
            matches!(&error, FlowError::Denied { leg: Leg::Exchange, .. }),
            "{code}: {error}"
        );
        assert_eq!(error.request_id(), Some("req_1"));
        assert_eq!(world.exchanges().len(), 1, "a denial is not tried again");
        assert!(world.redemptions().is_empty());
    }
}

#[tokio::test]
async fn the_authorization_endpoint_is_not_used_once_managed_cl_di_07() {
    let world = World::new();
    let flow = world
        .builder()
        .interactive(Interactive::new(Arc::new(NoBrowser), "test"))
        .build();
    flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
    assert!(!world.requests().iter().any(|request| request.contains("authorize")));
}

#[tokio::test]
async fn a_refused_client_is_a_failure_and_no_other_method_is_tried() {
    let world = World::new();
    world.change(|knobs| knobs.redemption.push((401, json!({"error": "invalid_client"}))));
    let error = world.flow().access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
    assert!(matches!(
        error,
        FlowError::Token {
            leg: Leg::Redemption,
            ..
        }
    ));
    assert!(!error.is_denial());
    assert_eq!(world.redemptions().len(), 1);
}

#[tokio::test]
async fn errors_carry_no_token_cl_st_01() {
    let world = World::new();
    world.change(|knobs| knobs.redemption = vec![(500, json!({"oops": "ras-secret"})); 3]);
    let error = world.flow().access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains("ras-secret") && !text.contains("eyJ"), "{text}");
}
