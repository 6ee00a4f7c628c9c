//! How clients prove themselves (row 2 of the error table; IDP-TK-03 to IDP-TK-05, RAS-JB-02).

use std::net::IpAddr;

use axum::body::Body;
use http::StatusCode;
use lanyard_protocol::issuer::Issuer;
use lanyard_server::http::peer::Peer;
use lanyard_testkit::company::{AGENT, AGENT_AT_RAS, ALICE, CLI, Company, IDE, IDE_AT_RAS, IDE_SECRET, IDP, RAS};

use crate::support::{ASSERTION, BEARER, World, basic, exchange_fields, form, post, token_url};

const BAD: (u16, &str) = (401, "invalid_client");

fn bad() -> (u16, String) {
    (BAD.0, BAD.1.to_owned())
}

#[tokio::test]
async fn basic_post_and_key_are_accepted_on_both_sides_idp_tk_03_ras_cl_01() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    assert_eq!(world.exchange(&id_token, &[]).await.status, StatusCode::OK);
    let mut fields = exchange_fields(&id_token, &[]);
    fields.extend([("client_id", IDE), ("client_secret", IDE_SECRET)]);
    let id_jag = world.post_bare(&token_url(IDP), &fields).await.token();
    let redeemed = [
        ("grant_type", BEARER),
        ("assertion", id_jag.as_str()),
        ("client_id", IDE_AT_RAS),
        ("client_secret", IDE_SECRET),
    ];
    assert_eq!(world.post_bare(&token_url(RAS), &redeemed).await.status, StatusCode::OK);

    let proof = world.assertion(AGENT_AT_RAS, RAS);
    let grant = world.forged(|claims| claims["client_id"] = AGENT_AT_RAS.into());
    let fields = [
        ("grant_type", BEARER),
        ("assertion", grant.as_str()),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", proof.as_str()),
    ];
    let answer = world.post_bare(&token_url(RAS), &fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn two_methods_in_one_request_are_refused_idp_tk_03() {
    let world = World::new().await;
    let fields = [
        ("grant_type", BEARER),
        ("assertion", "x"),
        ("client_id", IDE_AT_RAS),
        ("client_secret", IDE_SECRET),
    ];
    let answer = world.post(&token_url(RAS), IDE_AT_RAS, &fields).await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn every_failed_proof_reads_the_same_and_is_recorded_exactly_sec_23() {
    let world = World::new().await;
    let mut bodies = Vec::new();
    for (client, secret, reason) in [
        (IDE_AT_RAS, "wrong", "wrong_secret"),
        ("nobody", "wrong", "unknown_client"),
        (AGENT_AT_RAS, "wrong", "wrong_auth_method"),
    ] {
        let request = post(&token_url(RAS)).header("authorization", basic(client, secret));
        let body = form(&[("grant_type", BEARER), ("assertion", "x.y.z")]);
        let answer = world.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.error(), bad(), "{client}");
        assert!(answer.header("www-authenticate").starts_with("Basic "), "{client}");
        world.assert_denied("ras.client.refused", reason);
        let mut told = answer.json();
        told["request_id"] = "".into();
        bodies.push(told);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_bad_client_hears_nothing_about_its_assertion_ras_jb_02() {
    let world = World::new().await;
    let request = post(&token_url(RAS)).header("authorization", basic(IDE_AT_RAS, "wrong"));
    let body = form(&[("grant_type", BEARER), ("assertion", "not a token")]);
    assert_eq!(world.send(request.body(Body::from(body)).unwrap()).await.error(), bad());
    world.assert_denied("ras.client.refused", "wrong_secret");
}

#[tokio::test]
async fn no_credentials_at_all_are_refused_idp_tx_02() {
    let world = World::new().await;
    let id_token = world.id_token(ALICE).await;
    let answer = world.post_bare(&token_url(IDP), &exchange_fields(&id_token, &[])).await;
    assert_eq!(answer.error(), bad());
    world.assert_denied("idp.client.refused", "no_credentials");
    let answer = world
        .post_bare(&token_url(IDP), &exchange_fields(&id_token, &[("client_id", IDE)]))
        .await;
    assert_eq!(answer.error(), bad());
    world.assert_denied("idp.client.refused", "wrong_auth_method");
}

#[tokio::test]
async fn a_native_program_without_a_key_cannot_exchange_idp_tx_02() {
    let world = World::new().await;
    let session = world.session(ALICE);
    let code = world.code(
        &session,
        CLI,
        "http://127.0.0.1:49711/callback",
        "openid offline_access connectors",
    );
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "http://127.0.0.1:49711/callback"),
        ("code_verifier", crate::support::VERIFIER),
        ("client_id", CLI),
    ];
    let tokens = world.post_bare(&token_url(IDP), &fields).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.text());
    let id_token = tokens.json()["id_token"].as_str().unwrap().to_owned();
    let answer = world
        .post_bare(&token_url(IDP), &exchange_fields(&id_token, &[("client_id", CLI)]))
        .await;
    assert_eq!(answer.error(), bad());
    world.assert_denied("idp.id_jag.denied", "public_client");
}

async fn with_assertion(world: &World, issuer: &str, assertion: &str) -> (u16, String) {
    let fields = [
        ("grant_type", if issuer == IDP { "refresh_token" } else { BEARER }),
        ("refresh_token", "x"),
        ("assertion", "x"),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", assertion),
    ];
    world.post_bare(&token_url(issuer), &fields).await.error()
}

