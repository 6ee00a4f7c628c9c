//! Step-up at the token endpoint: the error body, and the audit event (SU-01, SU-02).

use std::time::Duration;

use lanyard_core::admin::requirement::RequirementSpec;
use lanyard_core::session::strength::Strength;
use lanyard_testkit::company::{ALICE, CAROL, Company};

use crate::support::{REFRESH_TOKEN, World};

async fn world(strength: Option<Strength>, max_age: Option<&str>) -> World {
    let requires = RequirementSpec {
        strength,
        max_age: max_age.map(str::to_owned),
    };
    let company = Company::with(|organisation| organisation.connectors[0].scopes[1].requires = Some(requires));
    World::of(company).await
}

#[tokio::test]
async fn the_error_names_the_authentication_that_is_needed_su_01_su_02_idp_pl_03() {
    let world = world(Some(Strength::PhishingResistant), Some("5m")).await;
    let id_token = world.id_token(ALICE).await;
    let answer = world.exchange(&id_token, &[]).await;
    assert_eq!(answer.error(), (400, "insufficient_user_authentication".to_owned()));
    let body = answer.json();
    assert_eq!(body["acr_values"], "phr");
    assert_eq!(body["error_description"], "a stronger or more recent sign-in is needed");
    assert!(body["request_id"].as_str().unwrap().starts_with("req_"));
    assert_eq!(answer.header("cache-control"), "no-store");
    world.assert_denied("idp.id_jag.denied", "step_up_needed");
}

#[tokio::test]
async fn an_age_alone_is_a_number_of_seconds_su_02() {
    let world = world(None, Some("5m")).await;
    let id_token = world.id_token(ALICE).await;
    assert!(world.exchange(&id_token, &[]).await.json()["access_token"].is_string());
    world.company.clock.advance(Duration::from_secs(301));
    let body = world.exchange(&id_token, &[]).await.json();
    assert_eq!(body["max_age"], 300);
    assert!(body.get("acr_values").is_none());
    // Without the scope that asks for it there is nothing to ask for.
    let narrow = world.exchange(&id_token, &[("scope", "linear.read")]).await;
    assert_eq!(narrow.json()["scope"], "linear.read");
}

#[tokio::test]
async fn a_refresh_token_is_judged_by_the_original_sign_in_su_04() {
    let world = world(None, Some("5m")).await;
    let tokens = world.sign_in(ALICE).await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    world.company.clock.advance(Duration::from_secs(301));
    let answer = world
        .exchange(refresh_token, &[("subject_token_type", REFRESH_TOKEN)])
        .await;
    assert_eq!(answer.error(), (400, "insufficient_user_authentication".to_owned()));
}

#[tokio::test]
async fn who_would_not_get_it_anyway_is_not_asked_to_sign_in_again_su_01() {
    let world = world(Some(Strength::MultiFactor), None).await;
    let id_token = world.id_token(CAROL).await;
    let answer = world.exchange(&id_token, &[("scope", "linear.write")]).await;
    assert_eq!(answer.error(), (400, "invalid_scope".to_owned()));
    world.assert_denied("idp.id_jag.denied", "no_scope_granted");
}
