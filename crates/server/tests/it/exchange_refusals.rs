//! Token exchange: every refusal, on the wire and in the audit log (rows 1 to 8 of the error table).

use std::time::Duration;

use lanyard_core::directory::provision;
use lanyard_core::keys::record::Ring;
use lanyard_jose::digest::base64url;
use lanyard_testkit::company::{AGENT, ALICE, CAROL, Company, DAVE, FIGMA, IDE, IDP, RAS};
use serde_json::json;

use crate::support::{ASSERTION, ID_TOKEN, World, claims, exchange_fields, token_url};

#[track_caller]
fn code(expected: &str) -> (u16, String) {
    (400, expected.to_owned())
}

#[tokio::test]
async fn what_is_asked_for_must_be_an_id_jag_idp_tx_01() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    for other in [
        "urn:ietf:params:oauth:token-type:access_token",
        "urn:example:nothing",
        "",
    ] {
        let answer = world.exchange(&id_token, &[("requested_token_type", other)]).await;
        assert_eq!(answer.error(), code("invalid_request"), "{other}");
    }
}

#[tokio::test]
async fn exactly_one_known_audience_idp_tx_03() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    assert_eq!(
        world.exchange(&id_token, &[("audience", "")]).await.error(),
        code("invalid_request")
    );
    let mut twice = exchange_fields(&id_token, &[]);
    twice.push(("audience", "https://other.example"));
    assert_eq!(
        world.post(&token_url(IDP), IDE, &twice).await.error(),
        code("invalid_request")
    );
    for unknown in ["https://other.example", "https://auth.ledger.example/"] {
        let answer = world.exchange(&id_token, &[("audience", unknown)]).await;
        assert_eq!(answer.error(), code("invalid_target"), "{unknown}");
        world.assert_denied("idp.id_jag.denied", "unknown_audience");
    }
}

#[tokio::test]
async fn a_resource_is_an_absolute_uri_of_a_known_pair_idp_tx_05_idp_tx_06() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    for malformed in ["linear", "https://mcp.ledger.example/linear/mcp#x"] {
        let answer = world.exchange(&id_token, &[("resource", malformed)]).await;
        assert_eq!(answer.error(), code("invalid_target"), "{malformed}");
    }
    let answer = world
        .exchange(&id_token, &[("resource", "https://mcp.other.example/mcp")])
        .await;
    assert_eq!(answer.error(), code("invalid_target"));
    world.assert_denied("idp.id_jag.denied", "unknown_pair");
}

#[tokio::test]
async fn only_identity_assertions_are_subjects_idp_tx_08() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    for kind in ["access_token", "jwt", "id-jag"] {
        let kind = format!("urn:ietf:params:oauth:token-type:{kind}");
        let answer = world.exchange(&id_token, &[("subject_token_type", &kind)]).await;
        assert_eq!(answer.error(), code("invalid_request"), "{kind}");
    }
    assert_eq!(
        world.exchange(&id_token, &[("subject_token_type", "")]).await.error(),
        code("invalid_request")
    );
    let saml = "urn:ietf:params:oauth:token-type:saml2";
    let answer = world.exchange(&id_token, &[("subject_token_type", saml)]).await;
    assert_eq!(
        answer.error(),
        code("invalid_grant"),
        "what it says it is decides how it is read"
    );
}

#[tokio::test]
async fn an_id_token_of_another_client_is_refused_idp_tx_09() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    let assertion = world.assertion(AGENT, IDP);
    let proof = [
        ("client_assertion_type", ASSERTION),
        ("client_assertion", assertion.as_str()),
    ];
    let answer = world
        .post_bare(&token_url(IDP), &exchange_fields(&id_token, &proof))
        .await;
    assert_eq!(answer.error(), code("invalid_grant"));
    world.assert_denied("idp.id_jag.denied", "audience");
}

