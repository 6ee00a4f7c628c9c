//! A provider tells us that somebody signed out there (OpenID Connect Back-Channel Logout; RV-06): what ends, before the
//! answer, and every logout token that ends nothing.

use axum::body::Body;
use http::{Request, StatusCode};
use lanyard_core::id::SessionId;
use lanyard_core::upstream::connection::Preset;
use lanyard_fetch::FetchError;
use lanyard_jose::digest::sha256;
use lanyard_protocol::form::encode;
use lanyard_protocol::gateway::Revoked;
use lanyard_testkit::company::{ALICE, IDE, IDP};
use serde_json::{Value, json};

use crate::support::{Answer, claims, token_url};
use crate::upstream_provider::{Signing, with_status};
use crate::upstream_world::{Front, spec};

const PATH: &str = "/upstream/corp/backchannel-logout";

/// A person signs in at the provider, which calls its session so; the session here.
async fn signed_in(front: &Front, sid: &str) -> SessionId {
    let sid = sid.to_owned();
    front.provider.lie(|lies| {
        lies.claims.insert("sid".to_owned(), sid.into());
        lies.claims.insert("groups".to_owned(), json!(["engineering"]));
    });
    front.another_browser();
    let answer = front.sign_in().await;
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
    let hash = sha256(front.session_cookie().unwrap().as_bytes());
    let found = front.world.company.read(move |tx| tx.find_session_by_secret(&hash));
    found.unwrap().id
}

async fn told_at(front: &Front, path: &str, body: String) -> Answer {
    front.another_browser();
    let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    front.send(request.body(Body::from(body)).unwrap()).await
}

async fn told(front: &Front, token: &str) -> Answer {
    told_at(front, PATH, format!("logout_token={}", encode(token))).await
}

fn is_open(front: &Front, session: &SessionId) -> bool {
    let session = session.clone();
    let found = front.world.company.read(move |tx| tx.find_session(&session));
    found.unwrap().ended_at.is_none()
}

async fn refreshed(front: &Front, tokens: &Value) -> (u16, String) {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    front.world.post(&token_url(IDP), IDE, &fields).await.error()
}

#[tokio::test]
async fn a_logout_there_ends_all_of_that_session_here_before_it_is_answered_rv_06() {
    let front = Front::new().await;
    let ended = signed_in(&front, "up-1").await;
    let kept = signed_in(&front, "up-2").await;
    let (tokens, others) = (front.world.tokens_of(&ended).await, front.world.tokens_of(&kept).await);
    let id_token = tokens["id_token"].as_str().unwrap();
    let access_token = front
        .world
        .redeem(&front.world.exchange(id_token, &[]).await.token())
        .await
        .token();
    let in_hand = front.world.exchange(id_token, &[]).await.token();

    let answer = told(&front, &front.provider.logout_token(&json!({"sub": "s-1"}))).await;
    assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, ""));
    assert_eq!(answer.header("cache-control"), "no-store");

    assert!(!is_open(&front, &ended) && is_open(&front, &kept));
    // With offline_access, and yet.
    assert_eq!(refreshed(&front, &tokens).await, (400, "invalid_grant".to_owned()));
    assert_eq!(front.world.exchange(id_token, &[]).await.error().1, "invalid_grant");
    let revoked = front.world.view.0.lock().unwrap().clone();
    let jti = claims(&access_token)["jti"].as_str().unwrap().to_owned();
    assert!(
        revoked
            .iter()
            .any(|entry| matches!(&entry.revoked, Revoked::Token { jti: own, .. } if *own == jti)),
        "{revoked:?}"
    );
    assert_eq!(front.world.redeem(&in_hand).await.error().1, "invalid_grant");
    front.world.assert_denied("ras.id_jag.denied", "session_ended");
    assert_eq!(refreshed(&front, &others).await.1, "no error");

    let events = front.world.company.events();
    let accepted = events
        .iter()
        .find(|stored| stored.event.kind == "idp.upstream_logout.accepted")
        .unwrap();
    assert_eq!(accepted.event.detail["sessions"], 1);
    assert_eq!(accepted.event.detail["connection"], "corp");
}

