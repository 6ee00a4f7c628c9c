//! Sign-in at an upstream OpenID provider, over the router: the good ways (CL-SS-01 to 03, IDP-MN-05).

use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use lanyard_core::session::strength::Strength;
use lanyard_core::upstream::connection::Preset;
use lanyard_core::upstream::mapping::{StrengthClaim, StrengthRule};
use lanyard_core::upstream::oidc::UpstreamAuth;
use lanyard_jose::jwk::{Jwk, KeySet};
use lanyard_jose::token::{ClientAssertion, Unverified};
use lanyard_jose::verify::{Audience, Expected, verify};
use lanyard_testkit::company::{IDP, REDIRECT};
use serde_json::json;

use crate::upstream_provider::{CLIENT, UPSTREAM};
use crate::upstream_world::{Front, callback_path, own_callback, parameters, start_path};

#[tokio::test]
async fn a_person_comes_back_with_a_session_and_the_client_with_its_code() {
    let front = Front::new().await;
    let location = front.start(&[]).await;
    let asked = parameters(&location);
    let once = |name| asked.once(name).unwrap().unwrap_or_default();
    assert_eq!((once("response_type"), once("client_id")), ("code", CLIENT));
    assert_eq!(
        (once("redirect_uri"), once("scope")),
        (own_callback().as_str(), "openid profile email")
    );
    assert_eq!(
        (once("code_challenge_method"), once("code_challenge").len()),
        ("S256", 43)
    );
    assert!(once("state").len() >= 43 && once("nonce").len() >= 43);
    assert!(!asked.has("prompt") && !asked.has("max_age") && !asked.has("login_hint"));

    let query = front.provider.sign_in(&location);
    let answer = front.get(&callback_path("corp", &query)).await;
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
    let back = answer.header("location");
    assert!(back.starts_with(&format!("{REDIRECT}?code=")), "{back}");
    let told = parameters(back);
    assert_eq!(
        (told.once("state").unwrap(), told.once("iss").unwrap()),
        (Some("zR4b9Qe1"), Some(IDP))
    );
    for (name, value) in [("referrer-policy", "no-referrer"), ("cache-control", "no-store")] {
        assert_eq!(answer.header(name), value);
    }
    let cookie = answer.header("set-cookie");
    for word in ["__Host-lanyard_idp=", "HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(cookie.contains(word), "{word} in {cookie}");
    }
    let events = front.world.company.events();
    let signed_in = events
        .iter()
        .find(|stored| stored.event.kind == "idp.sign_in.succeeded")
        .unwrap();
    assert!(
        signed_in.event.detail["connection"]
            .as_str()
            .unwrap()
            .starts_with("conn_")
    );
    assert_eq!(signed_in.event.detail["username"], "erin");
    assert_eq!(events[0].event.kind, "idp.code.issued");
    // The code is the client's.
    let code = told.once("code").unwrap().unwrap().to_owned();
    let exchanged = front.world.redeem_code(&code).await;
    assert_eq!(exchanged.status, StatusCode::OK, "{}", exchanged.text());
}