#[tokio::test]
async fn an_expired_or_foreign_id_token_is_refused_idp_tx_09() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    let mut said = claims(&id_token);
    said["iss"] = "https://evil.example".into();
    let foreign = world.idp_key().sign("JWT", &said).unwrap();
    assert_eq!(world.exchange(&foreign, &[]).await.error(), code("invalid_grant"));
    world.assert_denied("idp.id_jag.denied", "issuer");

    said["iss"] = IDP.into();
    said["azp"] = "other".into();
    said["aud"] = json!([IDE, "other"]);
    let several = world.idp_key().sign("JWT", &said).unwrap();
    assert_eq!(world.exchange(&several, &[]).await.error(), code("invalid_grant"));
    world.assert_denied("idp.id_jag.denied", "subject_of_other_client");

    world.company.clock.advance(Duration::from_secs(3600 + 31));
    assert_eq!(world.exchange(&id_token, &[]).await.error(), code("invalid_grant"));
    world.assert_denied("idp.id_jag.denied", "expired");
}

#[tokio::test]
async fn a_forged_id_token_is_refused_idp_tx_09_sec_06() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    let (unsigned, payload) = {
        let mut parts = id_token.split('.');
        parts.next();
        let payload = parts.next().unwrap();
        let none = base64url(br#"{"alg":"none","typ":"JWT"}"#);
        (format!("{none}.{payload}."), payload.to_owned())
    };
    assert_eq!(world.exchange(&unsigned, &[]).await.error(), code("invalid_grant"));
    let stranger = lanyard_jose::key::SigningKey::generate(lanyard_jose::algorithm::Algorithm::Es256).unwrap();
    let kid = world.idp_key().kid().to_owned();
    let forged = stranger.sign_with_kid("JWT", &kid, &claims(&id_token)).unwrap();
    assert_eq!(world.exchange(&forged, &[]).await.error(), code("invalid_grant"));
    world.assert_denied("idp.id_jag.denied", "signature");
    assert!(!payload.is_empty());
}

#[tokio::test]
async fn no_other_kind_of_token_is_an_id_token_idp_tx_10_sec_01() {
    let world = World::new().await;
    let said = claims(&world.id_token(ALICE).await);
    for typ in ["oauth-id-jag+jwt", "at+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt"] {
        let swapped = world.idp_key().sign(typ, &said).unwrap();
        assert_eq!(
            world.exchange(&swapped, &[]).await.error(),
            code("invalid_grant"),
            "{typ}"
        );
        world.assert_denied("idp.id_jag.denied", "typ");
    }
}

#[tokio::test]
async fn a_person_who_is_deactivated_exchanges_nothing_more_idp_tx_14_rv_03() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    world.exchange(&id_token, &[]).await.token();
    let (admin, user) = (world.company.admin.clone(), world.company.user(ALICE));
    let (vault, idp) = (world.company.vault.clone(), world.company.idp.issuer.clone());
    let _ = world
        .company
        .write(move |cx, tx| provision::deactivate(cx, tx, &vault, &idp, &admin, &user.id));
    assert_eq!(world.exchange(&id_token, &[]).await.error(), code("invalid_grant"));
    world.assert_denied("idp.id_jag.denied", "user_deactivated");
}

#[tokio::test]
async fn nobody_who_was_deactivated_before_can_sign_in() {
    let world = World::new().await;
    let settings = world.company.idp.clone();
    let denied = world.company.write(move |cx, tx| {
        let candidate = lanyard_core::idp::sign_in::lookup(tx, DAVE)?;
        let end = lanyard_core::idp::sign_in::complete(cx, tx, &settings, &candidate, true, None)?;
        Ok(end.into_result().is_err())
    });
    assert!(denied);
    world.assert_denied("idp.sign_in.failed", "user_deactivated");
}

#[tokio::test]
async fn default_is_deny_idp_pl_01() {
    let world = World::of(Company::with(|organisation| organisation.rules.clear())).await;
    let id_token = world.id_token(ALICE).await;
    assert_eq!(world.exchange(&id_token, &[]).await.error(), code("access_denied"));
    world.assert_denied("idp.id_jag.denied", "not_permitted");
}

#[tokio::test]
async fn a_contractor_hears_a_neutral_no_where_no_rule_admits_her_d_08() {
    let world = World::new().await;
    let id_token = world.id_token(CAROL).await;
    let answer = world.exchange(&id_token, &[("resource", FIGMA), ("scope", "")]).await;
    assert_eq!(answer.error(), code("access_denied"));
    assert!(!answer.text().contains("figma"), "{}", answer.text());
    world.assert_denied("idp.id_jag.denied", "not_permitted");
}

