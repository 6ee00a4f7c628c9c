//! Discovery and keys (requirements, section 6).

use axum::body::Body;
use http::StatusCode;
use lanyard_testkit::company::{Company, IDP, RAS};
use serde_json::Value;

use crate::support::{World, to};

#[tokio::test]
async fn the_idp_serves_its_document_at_both_well_known_names_md_idp_01() {
    let world = World::new().await;
    let oidc = world.get(&format!("{IDP}/.well-known/openid-configuration")).await;
    let oauth = world
        .get(&format!("{IDP}/.well-known/oauth-authorization-server"))
        .await;
    assert_eq!(oidc.json(), oauth.json());
    assert_eq!(oidc.json()["issuer"], IDP);
    assert_eq!(oidc.header("content-type"), "application/json");
}

#[tokio::test]
async fn the_required_members_are_there_md_idp_02_md_idp_03() {
    let world = World::new().await;
    let document = world
        .get(&format!("{IDP}/.well-known/openid-configuration"))
        .await
        .json();
    for member in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "code_challenge_methods_supported",
        "lanyard_connectors_endpoint",
        "end_session_endpoint",
        "revocation_endpoint",
        "userinfo_endpoint",
    ] {
        assert!(!document[member].is_null(), "{member}");
    }
    assert_eq!(
        document["id_token_signing_alg_values_supported"],
        serde_json::json!(["ES256"])
    );
    let types = &document["identity_chaining_requested_token_types_supported"];
    assert_eq!(types[0], "urn:ietf:params:oauth:token-type:id-jag");
}

#[tokio::test]
async fn the_ras_document_publishes_an_authorization_endpoint_md_ras_01_md_ras_05_interop_finding_1() {
    let world = World::new().await;
    let document = world
        .get(&format!("{RAS}/.well-known/oauth-authorization-server"))
        .await
        .json();
    assert_eq!(document["issuer"], RAS);
    assert_eq!(document["authorization_endpoint"], format!("{RAS}/oauth2/authorize"));
    assert_eq!(document["response_types_supported"], serde_json::json!(["code"]));
    assert_eq!(
        document["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
    for member in ["introspection_endpoint", "revocation_endpoint"] {
        assert!(document[member].is_string(), "{member}");
    }
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    let profiles = &document["authorization_grant_profiles_supported"];
    assert_eq!(profiles[0], "urn:ietf:params:oauth:grant-profile:id-jag");
}

#[tokio::test]
async fn the_ras_document_does_not_tell_whom_it_trusts_md_ras_03() {
    let healthy = World::new().await;
    let lonely = World::of(Company::with(|organisation| organisation.trusts.clear())).await;
    let url = format!("{RAS}/.well-known/oauth-authorization-server");
    assert_eq!(healthy.get(&url).await.json(), lonely.get(&url).await.json());
}

#[tokio::test]
async fn published_keys_are_public_named_and_for_signatures_md_key_01() {
    let world = World::new().await;
    for issuer in [IDP, RAS] {
        let answer = world.get(&format!("{issuer}/oauth2/jwks")).await;
        assert!(answer.header("cache-control").contains("max-age=300"));
        let keys = answer.json()["keys"].as_array().unwrap().clone();
        assert!(!keys.is_empty());
        for key in keys {
            assert_eq!(key["use"], "sig", "{key}");
            assert_eq!(key["alg"], "ES256");
            assert!(key["kid"].is_string());
            assert_eq!(key["d"], Value::Null);
        }
    }
}

#[tokio::test]
async fn the_two_parties_share_no_key() {
    let world = World::new().await;
    let idp = world.get(&format!("{IDP}/oauth2/jwks")).await.json();
    let ras = world.get(&format!("{RAS}/oauth2/jwks")).await.json();
    assert_ne!(idp["keys"][0]["kid"], ras["keys"][0]["kid"]);
}

#[tokio::test]
async fn documents_are_readable_from_any_origin_and_token_endpoints_are_not_ht_04() {
    let world = World::new().await;
    for path in ["/.well-known/oauth-authorization-server", "/oauth2/jwks"] {
        let answer = world.get(&format!("{RAS}{path}")).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        let preflight = to("OPTIONS", &format!("{RAS}{path}")).header("origin", "https://any.example");
        let preflight = preflight.header("access-control-request-method", "GET");
        let answer = world.send(preflight.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    let token = to("OPTIONS", &format!("{RAS}/oauth2/token")).header("origin", "https://any.example");
    let answer = world.send(token.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
}
