//! The issuer's own endpoints for a person's client: userinfo, connectors, keys (CL-ST-03).

use axum::body::Body;
use http::StatusCode;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_testkit::company::{ALICE, CAROL, CLI, IDP, RAS};
use serde_json::{Value, json};

use crate::support::{ASSERTION, BEARER, VERIFIER, World, exchange_fields, to, token_url};

const CALLBACK: &str = "http://127.0.0.1:49711/callback";

/// The tokens of a sign-in through the native client.
async fn native(world: &World, username: &'static str) -> Value {
    let code = world.code(
        &world.session(username),
        CLI,
        CALLBACK,
        "openid offline_access connectors",
    );
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", CLI),
    ];
    let answer = world.post_bare(&token_url(IDP), &fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn assertion_by(world: &World, key: &SigningKey, audience: &str, jti: &str) -> String {
    let now = lanyard_core::clock::Clock::now(&world.company.clock).seconds();
    let claims = json!({"iss": CLI, "sub": CLI, "aud": audience, "jti": jti, "iat": now, "exp": now + 60});
    key.sign("client-authentication+jwt", &claims).unwrap()
}

async fn enrol(world: &World, access: &str, key: &SigningKey, proof: &str) -> crate::support::Answer {
    let body = json!({"jwk": key.public_jwk().to_value(), "label": "laptop", "proof": proof});
    let request = to("POST", &format!("{IDP}/connectors/keys"))
        .header("authorization", format!("Bearer {access}"))
        .header("content-type", "application/json");
    world.send(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_person_sees_what_an_exchange_would_grant_and_nothing_else() {
    let world = World::new().await;
    let access = world.sign_in(CAROL).await["access_token"].as_str().unwrap().to_owned();
    let answer = world.get_with_token(&format!("{IDP}/connectors"), &access).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let told = answer.json()["connectors"].as_array().unwrap().clone();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["name"], &told[0]["scopes"]),
        (&"linear".into(), &"linear.read".into())
    );
    assert_eq!(
        (&told[0]["audience"], &told[0]["client_id"]),
        (&RAS.into(), &"ide-at-ledger".into())
    );
    assert_eq!(told[0]["rule"], "Contractors read Linear");
}

#[tokio::test]
async fn only_the_issuers_own_access_token_is_a_bearer_here_sec_01() {
    let world = World::new().await;
    let tokens = world.sign_in(ALICE).await;
    let id_token = tokens["id_token"].as_str().unwrap().to_owned();
    let id_jag = world.id_jag(ALICE).await;
    let of_ras = world.redeem(&world.id_jag(ALICE).await).await.token();
    for path in ["/connectors", "/connectors/keys", "/oauth2/userinfo"] {
        for token in [id_token.as_str(), id_jag.as_str(), of_ras.as_str(), "x"] {
            let answer = world.get_with_token(&format!("{IDP}{path}"), token).await;
            assert_eq!(answer.error(), (401, "invalid_token".to_owned()), "{path}");
            assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        }
        let answer = world.get(&format!("{IDP}{path}")).await;
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (StatusCode::UNAUTHORIZED, "Bearer")
        );
    }
}

#[tokio::test]
async fn without_the_scope_the_challenge_names_it() {
    let world = World::new().await;
    let code = world.code(
        &world.session(ALICE),
        "ide",
        lanyard_testkit::company::REDIRECT,
        "openid",
    );
    let access = world.redeem_code(&code).await.token();
    let answer = world.get_with_token(&format!("{IDP}/connectors"), &access).await;
    assert_eq!(answer.error(), (403, "insufficient_scope".to_owned()));
    assert!(answer.header("www-authenticate").contains("scope=\"connectors\""));
}

#[tokio::test]
async fn userinfo_tells_what_the_scopes_show() {
    let world = World::new().await;
    let tokens = world.sign_in(ALICE).await;
    let told = world
        .get_with_token(
            &format!("{IDP}/oauth2/userinfo"),
            tokens["access_token"].as_str().unwrap(),
        )
        .await;
    let told = told.json();
    assert_eq!(told["email"], "alice@northwind.example");
    assert_eq!(
        told["sub"],
        crate::support::claims(tokens["id_token"].as_str().unwrap())["sub"]
    );
}

