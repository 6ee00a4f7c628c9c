//! The code flow, for servers that are not managed.

use std::sync::{Arc, Mutex};

use lanyard_client::flow::Flow;
use lanyard_client::flow_error::FlowError;
use lanyard_client::interactive::{AuthorizationAgent, Interactive};
use lanyard_client::sign_in::SignInError;
use lanyard_client::store::BoxFuture;
use lanyard_client::token_source::{Attempts, Rejection, TokenSource as _};
use lanyard_fetch::Fetch;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::scope::ScopeSet;
use serde_json::json;
use url::Url;

use crate::world::{MCP, RAS, World};

/// Approves at once.
struct Approving {
    world: Arc<World>,
    pages: Mutex<Vec<Url>>,
}

impl AuthorizationAgent for Approving {
    fn redirect_uri(&self) -> String {
        "http://127.0.0.1:1/callback".to_owned()
    }

    fn authorize<'a>(&'a self, page: &'a Url) -> BoxFuture<'a, Result<String, String>> {
        self.pages.lock().unwrap().push(page.clone());
        let state = page
            .query_pairs()
            .find(|(name, _)| name == "state")
            .unwrap()
            .1
            .into_owned();
        let iss = self.world.knobs.lock().unwrap().authorize_iss.clone();
        let iss = iss
            .map(|iss| format!("&iss={}", lanyard_protocol::form::encode(&iss)))
            .unwrap_or_default();
        Box::pin(async move { Ok(format!("code=abc&state={state}{iss}")) })
    }
}

fn unmanaged() -> Arc<World> {
    let world = World::new();
    world.change(|knobs| {
        knobs.ras["authorization_grant_profiles_supported"] = json!([]);
        knobs.ras["grant_types_supported"] = json!(["authorization_code"]);
    });
    world
}

fn flow(world: &Arc<World>, cimd: bool) -> (Flow, Arc<Approving>) {
    let agent = Arc::new(Approving {
        world: Arc::clone(world),
        pages: Mutex::default(),
    });
    let mut interactive = Interactive::new(Arc::clone(&agent) as Arc<dyn AuthorizationAgent>, "test");
    if cimd {
        interactive = interactive.with_client_metadata_url(ClientId::parse("https://app.example/client.json").unwrap());
    }
    (
        Flow::builder(Arc::clone(world) as Arc<dyn Fetch>)
            .interactive(interactive)
            .build(),
        agent,
    )
}

fn query(page: &Url, name: &str) -> Option<String> {
    page.query_pairs()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn a_client_registers_and_gets_a_token_with_the_resource_on_both_requests_cl_rg_01() {
    let world = unmanaged();
    let (flow, agent) = flow(&world, false);
    flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
    assert_eq!(world.count(&format!("POST {RAS}/register")), 1);
    let registration: serde_json::Value =
        serde_json::from_slice(&world.sent(&format!("{RAS}/register"))[0].body).unwrap();
    assert_eq!(registration["application_type"], "native");
    let page = agent.pages.lock().unwrap()[0].clone();
    assert_eq!(query(&page, "client_id").as_deref(), Some("registered"));
    assert_eq!(query(&page, "resource").as_deref(), Some(MCP));
    assert_eq!(query(&page, "scope").as_deref(), Some("read"));
    let redeemed = &world.forms(&format!("{RAS}/token"), "authorization_code")[0];
    assert_eq!(redeemed.once("resource").unwrap(), Some(MCP));
    assert!(redeemed.once("code_verifier").unwrap().is_some());
}

#[tokio::test]
async fn a_metadata_document_goes_before_a_registration_cl_rg_01() {
    let world = unmanaged();
    world.change(|knobs| knobs.ras["client_id_metadata_document_supported"] = json!(true));
    let (flow, agent) = flow(&world, true);
    flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
    assert_eq!(world.count(&format!("POST {RAS}/register")), 0);
    let page = agent.pages.lock().unwrap()[0].clone();
    assert_eq!(
        query(&page, "client_id").as_deref(),
        Some("https://app.example/client.json")
    );
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_not_redeemed_cl_ss_02() {
    for iss in [None, Some("https://as.example/"), Some("https://evil.example")] {
        let world = unmanaged();
        world.change(|knobs| knobs.authorize_iss = iss.map(str::to_owned));
        let (flow, _) = flow(&world, false);
        let error = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
        assert!(matches!(error, FlowError::SignIn(SignInError::OtherIssuer)), "{iss:?}");
        assert_eq!(world.count(&format!("POST {RAS}/token")), 0);
    }
}

#[tokio::test]
async fn step_up_authorizes_again_with_the_union_cl_sc_02() {
    let world = unmanaged();
    let (flow, agent) = flow(&world, false);
    let mut attempts = Attempts::default();
    let challenge = r#"Bearer scope="basic""#;
    let token = flow
        .answer(MCP, Rejection::new(401, challenge, None), &mut attempts)
        .await
        .unwrap();
    let challenge = r#"Bearer error="insufficient_scope", scope="write""#;
    // The fake server grants `read` only, whatever is asked: the client says which scope is missing.
    let error = flow
        .answer(MCP, Rejection::new(403, challenge, Some(token)), &mut attempts)
        .await
        .unwrap_err();
    assert!(error.is_denial());
    let pages = agent.pages.lock().unwrap();
    assert_eq!(query(&pages[0], "scope").as_deref(), Some("basic"));
    assert_eq!(query(&pages[1], "scope").as_deref(), Some("basic write"));
    assert_eq!(world.count(&format!("POST {RAS}/register")), 1, "registered once");
}

#[tokio::test]
async fn a_server_without_pkce_is_refused_cl_ss_01() {
    let world = unmanaged();
    world.change(|knobs| knobs.ras["code_challenge_methods_supported"] = json!(["plain"]));
    let (flow, agent) = flow(&world, false);
    let error = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
    assert!(matches!(error, FlowError::SignIn(SignInError::NoPkce)));
    assert!(agent.pages.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_server_that_moved_is_registered_at_anew_cl_st_02() {
    let world = unmanaged();
    let (flow, agent) = flow(&world, false);
    let mut attempts = Attempts::default();
    let token = flow
        .answer(MCP, Rejection::new(401, "Bearer", None), &mut attempts)
        .await
        .unwrap();
    // The same documents at another authorization server.
    world.change(|knobs| {
        knobs.moved = true;
        knobs.resource["authorization_servers"] = json!(["https://as2.example"]);
        knobs.authorize_iss = Some("https://as2.example".to_owned());
    });
    let rejection = Rejection::new(401, r#"Bearer error="invalid_token""#, Some(token));
    flow.answer(MCP, rejection, &mut Attempts::default()).await.unwrap();
    assert_eq!(world.count("POST https://as2.example/register"), 1);
    let pages = agent.pages.lock().unwrap();
    assert_eq!(query(&pages[0], "client_id").as_deref(), Some("registered"));
    assert_eq!(query(&pages[1], "client_id").as_deref(), Some("registered-at-as2"));
}
