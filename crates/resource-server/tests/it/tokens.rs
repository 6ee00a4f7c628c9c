//! One negative for every check of a token.

use std::sync::atomic::Ordering;

use http::StatusCode;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::base64url;
use lanyard_jose::jwk::KeySet;
use lanyard_jose::key::SigningKey;
use lanyard_protocol::gateway::Revoked;
use lanyard_protocol::issuer::Issuer;
use serde_json::{Value, json};

use crate::world::{ISSUER, NOW, World, key_set};

async fn is_invalid(world: &World, token: &str, why: &str) {
    let answer = world.with_token(token).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{why}");
    assert!(
        answer.challenge.starts_with(r#"Bearer error="invalid_token""#),
        "{why}: {}",
        answer.challenge
    );
    assert!(answer.challenge.contains("resource_metadata="), "{why}");
    assert!(answer.body.contains("invalid_token"), "{why}");
}

#[tokio::test]
async fn every_claim_that_does_not_fit_is_invalid_token_rs_tk_01_rs_ch_02() {
    let world = World::new();
    for (member, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!("https://auth.ledger.example/")),
        ("aud", json!("https://mcp.other.example/mcp")),
        ("aud", json!(["https://mcp.ledger.example/mcp/"])),
        ("aud", json!(ISSUER)),
        ("exp", json!(NOW - 31)),
        ("exp", json!("never")),
        ("nbf", json!(NOW + 61)),
        ("iat", json!(NOW + 61)),
        ("jti", json!("")),
        ("client_id", Value::Null),
        ("cnf", json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})),
    ] {
        let token = world.token(|claims| claims[member] = value.clone());
        is_invalid(&world, &token, &format!("{member} = {value}")).await;
    }
}

#[tokio::test]
async fn other_kinds_of_token_are_refused_rs_tk_02() {
    let world = World::new();
    for typ in [
        "oauth-id-jag+jwt",
        "JWT",
        "secevent+jwt",
        "client-authentication+jwt",
        "logout+jwt",
    ] {
        let token = world.key.sign(typ, &world.claims()).unwrap();
        is_invalid(&world, &token, typ).await;
    }
}

#[tokio::test]
async fn forged_tokens_are_refused_rs_tk_01() {
    let world = World::new();
    let good = world.token(|_| {});
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    let none = base64url(br#"{"typ":"at+jwt","alg":"none"}"#);
    let richer = base64url(
        world
            .claims()
            .to_string()
            .replace("invoices.read", "invoices.admin")
            .as_bytes(),
    );
    for (token, why) in [
        (stranger.sign("at+jwt", &world.claims()).unwrap(), "a key nobody knows"),
        (
            stranger
                .sign_with_kid("at+jwt", world.key.kid(), &world.claims())
                .unwrap(),
            "another key under a known kid",
        ),
        (format!("{none}.{payload}."), "no signature"),
        (format!("{header}.{richer}.{signature}"), "another payload"),
        (format!("{header}.{payload}"), "two parts"),
        (format!("{good}.{signature}"), "four parts"),
        ("a".repeat(20_000), "too long"),
    ] {
        is_invalid(&world, &token, why).await;
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused_although_its_signature_is_remembered_rs_tk_01_rv_02() {
    let world = World::new();
    let token = world.token(|_| {});
    assert_eq!(world.with_token(&token).await.status, StatusCode::OK);
    let issuer = Issuer::parse(ISSUER).unwrap();
    world.revocations.revoke(
        &Revoked::Token {
            issuer,
            jti: "at-1".to_owned(),
        },
        NOW + 700,
    );
    is_invalid(&world, &token, "revoked").await;
}

#[tokio::test]
async fn an_expired_token_is_refused_although_its_signature_is_remembered_rs_ch_02() {
    let world = World::new();
    let token = world.token(|_| {});
    assert_eq!(world.with_token(&token).await.status, StatusCode::OK);
    world.now.store(NOW + 629, Ordering::Relaxed);
    assert_eq!(
        world.with_token(&token).await.status,
        StatusCode::OK,
        "within the leeway"
    );
    world.now.store(NOW + 630, Ordering::Relaxed);
    is_invalid(&world, &token, "expired").await;
}

#[tokio::test]
async fn a_removed_key_bites_at_once_sec_17() {
    let world = World::new();
    let token = world.token(|_| {});
    assert_eq!(world.with_token(&token).await.status, StatusCode::OK);
    world
        .keys
        .replace(key_set(&SigningKey::generate(Algorithm::Es256).unwrap()));
    is_invalid(&world, &token, "removed key").await;
    world.keys.replace(KeySet::empty());
    is_invalid(&world, &token, "no keys").await;
}
