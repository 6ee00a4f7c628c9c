//! Introspection (RFC 7662; RAS-IN) and revocation (RFC 7009; RV-01, RV-02) at both sides, and the closed
//! authorization endpoint of the RAS (RAS-AC-02).

use http::StatusCode;
use lanyard_testkit::company::{ALICE, Company, FIGMA, IDE, IDE_AT_RAS, IDP, LINEAR, RAS};
use serde_json::json;

use crate::support::{World, token_url};

fn introspect_url() -> String {
    format!("{RAS}/oauth2/introspect")
}

/// A company whose client at the RAS may introspect tokens for [`LINEAR`].
fn with_introspection(resource: &'static str) -> Company {
    Company::with(move |organisation| {
        for client in &mut organisation.clients {
            if client.client_id == IDE_AT_RAS {
                client.introspects = vec![resource.to_owned()];
            }
        }
    })
}

#[tokio::test]
async fn a_live_token_is_described_ras_in_02() {
    let world = World::of(with_introspection(LINEAR)).await;
    let token = world.redeem(&world.id_jag(ALICE).await).await.token();
    let told = world.post(&introspect_url(), IDE_AT_RAS, &[("token", &token)]).await;
    assert_eq!(told.status, StatusCode::OK);
    let told = told.json();
    assert_eq!(told["active"], true);
    for member in [
        "scope",
        "client_id",
        "sub",
        "aud",
        "iss",
        "exp",
        "iat",
        "jti",
        "token_type",
        "auth_time",
        "acr",
    ] {
        assert!(!told[member].is_null(), "{member}");
    }
    assert_eq!((&told["aud"], &told["token_type"]), (&LINEAR.into(), &"Bearer".into()));
}

#[tokio::test]
async fn everything_else_is_inactive_and_nothing_more_ras_in_01() {
    let world = World::of(with_introspection(LINEAR)).await;
    let id_jag = world.id_jag(ALICE).await;
    let live = world.redeem(&id_jag).await.token();
    let id_token = world.id_token(ALICE).await;
    for token in ["x", "a.b.c", id_jag.as_str(), id_token.as_str()] {
        let told = world.post(&introspect_url(), IDE_AT_RAS, &[("token", token)]).await;
        assert_eq!(told.json(), json!({"active": false}), "{token}");
    }
    world.company.clock.advance(std::time::Duration::from_secs(601));
    let told = world.post(&introspect_url(), IDE_AT_RAS, &[("token", &live)]).await;
    assert_eq!(told.json(), json!({"active": false}), "expired");
}

#[tokio::test]
async fn a_caller_hears_only_of_its_own_resources_ras_in_01() {
    let world = World::of(with_introspection(FIGMA)).await;
    let token = world.redeem(&world.id_jag(ALICE).await).await.token();
    let told = world.post(&introspect_url(), IDE_AT_RAS, &[("token", &token)]).await;
    assert_eq!(told.json(), json!({"active": false}));
}

#[tokio::test]
async fn introspection_and_revocation_need_a_client_and_a_token_ras_in_01_rv_01() {
    let world = World::new().await;
    for (url, client) in [
        (introspect_url(), IDE_AT_RAS),
        (format!("{RAS}/oauth2/revoke"), IDE_AT_RAS),
        (format!("{IDP}/oauth2/revoke"), IDE),
    ] {
        let answer = world.post_bare(&url, &[("token", "x")]).await;
        assert_eq!(answer.error(), (401, "invalid_client".to_owned()), "{url}");
        let answer = world.post(&url, client, &[("token_type_hint", "access_token")]).await;
        assert_eq!(answer.error(), (400, "invalid_request".to_owned()), "{url}");
    }
}