#[tokio::test]
async fn admitted_without_any_requested_scope_is_invalid_scope_d_08() {
    let world = World::new().await;
    let id_token = world.id_token(CAROL).await;
    let answer = world.exchange(&id_token, &[("scope", "linear.write")]).await;
    assert_eq!(answer.error(), code("invalid_scope"));
    world.assert_denied("idp.id_jag.denied", "no_scope_granted");
    let answer = world.exchange(&id_token, &[("scope", "bad\"scope")]).await;
    assert_eq!(answer.error(), code("invalid_scope"));
    world.assert_denied("idp.id_jag.denied", "malformed_scope");
}

#[tokio::test]
async fn without_a_mapping_there_is_no_target_idp_mn_02() {
    let world = World::of(Company::with(|organisation| {
        organisation.audiences[0].clients = Some(std::collections::BTreeMap::new());
    }))
    .await;
    let id_token = world.id_token(ALICE).await;
    assert_eq!(world.exchange(&id_token, &[]).await.error(), code("invalid_target"));
    world.assert_denied("idp.id_jag.denied", "no_client_mapping");
}

#[tokio::test]
async fn nothing_is_issued_for_what_is_switched_off_rv_03() {
    let staged = |status| {
        Company::with(move |organisation| {
            for connector in &mut organisation.connectors {
                connector.status = status;
            }
        })
    };
    use lanyard_core::connector::record::ConnectorStatus;
    for status in [ConnectorStatus::Staged, ConnectorStatus::Off] {
        let world = World::of(staged(status)).await;
        let id_token = world.id_token(ALICE).await;
        assert_eq!(world.exchange(&id_token, &[]).await.error(), code("invalid_target"));
        world.assert_denied("idp.id_jag.denied", "connector_not_active");
    }
    let world = World::of(Company::with(|organisation| organisation.audiences[0].enabled = false)).await;
    let id_token = world.id_token(ALICE).await;
    assert_eq!(world.exchange(&id_token, &[]).await.error(), code("invalid_target"));
    world.assert_denied("idp.id_jag.denied", "audience_disabled");
}

#[tokio::test]
async fn several_resources_and_none_named_is_refused_idp_tx_07() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    assert_eq!(
        world.exchange(&id_token, &[("resource", "")]).await.error(),
        code("invalid_target")
    );
    world.assert_denied("idp.id_jag.denied", "resource_needed");
}

#[tokio::test]
async fn a_client_without_the_grant_is_unauthorized() {
    let world = World::of(Company::with(|organisation| {
        for client in &mut organisation.clients {
            if client.client_id == IDE {
                client.grants = Some(vec!["authorization_code".to_owned()]);
            }
        }
    }))
    .await;
    let code_of = world.code(&world.session(ALICE), IDE, lanyard_testkit::company::REDIRECT, "openid");
    let id_token = world.redeem_code(&code_of).await.json()["id_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        world.exchange(&id_token, &[]).await.error(),
        code("unauthorized_client")
    );
    world.assert_denied("idp.id_jag.denied", "grant_not_allowed");
}

#[tokio::test]
async fn rich_authorization_requests_are_refused_and_not_dropped() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    let answer = world.exchange(&id_token, &[("authorization_details", "[]")]).await;
    assert_eq!(answer.error(), code("invalid_authorization_details"));
}

#[tokio::test]
async fn a_key_removed_in_an_emergency_neither_verifies_nor_signs_any_more_sec_17() {
    use lanyard_core::keys::rotation::{FreshKey, remove_now};
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    world.exchange(&id_token, &[]).await.token();
    let old = world.idp_key().kid().to_owned();
    let fresh = FreshKey::generate(
        &world.company.vault,
        Ring::Idp,
        lanyard_jose::algorithm::Algorithm::Es256,
    )
    .unwrap();
    let (admin, kid) = (world.company.admin.clone(), old.clone());
    let _ = world
        .company
        .write(move |cx, tx| remove_now(cx, tx, &admin, None, &kid, &fresh));
    // Nothing told this process; the next unit sees it, although the verdict was remembered.
    assert_eq!(world.exchange(&id_token, &[]).await.error(), code("invalid_grant"));
    world.assert_denied("idp.id_jag.denied", "unknown_key");
    assert_ne!(world.idp_key().kid(), old);
    let _ = (RAS, ID_TOKEN);
}
