//! Malformed, oversized, repeated and unexpected requests (rows 1 to 4 of the error table).

use axum::body::Body;
use http::StatusCode;
use lanyard_testkit::company::{IDE, IDE_AT_RAS, IDE_SECRET, IDP, RAS};

use crate::support::{BEARER, World, basic, form, post, to, token_url};

#[tokio::test]
async fn a_repeated_parameter_is_refused_and_recorded_idp_tk_01() {
    let world = World::new().await;
    for (issuer, client, kind) in [
        (IDP, IDE, "idp.request.refused"),
        (RAS, IDE_AT_RAS, "ras.request.refused"),
    ] {
        let fields = [("grant_type", BEARER), ("grant_type", BEARER), ("assertion", "x")];
        let answer = world.post(&token_url(issuer), client, &fields).await;
        assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
        world.assert_denied(kind, "malformed_request");
    }
}

#[tokio::test]
async fn only_forms_are_read_idp_tk_01() {
    let world = World::new().await;
    let request = to("POST", &token_url(IDP))
        .header("content-type", "application/json")
        .body(Body::from("{}"));
    assert_eq!(
        world.send(request.unwrap()).await.error(),
        (400, "invalid_request".to_owned())
    );
    world.assert_denied("idp.request.refused", "malformed_request");
}

#[tokio::test]
async fn nothing_is_taken_from_the_query_string_idp_tk_01() {
    let world = World::new().await;
    let url = format!("{}?grant_type={BEARER}", token_url(RAS));
    let answer = world.post(&url, IDE_AT_RAS, &[("assertion", "x")]).await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_get_is_not_answered_with_a_token_idp_tk_01() {
    let world = World::new().await;
    assert_eq!(world.get(&token_url(IDP)).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_large_body_is_not_read_sec_22() {
    let world = World::new().await;
    let body = format!("grant_type={BEARER}&assertion={}", "a".repeat(70 * 1024));
    let request = post(&token_url(RAS)).header("authorization", basic(IDE_AT_RAS, IDE_SECRET));
    let answer = world.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.error(), (413, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_large_assertion_is_refused_sec_22() {
    let world = World::new().await;
    let long = "a".repeat(17 * 1024);
    let answer = world
        .post(
            &token_url(RAS),
            IDE_AT_RAS,
            &[("grant_type", BEARER), ("assertion", &long)],
        )
        .await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
    world.assert_denied("ras.id_jag.denied", "malformed_request");
}

#[tokio::test]
async fn an_unknown_grant_and_a_missing_one_are_told_apart_er_01() {
    let world = World::new().await;
    for issuer in [IDP, RAS] {
        let client = if issuer == IDP { IDE } else { IDE_AT_RAS };
        let answer = world
            .post(&token_url(issuer), client, &[("grant_type", "password")])
            .await;
        assert_eq!(answer.error(), (400, "unsupported_grant_type".to_owned()));
        let answer = world.post(&token_url(issuer), client, &[("scope", "a")]).await;
        assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
    }
}

#[tokio::test]
async fn an_id_jag_of_ours_buys_no_token_of_ours_idp_tk_06() {
    let world = World::new().await;
    let id_jag = world.forged(|_| {});
    let answer = world
        .post(&token_url(IDP), IDE, &[("grant_type", BEARER), ("assertion", &id_jag)])
        .await;
    assert_eq!(answer.error(), (400, "unsupported_grant_type".to_owned()));
    world.assert_denied("idp.request.refused", "unsupported_grant_type");
}

#[tokio::test]
async fn errors_are_never_kept_and_carry_the_request_id_idp_tk_02_er_01() {
    let world = World::new().await;
    let answer = world
        .post(&token_url(RAS), IDE_AT_RAS, &[("grant_type", "password")])
        .await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    let told = answer.json()["request_id"].as_str().unwrap().to_owned();
    let recorded = world.company.events()[0].event.request_id.clone();
    assert_eq!(told, recorded.as_str());
    let mut shown = answer.json();
    shown["request_id"] = "[request id]".into();
    insta::assert_json_snapshot!(shown, @r#"
    {
      "error": "unsupported_grant_type",
      "error_description": "the grant type is not supported here",
      "request_id": "[request id]"
    }
    "#);
}

#[tokio::test]
async fn hostile_bytes_get_an_answer_and_never_a_failure() {
    let world = World::new().await;
    let bodies: [&[u8]; 8] = [
        b"",
        b"&&&&",
        b"=",
        b"%",
        b"grant_type=%00",
        b"grant_type=\xff\xfe",
        b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c",
        b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=..",
    ];
    for issuer in [IDP, RAS] {
        for path in ["/oauth2/token", "/oauth2/revoke", "/oauth2/introspect"] {
            for body in bodies {
                let request = post(&format!("{issuer}{path}")).body(Body::from(body)).unwrap();
                let status = world.send(request).await.status;
                assert!(status.is_client_error(), "{status} for {body:?} at {issuer}{path}");
            }
        }
    }
}

#[tokio::test]
async fn many_anonymous_refusals_are_told_in_one_event() {
    let world = World::new().await;
    let before = world.company.events().len();
    for _ in 0..25 {
        world.post_bare(&token_url(RAS), &[("grant_type", "password")]).await;
    }
    assert_eq!(world.company.events().len() - before, 10);
    world.company.clock.advance(std::time::Duration::from_secs(61));
    world.worker().summarise().await.unwrap();
    let told = world.company.events()[0].event.clone();
    assert_eq!(
        (told.kind.as_str(), told.detail["count"].as_i64()),
        ("server.refusals.counted", Some(15))
    );
    assert_eq!(told.peer.unwrap().to_string(), "192.0.2.1");
}

#[tokio::test]
async fn a_full_form_of_parameters_is_still_bounded_sec_22() {
    let world = World::new().await;
    let names: Vec<String> = (0..80).map(|n| format!("p{n}")).collect();
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let request = post(&token_url(IDP)).body(Body::from(form(&fields))).unwrap();
    assert_eq!(world.send(request).await.error(), (400, "invalid_request".to_owned()));
}