#[tokio::test]
async fn a_persons_key_works_at_both_sides_and_for_that_person_only_cl_st_03() {
    let world = World::new().await;
    let tokens = native(&world, ALICE).await;
    let access = tokens["access_token"].as_str().unwrap();
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let answer = enrol(&world, access, &key, &assertion_by(&world, &key, IDP, "proof-1")).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    assert_eq!(answer.json()["kid"], key.kid());
    assert_eq!(answer.json()["ras"], json!([{"issuer": RAS, "client_id": CLI}]));

    let id_token = tokens["id_token"].as_str().unwrap();
    let proof = assertion_by(&world, &key, IDP, "leg-1");
    let with_key = [
        ("client_assertion_type", ASSERTION),
        ("client_assertion", proof.as_str()),
    ];
    let id_jag = world
        .post_bare(&token_url(IDP), &exchange_fields(id_token, &with_key))
        .await
        .token();
    let proof = assertion_by(&world, &key, RAS, "leg-2");
    let fields = [
        ("grant_type", BEARER),
        ("assertion", id_jag.as_str()),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", proof.as_str()),
    ];
    world.post_bare(&token_url(RAS), &fields).await.token();

    // Carol's sign-in with Alice's key.
    let carol = native(&world, CAROL).await;
    let proof = assertion_by(&world, &key, IDP, "leg-3");
    let with_key = [
        ("client_assertion_type", ASSERTION),
        ("client_assertion", proof.as_str()),
    ];
    let answer = world
        .post_bare(
            &token_url(IDP),
            &exchange_fields(carol["id_token"].as_str().unwrap(), &with_key),
        )
        .await;
    assert_eq!(answer.error(), (400, "invalid_grant".to_owned()));
    world.assert_denied("idp.id_jag.denied", "key_of_other_person");
}

#[tokio::test]
async fn a_key_is_listed_and_removed_by_its_person_at_both_sides_cl_st_03() {
    let world = World::new().await;
    let access = native(&world, ALICE).await["access_token"].as_str().unwrap().to_owned();
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    enrol(&world, &access, &key, &assertion_by(&world, &key, IDP, "p")).await;
    // Renewed, not doubled.
    let again = enrol(&world, &access, &key, &assertion_by(&world, &key, IDP, "p2")).await;
    assert_eq!(again.status, StatusCode::CREATED, "{}", again.text());
    assert_eq!(again.json()["ras"].as_array().unwrap().len(), 1);
    let list = world
        .get_with_token(&format!("{IDP}/connectors/keys"), &access)
        .await
        .json();
    assert_eq!(
        (list["keys"].as_array().unwrap().len(), &list["keys"][0]["label"]),
        (1, &"laptop".into())
    );

    let one = format!("{IDP}/connectors/keys/{}", key.kid());
    let remove = async || {
        let request = to("DELETE", &one).header("authorization", format!("Bearer {access}"));
        world.send(request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(remove().await, StatusCode::NO_CONTENT);
    assert_eq!(remove().await, StatusCode::NOT_FOUND);
    let proof = assertion_by(&world, &key, RAS, "q");
    let fields = [
        ("grant_type", BEARER),
        ("assertion", "x"),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", proof.as_str()),
    ];
    assert_eq!(
        world.post_bare(&token_url(RAS), &fields).await.error(),
        (401, "invalid_client".to_owned())
    );
}

#[tokio::test]
async fn enrolment_wants_a_proof_of_possession_made_for_it() {
    let world = World::new().await;
    let access = native(&world, ALICE).await["access_token"].as_str().unwrap().to_owned();
    let (key, other) = (
        SigningKey::generate(Algorithm::Es256).unwrap(),
        SigningKey::generate(Algorithm::Es256).unwrap(),
    );
    for proof in [
        assertion_by(&world, &other, IDP, "a"),
        assertion_by(&world, &key, RAS, "b"),
        "x".to_owned(),
    ] {
        assert_eq!(
            enrol(&world, &access, &key, &proof).await.error(),
            (400, "invalid_request".to_owned())
        );
    }
    let proof = assertion_by(&world, &key, IDP, "once");
    assert_eq!(enrol(&world, &access, &key, &proof).await.status, StatusCode::CREATED);
    assert_eq!(enrol(&world, &access, &key, &proof).await.error().0, 400);
    world.assert_denied("idp.key.enrolled", "proof_replayed");
}

#[tokio::test]
async fn keys_are_for_native_clients_only() {
    let world = World::new().await;
    let access = world.sign_in(ALICE).await["access_token"].as_str().unwrap().to_owned();
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let now = lanyard_core::clock::Clock::now(&world.company.clock).seconds();
    let claims = json!({"iss": "ide", "sub": "ide", "aud": IDP, "jti": "j", "iat": now, "exp": now + 60});
    let proof = key.sign("client-authentication+jwt", &claims).unwrap();
    assert_eq!(enrol(&world, &access, &key, &proof).await.status, StatusCode::FORBIDDEN);
    world.assert_denied("idp.key.enrolled", "client_not_native");
}
