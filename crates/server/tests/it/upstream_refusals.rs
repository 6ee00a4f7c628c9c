//! Sign-in at an upstream OpenID provider, over the router: everything that is refused, on the page and in the log.

use http::StatusCode;
use lanyard_core::admin::spec::connection::ConnectionSpec;
use lanyard_core::upstream::connection::Preset;
use lanyard_core::upstream::oidc::Overage;
use lanyard_fetch::FetchError;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use serde_json::{Map, Value, json};

use crate::support::Answer;
use crate::upstream_provider::{CLIENT, Lies, Signing, UPSTREAM, response, with_status};
use crate::upstream_world::{Front, callback_path, parameters, spec, start_path};

type Change = fn(&mut ConnectionSpec);
type Lie = Box<dyn FnOnce(&mut Lies)>;

fn claim(name: &'static str, value: Value) -> Lie {
    Box::new(move |lies| drop(lies.claims.insert(name.to_owned(), value)))
}

fn metadata(name: &'static str, value: Value) -> Lie {
    Box::new(move |lies| drop(lies.metadata.insert(name.to_owned(), value)))
}

fn answer(path: &'static str, with: Result<lanyard_fetch::FetchResponse, FetchError>) -> Lie {
    Box::new(move |lies| drop(lies.answers.insert(path, with)))
}

/// A page that says nothing of what the provider said, has a reference, and gave no session.
#[track_caller]
fn is_refused(front: &Front, name: &str, answer: &Answer, reason: &str) {
    assert!(
        answer.status.is_client_error() || answer.status.is_server_error(),
        "{name}: {}",
        answer.status
    );
    let event = front.last_event();
    assert_eq!(
        (event.kind.as_str(), event.reason.as_deref()),
        ("idp.sign_in.failed", Some(reason)),
        "{name}: {event:?}"
    );
    assert_eq!(event.detail["connection"], "corp", "{name}");
    let page = answer.text();
    assert!(
        page.contains(event.request_id.as_str()),
        "{name}: no reference in {page}"
    );
    for leak in [UPSTREAM, "<", "upstream-access-token", "the-code", "erin"] {
        assert!(!page.contains(leak), "{name}: {leak} in {page}");
    }
    assert!(front.session_cookie().is_none(), "{name}: a session");
    assert_eq!(front.people(), 3, "{name}: somebody was made");
}

