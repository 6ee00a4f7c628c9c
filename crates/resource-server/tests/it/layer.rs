//! Challenges, credentials, metadata.

use http::{Request, StatusCode};
use lanyard_protocol::step_up::AuthenticationNeed;
use serde_json::{Value, json};

use crate::world::{METADATA, NOW, RESOURCE, World};

#[tokio::test]
async fn without_a_token_the_challenge_names_the_metadata_and_no_error_rs_ch_01() {
    let answer = World::new().get(RESOURCE, &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.challenge,
        format!(r#"Bearer resource_metadata="{METADATA}", scope="invoices.read""#)
    );
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.body, "");
}

#[tokio::test]
async fn a_good_token_reaches_the_service_as_a_verified_principal() {
    let world = World::new();
    let answer = world.with_token(&world.token(|_| {})).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "acct_88213"));
}

#[tokio::test]
async fn several_or_malformed_credentials_are_400_rs_tk_05() {
    let world = World::new();
    let token = format!("Bearer {}", world.token(|_| {}));
    for headers in [
        &[("authorization", token.as_str()), ("authorization", token.as_str())][..],
        &[("authorization", "Bearer")],
        &[("authorization", "Bearer a b")],
    ] {
        let answer = world.get(RESOURCE, headers).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(
            answer.challenge.starts_with(r#"Bearer error="invalid_request""#),
            "{}",
            answer.challenge
        );
    }
}

#[tokio::test]
async fn a_token_in_the_query_is_refused_even_beside_a_good_header_rs_tk_03() {
    let world = World::new();
    let token = world.token(|_| {});
    let uri = format!("{RESOURCE}?access_token={token}");
    assert_eq!(world.get(&uri, &[]).await.status, StatusCode::BAD_REQUEST);
    let header = format!("Bearer {token}");
    assert_eq!(
        world.get(&uri, &[("authorization", &header)]).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn too_few_scopes_are_403_with_all_that_are_needed_rs_ch_03_rs_tk_06() {
    let world = World::new();
    for scope in [json!("other"), Value::Null] {
        let token = world.token(|claims| {
            claims["scope"] = scope.clone();
            if scope.is_null() {
                claims.as_object_mut().unwrap().remove("scope");
            }
        });
        let answer = world.with_token(&token).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let expected =
            format!(r#"Bearer error="insufficient_scope", scope="invoices.read", resource_metadata="{METADATA}""#);
        assert!(answer.challenge.starts_with(&expected), "{}", answer.challenge);
    }
}

#[tokio::test]
async fn a_weak_or_old_sign_in_is_401_with_what_is_needed_su_05_su_08() {
    let mut world = World::new();
    world.layer = world.layer.require_authentication(AuthenticationNeed {
        acr_values: vec!["urn:x:mfa".to_owned(), "phr".to_owned()],
        max_age: Some(300),
    });
    let signed_in = |acr: Value, auth_time: Value| {
        move |claims: &mut Value| {
            (claims["acr"], claims["auth_time"]) = (acr, auth_time);
        }
    };
    for (acr, auth_time) in [
        (json!("urn:x:pwd"), json!(NOW)),
        (json!("phr"), json!(NOW - 331)),
        (Value::Null, json!(NOW)),
        (json!("phr"), Value::Null),
    ] {
        let answer = world.with_token(&world.token(signed_in(acr, auth_time))).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            answer.challenge,
            format!(
                r#"Bearer error="insufficient_user_authentication", error_description="this operation needs a stronger or more recent sign-in", acr_values="urn:x:mfa phr", max_age="300", resource_metadata="{METADATA}""#
            )
        );
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["error"], "insufficient_user_authentication");
    }
    let good = world.token(signed_in(json!("phr"), json!(NOW - 300)));
    assert_eq!(world.with_token(&good).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_foreign_origin_is_403_before_the_token_is_looked_at_rs_wr_02() {
    let world = World::new();
    let token = format!("Bearer {}", world.token(|_| {}));
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "https://evil.example"), ("authorization", &token)],
    ] {
        let answer = world.get(RESOURCE, headers).await;
        assert_eq!((answer.status, answer.challenge.as_str()), (StatusCode::FORBIDDEN, ""));
    }
}

#[tokio::test]
async fn the_metadata_is_served_without_a_token_to_any_origin_md_prm_01_ht_04() {
    let world = World::new();
    let answer = world.get(METADATA, &[("origin", "https://anywhere.example")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(document["resource"], RESOURCE);
    assert_eq!(document["authorization_servers"], json!([crate::world::ISSUER]));
    let posted = world.send(Request::post(METADATA).body(()).unwrap()).await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn nothing_of_a_token_is_in_an_answer_rs_ch_05() {
    let world = World::new();
    let token = world.token(|claims| {
        claims["jti"] = json!("canary\", scope=\"admin");
        claims["exp"] = json!(crate::world::NOW - 100);
    });
    let answer = world.with_token(&token).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(!format!("{}{}", answer.challenge, answer.body).contains("canary"));
}
