//! The second half of a sign-in with a password: codes, recovery codes, setting a factor up.

use std::time::Duration;

use http::StatusCode;
use lanyard_core::account::Own;
use lanyard_core::account::factors::{begin_app, confirm_app};
use lanyard_core::directory::settings::SecondFactorRule;
use lanyard_core::outcome::Outcome;
use lanyard_federation::totp;
use lanyard_testkit::company::{ALICE, Company, PASSWORD};
use secrecy::{ExposeSecret, SecretString};

use crate::support::{Answer, Jar, World};

const SESSION: &str = "__Host-lanyard_idp";
const CODE: &str = "/oauth2/sign-in/code";
const SECRET: [u8; 20] = *b"12345678901234567890";

/// A company in which Alice set up an app; her recovery codes.
pub(crate) fn with_app(world: &World) -> Vec<SecretString> {
    let vault = std::sync::Arc::clone(&world.company.vault);
    let alice = world.company.user(ALICE);
    let typed = code_at(world, 0);
    let codes = world.company.write(move |cx, tx| {
        let own = Own::enrolling(alice);
        let begun = begin_app(cx, tx, &vault, &own, &SECRET)?;
        assert!(matches!(begun, Outcome::Granted(_)));
        confirm_app(cx, tx, &vault, &own, &typed, totp::check)
    });
    world.company.clock.advance(Duration::from_secs(90));
    match codes {
        Outcome::Granted(codes) => codes,
        Outcome::Denied(denial) => panic!("{denial}"),
    }
}

/// The code of the app, some seconds from now.
pub(crate) fn code_at(world: &World, offset: i64) -> String {
    totp::code(&SECRET, world.company.cx().now.seconds() + offset).unwrap()
}

async fn second_page(world: &World) -> Answer {
    let page = world.page(&[]).await;
    let second = world.submit(&page, ALICE, PASSWORD).await;
    assert_eq!(second.status, StatusCode::OK, "{}", second.body);
    assert!(second.body.contains("One more step") && world.cookie(SESSION).is_none());
    second
}

#[tokio::test]
async fn a_password_alone_does_not_sign_in_whoever_has_an_app() {
    let world = World::new();
    with_app(&world);
    let second = second_page(&world).await;
    assert_eq!(world.told(1)[0].0, "idp.sign_in.continued");
    let done = world.fill(CODE, &second, &[("code", &code_at(&world, 0))]).await;
    assert!(done.sent_to_client().contains_key("code"), "{}", done.body);
    assert!(world.cookie(SESSION).is_some());
    let events = world.company.events();
    let signed_in = events
        .iter()
        .find(|event| event.event.kind == "idp.sign_in.succeeded")
        .unwrap();
    assert_eq!(signed_in.event.detail["amr"], "pwd otp mfa");
    assert_eq!(signed_in.event.detail["acr"], "urn:lanyard:acr:mfa");
}

#[tokio::test]
async fn a_wrong_password_reads_the_same_whether_there_is_a_second_factor_or_not_sec_23() {
    let world = World::new();
    let told = async || {
        let page = world.page(&[]).await;
        let answer = world.submit(&page, ALICE, "wrong").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let start = answer.body.find("<h1>").unwrap();
        let end = answer.body.find("<form").unwrap();
        answer.body[start..end].to_owned()
    };
    let without = told().await;
    with_app(&world);
    assert_eq!(told().await, without);
    assert_eq!(world.told(1)[0].1.as_deref(), Some("wrong_password"));
}

#[tokio::test]
async fn a_code_is_good_once_also_from_another_sign_in_rfc_6238_5_2() {
    let world = World::new();
    with_app(&world);
    let code = code_at(&world, 0);
    let second = second_page(&world).await;
    assert_eq!(
        world.fill(CODE, &second, &[("code", &code)]).await.status,
        StatusCode::SEE_OTHER
    );
    world.forget_cookies();
    let second = second_page(&world).await;
    let again = world.fill(CODE, &second, &[("code", &code)]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.body.contains("role=\"alert\"") && world.cookie(SESSION).is_none());
    let expected = ("idp.sign_in.failed".to_owned(), Some("code_replayed".to_owned()));
    assert_eq!(world.told(1)[0], expected);
}