#[tokio::test]
async fn an_id_token_that_is_not_right_lets_nobody_in_cl_ss_03() {
    let now = 1_789_387_200_i64;
    let cases: Vec<(&str, Lie, &str)> = vec![
        ("another issuer", claim("iss", json!("https://evil.example")), "issuer"),
        (
            "a slash at the end",
            claim("iss", json!(format!("{UPSTREAM}/"))),
            "issuer",
        ),
        ("another audience", claim("aud", json!("other-client")), "audience"),
        (
            "several audiences and no party",
            claim("aud", json!([CLIENT, "other"])),
            "authorized_party_mismatch",
        ),
        (
            "another party",
            claim("azp", json!("other")),
            "authorized_party_mismatch",
        ),
        (
            "a party that is no text",
            claim("azp", json!([CLIENT])),
            "authorized_party_mismatch",
        ),
        ("expired", claim("exp", json!(now - 31)), "expired"),
        (
            "issued in the future",
            claim("iat", json!(now + 3600)),
            "issued_in_future",
        ),
        ("not yet valid", claim("nbf", json!(now + 3600)), "not_yet_valid"),
        ("another nonce", claim("nonce", json!("_stolen")), "nonce_mismatch"),
        ("no nonce", claim("nonce", Value::Null), "nonce_mismatch"),
        ("a nonce that is no text", claim("nonce", json!(1)), "nonce_mismatch"),
        (
            "another access token",
            claim("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
            "access_token_hash_mismatch",
        ),
        (
            "a hash that is no text",
            claim("at_hash", json!(7)),
            "access_token_hash_mismatch",
        ),
        ("no subject", claim("sub", Value::Null), "claims"),
        ("the provider as subject", claim("sub", json!(UPSTREAM)), "claims"),
        ("no expiry", claim("exp", Value::Null), "claims"),
        ("a logout token", claim("events", json!({})), "typ"),
        ("another type", Box::new(|lies| lies.typ = "at+jwt"), "typ"),
        ("not signed", Box::new(|lies| lies.signing = Signing::None), "algorithm"),
        (
            "a symmetric signature",
            Box::new(|lies| lies.signing = Signing::Hmac),
            "algorithm",
        ),
        (
            "another key",
            Box::new(|lies| lies.signing = Signing::OtherKey),
            "signature",
        ),
        (
            "an algorithm that is not accepted",
            Box::new(|lies| lies.key = SigningKey::generate(Algorithm::EdDsa).unwrap()),
            "algorithm",
        ),
        (
            "a key that is not published",
            Box::new(|lies| {
                lies.published = Some(SigningKey::generate(Algorithm::Es256).unwrap().public_jwk().to_value())
            }),
            "unknown_key",
        ),
        (
            "no ID token",
            Box::new(|lies| lies.id_token = false),
            "id_token_missing",
        ),
    ];
    for (name, lie, reason) in cases {
        let front = Front::new().await;
        front.provider.lie(lie);
        let answer = front.sign_in().await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {}", answer.text());
        is_refused(&front, name, &answer, reason);
    }
}

#[tokio::test]
async fn clocks_may_differ_by_thirty_seconds() {
    let front = Front::new().await;
    let now = lanyard_core::clock::Clock::now(&front.world.company.clock).seconds();
    for (name, value, good) in [
        ("exp", now - 29, true),
        ("iat", now + 30, true),
        ("iat", now + 31, false),
    ] {
        front.provider.lie(|lies| {
            lies.claims = Map::from_iter([(name.to_owned(), json!(value)), ("iat".to_owned(), json!(now - 60))]);
            lies.claims.insert(name.to_owned(), json!(value));
        });
        let answer = front.sign_in().await;
        assert_eq!(
            answer.status == StatusCode::FOUND,
            good,
            "{name} {value}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_provider_that_is_down_slow_or_lying_opens_no_door() {
    let html = || Ok(response(503, "text/html", "<h1>down</h1>"));
    let cases: Vec<(&str, Lie, &str)> = vec![
        (
            "token endpoint down",
            answer("/token", html()),
            "provider_token_endpoint",
        ),
        (
            "token endpoint slow",
            answer("/token", Err(FetchError::Timeout)),
            "provider_token_endpoint",
        ),
        (
            "token endpoint without JSON",
            answer("/token", Ok(response(200, "text/html", "<p>"))),
            "provider_token_endpoint",
        ),
        (
            "two members of a name",
            answer(
                "/token",
                Ok(response(200, "application/json", r#"{"id_token":"a","id_token":"b"}"#)),
            ),
            "provider_token_endpoint",
        ),
        (
            "client not accepted",
            answer(
                "/token",
                Ok(with_status(
                    401,
                    &json!({"error": "invalid_client", "error_description": "<b>no</b>"}),
                )),
            ),
            "provider_refused_code",
        ),
        (
            "an error that is none",
            answer("/token", Ok(with_status(400, &json!({"error": "<script>"})))),
            "provider_refused_code",
        ),
        ("keys down", answer("/keys", html()), "provider_keys"),
        (
            "keys that are none",
            answer("/keys", Ok(with_status(200, &json!({"keys": 7})))),
            "provider_keys",
        ),
    ];
    for (name, lie, reason) in cases {
        let front = Front::new().await;
        let location = front.start(&[]).await;
        front.provider.lie(lie);
        let query = front.provider.sign_in(&location);
        let answer = front.get(&callback_path("corp", &query)).await;
        is_refused(&front, name, &answer, reason);
        assert!(
            answer.text().contains("[Sign in another way](/oauth2/authorize?"),
            "{name}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_sign_in_does_not_begin_at_a_provider_that_cannot_be_right() {
    let cases: Vec<(&str, Lie, &str)> = vec![
        (
            "no document",
            answer("configuration", Ok(response(404, "text/html", ""))),
            "provider_metadata",
        ),
        (
            "down",
            answer("configuration", Err(FetchError::Unreachable)),
            "provider_metadata",
        ),
        (
            "another issuer",
            metadata("issuer", json!("https://evil.example")),
            "provider_metadata",
        ),
        (
            "a slash at the end",
            metadata("issuer", json!(format!("{UPSTREAM}/"))),
            "provider_metadata",
        ),
        (
            "no challenge methods",
            metadata("code_challenge_methods_supported", Value::Null),
            "provider_without_pkce",
        ),
        (
            "plain challenges only",
            metadata("code_challenge_methods_supported", json!(["plain"])),
            "provider_without_pkce",
        ),
        (
            "plain http",
            metadata("token_endpoint", json!("http://idp.corp.example/token")),
            "provider_endpoint",
        ),
        (
            "a loopback endpoint",
            metadata("token_endpoint", json!("http://127.0.0.1/token")),
            "provider_endpoint",
        ),
        (
            "a script",
            metadata("authorization_endpoint", json!("javascript:alert(1)")),
            "provider_endpoint",
        ),
        (
            "credentials in the address",
            metadata("authorization_endpoint", json!("https://a:b@idp.corp.example/")),
            "provider_endpoint",
        ),
        ("no keys", metadata("jwks_uri", Value::Null), "provider_endpoint"),
    ];
    for (name, lie, reason) in cases {
        let front = Front::new().await;
        front.provider.lie(lie);
        let answer = front.get(&start_path("corp", &[])).await;
        is_refused(&front, name, &answer, reason);
        assert!(answer.text().contains("[Sign in another way]"), "{name}");
    }
}

#[tokio::test]
async fn a_failed_sign_in_for_the_account_leads_to_the_other_ways() {
    const START: &str = "/upstream/corp/start?return_to=/account/security";
    const WAY: &str = "[Sign in another way](/account/security?choose=1)";
    let front = Front::with(|spec| spec.just_in_time = false).await;
    let begun = front.get(START).await;
    let query = front.provider.sign_in(begun.header("location"));
    let refused = front.get(&callback_path("corp", &query)).await;
    is_refused(&front, "a stranger", &refused, "not_linked");
    assert!(refused.text().contains(WAY), "{}", refused.text());

    let front = Front::new().await;
    front
        .provider
        .lie(answer("configuration", Err(FetchError::Unreachable)));
    let down = front.get(START).await;
    assert_eq!(down.status, StatusCode::BAD_GATEWAY);
    is_refused(&front, "down", &down, "provider_metadata");
    assert!(down.text().contains(WAY), "{}", down.text());
}

#[tokio::test]
async fn an_outage_ends_no_session_before_its_time() {
    let front = Front::new().await;
    let _ = front.sign_in().await;
    let hash = lanyard_jose::digest::sha256(front.session_cookie().unwrap().as_bytes());
    front.provider.lie(|lies| {
        for path in ["configuration", "/keys", "/token"] {
            lies.answers.insert(path, Err(FetchError::Unreachable));
        }
    });
    let answer = front.sign_in().await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{}", answer.text());
    let session = front
        .world
        .company
        .read(move |tx| tx.find_session_by_secret(&hash))
        .unwrap();
    assert!(session.ended_at.is_none());
}

#[tokio::test]
async fn the_answer_must_name_the_provider_that_was_asked_sec_04() {
    let iss = |text: &str| format!("&iss={}", lanyard_protocol::form::encode(text));
    for (name, announced, issuer, reason) in [
        (
            "another issuer",
            true,
            iss("https://evil.example"),
            Some("answer_of_other_issuer"),
        ),
        (
            "a slash at the end",
            true,
            iss(&format!("{UPSTREAM}/")),
            Some("answer_of_other_issuer"),
        ),
        (
            "none although announced",
            true,
            String::new(),
            Some("answer_without_issuer"),
        ),
        (
            "another although not announced",
            false,
            iss("https://evil.example"),
            Some("answer_of_other_issuer"),
        ),
        ("none and not announced", false, String::new(), None),
    ] {
        let front = Front::new().await;
        front.provider.lie(metadata(
            "authorization_response_iss_parameter_supported",
            json!(announced),
        ));
        let query = front.provider.sign_in(&front.start(&[]).await);
        let (kept, _) = query.split_once("&iss=").unwrap();
        let answer = front.get(&callback_path("corp", &format!("{kept}{issuer}"))).await;
        match reason {
            Some(reason) => is_refused(&front, name, &answer, reason),
            None => assert_eq!(answer.status, StatusCode::FOUND, "{name}: {}", answer.text()),
        }
        if reason.is_some() {
            assert!(
                !front.provider.asked().iter().any(|path| path == "/token"),
                "{name}: the code left"
            );
        }
    }
}

#[tokio::test]
async fn an_error_of_another_issuer_is_not_listened_to_cl_ss_02() {
    let front = Front::new().await;
    let state = parameters(&front.start(&[]).await)
        .once("state")
        .unwrap()
        .unwrap()
        .to_owned();
    let query = format!(
        "error=access_denied&error_description=%3Cb%3Ego+to+evil%3C/b%3E&state={state}&iss=https://evil.example"
    );
    let answer = front.get(&callback_path("corp", &query)).await;
    is_refused(&front, "foreign error", &answer, "answer_of_other_issuer");
}

#[tokio::test]
async fn what_a_provider_says_no_with_is_not_shown_row_42() {
    for (error, told) in [("access_denied", "access_denied"), ("%3Cscript%3E", "an error")] {
        let front = Front::new().await;
        let state = parameters(&front.start(&[]).await)
            .once("state")
            .unwrap()
            .unwrap()
            .to_owned();
        let issuer = lanyard_protocol::form::encode(UPSTREAM);
        let query = format!("error={error}&error_description=%3Cb%3Eerin%3C/b%3E&state={state}&iss={issuer}");
        let answer = front.get(&callback_path("corp", &query)).await;
        is_refused(&front, error, &answer, "provider_refused");
        assert_eq!(
            front.last_event().detail["why"],
            format!("the provider answered with {told}")
        );
    }
}

#[tokio::test]
async fn an_answer_that_belongs_to_no_sign_in_of_this_browser_is_refused_sec_16() {
    let front = Front::new().await;
    let query = front.provider.sign_in(&front.start(&[]).await);
    let issuer = lanyard_protocol::form::encode(UPSTREAM);
    for (name, query, reason) in [
        ("no state", format!("code=the-code&iss={issuer}"), "answer_malformed"),
        ("two states", format!("{query}&state=other"), "answer_malformed"),
        ("two codes", format!("{query}&code=other"), "answer_malformed"),
        (
            "an invented state",
            format!("code=the-code&state={}&iss={issuer}", "x".repeat(43)),
            "attempt_unknown",
        ),
        ("half an escape", format!("{query}&x=%"), "answer_malformed"),
    ] {
        let answer = front.get(&callback_path("corp", &query)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}");
        is_refused(&front, name, &answer, reason);
    }
    // Somebody else's answer: the session it would begin is not this browser's to have.
    front.another_browser();
    let answer = front.get(&callback_path("corp", &query)).await;
    is_refused(&front, "another browser", &answer, "attempt_of_other_browser");
}

#[tokio::test]
async fn an_answer_is_good_once_and_for_ten_minutes_cl_ss_01() {
    let front = Front::new().await;
    let query = front.provider.sign_in(&front.start(&[]).await);
    let callback = callback_path("corp", &query);
    assert_eq!(front.get(&callback).await.status, StatusCode::FOUND);
    let again = front.get(&callback).await;
    assert_eq!(
        (again.status, front.last_event().reason.as_deref()),
        (StatusCode::BAD_REQUEST, Some("attempt_used"))
    );

    let late = Front::new().await;
    let query = late.provider.sign_in(&late.start(&[]).await);
    late.world.company.clock.advance(std::time::Duration::from_secs(600));
    let answer = late.get(&callback_path("corp", &query)).await;
    is_refused(&late, "late", &answer, "attempt_expired");
}

#[tokio::test]
async fn an_answer_at_the_address_of_another_provider_is_refused_sec_04() {
    let front = Front::new().await;
    let mut other = spec();
    other.name = "other".to_owned();
    front.put(&other);
    let query = front.provider.sign_in(&front.start(&[]).await);
    let answer = front.get(&callback_path("other", &query)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        front.last_event().reason.as_deref(),
        Some("attempt_of_other_connection")
    );
    assert!(front.session_cookie().is_none());
}

#[tokio::test]
async fn a_person_who_is_not_let_in_is_told_what_to_do() {
    let cases: Vec<(&str, Change, Lie, &str)> = vec![
        (
            "nobody is made",
            |spec| spec.just_in_time = false,
            claim("x", json!(1)),
            "not_linked",
        ),
        (
            "the name is taken",
            |_| {},
            claim("preferred_username", json!("alice")),
            "username_taken",
        ),
        (
            "no name",
            |_| {},
            claim("preferred_username", Value::Null),
            "username_missing",
        ),
    ];
    for (name, change, lie, reason) in cases {
        let front = Front::with(change).await;
        front.provider.lie(lie);
        let answer = front.sign_in().await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
        is_refused(&front, name, &answer, reason);
        assert!(answer.text().contains("administrator"), "{name}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_new_sign_in_that_was_asked_for_and_not_made_is_refused() {
    let front = Front::new().await;
    let now = lanyard_core::clock::Clock::now(&front.world.company.clock).seconds();
    front.provider.lie(claim("auth_time", json!(now - 3600)));
    let answer = front.sign_in_with(&[("prompt", "login")]).await;
    is_refused(&front, "old", &answer, "not_fresh");
    front.provider.lie(claim("auth_time", Value::Null));
    let answer = front.sign_in_with(&[("max_age", "300")]).await;
    is_refused(&front, "not told", &answer, "not_fresh");
}

#[tokio::test]
async fn a_client_that_was_switched_off_meanwhile_gets_no_code() {
    let front = Front::new().await;
    let query = front.provider.sign_in(&front.start(&[]).await);
    front.world.company.write(|_, tx| {
        let id = lanyard_protocol::client_id::ClientId::parse("ide").unwrap();
        let mut client = tx
            .find_client(lanyard_core::client::registration::Side::Idp, &id)?
            .unwrap();
        client.enabled = false;
        client.version += 1;
        tx.update_client(&client)
    });
    let answer = front.get(&callback_path("corp", &query)).await;
    is_refused(&front, "client off", &answer, "unknown_client");
}

#[tokio::test]
async fn a_sign_in_begins_only_at_a_connection_that_is_on_and_for_a_client_that_is_known() {
    let front = Front::with(|spec| spec.enabled = false).await;
    for path in [
        start_path("corp", &[]),
        start_path("none", &[]),
        start_path("corp", &[("client_id", "another")]),
        "/upstream/corp/start".to_owned(),
        format!("/upstream/corp/start?request={}", "x".repeat(9000)),
    ] {
        let answer = front.get(&path).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert!(front.provider.asked().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn one_source_begins_three_hundred_sign_ins_a_minute_at_most() {
    let front = Front::new().await;
    let mut last = StatusCode::OK;
    for _ in 0..301 {
        let answer = front.get("/upstream/none/start?return_to=/account").await;
        last = answer.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let answer = front.get(&start_path("corp", &[])).await;
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
}

const TENANT: &str = "7b54a3f1-7e5d-4a0c-9a51-0b4d5a1c2d3e";

async fn entra(overage: Overage) -> Front {
    Front::with(|spec| {
        spec.preset = Preset::Entra;
        let oidc = spec.oidc.as_mut().unwrap();
        oidc.issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        oidc.groups_overage = overage;
    })
    .await
}

#[tokio::test]
async fn entra_people_are_tenant_and_object_and_their_address_is_not_believed_row_17() {
    let front = entra(Overage::Refuse).await;
    // Its discovery announces neither challenges nor `iss`.
    front.provider.lie(|lies| {
        lies.metadata
            .insert("code_challenge_methods_supported".to_owned(), Value::Null);
        let claims = json!({"tid": TENANT, "oid": "o-1", "sub": "per-application", "email": "alice@northwind.example",
            "email_verified": true});
        lies.claims = claims.as_object().cloned().unwrap();
    });
    assert_eq!(front.sign_in().await.status, StatusCode::FOUND);
    let erin = front.world.company.user("erin");
    assert_eq!(erin.email, None);
    let links = front.world.company.read(move |tx| tx.list_links_of_person(&erin.id));
    assert_eq!(links[0].subject, format!("{TENANT}/o-1"));
}

#[tokio::test]
async fn entra_lets_in_its_own_tenant_only_row_17() {
    for (name, claims, reason) in [
        (
            "another tenant",
            json!({"tid": "00000000-0000-0000-0000-000000000000", "oid": "o-1"}),
            "other_tenant",
        ),
        ("no tenant", json!({"oid": "o-1"}), "other_tenant"),
        ("no object", json!({"tid": TENANT}), "subject_claim_missing"),
        (
            "an object with a slash",
            json!({"tid": TENANT, "oid": "a/b"}),
            "subject_claim_missing",
        ),
    ] {
        let front = entra(Overage::Refuse).await;
        front
            .provider
            .lie(|lies| lies.claims = claims.as_object().cloned().unwrap());
        let answer = front.sign_in().await;
        is_refused(&front, name, &answer, reason);
    }
}

#[tokio::test]
async fn groups_that_are_too_many_are_refused_or_kept_as_the_operator_chose() {
    let overage = |claims: Value| {
        let mut all = json!({"tid": TENANT, "oid": "o-1"}).as_object().cloned().unwrap();
        all.extend(claims.as_object().cloned().unwrap());
        all
    };
    for left_out in [
        json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}}),
        json!({"hasgroups": true}),
    ] {
        let front = entra(Overage::Refuse).await;
        front.provider.lie(|lies| lies.claims = overage(left_out.clone()));
        let answer = front.sign_in().await;
        is_refused(&front, "refuse", &answer, "groups_overage");
        assert!(answer.text().contains("more groups"), "{}", answer.text());

        let front = entra(Overage::Keep).await;
        front
            .provider
            .lie(|lies| lies.claims = overage(json!({"groups": ["engineering"]})));
        assert_eq!(front.sign_in().await.status, StatusCode::FOUND);
        front.provider.lie(|lies| lies.claims = overage(left_out));
        assert_eq!(front.sign_in().await.status, StatusCode::FOUND);
        let erin = front.world.company.user("erin").id;
        let names = front
            .world
            .company
            .read(move |tx| lanyard_core::directory::put::group_names(tx, &erin));
        assert_eq!(names, ["engineering"]);
    }
}

#[tokio::test]
async fn google_lets_in_its_hosted_domain_only() {
    for (hd, reason) in [
        (json!("Corp.Example"), None),
        (json!("evil.example"), Some("other_hosted_domain")),
        (Value::Null, Some("other_hosted_domain")),
        (json!(["corp.example"]), Some("other_hosted_domain")),
    ] {
        let front = Front::with(|spec| {
            spec.preset = Preset::Google;
            spec.domains = vec!["corp.example".to_owned()];
            spec.oidc.as_mut().unwrap().issuer = "https://accounts.google.com".to_owned();
        })
        .await;
        front.provider.lie(|lies| {
            let claims = json!({"hd": hd, "email": "erin@corp.example", "email_verified": true});
            lies.claims = claims.as_object().cloned().unwrap();
        });
        // Google answers `prompt=login` with an error.
        let again = parameters(&front.start(&[("prompt", "login")]).await);
        assert_eq!(again.once("prompt").unwrap(), Some("select_account"));
        let location = front.start(&[]).await;
        assert_eq!(parameters(&location).once("hd").unwrap(), Some("corp.example"));
        let answer = front
            .get(&callback_path("corp", &front.provider.sign_in(&location)))
            .await;
        match reason {
            Some(reason) => is_refused(&front, reason, &answer, reason),
            None => assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text()),
        }
    }
}

#[tokio::test]
async fn userinfo_about_somebody_else_is_refused() {
    for (userinfo, reason) in [
        (json!({"sub": "s-2"}), "userinfo_of_other_person"),
        (json!({"preferred_username": "erin"}), "userinfo_of_other_person"),
    ] {
        let front = Front::with(|spec| spec.oidc.as_mut().unwrap().userinfo = true).await;
        front.provider.lie(|lies| lies.userinfo = userinfo);
        let answer = front.sign_in().await;
        is_refused(&front, reason, &answer, reason);
    }
    let front = Front::with(|spec| spec.oidc.as_mut().unwrap().userinfo = true).await;
    front
        .provider
        .lie(answer("/userinfo", Ok(response(401, "text/html", ""))));
    let refused = front.sign_in().await;
    is_refused(&front, "userinfo down", &refused, "provider_userinfo");
}

#[tokio::test]
async fn a_credential_under_another_key_sends_nothing() {
    let front = Front::new().await;
    front.world.company.write(|_, tx| {
        let mut connection = tx.find_connection_by_name("corp")?.unwrap();
        connection.sealed_secret = Some(vec![1; 40]);
        connection.version += 1;
        tx.update_connection(&connection)
    });
    let answer = front.sign_in().await;
    is_refused(&front, "sealed", &answer, "provider_credential");
    assert!(!front.provider.asked().iter().any(|path| path == "/token"));
}
