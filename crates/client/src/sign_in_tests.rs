//! Tests of [`super`].

use super::*;
use lanyard_jose::digest::at_hash;
use lanyard_jose::random::SystemRandom;
use proptest::prelude::*;

fn metadata() -> AuthorizationServerMetadata {
    let mut metadata = AuthorizationServerMetadata::new(Issuer::parse("https://idp.example").unwrap());
    metadata.authorization_endpoint = Some("https://idp.example/authorize".into());
    metadata.code_challenge_methods_supported = vec!["S256".into()];
    metadata.authorization_response_iss_parameter_supported = true;
    metadata
}

fn start(metadata: &AuthorizationServerMetadata) -> (Url, PendingSignIn) {
    let sign_in = SignIn {
        redirect_uri: "http://127.0.0.1:49711/callback".into(),
        scope: ScopeSet::parse("openid offline_access").unwrap(),
        ..SignIn::default()
    };
    authorization_request(
        metadata,
        &ClientId::parse("lanyard-cli").unwrap(),
        &sign_in,
        &SystemRandom,
    )
    .unwrap()
}

fn sent(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.into_owned())
}

fn answer(url: &Url, iss: Option<&str>, rest: &str) -> String {
    let iss = iss
        .map(|iss| format!("&iss={}", lanyard_protocol::form::encode(iss)))
        .unwrap_or_default();
    format!("state={}{iss}&{rest}", sent(url, "state").unwrap())
}

#[test]
fn the_request_carries_pkce_state_and_nonce_cl_ss_01() {
    let (url, pending) = start(&metadata());
    assert_eq!(sent(&url, "code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(
        sent(&url, "code_challenge"),
        Some(s256_challenge(pending.verifier.expose_secret()))
    );
    assert!(sent(&url, "nonce").is_some());
    assert_eq!(sent(&url, "scope").as_deref(), Some("offline_access openid"));
}

#[test]
fn a_server_without_s256_is_refused_cl_ss_01() {
    let mut metadata = metadata();
    metadata.code_challenge_methods_supported = vec!["plain".into()];
    let error = authorization_request(
        &metadata,
        &ClientId::parse("c").unwrap(),
        &SignIn::default(),
        &SystemRandom,
    );
    assert!(matches!(error, Err(SignInError::NoPkce)));
}

#[test]
fn the_right_issuer_and_state_give_the_code_cl_ss_02() {
    let (url, pending) = start(&metadata());
    let query = answer(&url, Some("https://idp.example"), "code=abc");
    assert_eq!(
        authorization_response(pending, &query).unwrap().code.expose_secret(),
        "abc"
    );
}

#[test]
fn the_issuer_table_of_rfc_9207_holds_cl_ss_02() {
    let silent = || {
        let mut metadata = metadata();
        metadata.authorization_response_iss_parameter_supported = false;
        metadata
    };
    for (metadata, iss, accepted) in [
        (metadata(), Some("https://idp.example"), true),
        (metadata(), None, false),
        (metadata(), Some("https://idp.example/"), false),
        (metadata(), Some("https://evil.example"), false),
        (silent(), Some("https://idp.example"), true),
        (silent(), None, true),
        (silent(), Some("https://evil.example"), false),
        (silent(), Some(""), false),
    ] {
        let (url, pending) = start(&metadata);
        let result = authorization_response(pending, &answer(&url, iss, "code=abc"));
        assert_eq!(result.is_ok(), accepted, "{iss:?}");
    }
}

#[test]
fn the_error_text_of_another_issuer_is_ignored_cl_ss_02() {
    let (url, pending) = start(&metadata());
    let query = answer(
        &url,
        Some("https://evil.example"),
        "error=access_denied&error_description=call+us",
    );
    assert!(matches!(
        authorization_response(pending, &query),
        Err(SignInError::OtherIssuer)
    ));
}

#[test]
fn a_foreign_or_repeated_state_is_refused_cl_ss_01() {
    let (_, pending) = start(&metadata());
    let query = "state=other&iss=https://idp.example&code=abc";
    assert!(matches!(
        authorization_response(pending, query),
        Err(SignInError::State)
    ));
    let (url, pending) = start(&metadata());
    let query = format!("{}&state=x", answer(&url, Some("https://idp.example"), "code=abc"));
    assert!(matches!(
        authorization_response(pending, &query),
        Err(SignInError::Unreadable)
    ));
}

#[test]
fn step_up_parameters_reach_the_server_su_03() {
    let sign_in = SignIn {
        redirect_uri: "http://127.0.0.1:1/callback".into(),
        acr_values: Some("urn:x:phrh".into()),
        max_age: Some(300),
        ..SignIn::default()
    };
    let (url, _) = authorization_request(&metadata(), &ClientId::parse("c").unwrap(), &sign_in, &SystemRandom).unwrap();
    assert_eq!(sent(&url, "acr_values").as_deref(), Some("urn:x:phrh"));
    assert_eq!(sent(&url, "max_age").as_deref(), Some("300"));
    assert_eq!(sent(&url, "scope"), None, "an empty scope is left out");
    assert_eq!(sent(&url, "nonce"), None);
}

proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic(query in "\\PC{0,80}") {
        let (_, pending) = start(&metadata());
        prop_assert!(authorization_response(pending, &query).is_err());
    }
}

mod id_token {
    use super::*;
    use lanyard_jose::key::SigningKey;
    use serde_json::{Value, json};

    const NOW: i64 = 1_789_387_200;

    fn checked(claims: Value, expected_nonce: Option<&str>, max_age: Option<u64>) -> Result<(), IdTokenError> {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys: KeySet = [key.public_jwk()].into_iter().collect();
        let mut all = json!({"iss": "https://idp.example", "sub": "alice", "aud": "lanyard-cli", "iat": NOW, "exp": NOW + 300,
            "auth_time": NOW - 10, "nonce": "n", "at_hash": at_hash("access")});
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        let token = key.sign("JWT", &all).unwrap();
        let expected = ExpectedIdToken {
            issuer: Issuer::parse("https://idp.example").unwrap(),
            client_id: ClientId::parse("lanyard-cli").unwrap(),
            nonce: expected_nonce.map(SecretString::from),
            max_age,
        };
        check_id_token(&token, Some("access"), &keys, &expected, NOW).map(|_| ())
    }

    #[test]
    fn the_right_one_is_accepted_cl_ss_03() {
        checked(json!({}), Some("n"), Some(300)).unwrap();
        checked(
            json!({"aud": ["lanyard-cli", "b"], "azp": "lanyard-cli"}),
            Some("n"),
            None,
        )
        .unwrap();
    }

    #[test]
    fn each_wrong_claim_is_refused_cl_ss_03() {
        for (wrong, max_age) in [
            (json!({"iss": "https://evil.example"}), None),
            (json!({"aud": "other"}), None),
            (json!({"aud": ["lanyard-cli", "b"]}), None),
            (json!({"azp": "other"}), None),
            (json!({"exp": NOW - 31}), None),
            (json!({"iat": NOW + 3600, "exp": NOW + 7200}), None),
            (json!({"nonce": "other"}), None),
            (json!({"at_hash": at_hash("another token")}), None),
            (json!({"auth_time": NOW - 400}), Some(300)),
        ] {
            assert!(checked(wrong.clone(), Some("n"), max_age).is_err(), "{wrong}");
        }
    }
}
