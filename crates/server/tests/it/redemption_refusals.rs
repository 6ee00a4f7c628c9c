//! Redemption: every refusal, on the wire and in the audit log (rows 3, 8 and 10 to 14 of the error table).

use std::time::Duration;

use http::StatusCode;
use lanyard_core::admin::spec::AllOr;
use lanyard_core::connector::record::ConnectorStatus;
use lanyard_core::directory::provision;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::base64url;
use lanyard_jose::key::SigningKey;
use lanyard_testkit::company::{AGENT_AT_RAS, ALICE, Company, FIGMA, IDE_AT_RAS, IDP, LINEAR, RAS};
use serde_json::{Value, json};

use crate::support::{ASSERTION, BEARER, World, claims, token_url};

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[tokio::test]
async fn a_second_redemption_is_refused_also_when_signed_again_ras_jb_12() {
    let world = World::new().await;
    let id_jag = world.id_jag(ALICE).await;
    world.redeem(&id_jag).await.token();
    assert_eq!(world.redeem(&id_jag).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "replayed");
    let again = world.idp_key().sign("oauth-id-jag+jwt", &claims(&id_jag)).unwrap();
    assert_eq!(world.redeem(&again).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "replayed");
}

#[tokio::test]
async fn a_misdirected_attempt_does_not_burn_the_grant_ras_jb_11_ras_jb_14() {
    let world = World::new().await;
    let id_jag = world.id_jag(ALICE).await;
    let proof = world.assertion(AGENT_AT_RAS, RAS);
    let stolen = [
        ("grant_type", BEARER),
        ("assertion", id_jag.as_str()),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", proof.as_str()),
    ];
    assert_eq!(world.post_bare(&token_url(RAS), &stolen).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "client_mismatch");
    assert_eq!(world.redeem(&id_jag).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_type_must_be_the_one_of_an_id_jag_ras_jb_04_sec_01() {
    let world = World::new().await;
    for typ in [
        "JWT",
        "at+jwt",
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "client-authentication+jwt",
        "",
    ] {
        let token = world.idp_key().sign(typ, &world.id_jag_claims()).unwrap();
        assert_eq!(world.redeem(&token).await.error(), invalid_grant(), "{typ}");
        world.assert_denied("ras.id_jag.denied", "typ");
    }
}

#[tokio::test]
async fn unsigned_and_symmetric_tokens_are_refused_ras_jb_05() {
    let world = World::new().await;
    let payload = base64url(world.id_jag_claims().to_string().as_bytes());
    for header in [
        r#"{"alg":"none","typ":"oauth-id-jag+jwt"}"#,
        r#"{"alg":"NONE","typ":"oauth-id-jag+jwt"}"#,
        r#"{"alg":"HS256","typ":"oauth-id-jag+jwt"}"#,
    ] {
        let header = base64url(header.as_bytes());
        for signature in ["", "AAAA"] {
            assert_eq!(
                world.redeem(&format!("{header}.{payload}.{signature}")).await.error(),
                invalid_grant()
            );
        }
    }
}

#[tokio::test]
async fn keys_in_the_header_are_neither_used_nor_fetched_ras_jb_07_md_key_03() {
    let world = World::new().await;
    let kid = world.idp_key().kid().to_owned();
    for extra in [
        json!({"jku": "https://evil.example/jwks"}),
        json!({"jwk": SigningKey::generate(Algorithm::Es256).unwrap().public_jwk().to_value()}),
        json!({"x5u": "https://evil.example/cert"}),
        json!({"crit": ["exp"]}),
        json!({"b64": false}),
    ] {
        let mut header = json!({"alg": "ES256", "typ": "oauth-id-jag+jwt", "kid": kid});
        header
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        let token = format!(
            "{}.{}.{}",
            base64url(header.to_string().as_bytes()),
            base64url(world.id_jag_claims().to_string().as_bytes()),
            base64url(&[1; 64])
        );
        assert_eq!(world.redeem(&token).await.error(), invalid_grant(), "{extra}");
    }
    assert_eq!(world.network.0.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_untrusted_issuer_causes_no_request_to_anybody_ras_jb_06() {
    let world = World::new().await;
    for issuer in ["https://personal.example", "https://login.northwind.example/"] {
        let id_jag = world.forged(|claims| claims["iss"] = issuer.into());
        assert_eq!(world.redeem(&id_jag).await.error(), invalid_grant(), "{issuer}");
        world.assert_denied("ras.id_jag.denied", "untrusted_issuer");
    }
    assert_eq!(world.network.0.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_trust_that_is_switched_off_is_no_trust() {
    let world = World::of(Company::with(|organisation| organisation.trusts[0].enabled = false)).await;
    assert_eq!(world.redeem(&world.forged(|_| {})).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "untrusted_issuer");
}

#[tokio::test]
async fn our_own_id_jag_is_never_redeemed_here() {
    let world = World::new().await;
    let key = world.basis.rings.snapshot().ras.as_ref().unwrap().active.clone();
    let mut said = world.id_jag_claims();
    said["iss"] = RAS.into();
    let own = key.sign("oauth-id-jag+jwt", &said).unwrap();
    assert_eq!(world.redeem(&own).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "self_issued");
}

#[tokio::test]
async fn a_bad_signature_and_an_unknown_key_are_refused_ras_jb_07() {
    let world = World::new().await;
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    let unknown = stranger.sign("oauth-id-jag+jwt", &world.id_jag_claims()).unwrap();
    assert_eq!(world.redeem(&unknown).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "unknown_key");
    let kid = world.idp_key().kid().to_owned();
    let forged = stranger
        .sign_with_kid("oauth-id-jag+jwt", &kid, &world.id_jag_claims())
        .unwrap();
    assert_eq!(world.redeem(&forged).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "signature");
}

#[tokio::test]
async fn the_audience_is_this_ras_and_nobody_else_ras_jb_08() {
    let world = World::new().await;
    for audience in [
        json!("https://auth.ledger.example/"),
        json!(token_url(RAS)),
        json!("https://auth.other.example"),
        json!([RAS, "https://auth.other.example"]),
        json!([RAS, RAS]),
    ] {
        let id_jag = world.forged(|claims| claims["aud"] = audience.clone());
        assert_eq!(world.redeem(&id_jag).await.error(), invalid_grant(), "{audience}");
        world.assert_denied("ras.id_jag.denied", "audience");
    }
}

#[tokio::test]
async fn every_claim_must_be_there_with_its_type_ras_jb_09() {
    let world = World::new().await;
    for claim in ["iss", "sub", "aud", "client_id", "jti", "exp", "iat"] {
        for wrong in [Value::Null, json!({}), json!(true)] {
            let id_jag = world.forged(|claims| {
                if wrong.is_null() {
                    claims.as_object_mut().unwrap().remove(claim);
                } else {
                    claims[claim] = wrong.clone();
                }
            });
            assert_eq!(world.redeem(&id_jag).await.error(), invalid_grant(), "{claim} {wrong}");
            world.assert_denied("ras.id_jag.denied", "claims");
        }
    }
    // Absent and malformed are different, also for claims that may be left out.
    for claim in [
        "nbf",
        "resource",
        "scope",
        "aud_sub",
        "tenant",
        "acr",
        "cnf",
        "authorization_details",
    ] {
        let id_jag = world.forged(|claims| claims[claim] = Value::Null);
        assert_eq!(world.redeem(&id_jag).await.error(), invalid_grant(), "{claim} null");
        world.assert_denied("ras.id_jag.denied", "claims");
    }
    let huge = world.forged(|claims| claims["jti"] = "j".repeat(257).into());
    assert_eq!(world.redeem(&huge).await.error(), invalid_grant(), "RAS-JB-14");
}

#[tokio::test]
async fn times_are_checked_to_the_second_ras_jb_10_sec_07() {
    let world = World::new().await;
    let now = lanyard_core::clock::Clock::now(&world.company.clock).seconds();
    let cases: [(i64, i64, Result<(), &str>); 6] = [
        (now - 300, now - 29, Ok(())),
        (now - 300, now - 30, Err("expired")),
        (now + 30, now + 300, Ok(())),
        (now + 31, now + 300, Err("issued_in_future")),
        (now, now + 600, Ok(())),
        (now, now + 601, Err("lifetime")),
    ];
    for (iat, exp, expected) in cases {
        let id_jag = world.forged(|claims| {
            claims["iat"] = iat.into();
            claims["exp"] = exp.into();
        });
        let answer = world.redeem(&id_jag).await;
        match expected {
            Ok(()) => assert_eq!(answer.status, StatusCode::OK, "{iat} {exp}"),
            Err(reason) => {
                assert_eq!(answer.error(), invalid_grant(), "{iat} {exp}");
                world.assert_denied("ras.id_jag.denied", reason);
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_resource_is_refused_and_a_foreign_parameter_too_ras_jb_15_ras_jb_17() {
    let world = World::new().await;
    let id_jag = world.forged(|claims| claims["resource"] = "https://mcp.other.example/mcp".into());
    assert_eq!(world.redeem(&id_jag).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "unknown_resource");
    let id_jag = world.forged(|_| {});
    let fields = [
        ("grant_type", BEARER),
        ("assertion", id_jag.as_str()),
        ("resource", FIGMA),
    ];
    let answer = world.post(&token_url(RAS), IDE_AT_RAS, &fields).await;
    assert_eq!(answer.error(), (400, "invalid_target".to_owned()));
    world.assert_denied("ras.id_jag.denied", "resource_outside_claim");
}

#[tokio::test]
async fn without_a_resource_there_must_be_exactly_one_ras_jb_16() {
    let world = World::new().await;
    let without = |claims: &mut Value| {
        claims.as_object_mut().unwrap().remove("resource");
    };
    assert_eq!(world.redeem(&world.forged(without)).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "no_sole_resource");
    let world = World::of(Company::with(|organisation| {
        organisation.trusts[0].resources = AllOr::only([LINEAR]);
    }))
    .await;
    assert_eq!(
        claims(&world.redeem(&world.forged(without)).await.token())["aud"],
        LINEAR
    );
}

#[tokio::test]
async fn scopes_that_do_not_exist_are_refused_d_06() {
    let world = World::new().await;
    let id_jag = world.forged(|claims| claims["scope"] = "linear.read payroll.read".into());
    assert_eq!(world.redeem(&id_jag).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "unknown_scope");
}

#[tokio::test]
async fn nothing_left_to_grant_is_invalid_scope_d_05() {
    let world = World::new().await;
    let id_jag = world.forged(|claims| {
        claims.as_object_mut().unwrap().remove("scope");
    });
    let fields = [
        ("grant_type", BEARER),
        ("assertion", id_jag.as_str()),
        ("scope", "something.else"),
    ];
    let answer = world.post(&token_url(RAS), IDE_AT_RAS, &fields).await;
    assert_eq!(answer.error(), (400, "invalid_scope".to_owned()));
    world.assert_denied("ras.id_jag.denied", "no_scope");
}

#[tokio::test]
async fn the_trust_record_limits_clients_and_resources_mt_11_ras_jb_20() {
    let world = World::of(Company::with(|organisation| {
        organisation.trusts[0].clients = AllOr::only([AGENT_AT_RAS]);
    }))
    .await;
    assert_eq!(world.redeem(&world.forged(|_| {})).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "client_not_trusted");
    let world = World::of(Company::with(|organisation| {
        organisation.trusts[0].resources = AllOr::only([FIGMA]);
    }))
    .await;
    assert_eq!(world.redeem(&world.forged(|_| {})).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "resource_not_trusted");
}

#[tokio::test]
async fn nothing_is_issued_for_a_resource_that_is_not_open() {
    for status in [ConnectorStatus::Staged, ConnectorStatus::Off] {
        let world = World::of(Company::with(move |organisation| {
            for connector in &mut organisation.connectors {
                connector.status = status;
            }
        }))
        .await;
        assert_eq!(world.redeem(&world.forged(|_| {})).await.error(), invalid_grant());
        world.assert_denied("ras.id_jag.denied", "resource_not_open");
    }
}

#[tokio::test]
async fn tenants_are_kept_apart_mt_03_mt_06_mt_07() {
    let world = World::new().await;
    let id_jag = world.forged(|claims| claims["tenant"] = "t-other".into());
    assert_eq!(world.redeem(&id_jag).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "tenant_mismatch");
    let id_jag = world.forged(|claims| claims["aud_tenant"] = "t-other".into());
    assert_eq!(world.redeem(&id_jag).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "aud_tenant_mismatch");
}

#[tokio::test]
async fn unknown_people_get_no_account_where_none_are_made_ras_jb_19_al_05() {
    let world = World::of(Company::with(|organisation| {
        organisation.trusts[0].just_in_time = false
    }))
    .await;
    assert_eq!(world.redeem(&world.forged(|_| {})).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "unknown_subject");
}

#[tokio::test]
async fn what_is_not_understood_is_refused_and_never_dropped() {
    let world = World::new().await;
    let id_jag = world.forged(|claims| claims["authorization_details"] = json!([{"type": "x"}]));
    assert_eq!(
        world.redeem(&id_jag).await.error(),
        (400, "invalid_authorization_details".to_owned())
    );
    world.assert_denied("ras.id_jag.denied", "authorization_details");
    let id_jag = world.forged(|claims| claims["cnf"] = json!({"jkt": "x"}));
    assert_eq!(world.redeem(&id_jag).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "key_bound");
}

#[tokio::test]
async fn a_client_without_the_grant_is_unauthorized_ras_jb_03() {
    let world = World::of(Company::with(|organisation| {
        for client in &mut organisation.clients {
            if client.client_id == IDE_AT_RAS {
                client.grants = Some(vec!["authorization_code".to_owned()]);
            }
        }
    }))
    .await;
    for assertion in [world.forged(|_| {}), "not a token".to_owned()] {
        assert_eq!(
            world.redeem(&assertion).await.error(),
            (400, "unauthorized_client".to_owned())
        );
        world.assert_denied("ras.id_jag.denied", "grant_not_allowed");
    }
}

#[tokio::test]
async fn after_a_deactivation_nothing_minted_before_is_redeemed_rv_03_al_06() {
    let world = World::new().await;
    let id_jag = world.id_jag(ALICE).await;
    let (admin, user) = (world.company.admin.clone(), world.company.user(ALICE));
    let (vault, idp) = (world.company.vault.clone(), world.company.idp.issuer.clone());
    let _ = world
        .company
        .write(move |cx, tx| provision::deactivate(cx, tx, &vault, &idp, &admin, &user.id));
    world.cut_off.complete().await;
    assert_eq!(world.redeem(&id_jag).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "cut_off");
}

#[tokio::test]
async fn keys_that_cannot_be_had_refuse_and_cost_others_nothing() {
    let world = World::of(Company::with(|organisation| {
        let mut foreign = organisation.trusts[0].clone();
        foreign.issuer = "https://idp.elsewhere.example".to_owned();
        foreign.tenant = "elsewhere".to_owned();
        foreign.jwks = None;
        foreign.jwks_uri = Some("https://idp.elsewhere.example/jwks".to_owned());
        organisation.trusts.push(foreign);
    }))
    .await;
    let id_jag = world.forged(|claims| claims["iss"] = "https://idp.elsewhere.example".into());
    assert_eq!(world.redeem(&id_jag).await.error(), invalid_grant());
    world.assert_denied("ras.id_jag.denied", "keys_unavailable");
    assert_eq!(world.redeem(&world.forged(|_| {})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn garbage_is_a_refusal_and_never_a_failure() {
    let world = World::new().await;
    for assertion in ["x", "..", "a.b.c", "a.b.c.d.e", "{}", "eyJhbGciOiJFUzI1NiJ9.W10.AAAA"] {
        assert_eq!(world.redeem(assertion).await.error(), invalid_grant(), "{assertion}");
    }
    let _ = (IDP, Duration::ZERO);
}

#[tokio::test]
async fn what_depends_on_trust_or_people_reads_the_same_sec_23() {
    let world = World::of(Company::with(|organisation| {
        organisation.trusts[0].just_in_time = false
    }))
    .await;
    let told = async |id_jag: String| {
        let mut told = world.redeem(&id_jag).await.json();
        told["request_id"] = "".into();
        told
    };
    let unknown_person = told(world.forged(|_| {})).await;
    let unknown_issuer = told(world.forged(|claims| claims["iss"] = "https://personal.example".into())).await;
    let bad_type = told(world.idp_key().sign("JWT", &world.id_jag_claims()).unwrap()).await;
    assert_eq!(unknown_person, unknown_issuer);
    assert_eq!(unknown_person, bad_type);
}
