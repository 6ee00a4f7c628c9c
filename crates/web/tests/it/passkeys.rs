//! Signing in with a passkey, alone and after a password, and every way an answer can be wrong.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use lanyard_core::account::Own;
use lanyard_core::account::factors::{MadePasskey, add_passkey};
use lanyard_core::outcome::Outcome;
use lanyard_federation::passkey::RelyingParty;
use lanyard_testkit::company::{ALICE, CAROL, IDP, PASSWORD};

use crate::authenticator::{Authenticator, spoiled};
use crate::support::{Answer, World};

const SESSION: &str = "__Host-lanyard_idp";
const PASSKEY: &str = "/oauth2/sign-in/passkey";

/// A passkey of a person, added without a page.
pub(crate) fn added(world: &World, username: &'static str, n: u8) -> Authenticator {
    let site = RelyingParty::new(&world.company.idp.issuer, "Northwind").unwrap();
    let user = world.company.user(username);
    let asked = site
        .begin_registration(&user.id, &user.username, &user.display_name, &[])
        .unwrap();
    let mut device = Authenticator::new(n, IDP);
    let made = site
        .finish_registration(&asked.state, &device.create(&asked.options))
        .unwrap();
    let vault = Arc::clone(&world.company.vault);
    let done = world.company.write(move |cx, tx| {
        let made = MadePasskey {
            credential: made.credential,
            record: made.record,
            challenge: [n; 32],
            challenge_ends_at: cx.now.plus(Duration::from_secs(600)),
        };
        add_passkey(cx, tx, &vault, &Own::enrolling(user), "Laptop", &made)
    });
    assert!(matches!(done, Outcome::Granted(_)));
    device
}

async fn answer(world: &World, page: &Answer, answer: &str) -> Answer {
    world.fill(PASSKEY, page, &[("answer", answer)]).await
}

#[track_caller]
fn refused(world: &World, answer: &Answer, reason: &str) {
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    assert!(answer.body.contains("role=\"alert\"") && world.cookie(SESSION).is_none());
    let expected = ("idp.sign_in.failed".to_owned(), Some(reason.to_owned()));
    assert_eq!(world.told(1)[0], expected);
}

#[tokio::test]
async fn a_passkey_alone_signs_in_and_counts_as_phishing_resistant() {
    let world = World::new();
    let mut device = added(&world, ALICE, 1);
    let page = world.page(&[]).await;
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    let said = device.get(&page.attribute("data-options"));
    let done = answer(&world, &page, &said).await;
    assert!(done.sent_to_client().contains_key("code"), "{}", done.body);
    let events = world.company.events();
    let signed_in = events
        .iter()
        .find(|event| event.event.kind == "idp.sign_in.succeeded")
        .unwrap();
    assert_eq!(signed_in.event.detail["amr"], "hwk user mfa");
    assert_eq!(signed_in.event.detail["acr"], "phr");
}

#[tokio::test]
async fn a_passkey_is_the_second_half_after_a_password() {
    let world = World::new();
    let mut device = added(&world, ALICE, 1);
    let page = world.page(&[]).await;
    let second = world.submit(&page, ALICE, PASSWORD).await;
    assert!(second.body.contains("Use a passkey"), "{}", second.body);
    let options = second.attribute("data-options");
    assert!(options.contains("allowCredentials") && options.contains("public-key"));
    let done = answer(&world, &second, &device.get(&options)).await;
    assert!(done.sent_to_client().contains_key("code"), "{}", done.body);
    let events = world.company.events();
    let signed_in = events
        .iter()
        .find(|event| event.event.kind == "idp.sign_in.succeeded")
        .unwrap();
    assert_eq!(signed_in.event.detail["amr"], "pwd hwk user mfa");
}

#[tokio::test]
async fn another_persons_passkey_is_no_second_half() {
    let world = World::new();
    added(&world, ALICE, 1);
    let mut carols = added(&world, CAROL, 2);
    let page = world.page(&[]).await;
    let second = world.submit(&page, ALICE, PASSWORD).await;
    let said = carols.get(&second.attribute("data-options"));
    let answered = answer(&world, &second, &said).await;
    refused(&world, &answered, "passkey_unknown");
}

#[tokio::test]
async fn an_answer_is_taken_once() {
    let world = World::new();
    let mut device = added(&world, ALICE, 1);
    let page = world.page(&[]).await;
    let said = device.get(&page.attribute("data-options"));
    assert_eq!(answer(&world, &page, &said).await.status, StatusCode::SEE_OTHER);
    world.forget(SESSION);
    // The counter tells a recorded answer first; one that signs the same challenge anew is told by the challenge.
    let replayed = answer(&world, &page, &said).await;
    refused(&world, &replayed, "passkey_cloned");
    let again = device.get(&page.attribute("data-options"));
    let replayed = answer(&world, &page, &again).await;
    refused(&world, &replayed, "challenge_replayed");
}