#[tokio::test]
async fn a_revoked_access_token_is_inactive_and_every_view_knows_before_the_answer_rv_02() {
    let world = World::of(with_introspection(LINEAR)).await;
    let token = world.redeem(&world.id_jag(ALICE).await).await.token();
    let answer = world
        .post(&format!("{RAS}/oauth2/revoke"), IDE_AT_RAS, &[("token", &token)])
        .await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
    assert_eq!(world.view.0.lock().unwrap().len(), 1);
    world.assert_granted("ras.access_token.revoked");
    let told = world.post(&introspect_url(), IDE_AT_RAS, &[("token", &token)]).await;
    assert_eq!(told.json(), json!({"active": false}));
}

#[tokio::test]
async fn revoking_an_unknown_token_is_answered_alike_rv_01() {
    let world = World::new().await;
    for (issuer, client) in [(IDP, IDE), (RAS, IDE_AT_RAS)] {
        let answer = world
            .post(&format!("{issuer}/oauth2/revoke"), client, &[("token", "unknown")])
            .await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0), "{issuer}");
    }
}

#[tokio::test]
async fn only_the_owner_revokes_rv_01() {
    let world = World::of(with_introspection(LINEAR)).await;
    let token = world.redeem(&world.id_jag(ALICE).await).await.token();
    let proof = world.assertion(lanyard_testkit::company::AGENT_AT_RAS, RAS);
    let fields = [
        ("token", token.as_str()),
        ("client_assertion_type", crate::support::ASSERTION),
        ("client_assertion", proof.as_str()),
    ];
    assert_eq!(
        world.post_bare(&format!("{RAS}/oauth2/revoke"), &fields).await.status,
        StatusCode::OK
    );
    world.assert_denied("ras.access_token.revocation_refused", "not_owner");
    let told = world.post(&introspect_url(), IDE_AT_RAS, &[("token", &token)]).await;
    assert_eq!(told.json()["active"], true);
}

#[tokio::test]
async fn revoking_a_refresh_token_ends_its_use_as_a_subject_too_rv_02() {
    let world = World::new().await;
    let tokens = world.sign_in(ALICE).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let answer = world
        .post(&format!("{IDP}/oauth2/revoke"), IDE, &[("token", refresh)])
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let changes = [
        ("subject_token", refresh),
        ("subject_token_type", crate::support::REFRESH_TOKEN),
    ];
    let fields = crate::support::exchange_fields("", &changes);
    assert_eq!(
        world.post(&token_url(IDP), IDE, &fields).await.error(),
        (400, "invalid_grant".to_owned())
    );
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        world.get_with_token(&format!("{IDP}/connectors"), access).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_authorization_endpoint_of_the_ras_says_what_to_do_instead_ras_ac_02() {
    let registered = "https://ide.contoso.example/cb";
    let world = World::of(Company::with(move |organisation| {
        for client in &mut organisation.clients {
            if client.client_id == IDE_AT_RAS {
                client.redirect_uris = vec![registered.to_owned()];
            }
        }
    }))
    .await;
    let url = |redirect: &str| {
        format!("{RAS}/oauth2/authorize?response_type=code&client_id={IDE_AT_RAS}&redirect_uri={redirect}&state=s%261")
    };
    let answer = world.get(&url("https%3A%2F%2Fide.contoso.example%2Fcb")).await;
    assert_eq!(answer.status, StatusCode::FOUND);
    let location = url::Url::parse(answer.header("location")).unwrap();
    let pairs: std::collections::HashMap<_, _> = location.query_pairs().into_owned().collect();
    assert_eq!(
        (pairs["error"].as_str(), pairs["iss"].as_str(), pairs["state"].as_str()),
        ("access_denied", RAS, "s&1")
    );
    assert!(pairs["error_description"].contains("enterprise-managed authorization"));
    world.assert_denied("ras.authorization.denied", "managed_only");

    let answer = world.get(&url("https%3A%2F%2Fevil.example%2Fcb")).await;
    assert_eq!(
        answer.status,
        StatusCode::FORBIDDEN,
        "never a redirect to an address that is not registered"
    );
    assert_eq!(answer.header("location"), "");
    assert!(answer.text().contains("managed by your organisation"));
}
