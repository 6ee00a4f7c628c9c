//! Guessing is slowed down, and nobody is locked out by somebody else's guesses.

use http::StatusCode;
use lanyard_testkit::company::{ALICE, CAROL, PASSWORD};

use crate::support::{Jar, World};

const SESSION: &str = "__Host-lanyard_idp";
const KNOWN: &str = "__Host-lanyard_idp_known";

async fn guess(world: &World, username: &str, times: usize) {
    for _ in 0..times {
        let page = world.page(&[]).await;
        world.submit(&page, username, "a guess").await;
    }
}

#[tokio::test]
async fn a_browser_of_an_earlier_sign_in_is_not_kept_out_by_guesses_from_the_same_address() {
    let world = World::new();
    world.sign_in(ALICE).await;
    assert!(world.cookie(KNOWN).is_some());
    world.forget(SESSION);
    let own = world.swap(Jar::new());
    guess(&world, ALICE, 6).await;
    let page = world.page(&[]).await;
    let stranger = world.submit(&page, ALICE, PASSWORD).await;
    assert_eq!(stranger.status, StatusCode::TOO_MANY_REQUESTS);
    world.swap(own);
    assert!(world.sign_in(ALICE).await.sent_to_client().contains_key("code"));
}

#[tokio::test]
async fn a_known_browser_is_slowed_down_by_its_own_guesses_and_known_to_its_own_people_only() {
    let world = World::new();
    world.sign_in(ALICE).await;
    world.forget(SESSION);
    guess(&world, ALICE, 5).await;
    let page = world.page(&[]).await;
    let waits = world.submit(&page, ALICE, PASSWORD).await;
    assert_eq!(
        (waits.status, waits.header("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "16")
    );

    let known = world.cookie(KNOWN).unwrap();
    let own = world.swap(Jar::new());
    guess(&world, CAROL, 6).await;
    world.swap(own);
    assert_eq!(world.cookie(KNOWN).unwrap(), known);
    let page = world.page(&[]).await;
    let other = world.submit(&page, CAROL, PASSWORD).await;
    assert_eq!(
        other.status,
        StatusCode::TOO_MANY_REQUESTS,
        "the browser is not known to Carol"
    );
}

#[tokio::test]
async fn a_made_up_cookie_makes_no_browser_known() {
    let world = World::new();
    guess(&world, ALICE, 6).await;
    for made_up in [
        "x",
        &format!("{}.{}", "a".repeat(22), "b".repeat(22)),
        &"c".repeat(5000),
    ] {
        world.swap(Jar::from([(KNOWN.to_owned(), made_up.to_owned())]));
        let page = world.page(&[]).await;
        let answer = world.submit(&page, ALICE, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{made_up}");
    }
}
