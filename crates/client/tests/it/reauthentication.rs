//! The flow signs the person in again when a server asks for a stronger or more recent sign-in.

use std::sync::{Arc, Mutex};

use lanyard_client::flow::Flow;
use lanyard_client::flow_error::FlowError;
use lanyard_client::interactive::AuthorizationAgent;
use lanyard_client::sign_in::SignInError;
use lanyard_client::step_up::Reauthentication;
use lanyard_client::store::BoxFuture;
use lanyard_client::token_source::{Attempts, Rejection, TokenSource as _};
use lanyard_protocol::scope::ScopeSet;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::Url;

use crate::world::{MCP, NOW, World};

const CHALLENGE: &str =
    r#"Bearer error="insufficient_user_authentication", acr_values="urn:x:phrh phr", max_age="300""#;

/// A person who signs in at once.
struct Person {
    world: Arc<World>,
    pages: Mutex<Vec<Url>>,
    error: Option<&'static str>,
}

impl AuthorizationAgent for Person {
    fn redirect_uri(&self) -> String {
        "http://127.0.0.1:1/callback".to_owned()
    }

    fn authorize<'a>(&'a self, page: &'a Url) -> BoxFuture<'a, Result<String, String>> {
        let state = query(page, "state").unwrap();
        self.world.change(|knobs| knobs.nonce = query(page, "nonce"));
        self.pages.lock().unwrap().push(page.clone());
        let answer = match self.error {
            Some(error) => format!("error={error}"),
            None => "code=abc".to_owned(),
        };
        Box::pin(async move { Ok(format!("{answer}&state={state}")) })
    }
}

