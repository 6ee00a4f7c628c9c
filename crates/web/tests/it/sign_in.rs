//! Signing in with user name and password (SEC-16, SEC-23, IDP-AU).

use std::net::IpAddr;

use http::StatusCode;
use lanyard_testkit::company::{ALICE, CAROL, DAVE, PASSWORD};

use crate::support::{World, authorize};

const COOKIE: &str = "__Host-lanyard_idp";

#[tokio::test]
async fn the_right_password_leads_back_to_the_client_with_a_code() {
    let world = World::new();
    let answer = world.sign_in(ALICE).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(answer.sent_to_client().contains_key("code"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let kinds: Vec<String> = world
        .company
        .events()
        .into_iter()
        .take(2)
        .map(|event| event.event.kind)
        .collect();
    assert_eq!(kinds, ["idp.code.issued", "idp.sign_in.succeeded"]);
}

#[tokio::test]
async fn blanks_and_capitals_in_a_user_name_do_not_matter() {
    let world = World::new();
    assert!(world.sign_in(" Alice ").await.sent_to_client().contains_key("code"));
}

#[tokio::test]
async fn every_failed_sign_in_reads_the_same_and_is_recorded_exactly_sec_23() {
    let world = World::new();
    let mut pages = Vec::new();
    for (username, password, reason) in [
        (ALICE, "wrong", "wrong_password"),
        ("nobody", "wrong", "unknown_user"),
        (DAVE, PASSWORD, "user_deactivated"),
    ] {
        let page = world.page(&[]).await;
        let answer = world.submit(&page, username, password).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{username}");
        assert_eq!(
            world.company.last_event(),
            ("idp.sign_in.failed".to_owned(), Some(reason.to_owned()))
        );
        assert!(world.cookie(COOKIE).is_none());
        let told = answer.body.replace(&format!("value=\"{username}\""), "");
        // Each page has a challenge of its own, whoever is named.
        let (told, _) = told.split_once("data-passkey").unwrap();
        pages.push(told.to_owned());
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(pages[0].contains("role=\"alert\""));
}

#[tokio::test]
async fn the_password_never_comes_back_and_is_never_recorded_sec_10() {
    let world = World::new();
    let page = world.page(&[]).await;
    let answer = world.submit(&page, "my secret typed here", "canary-password").await;
    assert!(!answer.body.contains("canary-password"));
    for event in world.company.events() {
        assert!(!event.text.contains("canary-password") && !event.text.contains("my secret typed here"));
    }
}

#[tokio::test]
async fn the_session_is_new_with_every_sign_in_sec_16() {
    let world = World::new();
    world.sign_in(ALICE).await;
    let first = world.cookie(COOKIE).unwrap();
    world.company.clock.advance(std::time::Duration::from_secs(1));
    let page = world.page(&[("prompt", "login")]).await;
    world.submit(&page, CAROL, PASSWORD).await;
    let second = world.cookie(COOKIE).unwrap();
    assert_ne!(first, second);
    world.forget_cookies();
    let request = http::Request::get(authorize(&[])).header("cookie", format!("{COOKIE}={first}"));
    assert_eq!(
        world.send(request, "").await.status,
        StatusCode::OK,
        "the old session is gone"
    );
}

#[tokio::test]
async fn a_form_without_this_browsers_token_is_not_accepted_sec_16() {
    let world = World::new();
    let page = world.page(&[]).await;
    let request = page.hidden("request");
    for token in ["", "x", &"A".repeat(43)] {
        let fields = [
            ("request", request.as_str()),
            ("form_token", token),
            ("username", ALICE),
            ("password", PASSWORD),
        ];
        let answer = world.post("/oauth2/sign-in", &fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(world.cookie(COOKIE).is_none());
    }
    // The token of a page that another browser was shown.
    let token = page.hidden("form_token");
    world.forget_cookies();
    let fields = [
        ("request", request.as_str()),
        ("form_token", &token),
        ("username", ALICE),
        ("password", PASSWORD),
    ];
    assert_eq!(
        world.post("/oauth2/sign-in", &fields).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_form_sent_by_another_site_is_not_accepted_sec_16() {
    let world = World::new();
    let page = world.page(&[]).await;
    let body = format!(
        "request={}&form_token={}&username=alice&password={}",
        lanyard_protocol::form::encode(&page.hidden("request")),
        page.hidden("form_token"),
        lanyard_protocol::form::encode(PASSWORD)
    );
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = http::Request::post("/oauth2/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(name, value);
        assert_eq!(
            world.send(request, body.clone()).await.status,
            StatusCode::BAD_REQUEST,
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_carried_request_is_checked_again_idp_au_04() {
    let world = World::new();
    let page = world.page(&[]).await;
    let changed = page.hidden("request").replace("ide.contoso.example", "evil.example");
    let token = page.hidden("form_token");
    let fields = [
        ("request", changed.as_str()),
        ("form_token", &token),
        ("username", ALICE),
        ("password", PASSWORD),
    ];
    let answer = world.post("/oauth2/sign-in", &fields).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::BAD_REQUEST, "")
    );
    assert!(world.cookie(COOKIE).is_none());
}

#[tokio::test]
async fn a_guesser_is_slowed_down_and_the_person_elsewhere_is_not() {
    let world = World::new();
    for _ in 0..5 {
        let page = world.page(&[]).await;
        assert_eq!(world.submit(&page, ALICE, "wrong").await.status, StatusCode::FORBIDDEN);
    }
    for username in [ALICE, " ALICE "] {
        let page = world.page(&[]).await;
        let answer = world.submit(&page, username, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{username:?}");
        assert_eq!(answer.header("retry-after"), "60");
    }
    *world.address.lock().unwrap() = IpAddr::from([198, 51, 100, 7]);
    assert!(world.sign_in(ALICE).await.sent_to_client().contains_key("code"));
}

#[tokio::test]
async fn a_native_program_is_named_as_a_program_on_this_computer_idp_au_03() {
    let world = World::new();
    let changes = [
        ("client_id", "lanyard-cli"),
        ("redirect_uri", "http://127.0.0.1:49711/callback"),
    ];
    let page = world.page(&changes).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.body.contains("a program on this computer"));
    assert!(
        page.header("content-security-policy")
            .contains("form-action 'self' http://127.0.0.1:49711;")
    );
    let answer = world.submit(&page, ALICE, PASSWORD).await;
    assert!(
        answer
            .header("location")
            .starts_with("http://127.0.0.1:49711/callback?code=")
    );
}