#[tokio::test]
async fn a_copied_authenticator_is_told_by_its_counter() {
    let world = World::new();
    let mut device = added(&world, ALICE, 1);
    let mut copy = device.clone();
    let page = world.page(&[]).await;
    let said = device.get(&page.attribute("data-options"));
    assert_eq!(answer(&world, &page, &said).await.status, StatusCode::SEE_OTHER);
    world.forget(SESSION);
    let page = world.page(&[]).await;
    let said = copy.get(&page.attribute("data-options"));
    let cloned = answer(&world, &page, &said).await;
    refused(&world, &cloned, "passkey_cloned");
}

#[tokio::test]
async fn an_answer_for_another_site_without_verification_or_with_a_wrong_signature_is_refused() {
    let world = World::new();
    let device = added(&world, ALICE, 1);
    type Lie = fn(&mut Authenticator);
    let lies: [(&str, Lie); 3] = [
        ("passkey_other_origin", |device| {
            device.origin = "https://login.northwind.example.evil.example".to_owned();
        }),
        ("passkey_other_origin", |device| {
            device.origin = "http://login.northwind.example".to_owned();
        }),
        ("passkey_not_verified", |device| device.verifies = false),
    ];
    for (reason, lie) in lies {
        let mut liar = device.clone();
        lie(&mut liar);
        let page = world.page(&[]).await;
        let said = liar.get(&page.attribute("data-options"));
        let answered = answer(&world, &page, &said).await;
        refused(&world, &answered, reason);
    }
    let mut honest = device.clone();
    let page = world.page(&[]).await;
    let said = spoiled(&honest.get(&page.attribute("data-options")));
    let answered = answer(&world, &page, &said).await;
    assert_eq!(answered.status, StatusCode::FORBIDDEN);
    let reason = world.told(1)[0].1.clone().unwrap();
    assert!(
        ["passkey_bad_signature", "passkey_protocol"].contains(&reason.as_str()),
        "{reason}"
    );
}

#[tokio::test]
async fn a_challenge_of_another_browser_another_use_or_another_time_is_refused() {
    let world = World::new();
    let mut device = added(&world, ALICE, 1);
    let theirs = world.page(&[]).await;
    let said = device.get(&theirs.attribute("data-options"));
    world.forget_cookies();
    let ours = world.page(&[]).await;
    let with = [("answer", said.as_str()), ("challenge", &theirs.hidden("challenge"))];
    let answered = world.fill(PASSKEY, &ours, &with).await;
    refused(&world, &answered, "passkey_other_challenge");

    // The state of one page with the end of another, or changed.
    let challenge = ours.hidden("challenge");
    for changed in [
        challenge.replace("sign-in", "confirm"),
        format!("{challenge} "),
        String::new(),
    ] {
        let said = device.get(&ours.attribute("data-options"));
        let with = [("answer", said.as_str()), ("challenge", changed.as_str())];
        let answered = world.fill(PASSKEY, &ours, &with).await;
        refused(&world, &answered, "passkey_other_challenge");
    }
    let said = device.get(&ours.attribute("data-options"));
    world.company.clock.advance(Duration::from_secs(601));
    let answered = answer(&world, &ours, &said).await;
    refused(&world, &answered, "passkey_other_challenge");
}

#[tokio::test]
async fn what_is_no_answer_or_of_nobody_is_refused_and_a_huge_form_is_not_read() {
    let world = World::new();
    let device = added(&world, ALICE, 1);
    for nothing in ["", "{}", "[]", "null", &"x".repeat(20_000)] {
        let page = world.page(&[]).await;
        let answered = answer(&world, &page, nothing).await;
        refused(&world, &answered, "passkey_unreadable");
    }
    let mut unknown = Authenticator::new(9, IDP);
    unknown.handle = device.handle.clone();
    // Somebody else's handle, or none: a passkey alone must say whose it is.
    let mut other = device.clone();
    other.handle = Some("AAAAAAAAAAAAAAAAAAAAAA".to_owned());
    let mut silent = device.clone();
    silent.handle = None;
    for mut liar in [unknown, other, silent] {
        let page = world.page(&[]).await;
        let said = liar.get(&page.attribute("data-options"));
        let answered = answer(&world, &page, &said).await;
        refused(&world, &answered, "passkey_unknown");
    }
    let page = world.page(&[]).await;
    let huge = answer(&world, &page, &"x".repeat(70_000)).await;
    assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn whoever_is_asked_for_a_passkey_is_not_offered_a_code_su_03() {
    let world = World::new();
    let mut device = added(&world, ALICE, 1);
    crate::second_factor::with_app(&world);
    let page = world.page(&[("acr_values", "phr")]).await;
    let second = world.submit(&page, ALICE, PASSWORD).await;
    assert!(second.body.contains("Use a passkey") && !second.body.contains("Code from your app"));
    let done = answer(&world, &second, &device.get(&second.attribute("data-options"))).await;
    assert!(done.sent_to_client().contains_key("code"), "{}", done.body);
}
