//! The one-time token makes the first owner in a browser.

use std::time::Duration;

use http::StatusCode;
use lanyard_core::admin::owner;
use lanyard_core::admin::token::AdminRole;
use secrecy::ExposeSecret;

use crate::support::{Answer, World};

const PATH: &str = "/first-sign-in";
const SESSION: &str = "__Host-lanyard_idp";
const PASSWORD: &str = "seven green bicycles";

fn token(world: &World) -> String {
    let made = world.company.write(owner::first_start).unwrap();
    made.expose_secret().to_owned()
}

async fn claim(world: &World, page: &Answer, token: &str, password: &str) -> Answer {
    let with = [
        ("token", token),
        ("username", "Olivia"),
        ("display_name", "Olivia Owner"),
        ("password", password),
    ];
    world.fill(PATH, page, &with).await
}

#[tokio::test]
async fn the_token_makes_an_owner_who_is_signed_in_and_asked_to_add_a_passkey() {
    let world = World::new();
    let token = token(&world);
    let page = world.get(PATH).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains(&token) && page.header("content-security-policy").contains("script-src 'self'"));
    let done = claim(&world, &page, &token, PASSWORD).await;
    assert_eq!(
        (done.status, done.header("location")),
        (StatusCode::SEE_OTHER, "/account/security?done=welcome")
    );
    assert!(world.cookie(SESSION).is_some());
    let security = world.get(done.header("location")).await;
    assert!(security.body.contains("add a passkey now") && security.body.contains("Olivia Owner"));
    let olivia = world.company.user("olivia");
    let roles = world.company.read(move |tx| tx.list_roles_of(&olivia.id));
    assert_eq!(roles, [AdminRole::Owner]);
}

#[tokio::test]
async fn a_token_that_is_wrong_used_or_over_makes_nobody_and_is_recorded() {
    let world = World::new();
    let token = token(&world);
    let page = world.get(PATH).await;
    let refused = |answer: Answer, reason: &str| {
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
        let expected = ("admin.owner_token.refused".to_owned(), Some(reason.to_owned()));
        assert_eq!(world.told(1)[0], expected);
    };
    refused(
        claim(&world, &page, "lny_owner_x", PASSWORD).await,
        "unknown_owner_token",
    );
    assert_eq!(
        claim(&world, &page, &token, PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
    world.forget(SESSION);
    refused(claim(&world, &page, &token, PASSWORD).await, "owner_token_used");
    let second = world.company.write(owner::reset).expose_secret().to_owned();
    world.company.clock.advance(Duration::from_secs(3601));
    refused(claim(&world, &page, &second, PASSWORD).await, "owner_token_expired");
    assert!(world.cookie(SESSION).is_none());
}

#[tokio::test]
async fn a_weak_password_uses_the_token_up_for_nothing_and_a_form_of_another_site_is_none() {
    let world = World::new();
    let token = token(&world);
    let page = world.get(PATH).await;
    let weak = claim(&world, &page, &token, "olivia-owner").await;
    assert_eq!(weak.status, StatusCode::FORBIDDEN);
    assert!(weak.body.contains("your own name"), "{}", weak.body);
    let with = [
        ("token", token.as_str()),
        ("form_token", "x"),
        ("username", "eve"),
        ("password", PASSWORD),
    ];
    assert_eq!(world.fill(PATH, &page, &with).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        claim(&world, &page, &token, PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
}
