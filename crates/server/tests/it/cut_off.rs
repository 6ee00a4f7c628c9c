//! When somebody is cut off, everything ends before the act is answered (RV-03).

use std::sync::Arc;

use http::StatusCode;
use lanyard_core::directory::provision;
use lanyard_core::outcome::Outcome;
use lanyard_protocol::gateway::Revoked;
use lanyard_server::cut_off::Effect;
use lanyard_testkit::company::{ALICE, IDP, RAS};

use crate::support::{World, claims};

fn deactivate(world: &World, username: &'static str) {
    let (admin, user) = (world.company.admin.clone(), world.company.user(username));
    let (vault, idp) = (Arc::clone(&world.company.vault), world.company.idp.issuer.clone());
    let end = world
        .company
        .write(move |cx, tx| provision::deactivate(cx, tx, &vault, &idp, &admin, &user.id));
    assert!(matches!(end, Outcome::Granted(_)));
}

#[tokio::test]
async fn a_leavers_access_token_is_revoked_in_every_view_before_the_act_answers_rv_03() {
    let world = World::new().await;
    let token = world.redeem(&world.id_jag(ALICE).await).await.token();
    deactivate(&world, ALICE);
    assert!(world.view.0.lock().unwrap().is_empty());
    assert_eq!(world.cut_off.complete().await, Effect::Complete);
    let told = world.view.0.lock().unwrap().clone();
    let said = claims(&token);
    assert!(
        told.iter().any(
            |entry| matches!(&entry.revoked, Revoked::Subject { issuer, subject, not_after }
            if issuer.as_str() == RAS && said["sub"] == *subject && said["iat"].as_i64().unwrap() <= *not_after)
        ),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_leavers_tokens_at_the_issuer_are_dead_at_once_rv_03() {
    let world = World::new().await;
    let tokens = world.sign_in(ALICE).await;
    deactivate(&world, ALICE);
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        world.get_with_token(&format!("{IDP}/connectors"), access).await.status,
        StatusCode::UNAUTHORIZED
    );
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    let answer = world.post(&format!("{IDP}/oauth2/token"), "ide", &fields).await;
    assert_eq!(answer.error(), (400, "invalid_grant".to_owned()));
    world.assert_denied("idp.tokens.denied", "user_inactive");
}

#[tokio::test]
async fn completing_twice_does_no_harm() {
    let world = World::new().await;
    world.redeem(&world.id_jag(ALICE).await).await.token();
    deactivate(&world, ALICE);
    assert_eq!(world.cut_off.complete().await, Effect::Complete);
    let events = world.company.events().len();
    assert_eq!(world.cut_off.complete().await, Effect::Complete);
    assert_eq!(world.company.events().len(), events);
}
