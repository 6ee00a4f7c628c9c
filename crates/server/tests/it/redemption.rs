//! Redemption: what is granted (RAS-JB, RAS-AT).

use http::StatusCode;
use lanyard_core::trust::issuer::ScopeRule;
use lanyard_testkit::company::{ALICE, CAROL, Company, FIGMA, IDE_AT_RAS, LINEAR, RAS};
use serde_json::json;

use crate::support::{BEARER, World, claims, header, token_url};

#[tokio::test]
async fn an_id_jag_buys_an_access_token_for_its_resource_ras_jb_01_ras_at_01_ras_at_02_tok_at_01() {
    let world = World::new().await;
    let id_jag = world.id_jag(ALICE).await;
    let answer = world.redeem(&id_jag).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let told = answer.json();
    assert_eq!(
        (&told["token_type"], &told["expires_in"]),
        (&"Bearer".into(), &600.into())
    );
    assert_eq!(told["scope"], "linear.read linear.write");
    assert_eq!(told["resource"], LINEAR, "D-15");
    assert!(told["refresh_token"].is_null(), "RAS-AT-03");
    assert!(told["issued_token_type"].is_null());
    assert_eq!(answer.header("cache-control"), "no-store");

    let token = told["access_token"].as_str().unwrap();
    assert_eq!(header(token)["typ"], "at+jwt", "RAS-AT-06");
    let said = claims(token);
    assert_eq!((&said["iss"], &said["aud"]), (&RAS.into(), &LINEAR.into()));
    assert_eq!(said["client_id"], IDE_AT_RAS);
    assert!(
        said["sub"].as_str().unwrap().starts_with("acct_"),
        "the account here, never the sub of the IdP"
    );
    assert_eq!(said["auth_time"], claims(&id_jag)["auth_time"]);
    world.assert_granted("ras.access_token.issued");
}