#[tokio::test]
async fn client_assertions_are_checked_in_every_part_idp_tk_05() {
    let world = World::new().await;
    let now = lanyard_core::clock::Clock::now(&world.company.clock).seconds();
    type Change = Box<dyn Fn(&mut serde_json::Value)>;
    let cases: Vec<(&str, Change)> = vec![
        ("audience", Box::new(|claims| claims["aud"] = token_url(IDP).into())),
        ("audience", Box::new(|claims| claims["aud"] = format!("{IDP}/").into())),
        (
            "audience",
            Box::new(|claims| claims["aud"] = serde_json::json!([IDP, RAS])),
        ),
        ("expired", Box::new(move |claims| claims["exp"] = (now - 60).into())),
        ("lifetime", Box::new(move |claims| claims["exp"] = (now + 3600).into())),
        (
            "issued_in_future",
            Box::new(move |claims| claims["iat"] = (now + 90).into()),
        ),
    ];
    for (reason, change) in cases {
        let assertion = world.assertion_with(AGENT, |claims| change(claims));
        assert_eq!(with_assertion(&world, IDP, &assertion).await, bad(), "{reason}");
        world.assert_denied("idp.client.refused", reason);
        world.company.clock.advance(std::time::Duration::from_secs(10));
    }
}

#[tokio::test]
async fn an_assertion_that_contradicts_itself_is_refused_idp_tk_05() {
    let world = World::new().await;
    let assertion = world.assertion_with(AGENT, |claims| claims["sub"] = IDE.into());
    assert_eq!(with_assertion(&world, IDP, &assertion).await, bad());
}

#[tokio::test]
async fn an_assertion_of_an_unknown_key_is_refused_idp_tk_05() {
    let world = World::new().await;
    let stranger = lanyard_jose::key::SigningKey::generate(lanyard_jose::algorithm::Algorithm::Es256).unwrap();
    let now = lanyard_core::clock::Clock::now(&world.company.clock).seconds();
    let claims = serde_json::json!({"iss": AGENT, "sub": AGENT, "aud": IDP, "jti": "j", "exp": now + 60, "iat": now});
    let unknown = stranger.sign("client-authentication+jwt", &claims).unwrap();
    assert_eq!(with_assertion(&world, IDP, &unknown).await, bad());
    world.assert_denied("idp.client.refused", "unknown_key");
    let known_name = stranger
        .sign_with_kid("JWT", world.company.agent_key.kid(), &claims)
        .unwrap();
    assert_eq!(with_assertion(&world, IDP, &known_name).await, bad());
    world.assert_denied("idp.client.refused", "signature");
}

#[tokio::test]
async fn an_assertion_is_used_once_and_separately_per_side_idp_tk_05_sec_05() {
    let world = World::new().await;
    let assertion = world.assertion(AGENT, IDP);
    assert_eq!(
        with_assertion(&world, IDP, &assertion).await.1,
        "invalid_grant",
        "the client is accepted"
    );
    assert_eq!(with_assertion(&world, IDP, &assertion).await, bad());
    world.assert_denied("idp.client.refused", "assertion_replayed");
}

#[tokio::test]
async fn a_client_that_is_switched_off_is_refused_at_once_rv_03() {
    let off = |name: &'static str| {
        Company::with(move |organisation| {
            for client in &mut organisation.clients {
                if client.client_id == name {
                    client.enabled = false;
                }
            }
        })
    };
    let world = World::of(off(IDE_AT_RAS)).await;
    let answer = world.redeem(&world.forged(|_| {})).await;
    assert_eq!(answer.error(), bad());
    world.assert_denied("ras.client.refused", "client_disabled");
}

#[tokio::test]
async fn a_minute_of_guessing_has_twenty_full_checks_and_others_are_served_idp_tk_04() {
    let world = World::new().await;
    let mut heard = 0;
    for _ in 0..40 {
        let request = post(&token_url(RAS)).header("authorization", basic(IDE_AT_RAS, "wrong"));
        let answer = world
            .send(request.body(Body::from(form(&[("grant_type", BEARER)]))).unwrap())
            .await;
        match answer.status {
            StatusCode::UNAUTHORIZED => heard += 1,
            StatusCode::TOO_MANY_REQUESTS => {
                assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
                assert_eq!(answer.error().1, "temporarily_unavailable");
            }
            other => panic!("{other}"),
        }
        world.company.clock.advance(std::time::Duration::from_millis(1500));
    }
    assert!((5..=20).contains(&heard), "{heard}");
    // The honest client elsewhere is served, and so is another client at the same address.
    let mut request = post(&token_url(RAS)).header("authorization", basic(IDE_AT_RAS, IDE_SECRET));
    request = request.extension(Peer(IpAddr::from([198, 51, 100, 7])));
    let id_jag = world.forged(|_| {});
    let body = form(&[("grant_type", BEARER), ("assertion", &id_jag)]);
    assert_eq!(
        world.send(request.body(Body::from(body)).unwrap()).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_token_endpoint_as_audience_is_for_legacy_clients_only_d_09() {
    let world = World::of(Company::with(|organisation| {
        for client in &mut organisation.clients {
            client.legacy_assertion_audience = true;
        }
    }))
    .await;
    assert!(Issuer::parse(IDP).is_ok());
    for audience in [IDP.to_owned(), token_url(IDP)] {
        let assertion = world.assertion(AGENT, &audience);
        assert_eq!(
            with_assertion(&world, IDP, &assertion).await.1,
            "invalid_grant",
            "{audience}"
        );
    }
}
