//! Signing out (RV-04, RV-07).

use http::StatusCode;
use lanyard_core::keys::record::Ring;
use lanyard_core::store::page::PageRequest;
use lanyard_testkit::company::{AGENT, ALICE, CAROL, Company, IDE, IDP};
use serde_json::json;

use crate::support::World;

const COOKIE: &str = "__Host-lanyard_idp";
const BYE: &str = "https://ide.contoso.example/bye";

fn with_bye() -> World {
    World::of(Company::with(|organisation| {
        for client in &mut organisation.clients {
            if client.client_id == IDE {
                client.post_logout_redirect_uris = vec![BYE.to_owned()];
            }
        }
    }))
}

/// An ID token of a person, possibly expired.
fn hint(world: &World, username: &'static str, age: i64) -> String {
    hint_in(world, username, age, None)
}

/// The same of a session.
fn hint_in(world: &World, username: &'static str, age: i64, sid: Option<&str>) -> String {
    let user = world.company.user(username);
    let now = lanyard_core::clock::Clock::now(&world.company.clock).seconds() - age;
    let mut claims = json!({"iss": IDP, "sub": user.id.as_str(), "aud": IDE, "iat": now, "exp": now + 3600});
    if let Some(sid) = sid {
        claims["sid"] = json!(sid);
    }
    world
        .company
        .rings()
        .get(Ring::Idp)
        .unwrap()
        .active
        .sign("JWT", &claims)
        .unwrap()
}

fn logout(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", lanyard_protocol::form::encode(value)))
        .collect();
    format!("/oauth2/logout?{}", pairs.join("&"))
}

#[tokio::test]
async fn with_a_hint_the_session_ends_and_the_browser_goes_where_the_client_registered_rv_04() {
    let world = with_bye();
    world.sign_in(ALICE).await;
    for age in [0, 7200] {
        let hint = hint(&world, ALICE, age);
        let url = logout(&[
            ("id_token_hint", &hint),
            ("post_logout_redirect_uri", BYE),
            ("state", "o7&Lr"),
        ]);
        let answer = world.get(&url).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.body);
        assert_eq!(answer.header("location"), format!("{BYE}?state=o7%26Lr"));
        assert!(world.cookie(COOKIE).is_none());
        assert_eq!(world.company.last_event().0, "idp.session.ended");
        assert_eq!(
            world.page(&[]).await.status,
            StatusCode::OK,
            "a sign-in is needed again"
        );
        world.sign_in(ALICE).await;
    }
}

#[tokio::test]
async fn an_address_that_is_not_registered_is_not_gone_to_rv_04() {
    let world = with_bye();
    world.sign_in(ALICE).await;
    let hint = hint(&world, ALICE, 0);
    let url = logout(&[
        ("id_token_hint", &hint),
        ("post_logout_redirect_uri", "https://evil.example/"),
    ]);
    let answer = world.get(&url).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::OK, ""));
    assert!(answer.body.contains("You are signed out"));
}

#[tokio::test]
async fn without_a_hint_the_person_is_asked_and_nothing_has_ended_yet_rv_04() {
    let world = with_bye();
    world.sign_in(ALICE).await;
    for url in [
        "/oauth2/logout".to_owned(),
        logout(&[("id_token_hint", &hint(&world, CAROL, 0))]),
    ] {
        let page = world.get(&url).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            page.body.contains("Sign out?") && page.body.contains("Alice Example"),
            "{url}"
        );
        assert!(
            world.page(&[]).await.sent_to_client().contains_key("code"),
            "still signed in"
        );
    }
}

#[tokio::test]
async fn a_hint_of_another_client_than_is_named_ends_nothing_rv_04() {
    let world = with_bye();
    world.sign_in(ALICE).await;
    let (id, page) = (world.company.user(ALICE).id, PageRequest::new(None, 10));
    let session = world
        .company
        .read(move |tx| tx.list_sessions_of(&id, &page))
        .items
        .remove(0);
    let hint = hint_in(&world, ALICE, 0, Some(session.id.as_str()));
    let is_open = || {
        let id = session.id.clone();
        let found = world.company.read(move |tx| tx.find_session(&id));
        found.unwrap().ended_at.is_none()
    };
    let jar = world.swap([].into());
    let wrong = [
        logout(&[("id_token_hint", &hint), ("client_id", AGENT)]),
        logout(&[("id_token_hint", &hint), ("client_id", AGENT), ("logout_hint", CAROL)]),
        logout(&[("id_token_hint", &hint), ("client_id", IDE), ("logout_hint", CAROL)]),
    ];
    for url in &wrong {
        let answer = world.get(url).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert!(answer.body.contains("You are not signed out") && is_open(), "{url}");
    }
    world.swap(jar);
    let own = world.get(&wrong[0]).await;
    assert_eq!(own.status, StatusCode::BAD_REQUEST);
    assert!(is_open() && world.cookie(COOKIE).is_some());
    world.swap([].into());
    let right = world
        .get(&logout(&[("id_token_hint", &hint), ("client_id", IDE)]))
        .await;
    assert!(right.status == StatusCode::OK && !is_open(), "{}", right.body);
}

#[tokio::test]
async fn the_confirmation_ends_the_session_and_keeps_the_clients_wishes() {
    let world = with_bye();
    world.sign_in(ALICE).await;
    let page = world
        .get(&logout(&[
            ("client_id", IDE),
            ("post_logout_redirect_uri", BYE),
            ("state", "s"),
        ]))
        .await;
    let (request, token) = (page.hidden("request"), page.hidden("form_token"));
    let fields = [
        ("request", request.as_str()),
        ("form_token", "forged"),
        ("confirm", "yes"),
    ];
    let answer = world.post("/oauth2/logout", &fields).await;
    assert!(answer.body.contains("Sign out?"), "asked again");
    let fields = [
        ("request", request.as_str()),
        ("form_token", token.as_str()),
        ("confirm", "yes"),
    ];
    let answer = world.post("/oauth2/logout", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.header("location"), format!("{BYE}?state=s"));
    assert!(world.cookie(COOKIE).is_none());
}

#[tokio::test]
async fn without_a_session_there_is_nothing_to_ask() {
    let world = with_bye();
    let page = world
        .get(&logout(&[("client_id", IDE), ("post_logout_redirect_uri", BYE)]))
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("You are signed out"), "no redirect without a hint");
}