#[tokio::test]
async fn a_logout_of_a_person_ends_every_session_that_began_there_and_no_other_rv_06() {
    let front = Front::new().await;
    let (one, two) = (signed_in(&front, "up-1").await, signed_in(&front, "up-2").await);
    let (local, somebody) = (front.world.session(ALICE), json!({"sid": null, "sub": "s-unknown"}));
    assert_eq!(
        told(&front, &front.provider.logout_token(&somebody)).await.status,
        StatusCode::OK
    );
    assert!(is_open(&front, &one) && is_open(&front, &two));
    let person = json!({"sid": null, "sub": "s-1"});
    assert_eq!(
        told(&front, &front.provider.logout_token(&person)).await.status,
        StatusCode::OK
    );
    assert!(!is_open(&front, &one) && !is_open(&front, &two) && is_open(&front, &local));
    // Once more: they are out already, which is what was wanted (section 2.7).
    assert_eq!(
        told(&front, &front.provider.logout_token(&person)).await.status,
        StatusCode::OK
    );
    assert_eq!(front.last_event().detail["sessions"], 0);
}

/// Nothing ended, the answer says no, and the log says why.
#[track_caller]
fn is_refused(front: &Front, name: &str, answer: &Answer, session: &SessionId, (status, reason): (u16, &str)) {
    let event = front.last_event();
    assert_eq!(
        (event.kind.as_str(), event.reason.as_deref()),
        ("idp.upstream_logout.refused", Some(reason)),
        "{name}: {event:?}"
    );
    let error = if status == 503 {
        "temporarily_unavailable"
    } else {
        "invalid_request"
    };
    assert_eq!(answer.error(), (status, error.to_owned()), "{name}");
    assert_eq!(answer.header("cache-control"), "no-store", "{name}");
    assert!(is_open(front, session), "{name}: the session ended");
}

/// Each token is refused for its reason. Only the first ten refusals of a source in a minute are written down.
async fn refuses(cases: &[(&str, Value, &str)]) {
    let front = Front::new().await;
    let session = signed_in(&front, "up-1").await;
    for (name, changes, reason) in cases {
        let answer = told(&front, &front.provider.logout_token(changes)).await;
        is_refused(&front, name, &answer, &session, (400, reason));
    }
}

#[tokio::test]
async fn a_token_with_the_claims_of_no_logout_token_ends_nothing_rv_06() {
    let event = "http://schemas.openid.net/event/backchannel-logout";
    refuses(&[
        ("a nonce", json!({"nonce": "n"}), "claims"),
        ("no event", json!({"events": null}), "claims"),
        ("another event", json!({"events": {"urn:other": {}}}), "claims"),
        ("an event that is no object", json!({"events": {event: true}}), "claims"),
        ("nobody", json!({"sid": null}), "claims"),
        ("no jti", json!({"jti": null}), "claims"),
        ("no time of issue", json!({"iat": null}), "claims"),
        ("no end", json!({"exp": null}), "claims"),
    ])
    .await;
}

