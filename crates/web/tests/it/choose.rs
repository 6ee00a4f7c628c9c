//! Which way to sign in: providers by domain and by button, a default, and the password for an emergency.

use std::time::Duration;

use http::{Request, StatusCode};
use lanyard_core::admin::spec::connection::{ClaimsSpec, ConnectionSpec, OidcSpec};
use lanyard_core::directory::user::User;
use lanyard_core::session::record::Session;
use lanyard_core::session::strength::Strength;
use lanyard_core::store::page::PageRequest;
use lanyard_core::upstream::connection::{LinkBy, Preset};
use lanyard_core::upstream::oidc::{Overage, UpstreamAuth};
use lanyard_jose::digest::sha256;
use lanyard_protocol::form::Form;
use lanyard_testkit::company::{ALICE, Company, PASSWORD};
use lanyard_web::messages::{Message, Messages};

use crate::support::{Answer, World, authorize};

fn provider(name: &str, domains: &[&str]) -> ConnectionSpec {
    ConnectionSpec {
        name: name.to_owned(),
        title: Some(format!("Corp & {name}")),
        preset: Preset::Plain,
        domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
        default: false,
        enabled: true,
        just_in_time: false,
        link_by: LinkBy::Nothing,
        claims: ClaimsSpec::default(),
        groups: None,
        strengths: None,
        strength: Strength::Password,
        oidc: Some(OidcSpec {
            issuer: format!("https://{name}.example"),
            client_id: "lanyard".to_owned(),
            client_auth: UpstreamAuth::ClientSecretBasic,
            client_secret: Some("secret".to_owned()),
            scopes: None,
            algorithms: vec!["ES256".to_owned()],
            userinfo: false,
            pkce_unannounced: None,
            groups_overage: Overage::Refuse,
            public_key: None,
        }),
        saml: None,
    }
}

fn world(providers: Vec<ConnectionSpec>) -> World {
    World::of(Company::with(|organisation| {
        organisation.identity_providers = providers
    }))
}

/// Where a redirect to a provider leads, and what it carries.
#[track_caller]
fn started(location: &str, name: &str) -> Form {
    let query = location
        .strip_prefix(&format!("/upstream/{name}/start?"))
        .unwrap_or_else(|| panic!("{location}"));
    Form::parse(query.as_bytes()).unwrap()
}

async fn next(world: &World, page: &Answer, typed: &str) -> Answer {
    world.fill("/oauth2/sign-in/name", page, &[("username", typed)]).await
}

#[tokio::test]
async fn without_a_provider_the_page_is_the_form_for_a_password() {
    for providers in [
        Vec::new(),
        vec![ConnectionSpec {
            enabled: false,
            ..provider("off", &["off.example"])
        }],
    ] {
        let world = world(providers);
        let page = world.page(&[]).await;
        assert!(page.body.contains("name=\"password\""), "{}", page.body);
        assert!(!page.body.contains("Continue with") && !page.body.contains("another way"));
    }
}