fn query(page: &Url, name: &str) -> Option<String> {
    let mut pairs = page.query_pairs();
    pairs.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

fn flow_with(world: &Arc<World>, error: Option<&'static str>) -> (Arc<Flow>, Arc<Person>) {
    let person = Arc::new(Person {
        world: Arc::clone(world),
        pages: Mutex::default(),
        error,
    });
    let agent = Arc::clone(&person) as Arc<dyn AuthorizationAgent>;
    let flow = world.builder().reauthentication(Reauthentication::new(agent)).build();
    (Arc::new(flow), person)
}

fn flow(world: &Arc<World>) -> (Arc<Flow>, Arc<Person>) {
    flow_with(world, None)
}

fn needed() -> (u16, Value) {
    let body = json!({"error": "insufficient_user_authentication", "acr_values": "urn:x:phrh", "max_age": 300});
    (400, body)
}

fn pages(person: &Person) -> Vec<Url> {
    person.pages.lock().unwrap().clone()
}

#[tokio::test]
async fn the_exchange_is_repeated_once_with_the_new_sign_in_su_03() {
    let world = World::new();
    world.change(|knobs| knobs.exchange.push(needed()));
    let (flow, person) = flow(&world);
    let token = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
    assert_eq!(token.token.expose_secret(), "token-0");
    let pages = pages(&person);
    assert_eq!(pages.len(), 1);
    assert_eq!(query(&pages[0], "acr_values").as_deref(), Some("urn:x:phrh"));
    assert_eq!(query(&pages[0], "max_age").as_deref(), Some("300"));
    assert_eq!(query(&pages[0], "prompt"), None, "only if needed");
    assert_eq!(
        query(&pages[0], "scope").as_deref(),
        Some("offline_access openid profile")
    );
    let exchanges = world.exchanges();
    assert_eq!(exchanges.len(), 2);
    let subjects: Vec<_> = exchanges
        .iter()
        .map(|form| form.once("subject_token").unwrap())
        .collect();
    assert_ne!(subjects[0], subjects[1], "the ID token of the new sign-in");
    assert_eq!(
        world.count("POST https://idp.example/revoke"),
        1,
        "the old refresh token goes"
    );
}

#[tokio::test]
async fn a_server_that_is_never_content_is_asked_twice_and_no_more_su_03() {
    let world = World::new();
    world.change(|knobs| knobs.exchange.extend([needed(), needed(), needed()]));
    let (flow, person) = flow(&world);
    let error = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
    assert!(matches!(error, FlowError::StepUp { max_age: Some(300), .. }), "{error}");
    assert_eq!((pages(&person).len(), world.exchanges().len()), (1, 2));
}

#[tokio::test]
async fn a_challenge_of_the_mcp_server_leads_to_a_new_sign_in_exchange_and_redemption_su_06() {
    let world = World::new();
    let (flow, person) = flow(&world);
    let first = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap().token;
    let mut attempts = Attempts::default();
    let rejection = Rejection::new(401, CHALLENGE, Some(first.clone()));
    let second = flow.answer(MCP, rejection, &mut attempts).await.unwrap();
    assert_ne!(second.expose_secret(), first.expose_secret());
    assert_eq!((world.exchanges().len(), world.redemptions().len()), (2, 2));
    assert_eq!(
        world.exchanges()[1].once("scope").unwrap(),
        Some("read"),
        "no more scopes than before (SU-08)"
    );
    assert_eq!(
        query(&pages(&person)[0], "acr_values").as_deref(),
        Some("urn:x:phrh phr")
    );
    let again = Rejection::new(401, CHALLENGE, Some(second));
    let error = flow.answer(MCP, again, &mut attempts).await.unwrap_err();
    assert!(matches!(*error, FlowError::StepUp { .. }), "{error}");
    assert_eq!(pages(&person).len(), 1, "no loop");
}

#[tokio::test]
async fn an_identity_provider_that_answers_with_the_old_sign_in_is_told_to_make_a_new_one_su_03() {
    // The very sign-in that there was, and one that is older than was asked for.
    for stale in [json!({"acr": null}), json!({"auth_time": NOW - 1000})] {
        let world = World::new();
        world.change(|knobs| {
            knobs.exchange.push(needed());
            knobs.sign_ins.push(stale.clone());
        });
        let (flow, person) = flow(&world);
        flow.access_token(MCP, &ScopeSet::empty()).await.unwrap();
        let pages = pages(&person);
        assert_eq!(pages.len(), 2, "{stale}");
        assert_eq!(query(&pages[1], "prompt").as_deref(), Some("login"));
    }
}

#[tokio::test]
async fn somebody_else_who_signs_in_changes_nothing_su_03() {
    let world = World::new();
    world.change(|knobs| {
        knobs.exchange.push(needed());
        knobs.sign_ins.push(json!({"sub": "bob"}));
    });
    let (flow, _) = flow(&world);
    let error = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
    assert!(matches!(error, FlowError::OtherPerson), "{error}");
    assert_eq!(flow.subject().unwrap().session().await.unwrap().subject, "alice");
}

#[tokio::test]
async fn who_cannot_sign_in_strongly_enough_ends_the_call_su_03() {
    let world = World::new();
    world.change(|knobs| knobs.exchange.push(needed()));
    let (flow, person) = flow_with(&world, Some("unmet_authentication_requirements"));
    let error = flow.access_token(MCP, &ScopeSet::empty()).await.unwrap_err();
    let refused = matches!(&error, FlowError::SignIn(SignInError::Refused { code, .. })
        if code == "unmet_authentication_requirements");
    assert!(refused, "{error}");
    assert_eq!(pages(&person).len(), 1);
}

#[tokio::test]
async fn a_denial_of_policy_never_opens_a_page_su_08() {
    let world = World::new();
    world.change(|knobs| knobs.exchange.push((400, json!({"error": "access_denied"}))));
    let (flow, person) = flow(&world);
    assert!(
        flow.access_token(MCP, &ScopeSet::empty())
            .await
            .unwrap_err()
            .is_denial()
    );
    let more = Rejection::new(403, r#"Bearer error="insufficient_scope", scope="write""#, None);
    flow.answer(MCP, more, &mut Attempts::default()).await.unwrap();
    assert!(pages(&person).is_empty());
}
