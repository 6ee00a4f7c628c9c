//! Authorization requests (IDP-AU).

use std::time::Duration;

use http::StatusCode;
use lanyard_testkit::company::{ALICE, Company, IDE, IDP, PASSWORD, REDIRECT};

use crate::support::{World, authorize};

#[tokio::test]
async fn a_valid_request_without_a_session_shows_the_sign_in_page() {
    let world = World::new();
    let page = world.page(&[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("<h1>Sign in</h1>"));
    assert!(
        page.body.contains("ide.contoso.example"),
        "the redirect host is shown (IDP-AU-03)"
    );
}

#[tokio::test]
async fn every_page_is_protected_sec_11_sec_16() {
    let world = World::new();
    for page in [
        world.page(&[]).await,
        world.page(&[("client_id", "nobody")]).await,
        world.get("/oauth2/logout").await,
    ] {
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert!(!page.body.contains(" style="));
        let mut scripts = page.body.split("<script").skip(1);
        assert!(scripts.all(|script| script.starts_with(" type=\"module\" src=\"/assets/")));
        assert!(page.header("strict-transport-security").contains("max-age"));
    }
    let policy = world.page(&[]).await.header("content-security-policy").to_owned();
    assert!(
        policy.contains("form-action 'self' https://ide.contoso.example;"),
        "{policy}"
    );
}

#[tokio::test]
async fn what_others_chose_is_escaped_sec_21() {
    let world = World::of(Company::with(|organisation| {
        for client in &mut organisation.clients {
            client.name = Some("<script>alert(1)</script>".to_owned());
        }
    }));
    let page = world.page(&[("login_hint", "\"><img src=x>")]).await;
    assert!(
        !page.body.contains("<script>") && !page.body.contains("<img"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("Northwind <Ltd>"));
}

#[tokio::test]
async fn an_invalid_client_or_redirect_uri_is_a_page_and_never_a_redirect_idp_au_04() {
    let world = World::new();
    for (changes, reason) in [
        ([("client_id", "nobody")], "unknown_client"),
        ([("client_id", "")], "client_missing"),
        (
            [("redirect_uri", "https://ide.contoso.example/cb/extra")],
            "redirect_uri_mismatch",
        ),
        ([("redirect_uri", "https://evil.example/cb")], "redirect_uri_mismatch"),
        ([("redirect_uri", "")], "redirect_uri_missing"),
    ] {
        let page = world.page(&changes).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{changes:?}");
        assert_eq!(page.header("location"), "");
        assert_eq!(
            world.company.last_event(),
            ("idp.code.denied".to_owned(), Some(reason.to_owned()))
        );
        assert!(page.body.contains("req_"), "the number to ask for help with");
    }
}

#[tokio::test]
async fn other_errors_go_to_the_client_with_state_and_issuer_idp_au_04_idp_au_05() {
    let world = World::new();
    for (changes, error, reason) in [
        (
            vec![("response_type", "token")],
            "unsupported_response_type",
            "response_type",
        ),
        (
            vec![("code_challenge", ""), ("code_challenge_method", "")],
            "invalid_request",
            "challenge_missing",
        ),
        (
            vec![("code_challenge_method", "plain")],
            "invalid_request",
            "challenge_missing",
        ),
        (vec![("scope", "nothing.known")], "invalid_scope", "scope_not_available"),
        (vec![("request", "x.y.z")], "request_not_supported", "request_object"),
        (
            vec![("request_uri", "https://evil.example/r")],
            "request_uri_not_supported",
            "request_uri",
        ),
        (vec![("prompt", "none")], "login_required", "login_required"),
    ] {
        let answer = world.page(&changes).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{changes:?} {}", answer.body);
        let told = answer.sent_to_client();
        assert_eq!(
            (told["error"].as_str(), told["state"].as_str(), told["iss"].as_str()),
            (error, "zR4b9Qe1", IDP)
        );
        assert!(!told.contains_key("code"));
        assert_eq!(
            world.company.last_event(),
            ("idp.code.denied".to_owned(), Some(reason.to_owned()))
        );
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
}

#[tokio::test]
async fn a_repeated_parameter_is_an_error_of_the_client() {
    let world = World::new();
    let answer = world.get(&format!("{}&nonce=again", authorize(&[]))).await;
    assert_eq!(answer.sent_to_client()["error"], "invalid_request");
}

#[tokio::test]
async fn a_live_session_gets_a_code_without_a_page_idp_au_05() {
    let world = World::new();
    world.sign_in(ALICE).await;
    let answer = world.page(&[]).await;
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.body);
    let told = answer.sent_to_client();
    assert_eq!((told["iss"].as_str(), told["state"].as_str()), (IDP, "zR4b9Qe1"));
    assert!(told["code"].len() >= 43);
    assert_eq!(world.company.last_event().0, "idp.code.issued");
}

#[tokio::test]
async fn prompt_none_works_with_a_session_idp_au_08() {
    let world = World::new();
    world.sign_in(ALICE).await;
    assert!(
        world
            .page(&[("prompt", "none")])
            .await
            .sent_to_client()
            .contains_key("code")
    );
}

#[tokio::test]
async fn prompt_login_and_an_old_sign_in_ask_again_idp_au_07() {
    let world = World::new();
    world.sign_in(ALICE).await;
    world.company.clock.advance(Duration::from_secs(120));
    for changes in [[("prompt", "login")], [("max_age", "60")], [("max_age", "0")]] {
        let page = world.page(&changes).await;
        assert_eq!(page.status, StatusCode::OK, "{changes:?}");
        assert!(page.body.contains("value=\"alice\""), "the known name is filled in");
        let answer = world.submit(&page, ALICE, lanyard_testkit::company::PASSWORD).await;
        assert!(
            answer.sent_to_client().contains_key("code"),
            "{changes:?}: one sign-in is enough"
        );
        world.company.clock.advance(Duration::from_secs(120));
    }
    assert!(
        world
            .page(&[("max_age", "3600")])
            .await
            .sent_to_client()
            .contains_key("code")
    );
}

#[tokio::test]
async fn a_session_ends_after_its_idle_time() {
    let world = World::new();
    world.sign_in(ALICE).await;
    world.company.clock.advance(Duration::from_secs(4 * 3600 + 1));
    assert_eq!(world.page(&[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_form_is_accepted_as_well_as_a_query() {
    let world = World::new();
    let query = authorize(&[]);
    let (path, form) = query.split_once('?').unwrap();
    let request = http::Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    let page = world.send(request, form.to_owned()).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("<h1>Sign in</h1>"));
    let _ = (IDE, REDIRECT);
}

#[tokio::test]
async fn damaged_requests_get_a_page_and_never_a_failure() {
    let world = World::new();
    for path in ["/oauth2/authorize?%", "/oauth2/authorize?a=%ff", "/oauth2/logout?%zz"] {
        assert_eq!(world.get(path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let request = http::Request::post("/oauth2/sign-in").header("content-type", "text/plain");
    assert_eq!(
        world.send(request, "x").await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let request = http::Request::post("/oauth2/sign-in").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(
        world.send(request, "a".repeat(70_000)).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let answer = world.post("/oauth2/sign-in", &[("username", "alice")]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "no request is carried");
}

#[tokio::test]
async fn the_style_sheet_is_served_under_a_name_that_changes_with_it() {
    let world = World::new();
    let page = world.page(&[]).await;
    let at = page.body.find("/assets/").unwrap();
    let path = &page.body[at..at + page.body[at..].find('"').unwrap()];
    let sheet = world.get(path).await;
    assert_eq!(sheet.status, StatusCode::OK);
    assert!(sheet.header("cache-control").contains("immutable"));
    assert_eq!(sheet.header("content-type"), "text/css; charset=utf-8");
    assert!(
        !sheet.body.contains("http:") && !sheet.body.contains("https:"),
        "nothing from elsewhere"
    );
    assert_eq!(world.get("/assets/lanyard.0.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_cannot_sign_in_as_strongly_as_asked_goes_back_with_an_error_su_03() {
    let world = World::new();
    world.sign_in(ALICE).await;
    crate::second_factor::with_app(&world);
    let page = world.page(&[("acr_values", "phr")]).await;
    assert_eq!(
        page.status,
        StatusCode::OK,
        "a sign-in page although there is a session"
    );
    let second = world.submit(&page, ALICE, PASSWORD).await;
    let code = crate::second_factor::code_at(&world, 0);
    let answer = world.fill("/oauth2/sign-in/code", &second, &[("code", &code)]).await;
    let told = answer.sent_to_client();
    assert_eq!(told["error"], "unmet_authentication_requirements");
    assert_eq!(
        (told["state"].as_str(), told["iss"].as_str()),
        ("zR4b9Qe1", IDP),
        "{told:?}"
    );
    let denied = ("idp.code.denied".to_owned(), Some("authentication_unmet".to_owned()));
    assert_eq!(world.company.last_event(), denied);
    let silent = world.page(&[("acr_values", "phr"), ("prompt", "none")]).await;
    assert_eq!(silent.sent_to_client()["error"], "login_required");
}