#[tokio::test]
async fn guessing_codes_ends_the_sign_in_and_then_makes_wait() {
    let world = World::new();
    with_app(&world);
    let mut second = second_page(&world).await;
    for _ in 0..4 {
        second = world.fill(CODE, &second, &[("code", "000000")]).await;
        assert_eq!(second.status, StatusCode::FORBIDDEN);
        assert_eq!(world.told(1)[0].1.as_deref(), Some("code_wrong"));
    }
    let over = world.fill(CODE, &second, &[("code", "000000")]).await;
    assert!(over.body.contains("Please sign in again"), "{}", over.body);
    // Whoever knows the password begins again, and waits, also with the right code.
    let second = second_page(&world).await;
    let waits = world.fill(CODE, &second, &[("code", &code_at(&world, 0))]).await;
    assert_eq!(waits.status, StatusCode::TOO_MANY_REQUESTS, "{}", waits.body);
    assert_eq!(waits.header("retry-after"), "31");
    assert_eq!(world.told(1)[0].1.as_deref(), Some("too_many_codes"));
    world.company.clock.advance(Duration::from_secs(31));
    let done = world.fill(CODE, &waits, &[("code", &code_at(&world, 0))]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
}

#[tokio::test]
async fn strangers_who_know_the_password_do_not_keep_a_known_browser_waiting() {
    let world = World::new();
    let codes = with_app(&world);
    let second = second_page(&world).await;
    let first = world.fill(CODE, &second, &[("code", &code_at(&world, 0))]).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER);
    world.forget(SESSION);
    let own = world.swap(Jar::new());
    let mut guessing = second_page(&world).await;
    for _ in 0..5 {
        guessing = world.fill(CODE, &guessing, &[("code", "000000")]).await;
    }
    world.swap(own);
    let second = second_page(&world).await;
    let done = world.fill(CODE, &second, &[("code", codes[0].expose_secret())]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
}

#[tokio::test]
async fn a_recovery_code_signs_in_once_however_it_is_typed() {
    let world = World::new();
    let codes = with_app(&world);
    assert_eq!(codes.len(), 10);
    let typed = codes[3].expose_secret().to_uppercase().replace('-', " ");
    let second = second_page(&world).await;
    let done = world.fill(CODE, &second, &[("code", &typed)]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let used = world.company.events();
    let used = used
        .iter()
        .find(|event| event.event.kind == "directory.recovery_code.used")
        .unwrap();
    assert_eq!(used.event.detail["left"], 9);
    world.forget_cookies();
    let second = second_page(&world).await;
    let again = world.fill(CODE, &second, &[("code", &typed)]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert_eq!(world.told(1)[0].1.as_deref(), Some("code_wrong"));
}

#[tokio::test]
async fn a_waiting_sign_in_belongs_to_its_browser_is_used_once_and_ends_after_ten_minutes() {
    let world = World::new();
    with_app(&world);
    let second = second_page(&world).await;
    let step = second.hidden("step");
    let own = world.swap(Jar::new());
    // Another browser, with a form token of its own.
    let stranger = world.page(&[]).await;
    let with = [("step", step.as_str()), ("code", &code_at(&world, 0))];
    let stolen = world.fill(CODE, &stranger, &with).await;
    assert_eq!(stolen.status, StatusCode::FORBIDDEN);
    assert_eq!(world.told(1)[0].1.as_deref(), Some("step_unknown"));
    world.swap(own);
    let done = world.fill(CODE, &second, &[("code", &code_at(&world, 0))]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    world.company.clock.advance(Duration::from_secs(60));
    let again = world.fill(CODE, &second, &[("code", &code_at(&world, 0))]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert_eq!(world.told(1)[0].1.as_deref(), Some("step_unknown"));

    world.forget(SESSION);
    let second = second_page(&world).await;
    world.company.clock.advance(Duration::from_secs(601));
    let late = world.fill(CODE, &second, &[("code", &code_at(&world, 0))]).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    assert!(late.body.contains("Please sign in again"));
}

#[tokio::test]
async fn a_second_half_without_a_form_of_ours_is_not_accepted_sec_16() {
    let world = World::new();
    with_app(&world);
    let second = second_page(&world).await;
    let with = [("code", code_at(&world, 0)), ("form_token", "x".to_owned())];
    let with: Vec<(&str, &str)> = with.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let refused = world.fill(CODE, &second, &with).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(world.cookie(SESSION).is_none());
}

#[tokio::test]
async fn whoever_was_cut_off_meanwhile_does_not_get_in() {
    let world = World::new();
    with_app(&world);
    let second = second_page(&world).await;
    let (admin, alice) = (world.company.admin.clone(), world.company.user(ALICE));
    let (vault, issuer) = (
        std::sync::Arc::clone(&world.company.vault),
        world.company.idp.issuer.clone(),
    );
    let done = world.company.write(move |cx, tx| {
        lanyard_core::directory::provision::deactivate(cx, tx, &vault, &issuer, &admin, &alice.id)
    });
    assert!(matches!(done, Outcome::Granted(_)));
    let refused = world.fill(CODE, &second, &[("code", &code_at(&world, 0))]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(world.told(1)[0].1.as_deref(), Some("user_inactive"));
}

fn everyone() -> World {
    let mut company = Company::new();
    company.idp.people.second_factor = SecondFactorRule::Everyone;
    World::of(company)
}

#[tokio::test]
async fn where_everyone_must_have_a_second_factor_it_is_set_up_before_the_sign_in_goes_on() {
    let world = everyone();
    let page = world.page(&[("prompt", "login")]).await;
    let enrol = world.submit(&page, ALICE, PASSWORD).await;
    assert_eq!(enrol.status, StatusCode::OK, "{}", enrol.body);
    assert!(enrol.body.contains("Set up a second factor") && enrol.body.contains("<svg class=\"qr\""));
    assert!(world.cookie(SESSION).is_none());
    let wrong = world.fill("/oauth2/sign-in/enrol", &enrol, &[("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    let expected = ("directory.factor.refused".to_owned(), Some("code_wrong".to_owned()));
    assert_eq!(world.told(1)[0], expected);
    // The same secret as before: the app was scanned already.
    let shown = |page: &Answer| page.body.split("code class=\"secret\">").nth(1).unwrap()[..39].to_owned();
    assert_eq!(shown(&wrong), shown(&enrol));

    let typed = totp::code(&unshown(&shown(&enrol)), world.company.cx().now.seconds()).unwrap();
    let codes = world
        .fill("/oauth2/sign-in/enrol", &wrong, &[("code", &typed), ("answer", "")])
        .await;
    assert_eq!(codes.status, StatusCode::OK, "{}", codes.body);
    assert_eq!(codes.body.matches("<li><code>").count(), 10);
    assert!(world.cookie(SESSION).is_some());
    let on = codes.attribute("class=\"button\" href");
    let client = world.get(&on).await;
    assert!(
        client.sent_to_client().contains_key("code"),
        "{} {}",
        client.status,
        client.body
    );
}

#[tokio::test]
async fn whoever_lacks_the_second_factor_that_a_client_asks_for_sets_one_up_after_the_password_su_03() {
    let world = World::new();
    world.sign_in(ALICE).await;
    let weak = world.cookie(SESSION);
    let page = world.page(&[("acr_values", "urn:lanyard:acr:mfa")]).await;
    let wrong = world.submit(&page, ALICE, "wrong").await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(
        !wrong.body.contains("second factor"),
        "told before the password was right"
    );
    let enrol = world.submit(&page, ALICE, PASSWORD).await;
    assert_eq!(enrol.status, StatusCode::OK, "{}", enrol.body);
    assert!(enrol.body.contains("Set up a second factor") && enrol.body.contains("<svg class=\"qr\""));
    assert_eq!(world.told(1)[0].0, "idp.sign_in.continued");
    assert_eq!(world.cookie(SESSION), weak, "no session before it is set up");

    let shown = enrol.body.split("code class=\"secret\">").nth(1).unwrap()[..39].to_owned();
    let typed = totp::code(&unshown(&shown), world.company.cx().now.seconds()).unwrap();
    let codes = world
        .fill("/oauth2/sign-in/enrol", &enrol, &[("code", &typed), ("answer", "")])
        .await;
    let client = world.get(&codes.attribute("class=\"button\" href")).await;
    assert!(client.sent_to_client().contains_key("code"), "{}", client.body);
    let events = world.company.events();
    let signed_in = events
        .iter()
        .find(|event| event.event.kind == "idp.sign_in.succeeded")
        .unwrap();
    assert_eq!(signed_in.event.detail["acr"], "urn:lanyard:acr:mfa");
}

#[tokio::test]
async fn whoever_lacks_the_passkey_that_a_client_asks_for_is_offered_no_app_su_03() {
    let world = World::new();
    let page = world.page(&[("acr_values", "phr")]).await;
    let enrol = world.submit(&page, ALICE, PASSWORD).await;
    assert_eq!(enrol.status, StatusCode::OK, "{}", enrol.body);
    assert!(enrol.body.contains("data-passkey=\"create\"") && enrol.body.contains("<noscript>"));
    assert!(!enrol.body.contains("class=\"qr\"") && !enrol.body.contains("name=\"code\""));
}

/// The secret behind its base32 text.
fn unshown(text: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = text
        .chars()
        .filter(|c| *c != ' ')
        .map(|c| format!("{:05b}", alphabet.find(c).unwrap()))
        .collect();
    let (bytes, _) = bits.as_bytes().as_chunks::<8>();
    bytes
        .iter()
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect()
}
