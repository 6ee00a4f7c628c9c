//! The code grant and the refresh grant (IDP-AU-02, 06, 09; RV-02, RV-07).

use std::time::Duration;

use http::StatusCode;
use lanyard_core::idp::logout::{EndedBy, end};
use lanyard_testkit::company::{AGENT, ALICE, IDE, IDP, REDIRECT};

use crate::support::{ASSERTION, VERIFIER, World, claims, exchange_fields, header, token_url};

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[tokio::test]
async fn a_code_buys_the_three_tokens_of_a_sign_in_tok_id_01() {
    let world = World::new().await;
    let tokens = world.sign_in(ALICE).await;
    world.assert_granted("idp.tokens.issued");
    assert_eq!(tokens["token_type"], "Bearer");
    let id_token = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(
        (&id_token["iss"], &id_token["aud"], &id_token["nonce"]),
        (&IDP.into(), &IDE.into(), &"n-1".into())
    );
    assert_eq!(id_token["acr"], "urn:lanyard:acr:pwd");
    assert_eq!(
        id_token["at_hash"],
        lanyard_jose::digest::at_hash(tokens["access_token"].as_str().unwrap())
    );
    let id_header = header(tokens["id_token"].as_str().unwrap());
    assert_eq!((&id_header["alg"], &id_header["typ"]), (&"ES256".into(), &"JWT".into()));
    assert!(id_header["kid"].is_string());
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        (&header(access)["typ"], &claims(access)["aud"]),
        (&"at+jwt".into(), &IDP.into())
    );
    assert!(tokens["refresh_token"].is_string());
}

#[tokio::test]
async fn a_wrong_verifier_is_refused_idp_au_02() {
    let world = World::new().await;
    let code = world.code(&world.session(ALICE), IDE, REDIRECT, "openid");
    for verifier in ["a".repeat(43).as_str(), ""] {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
        ];
        if !verifier.is_empty() {
            fields.push(("code_verifier", verifier));
        }
        assert_eq!(world.post(&token_url(IDP), IDE, &fields).await.error(), invalid_grant());
        world.assert_denied("idp.tokens.denied", "verifier_mismatch");
    }
}

#[tokio::test]
async fn a_code_is_bound_to_its_redirect_uri_and_client_idp_au_06() {
    let world = World::new().await;
    let code = world.code(&world.session(ALICE), IDE, REDIRECT, "openid");
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://ide.contoso.example/other"),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(world.post(&token_url(IDP), IDE, &fields).await.error(), invalid_grant());
    world.assert_denied("idp.tokens.denied", "redirect_uri_mismatch");
    let assertion = world.assertion(AGENT, IDP);
    fields[2] = ("redirect_uri", REDIRECT);
    fields.extend([
        ("client_assertion_type", ASSERTION),
        ("client_assertion", assertion.as_str()),
    ]);
    assert_eq!(world.post_bare(&token_url(IDP), &fields).await.error(), invalid_grant());
    world.assert_denied("idp.tokens.denied", "code_other_client");
}

#[tokio::test]
async fn a_code_lives_for_a_minute_idp_au_06() {
    let world = World::new().await;
    let code = world.code(&world.session(ALICE), IDE, REDIRECT, "openid");
    world.company.clock.advance(Duration::from_secs(61));
    assert_eq!(world.redeem_code(&code).await.error(), invalid_grant());
    world.assert_denied("idp.tokens.denied", "code_expired");
}

#[tokio::test]
async fn a_second_use_of_a_code_ends_what_the_first_bought_idp_au_06() {
    let world = World::new().await;
    let code = world.code(&world.session(ALICE), IDE, REDIRECT, "openid offline_access");
    let tokens = world.redeem_code(&code).await.json();
    assert_eq!(world.redeem_code(&code).await.error(), invalid_grant());
    world.assert_denied("idp.tokens.denied", "code_reused");
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    assert_eq!(
        world.post(&token_url(IDP), IDE, &refresh).await.error(),
        invalid_grant()
    );
    world.assert_denied("idp.tokens.denied", "refresh_token_revoked");
    let exchanged = world.exchange(tokens["id_token"].as_str().unwrap(), &[]).await;
    assert_eq!(exchanged.error(), invalid_grant());
    world.assert_denied("idp.id_jag.denied", "grant_ended");
}

#[tokio::test]
async fn without_offline_access_there_is_no_refresh_token_idp_au_09() {
    let world = World::new().await;
    let code = world.code(&world.session(ALICE), IDE, REDIRECT, "openid");
    assert!(world.redeem_code(&code).await.json()["refresh_token"].is_null());
}

#[tokio::test]
async fn refreshing_rotates_and_a_late_reuse_ends_the_family_idp_au_09() {
    let world = World::new().await;
    let first = world.sign_in(ALICE).await["refresh_token"].as_str().unwrap().to_owned();
    let refresh = async |token: &str| {
        world
            .post(
                &token_url(IDP),
                IDE,
                &[("grant_type", "refresh_token"), ("refresh_token", token)],
            )
            .await
    };
    let answer = refresh(&first).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    world.assert_granted("idp.tokens.refreshed");
    let second = answer.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    // A lost answer: within ten seconds the immediate predecessor gets the same successor.
    assert_eq!(refresh(&first).await.json()["refresh_token"], second.as_str());
    world.company.clock.advance(Duration::from_secs(11));
    assert_eq!(refresh(&first).await.error(), invalid_grant());
    world.assert_denied("idp.tokens.denied", "refresh_token_reused");
    assert_eq!(refresh(&second).await.error(), invalid_grant());
    world.assert_denied("idp.tokens.denied", "refresh_token_revoked");
}

#[tokio::test]
async fn a_refresh_never_widens_the_scope() {
    let world = World::new().await;
    let code = world.code(&world.session(ALICE), IDE, REDIRECT, "openid offline_access");
    let token = world.redeem_code(&code).await.json()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
        ("scope", "openid email"),
    ];
    let answer = world.post(&token_url(IDP), IDE, &fields).await;
    assert_eq!(answer.error(), (400, "invalid_scope".to_owned()));
    world.assert_denied("idp.tokens.denied", "scope_exceeded");
}

#[tokio::test]
async fn a_refresh_token_of_another_client_is_refused() {
    let world = World::new().await;
    let token = world.sign_in(ALICE).await["refresh_token"].as_str().unwrap().to_owned();
    let assertion = world.assertion(AGENT, IDP);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", assertion.as_str()),
    ];
    assert_eq!(world.post_bare(&token_url(IDP), &fields).await.error(), invalid_grant());
    world.assert_denied("idp.tokens.denied", "refresh_token_other_client");
}

#[tokio::test]
async fn after_a_logout_the_id_token_is_dead_and_an_offline_refresh_token_is_not_idp_tx_14_rv_07() {
    let world = World::new().await;
    let session = world.session(ALICE);
    let tokens = world.tokens_of(&session).await;
    world
        .company
        .write(move |cx, tx| end(cx, tx, &session, &EndedBy::Person));
    let answer = world.exchange(tokens["id_token"].as_str().unwrap(), &[]).await;
    assert_eq!(answer.error(), invalid_grant());
    world.assert_denied("idp.id_jag.denied", "session_ended");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let changes = [
        ("subject_token", refresh),
        ("subject_token_type", crate::support::REFRESH_TOKEN),
    ];
    let answer = world.post(&token_url(IDP), IDE, &exchange_fields("", &changes)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}