#[tokio::test]
async fn providers_are_links_that_carry_the_request_and_no_form_leads_to_one() {
    let world = world(vec![provider("one", &[]), provider("two", &[])]);
    let page = world.page(&[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Continue with Corp &#38; one"), "{}", page.body);
    assert!(
        !page.body.contains("<form"),
        "no name is asked for: no provider has a domain"
    );
    assert!(page.header("content-security-policy").contains("form-action 'self';"));
    let href = page.attribute("class=\"button quiet\" href");
    let carried = started(&href, "one").once("request").unwrap().unwrap().to_owned();
    let carried = Form::parse(carried.as_bytes()).unwrap();
    assert_eq!(carried.once("client_id").unwrap(), Some("ide"));
    assert!(!carried.has("choose"));
    // A local account for an emergency is one link away, and the way back one more.
    let form = world.get(&page.attribute("class=\"alone\"><a href")).await;
    assert!(form.body.contains("name=\"password\""), "{}", form.body);
    let back = world.get(&form.attribute("class=\"alone\"><a href")).await;
    assert!(back.body.contains("Continue with"), "{}", back.body);
    let signed_in = world.submit(&form, ALICE, PASSWORD).await;
    assert!(signed_in.sent_to_client().contains_key("code"));
}

#[tokio::test]
async fn the_domain_of_a_typed_address_decides_and_others_get_the_form() {
    let world = world(vec![
        provider("one", &["corp.example"]),
        provider("two", &["two.example"]),
    ]);
    let page = world.page(&[]).await;
    let answer = next(&world, &page, " Ada@CORP.example ").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let href = answer.attribute("class=\"button\" href");
    let query = started(&href, "one");
    assert_eq!(query.once("hint").unwrap(), Some("Ada@CORP.example"));
    // Without script: a link, and a refresh to the same address.
    assert!(answer.body.contains("http-equiv=\"refresh\""), "{}", answer.body);
    assert!(
        answer.header("location").is_empty(),
        "a form is never redirected to a provider"
    );
    for local in ["ada", "ada@else.example", ALICE, "nobody-at-all"] {
        let form = next(&world, &world.page(&[]).await, local).await;
        assert_eq!(form.status, StatusCode::OK);
        assert!(
            form.body.contains("name=\"password\"") && form.body.contains(&format!("value=\"{local}\"")),
            "{}",
            form.body
        );
    }
    let form = next(&world, &page, ALICE).await;
    assert!(
        world
            .submit(&form, ALICE, PASSWORD)
            .await
            .sent_to_client()
            .contains_key("code")
    );
}

#[tokio::test]
async fn whether_a_person_exists_is_not_told_by_the_way_sec_23() {
    let world = world(vec![provider("one", &["corp.example"])]);
    let page = world.page(&[]).await;
    let mut told = Vec::new();
    for name in [ALICE, "nobody"] {
        let form = next(&world, &page, name).await;
        let (text, _) = form.body.split_once("data-passkey").unwrap();
        told.push(text.replace(name, "…"));
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn a_name_from_another_site_is_not_followed_sec_16() {
    let world = world(vec![provider("one", &["corp.example"])]);
    let page = world.page(&[]).await;
    let fields = Form::default()
        .with("request", page.hidden("request"))
        .with("form_token", "wrong")
        .with("username", "ada@corp.example");
    let request = Request::post("/oauth2/sign-in/name")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    let answer = world.send(request, fields.encode()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("role=\"alert\"") && !answer.body.contains("http-equiv=\"refresh\""));
}

#[tokio::test]
async fn a_hint_of_the_client_leads_straight_to_the_provider() {
    let world = world(vec![provider("one", &["corp.example"]), provider("two", &[])]);
    for hint in [("login_hint", "ada@corp.example"), ("domain_hint", "CORP.example")] {
        let answer = world.page(&[hint]).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{hint:?}: {}", answer.body);
        started(answer.header("location"), "one");
    }
    for hint in [
        ("login_hint", "ada@else.example"),
        ("domain_hint", "else.example"),
        ("login_hint", "ada"),
    ] {
        let page = world.page(&[hint]).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("Continue with"));
    }
}

#[tokio::test]
async fn the_default_is_taken_at_once_and_the_ways_can_still_be_seen() {
    let mut usual = provider("one", &[]);
    usual.default = true;
    let world = world(vec![usual, provider("two", &["two.example"])]);
    let answer = world.page(&[]).await;
    started(answer.header("location"), "one");
    let answer = world.page(&[("login_hint", "bo@two.example")]).await;
    started(answer.header("location"), "two");
    let page = world.page(&[("choose", "1")]).await;
    assert!(page.body.contains("Continue with Corp &#38; two"), "{}", page.body);
    let form = world.page(&[("choose", "password")]).await;
    assert!(form.body.contains("name=\"password\""));
    // A client that may show no page gets none.
    let silent = world.page(&[("prompt", "none")]).await;
    assert_eq!(silent.sent_to_client()["error"], "login_required");
}

#[tokio::test]
async fn the_account_offers_the_same_ways() {
    let world = world(vec![provider("one", &["corp.example"])]);
    let page = world.get("/account/security").await;
    let href = page.attribute("class=\"button quiet\" href");
    assert_eq!(
        started(&href, "one").once("return_to").unwrap(),
        Some("/account/security")
    );
    let found = next(&world, &page, "ada@corp.example").await;
    assert_eq!(
        started(&found.attribute("class=\"button\" href"), "one")
            .once("return_to")
            .unwrap(),
        Some("/account/security")
    );
    let form = next(&world, &page, ALICE).await;
    assert_eq!(form.attribute("class=\"alone\"><a href"), "/account/security?choose=1");
    let signed_in = world.submit(&form, ALICE, PASSWORD).await;
    assert_eq!(signed_in.header("location"), "/account/security");
}

#[tokio::test]
async fn the_account_is_reached_by_a_password_also_where_the_default_is_down() {
    let mut usual = provider("one", &[]);
    usual.default = true;
    let world = world(vec![usual]);
    let straight = world.get("/account").await;
    started(straight.header("location"), "one");
    // The address that a page of a failed sign-in links to.
    let page = world.get("/account?choose=1").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("/account?choose=password"), "{}", page.body);
    let form = world.get("/account?choose=password").await;
    let signed_in = world.submit(&form, ALICE, PASSWORD).await;
    assert_eq!(signed_in.header("location"), "/account");
}

#[tokio::test]
async fn whoever_signed_in_at_a_provider_is_told_so_and_of_no_password() {
    let world = world(vec![provider("one", &[])]);
    let alice = world.company.user(ALICE);
    let form = world.page(&[("choose", "password")]).await;
    let _ = world.submit(&form, ALICE, PASSWORD).await;
    let own = world.get("/account/sessions").await;
    assert!(own.body.contains("signed in by password") && own.body.contains("change your password"));
    world.company.write(move |cx, tx| {
        let one = tx.find_connection_by_name("one")?.unwrap();
        let session = tx
            .list_sessions_of(&alice.id, &PageRequest::new(None, 10))?
            .items
            .remove(0);
        let erin = User {
            id: cx.new_id(),
            username: "erin".to_owned(),
            ..alice
        };
        tx.insert_user(&erin)?;
        tx.insert_session(&Session {
            id: cx.new_id(),
            user: erin.id,
            secret_hash: sha256(b"at-the-provider"),
            connection: Some(one.id),
            ..session
        })
    });
    let jar = [("__Host-lanyard_idp".to_owned(), "at-the-provider".to_owned())];
    world.swap(jar.into());
    let page = world.get("/account/sessions").await;
    assert!(page.body.contains("signed in at Corp &#38; one"), "{}", page.body);
    assert!(!page.body.contains("password"), "{}", page.body);
}

#[tokio::test]
async fn a_session_needs_no_provider() {
    let world = world(vec![provider("one", &["corp.example"])]);
    let form = world.page(&[("choose", "password")]).await;
    let _ = world.submit(&form, ALICE, PASSWORD).await;
    let again = world.get(&authorize(&[])).await;
    assert!(again.sent_to_client().contains_key("code"));
}

#[tokio::test]
async fn whoever_must_sign_in_again_is_led_to_where_they_signed_in_su_01() {
    let mut usual = provider("one", &[]);
    usual.default = true;
    let world = world(vec![usual, provider("two", &["two.example"])]);
    // By a password here: the form, although there is a default, and the way to the others.
    let form = world.page(&[("choose", "password")]).await;
    let _ = world.submit(&form, ALICE, PASSWORD).await;
    world.company.clock.advance(Duration::from_secs(2));
    for more in [("prompt", "login"), ("acr_values", "phr")] {
        let again = world.page(&[more]).await;
        assert!(again.body.contains("name=\"password\""), "{more:?}: {}", again.body);
        assert!(again.body.contains("another way"), "{}", again.body);
    }
    // Whoever wants to be somebody else takes the usual way.
    let other = world.page(&[("prompt", "select_account")]).await;
    started(other.header("location"), "one");
    // At a provider: there, with everything that the client asked.
    let alice = world.company.user(ALICE);
    world.company.write(move |cx, tx| {
        let two = tx.find_connection_by_name("two")?.unwrap();
        let page = PageRequest::new(None, 10);
        let own = tx.list_sessions_of(&alice.id, &page)?.items.remove(0);
        tx.insert_session(&Session {
            id: cx.new_id(),
            secret_hash: sha256(b"at-the-provider"),
            connection: Some(two.id),
            ..own
        })
    });
    let jar = [("__Host-lanyard_idp".to_owned(), "at-the-provider".to_owned())];
    world.swap(jar.into());
    let again = world.page(&[("acr_values", "phr")]).await;
    let request = started(again.header("location"), "two")
        .once("request")
        .unwrap()
        .unwrap()
        .to_owned();
    assert_eq!(
        Form::parse(request.as_bytes()).unwrap().once("acr_values").unwrap(),
        Some("phr")
    );
}

#[tokio::test]
async fn a_way_that_was_chosen_survives_a_request_that_has_the_choice_already() {
    let mut usual = provider("one", &[]);
    usual.default = true;
    let world = world(vec![usual]);
    let page = world.page(&[("choose", "1")]).await;
    let carried = started(&page.attribute("class=\"button quiet\" href"), "one")
        .once("request")
        .unwrap()
        .unwrap()
        .to_owned();
    assert!(!carried.contains("choose"), "{carried}");
}

#[tokio::test]
async fn a_message_of_another_room_is_a_page_with_every_header() {
    let company = Company::new();
    let messages = Messages::new(&company.idp.issuer, "Northwind <Ltd>");
    let message = Message {
        title: "You were not signed in",
        text: "<b>text</b>",
        advice: "Try again.",
        way: Some(("Sign in another way", "/oauth2/authorize?a=b&c=d")),
        reference: Some("req_1"),
    };
    let response = messages.page(StatusCode::FORBIDDEN, &message);
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    let body = http_body_util::BodyExt::collect(response.into_body())
        .await
        .unwrap()
        .to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(
        body.contains("&#60;b&#62;text") && body.contains("href=\"/oauth2/authorize?a=b&#38;c=d\""),
        "{body}"
    );
    assert!(body.contains("<code>req_1</code>"));
}