#[tokio::test]
async fn nothing_is_fetched_for_an_issuer_in_the_same_process() {
    let world = World::new().await;
    world.redeem(&world.id_jag(ALICE).await).await.token();
    assert_eq!(world.network.0.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test]
async fn one_subject_is_one_account_al_01_al_08() {
    let world = World::new().await;
    let first = claims(&world.redeem(&world.id_jag(ALICE).await).await.token())["sub"].clone();
    let again = claims(&world.redeem(&world.id_jag(ALICE).await).await.token())["sub"].clone();
    let other = claims(&world.redeem(&world.id_jag(CAROL).await).await.token())["sub"].clone();
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[tokio::test]
async fn the_media_type_may_be_written_in_full_ras_jb_04() {
    let world = World::new().await;
    for typ in ["application/oauth-id-jag+jwt", "OAuth-ID-JAG+JWT"] {
        let mut said = world.id_jag_claims();
        said["aud"] = json!([RAS]);
        let id_jag = world.idp_key().sign(typ, &said).unwrap();
        assert_eq!(world.redeem(&id_jag).await.status, StatusCode::OK, "{typ}");
    }
}

#[tokio::test]
async fn the_resource_parameter_may_repeat_the_claim_ras_jb_16() {
    let world = World::new().await;
    let id_jag = world.forged(|_| {});
    let fields = [
        ("grant_type", BEARER),
        ("assertion", id_jag.as_str()),
        ("resource", LINEAR),
    ];
    assert_eq!(
        world.post(&token_url(RAS), IDE_AT_RAS, &fields).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_claim_of_two_resources_needs_a_choice_ras_jb_16() {
    let world = World::new().await;
    let two = |world: &World| {
        world.forged(|claims| {
            claims["resource"] = json!([LINEAR, FIGMA]);
            claims.as_object_mut().unwrap().remove("scope");
        })
    };
    assert_eq!(
        world.redeem(&two(&world)).await.error(),
        (400, "invalid_target".to_owned())
    );
    world.assert_denied("ras.id_jag.denied", "resource_not_chosen");
    let id_jag = two(&world);
    let fields = [
        ("grant_type", BEARER),
        ("assertion", id_jag.as_str()),
        ("resource", FIGMA),
    ];
    let answer = world.post(&token_url(RAS), IDE_AT_RAS, &fields).await;
    assert_eq!(claims(&answer.token())["aud"], FIGMA);
}

#[tokio::test]
async fn a_wider_request_gets_what_the_id_jag_holds_d_04() {
    let world = World::new().await;
    let id_jag = world.forged(|claims| claims["scope"] = "linear.read".into());
    let fields = [
        ("grant_type", BEARER),
        ("assertion", id_jag.as_str()),
        ("scope", "linear.read linear.write"),
    ];
    let answer = world.post(&token_url(RAS), IDE_AT_RAS, &fields).await;
    assert_eq!(answer.json()["scope"], "linear.read");
}

#[tokio::test]
async fn a_narrower_request_depends_on_the_rule_d_04() {
    for (rule, expected) in [(ScopeRule::Strict, 400), (ScopeRule::Downscope, 200)] {
        let world = World::of(Company::with(|organisation| organisation.trusts[0].scope_rule = rule)).await;
        let id_jag = world.forged(|_| {});
        let fields = [
            ("grant_type", BEARER),
            ("assertion", id_jag.as_str()),
            ("scope", "linear.read"),
        ];
        let answer = world.post(&token_url(RAS), IDE_AT_RAS, &fields).await;
        assert_eq!(answer.status.as_u16(), expected, "{}", answer.text());
        if expected == 400 {
            assert_eq!(answer.error().1, "invalid_grant");
            world.assert_denied("ras.id_jag.denied", "narrower_request");
        } else {
            assert_eq!(answer.json()["scope"], "linear.read");
        }
    }
}

#[tokio::test]
async fn without_a_scope_claim_the_defaults_are_the_ceiling_d_05() {
    let world = World::new().await;
    let answer = world
        .redeem(&world.forged(|claims| {
            claims.as_object_mut().unwrap().remove("scope");
        }))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(
        !answer.json()["scope"].as_str().unwrap().is_empty(),
        "never everything, never nothing"
    );
}

#[tokio::test]
async fn fifty_at_once_buy_one_token_ras_jb_12() {
    let world = std::sync::Arc::new(World::new().await);
    let id_jag = world.id_jag(ALICE).await;
    let attempts = (0..50).map(|_| world.redeem(&id_jag));
    let answers = futures_util::future::join_all(attempts).await;
    let granted = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(granted, 1);
    for refused in answers.iter().filter(|answer| answer.status != StatusCode::OK) {
        assert_eq!(refused.error(), (400, "invalid_grant".to_owned()));
    }
    world.assert_denied("ras.id_jag.denied", "replayed");
}

#[tokio::test]
async fn a_changed_trust_record_counts_at_once_and_denies_nobody_by_mistake() {
    let world = World::new().await;
    world.redeem(&world.forged(|_| {})).await.token();
    let mut organisation = world.company.organisation();
    organisation.trusts[0].access_token_ttl_seconds = 120;
    world.company.apply(&organisation);
    let answer = world.redeem(&world.forged(|_| {})).await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "{} {:?}",
        answer.text(),
        world.company.last_event()
    );
    assert_eq!(answer.json()["expires_in"], 120);

    organisation.trusts[0].enabled = false;
    world.company.apply(&organisation);
    assert_eq!(
        world.redeem(&world.forged(|_| {})).await.error(),
        (400, "invalid_grant".to_owned())
    );
    world.assert_denied("ras.id_jag.denied", "untrusted_issuer");

    organisation.trusts[0].enabled = true;
    world.company.apply(&organisation);
    // Withdrawing the trust cut off everything up to that second.
    world.company.clock.advance(std::time::Duration::from_secs(2));
    world.redeem(&world.forged(|_| {})).await.token();
}

#[tokio::test]
async fn first_redemptions_of_one_person_at_once_make_one_account_al_05() {
    let world = World::new().await;
    let id_jags: Vec<String> = (0..20).map(|_| world.forged(|_| {})).collect();
    let answers = futures_util::future::join_all(id_jags.iter().map(|id_jag| world.redeem(id_jag))).await;
    let mut accounts: Vec<_> = answers
        .iter()
        .map(|answer| claims(&answer.token())["sub"].as_str().unwrap().to_owned())
        .collect();
    accounts.dedup();
    assert_eq!(accounts.len(), 1);
}