#[tokio::test]
async fn a_logout_token_of_another_party_or_time_ends_nothing_rv_06() {
    let now = 1_789_387_200_i64;
    refuses(&[
        ("another audience", json!({"aud": "somebody"}), "audience"),
        ("another issuer", json!({"iss": "https://evil.example"}), "issuer"),
        ("expired", json!({"iat": now - 300, "exp": now - 60}), "expired"),
        (
            "from the future",
            json!({"iat": now + 90, "exp": now + 120}),
            "issued_in_future",
        ),
        (
            "old with a late end",
            json!({"iat": now - 700, "exp": now + 9000}),
            "logout_token_too_old",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_logout_token_that_the_provider_did_not_sign_ends_nothing_rv_06() {
    let front = Front::new().await;
    let session = signed_in(&front, "up-1").await;
    for (signing, reason) in [
        (Signing::OtherKey, "signature"),
        (Signing::None, "algorithm"),
        (Signing::Hmac, "algorithm"),
    ] {
        front.provider.lie(|lies| lies.signing = signing);
        let answer = told(&front, &front.provider.logout_token(&json!({}))).await;
        is_refused(&front, reason, &answer, &session, (400, reason));
    }
    front.provider.lie(|lies| {
        lies.signing = Signing::Good;
        lies.typ = "at+jwt";
    });
    let answer = told(&front, &front.provider.logout_token(&json!({}))).await;
    is_refused(&front, "an access token", &answer, &session, (400, "typ"));
    front.provider.lie(|lies| lies.typ = "logout+jwt");
    assert_eq!(
        told(&front, &front.provider.logout_token(&json!({}))).await.status,
        StatusCode::OK
    );
    assert!(!is_open(&front, &session));
}

#[tokio::test]
async fn an_id_token_of_the_person_is_no_logout_token_rv_06() {
    let front = Front::new().await;
    let session = signed_in(&front, "up-1").await;
    let id_token = json!({"events": null, "nonce": "n-1", "sub": "s-1", "auth_time": 1});
    let answer = told(&front, &front.provider.logout_token(&id_token)).await;
    is_refused(&front, "an ID token", &answer, &session, (400, "claims"));
}

#[tokio::test]
async fn a_logout_token_is_taken_once_sec_05() {
    let front = Front::new().await;
    let first = signed_in(&front, "up-1").await;
    let token = front.provider.logout_token(&json!({}));
    assert_eq!(told(&front, &token).await.status, StatusCode::OK);
    assert!(!is_open(&front, &first));
    let second = signed_in(&front, "up-1").await;
    let answer = told(&front, &token).await;
    is_refused(&front, "again", &answer, &second, (400, "logout_token_replayed"));
}

#[tokio::test]
async fn what_cannot_be_read_ends_nothing_sec_22() {
    let front = Front::new().await;
    let session = signed_in(&front, "up-1").await;
    let token = front.provider.logout_token(&json!({}));
    let twice = format!("logout_token={token}&logout_token={token}");
    for (name, body, status, reason) in [
        ("no token", "a=b".to_owned(), 400, "logout_token_missing"),
        ("two tokens", twice, 400, "logout_token_missing"),
        ("no JWT", "logout_token=x".to_owned(), 400, "malformed"),
        (
            "a long JWT",
            format!("logout_token={}", "x".repeat(17_000)),
            400,
            "malformed",
        ),
        (
            "a huge body",
            format!("logout_token={}", "x".repeat(3_000_000)),
            413,
            "malformed_request",
        ),
    ] {
        let answer = told_at(&front, PATH, body).await;
        is_refused(&front, name, &answer, &session, (status, reason));
    }
    let answer = told_at(
        &front,
        "/upstream/other/backchannel-logout",
        format!("logout_token={token}"),
    )
    .await;
    is_refused(
        &front,
        "nobody's address",
        &answer,
        &session,
        (400, "connection_unknown"),
    );
    let by_get = front.get(&format!("{PATH}?logout_token={token}")).await;
    assert_eq!(by_get.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(is_open(&front, &session));
}

#[tokio::test]
async fn a_provider_whose_keys_cannot_be_had_is_asked_to_come_again_and_opens_no_door() {
    let front = Front::new().await;
    let session = signed_in(&front, "up-1").await;
    // A new key: the cached set does not have it, and the new set cannot be had.
    front.provider.lie(|lies| {
        lies.key = lanyard_jose::key::SigningKey::generate(lanyard_jose::algorithm::Algorithm::Es256).unwrap();
        lies.answers.insert("/keys", Err(FetchError::Unreachable));
    });
    let answer = told(&front, &front.provider.logout_token(&json!({}))).await;
    let event = front.last_event();
    assert_eq!(event.kind, "idp.upstream_logout.refused", "{event:?}");
    assert!(matches!(answer.status.as_u16(), 400 | 503), "{}", answer.status);
    assert!(is_open(&front, &session));

    let fresh = Front::new().await;
    let session = fresh.world.session(ALICE);
    fresh
        .provider
        .lie(|lies| drop(lies.answers.insert("/keys", Ok(with_status(500, &json!({}))))));
    let answer = told(&fresh, &fresh.provider.logout_token(&json!({}))).await;
    is_refused(&fresh, "no keys", &answer, &session, (503, "provider_keys"));
    assert_eq!(answer.header("retry-after"), "5");
}

#[tokio::test]
async fn a_provider_that_is_switched_off_ends_nothing_more() {
    let front = Front::new().await;
    let local = front.world.session(ALICE);
    let mut off = spec();
    off.enabled = false;
    front.put(&off);
    let answer = told(&front, &front.provider.logout_token(&json!({}))).await;
    is_refused(&front, "switched off", &answer, &local, (400, "connection_unknown"));
}

#[tokio::test]
async fn a_person_who_is_not_known_by_sub_is_not_guessed() {
    const TENANT: &str = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
    let front = Front::with(|spec| {
        spec.preset = Preset::Entra;
        spec.oidc.as_mut().unwrap().issuer = TENANT.to_owned();
    })
    .await;
    let local = front.world.session(ALICE);
    let answer = told(
        &front,
        &front.provider.logout_token(&json!({"sid": null, "sub": "s-1"})),
    )
    .await;
    is_refused(&front, "by sub", &answer, &local, (400, "logout_token_without_session"));
}
