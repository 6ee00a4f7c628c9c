//! Token exchange: what is granted (IDP-TX, IDP-PL, IDP-RS, IDP-MN).

use http::StatusCode;
use lanyard_testkit::company::{ALICE, CAROL, Company, FIGMA, IDE_AT_RAS, IDP, LINEAR, RAS};

use crate::support::{ID_JAG, REFRESH_TOKEN, World, claims, exchange_fields, header, token_url};

#[tokio::test]
async fn an_employee_gets_an_id_jag_idp_rs_01_idp_mn_01_tok_jg_01() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    let answer = world.exchange(&id_token, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let told = answer.json();
    assert_eq!(told["issued_token_type"], ID_JAG);
    assert_eq!(told["token_type"], "N_A");
    assert_eq!(told["expires_in"], 300);
    assert_eq!(told["scope"], "linear.read linear.write");
    assert!(told["refresh_token"].is_null(), "IDP-RS-03");
    assert_eq!(answer.header("cache-control"), "no-store", "IDP-TK-02");

    let id_jag = told["access_token"].as_str().unwrap();
    assert_eq!(header(id_jag)["typ"], "oauth-id-jag+jwt");
    assert!(header(id_jag)["alg"] == "ES256" && header(id_jag)["kid"].is_string());
    let said = claims(id_jag);
    assert_eq!((&said["iss"], &said["aud"]), (&IDP.into(), &RAS.into()));
    assert_eq!(said["client_id"], IDE_AT_RAS, "IDP-MN-02");
    assert_eq!((&said["resource"], &said["scope"]), (&LINEAR.into(), &told["scope"]));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 300);
    assert!(
        said["auth_time"].is_i64() && said["acr"].is_string() && said["amr"].is_array(),
        "IDP-MN-05"
    );
    world.assert_granted("idp.id_jag.issued");
}

#[tokio::test]
async fn an_id_jag_has_no_claim_that_is_not_needed_tok_jg_02() {
    let world = World::new().await;
    let id_jag = world.id_jag(ALICE).await;
    let allowed = [
        "iss",
        "sub",
        "aud",
        "client_id",
        "jti",
        "exp",
        "iat",
        "resource",
        "scope",
        "auth_time",
        "acr",
        "amr",
        "sid",
        "aud_tenant",
    ];
    for name in claims(&id_jag).as_object().unwrap().keys() {
        assert!(allowed.contains(&name.as_str()), "{name}");
    }
    let sid = claims(&world.id_token(ALICE).await)["sid"].clone();
    assert_ne!(claims(&id_jag)["sid"], sid, "never the client's own sid");
}

#[tokio::test]
async fn scopes_are_narrowed_by_the_rules_and_told_idp_pl_02_idp_pl_05_idp_rs_02() {
    let world = World::new().await;
    let id_token = world.id_token(CAROL).await;
    let answer = world.exchange(&id_token, &[]).await;
    assert_eq!(answer.json()["scope"], "linear.read");
    assert_eq!(claims(&answer.token())["scope"], "linear.read");
}

#[tokio::test]
async fn every_exchange_has_its_own_jti_idp_mn_04() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    let (a, b) = (
        world.exchange(&id_token, &[]).await.token(),
        world.exchange(&id_token, &[]).await.token(),
    );
    assert_ne!(claims(&a)["jti"], claims(&b)["jti"]);
}

#[tokio::test]
async fn a_refresh_token_is_a_subject_as_well_and_is_not_rotated_idp_tx_11_idp_tx_13() {
    let world = World::new().await;
    let refresh = world.sign_in(ALICE).await["refresh_token"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let changes = [
            ("subject_token", refresh.as_str()),
            ("subject_token_type", REFRESH_TOKEN),
        ];
        let answer = world.post(&token_url(IDP), "ide", &exchange_fields("", &changes)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert!(answer.json()["refresh_token"].is_null(), "IDP-RS-03");
    }
}

#[tokio::test]
async fn current_groups_count_and_not_those_at_the_sign_in_idp_tx_12() {
    let world = World::new().await;
    let refresh = world.sign_in(ALICE).await["refresh_token"].as_str().unwrap().to_owned();
    let mut organisation = world.company.organisation();
    for user in &mut organisation.users {
        user.groups = Some(vec!["contractors".to_owned()]);
        // A new password would end the sign-in.
        user.password = None;
    }
    world.company.apply(&organisation);
    let changes = [
        ("subject_token", refresh.as_str()),
        ("subject_token_type", REFRESH_TOKEN),
        ("resource", FIGMA),
    ];
    let fields = exchange_fields("", &changes);
    let fields: Vec<_> = fields.into_iter().filter(|(name, _)| *name != "scope").collect();
    let answer = world.post(&token_url(IDP), "ide", &fields).await;
    assert_eq!(answer.error(), (400, "access_denied".to_owned()));
    world.assert_denied("idp.id_jag.denied", "not_permitted");
}

#[tokio::test]
async fn without_a_scope_the_defaults_of_the_connector_are_asked_for() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    let answer = world.exchange(&id_token, &[("scope", "")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(
        !answer.json()["scope"].as_str().unwrap().is_empty(),
        "interop finding 8"
    );
}

#[tokio::test]
async fn the_only_resource_of_an_audience_is_filled_in_idp_tx_07() {
    let world = World::of(Company::with(|organisation| {
        organisation.connectors.truncate(1);
        organisation.trusts[0].resources = lanyard_core::admin::spec::AllOr::ALL;
    }))
    .await;
    let id_token = world.id_token(ALICE).await;
    let answer = world.exchange(&id_token, &[("resource", "")]).await;
    assert_eq!(claims(&answer.token())["resource"], LINEAR);
}

#[tokio::test]
async fn an_actor_token_adds_nothing_idp_tx_15() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    let pair = [
        ("actor_token", id_token.as_str()),
        ("actor_token_type", crate::support::ID_TOKEN),
    ];
    let answer = world.exchange(&id_token, &pair).await;
    assert!(claims(&answer.token())["act"].is_null());
    let answer = world.exchange(&id_token, &pair[..1]).await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
    world.assert_denied("idp.id_jag.denied", "malformed_request");
}

#[tokio::test]
async fn no_token_is_ever_in_the_audit_log_idp_pl_06_sec_10() {
    let world = World::new().await;
    let id_jag = world.id_jag(ALICE).await;
    world.redeem(&id_jag).await;
    world.redeem(&id_jag).await;
    world.exchange("eyJhbGciOiJub25lIn0.e30.", &[]).await;
    for event in world.company.events() {
        assert!(!event.text.contains("eyJ"), "{}", event.text);
    }
}

#[tokio::test]
async fn the_subject_is_the_one_for_the_ras_and_not_for_the_client_idp_mn_03() {
    use lanyard_core::client::registration::SubjectMode;
    let world = World::of(Company::with(|organisation| {
        organisation.audiences[0].subject = SubjectMode::Pairwise;
    }))
    .await;
    let tokens = world.sign_in(ALICE).await;
    let id_token = tokens["id_token"].as_str().unwrap();
    let first = claims(&world.exchange(id_token, &[]).await.token())["sub"].clone();
    let again = claims(&world.id_jag(ALICE).await)["sub"].clone();
    assert_eq!(first, again);
    assert_ne!(first, claims(id_token)["sub"]);
    assert_ne!(first, claims(&world.id_jag(CAROL).await)["sub"]);
}