#[tokio::test]
async fn the_verifier_and_the_redirect_uri_are_those_of_the_beginning_cl_ss_01() {
    let front = Front::new().await;
    let _ = front.sign_in().await;
    let (form, headers) = front.provider.token_request();
    assert_eq!(form.once("grant_type").unwrap(), Some("authorization_code"));
    assert_eq!(form.once("redirect_uri").unwrap(), Some(own_callback().as_str()));
    assert_eq!(form.once("code_verifier").unwrap().unwrap().len(), 43);
    assert!(!form.has("client_secret") && headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_session_that_the_browser_had_is_replaced_sec_16() {
    let front = Front::new().await;
    let _ = front.sign_in().await;
    let first = front.session_cookie().unwrap();
    let _ = front.sign_in().await;
    let second = front.session_cookie().unwrap();
    assert_ne!(first, second);
    let old = lanyard_jose::digest::sha256(first.as_bytes());
    let session = front
        .world
        .company
        .read(move |tx| tx.find_session_by_secret(&old))
        .unwrap();
    assert!(session.ended_at.is_some());
}

#[tokio::test]
async fn what_the_client_asks_of_the_sign_in_is_passed_on() {
    let front = Front::with(|spec| {
        spec.strengths = Some(vec![
            StrengthRule {
                value: "urn:corp:mfa".to_owned(),
                claim: StrengthClaim::Acr,
                strength: Strength::MultiFactor,
            },
            StrengthRule {
                value: "urn:corp:key".to_owned(),
                claim: StrengthClaim::Acr,
                strength: Strength::PhishingResistant,
            },
        ]);
    })
    .await;
    let asked = |more: &'static [(&'static str, &'static str)]| {
        let front = &front;
        async move { parameters(&front.start(more).await) }
    };
    let again = asked(&[
        ("prompt", "login"),
        ("login_hint", "erin@corp.example"),
        ("ui_locales", "de"),
    ])
    .await;
    for (name, value) in [
        ("prompt", "login"),
        ("max_age", "0"),
        ("login_hint", "erin@corp.example"),
        ("ui_locales", "de"),
    ] {
        assert_eq!(again.once(name).unwrap(), Some(value), "{name}");
    }
    let zero = asked(&[("max_age", "0")]).await;
    assert_eq!(
        (zero.once("prompt").unwrap(), zero.once("max_age").unwrap()),
        (Some("login"), Some("0"))
    );
    // Not every provider knows how to let somebody choose; all let them sign in.
    let choose = asked(&[("prompt", "select_account"), ("max_age", "600")]).await;
    assert_eq!(
        (choose.once("prompt").unwrap(), choose.once("max_age").unwrap()),
        (Some("login"), Some("600"))
    );
    let stronger = asked(&[("acr_values", "urn:lanyard:acr:mfa urn:else")]).await;
    assert_eq!(stronger.once("acr_values").unwrap(), Some("urn:corp:key urn:corp:mfa"));
    let strongest = asked(&[("acr_values", "phr")]).await;
    assert_eq!(strongest.once("acr_values").unwrap(), Some("urn:corp:key"));
    assert!(!asked(&[("acr_values", "urn:else")]).await.has("acr_values"));
    let typed = front
        .get(&format!("{}&hint=typed%40corp.example", start_path("corp", &[])))
        .await;
    assert_eq!(
        parameters(typed.header("location")).once("login_hint").unwrap(),
        Some("typed@corp.example")
    );
}

#[tokio::test]
async fn whoever_chose_an_account_need_not_sign_in_to_it_again_idp_au_07() {
    let front = Front::new().await;
    let now = lanyard_core::clock::Clock::now(&front.world.company.clock).seconds();
    for auth_time in [json!(now - 3600), json!(null)] {
        let claims = json!({"auth_time": auth_time});
        front
            .provider
            .lie(|lies| lies.claims = claims.as_object().cloned().unwrap());
        let answer = front.sign_in_with(&[("prompt", "select_account")]).await;
        let told = parameters(answer.header("location"));
        assert!(told.has("code"), "{auth_time}: {}", answer.header("location"));
        for fresh in [
            [("prompt", "login"), ("nonce", "n")],
            [("prompt", "select_account"), ("max_age", "0")],
            [("prompt", "login select_account"), ("nonce", "n")],
        ] {
            let answer = front.sign_in_with(&fresh).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{fresh:?}");
            assert_eq!(front.last_event().reason.as_deref(), Some("not_fresh"));
        }
    }
}

#[tokio::test]
async fn an_age_is_judged_give_or_take_the_clocks_idp_au_07() {
    let front = Front::new().await;
    for (age, good) in [(20, true), (40, true), (42, false)] {
        let location = front.start(&[("max_age", "10")]).await;
        let now = lanyard_core::clock::Clock::now(&front.world.company.clock).seconds();
        let claims = json!({"auth_time": now - age});
        front
            .provider
            .lie(|lies| lies.claims = claims.as_object().cloned().unwrap());
        // How long the person is there does not count.
        front.world.company.clock.advance(Duration::from_secs(60));
        let query = front.provider.sign_in(&location);
        let answer = front.get(&callback_path("corp", &query)).await;
        if good {
            let told = parameters(answer.header("location"));
            assert!(told.has("code"), "{age}: {}", answer.header("location"));
        } else {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{age}");
            assert_eq!(front.last_event().reason.as_deref(), Some("not_fresh"));
        }
    }
}

#[tokio::test]
async fn how_the_provider_signed_somebody_in_is_in_the_id_token_idp_mn_05() {
    let front = Front::new().await;
    let now = lanyard_core::clock::Clock::now(&front.world.company.clock).seconds();
    front.provider.lie(|lies| {
        lies.claims = json!({"acr": "phr", "amr": ["hwk", "mfa"], "auth_time": now - 120, "sid": "up-7"})
            .as_object()
            .cloned()
            .unwrap();
    });
    let answer = front.sign_in().await;
    let code = parameters(answer.header("location"))
        .once("code")
        .unwrap()
        .unwrap()
        .to_owned();
    let tokens = front.world.redeem_code(&code).await.json();
    let claims = crate::support::claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(
        (&claims["acr"], &claims["amr"]),
        (&json!("phr"), &json!(["hwk", "mfa"]))
    );
    assert_eq!(claims["auth_time"], json!(now - 120));
}

#[tokio::test]
async fn groups_of_the_provider_decide_at_the_next_exchange() {
    let front = Front::new().await;
    front
        .provider
        .lie(|lies| drop(lies.claims.insert("groups".to_owned(), json!(["engineering", "else"]))));
    let _ = front.sign_in().await;
    let user = front.world.company.user("erin");
    let id = user.id.clone();
    let names = front
        .world
        .company
        .read(move |tx| lanyard_core::directory::put::group_names(tx, &id));
    assert_eq!(names, ["engineering"]);
    front
        .provider
        .lie(|lies| drop(lies.claims.insert("groups".to_owned(), json!([]))));
    let _ = front.sign_in().await;
    let names = front
        .world
        .company
        .read(move |tx| lanyard_core::directory::put::group_names(tx, &user.id));
    assert_eq!(names, [""; 0]);
}

#[tokio::test]
async fn userinfo_adds_claims_and_replaces_none() {
    let front = Front::with(|spec| spec.oidc.as_mut().unwrap().userinfo = true).await;
    front.provider.lie(|lies| {
        lies.userinfo = json!({"sub": "s-1", "preferred_username": "mallory", "groups": ["engineering"], "iss": "x"});
    });
    let _ = front.sign_in().await;
    assert!(front.provider.asked().iter().any(|path| path == "/userinfo"));
    let user = front.world.company.user("erin");
    let names = front
        .world
        .company
        .read(move |tx| lanyard_core::directory::put::group_names(tx, &user.id));
    assert_eq!(names, ["engineering"]);
}

#[tokio::test]
async fn the_secret_may_go_into_the_body() {
    let front = Front::with(|spec| spec.oidc.as_mut().unwrap().client_auth = UpstreamAuth::ClientSecretPost).await;
    assert_eq!(front.sign_in().await.status, StatusCode::FOUND);
    let (form, headers) = front.provider.token_request();
    assert!(form.has("client_secret") && !headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_key_of_our_own_signs_for_the_issuer_and_its_public_half_is_published_sec_03() {
    let front = Front::with(|spec| {
        let oidc = spec.oidc.as_mut().unwrap();
        (oidc.client_auth, oidc.client_secret) = (UpstreamAuth::PrivateKeyJwt, None);
    })
    .await;
    assert_eq!(front.sign_in().await.status, StatusCode::FOUND);
    let published = front.get("/upstream/corp/jwks").await;
    assert_eq!(published.status, StatusCode::OK);
    let keys: KeySet = [Jwk::parse(&published.json()["keys"][0]).unwrap()]
        .into_iter()
        .collect();
    let (form, _) = front.provider.token_request();
    let assertion = form.once("client_assertion").unwrap().unwrap();
    let assertion = Unverified::<ClientAssertion>::parse(assertion).unwrap();
    let expected = Expected {
        issuer: CLIENT,
        audience: Audience::Sole(UPSTREAM),
        now: lanyard_core::clock::Clock::now(&front.world.company.clock).seconds(),
        leeway: 0,
        algorithms: &[lanyard_jose::algorithm::Algorithm::Es256],
        max_lifetime: Some(60),
    };
    verify(&assertion, &keys, &expected).unwrap();
    assert_eq!(front.get("/upstream/none/jwks").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn okta_is_named_by_its_token_endpoint_on_its_own_host_only_sec_03() {
    for (endpoint, audience) in [
        ("https://idp.corp.example/token", "https://idp.corp.example/token"),
        ("https://evil.example/token", UPSTREAM),
    ] {
        let front = Front::with(|spec| {
            spec.preset = Preset::Okta;
            let oidc = spec.oidc.as_mut().unwrap();
            (oidc.client_auth, oidc.client_secret) = (UpstreamAuth::PrivateKeyJwt, None);
        })
        .await;
        front
            .provider
            .lie(|lies| drop(lies.metadata.insert("token_endpoint".to_owned(), json!(endpoint))));
        let _ = front.sign_in().await;
        let (form, _) = front.provider.token_request();
        let claims = crate::support::claims(form.once("client_assertion").unwrap().unwrap());
        assert_eq!(claims["aud"], audience);
    }
}

#[tokio::test]
async fn an_answer_in_a_form_is_led_on_to_the_browsers_own_cookies() {
    let front = Front::new().await;
    let location = front.start(&[]).await;
    let query = front.provider.sign_in(&location);
    let posted = Request::post("/upstream/corp/callback")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(query.clone()))
        .unwrap();
    let answer = front.send(posted).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, callback_path("corp", &query).as_str())
    );
    let next = answer.header("location").to_owned();
    assert_eq!(front.get(&next).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_page_of_the_account_is_returned_to_and_nothing_else_is() {
    let front = Front::new().await;
    let answer = front.get("/upstream/corp/start?return_to=/account/security").await;
    let query = front.provider.sign_in(answer.header("location"));
    let back = front.get(&callback_path("corp", &query)).await;
    assert_eq!(
        (back.status, back.header("location")),
        (StatusCode::FOUND, "/account/security")
    );
    for elsewhere in [
        "https://evil.example",
        "//evil.example",
        "/account/../x",
        "/oauth2/logout",
    ] {
        let query = lanyard_protocol::form::Form::default()
            .with("return_to", elsewhere)
            .encode();
        let answer = front.get(&format!("/upstream/corp/start?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{elsewhere}");
    }
}

#[tokio::test]
async fn a_key_that_rotates_is_fetched_once() {
    let front = Front::new().await;
    assert_eq!(front.sign_in().await.status, StatusCode::FOUND);
    let fetched = || front.provider.asked().iter().filter(|path| *path == "/keys").count();
    assert_eq!(fetched(), 1);
    front.provider.lie(|lies| {
        lies.key = lanyard_jose::key::SigningKey::generate(lanyard_jose::algorithm::Algorithm::Es256).unwrap();
    });
    // Not more often than every ten seconds, whatever is asked (MD-KEY-02).
    assert_eq!(front.sign_in().await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        (fetched(), front.last_event().reason.as_deref()),
        (1, Some("unknown_key"))
    );
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    tokio::time::resume();
    assert_eq!(front.sign_in().await.status, StatusCode::FOUND);
    assert_eq!(front.sign_in().await.status, StatusCode::FOUND);
    assert_eq!(fetched(), 2);
}
