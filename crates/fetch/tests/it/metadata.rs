//! Metadata of authorization servers: where it is looked for and whose it may be (CL-DI-03, CL-DI-04).

use std::sync::Arc;

use lanyard_fetch::{FetchError, MetadataCache, MetadataError};
use lanyard_protocol::issuer::Issuer;

use crate::memory::{Memory, json, response};

fn issuer(text: &str) -> Issuer {
    Issuer::parse(text).unwrap()
}

fn document(issuer: &str) -> String {
    serde_json::json!({"issuer": issuer, "token_endpoint": format!("{issuer}/token")}).to_string()
}

#[tokio::test(start_paused = true)]
async fn an_issuer_with_a_path_has_three_places_in_order_cl_di_03() {
    let memory = Arc::new(Memory::new(|_| Ok(response(404, "text/html", ""))));
    let cache = MetadataCache::new(memory.clone());
    let outcome = cache.authorization_server(&issuer("https://a.example/t1")).await;
    assert_eq!(outcome.unwrap_err(), MetadataError::NotFound);
    assert_eq!(
        memory.asked(),
        [
            "https://a.example/.well-known/oauth-authorization-server/t1",
            "https://a.example/.well-known/openid-configuration/t1",
            "https://a.example/t1/.well-known/openid-configuration",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_issuer_at_the_root_has_two_places_cl_di_03() {
    let memory = Arc::new(Memory::new(|url| {
        if url.ends_with("openid-configuration") {
            Ok(json(&document("https://a.example")))
        } else {
            Ok(response(200, "text/html", "<p>welcome"))
        }
    }));
    let cache = MetadataCache::new(memory.clone());
    let found = cache.authorization_server(&issuer("https://a.example")).await.unwrap();
    assert_eq!(found.token_endpoint.as_deref(), Some("https://a.example/token"));
    assert!(cache.authorization_server(&issuer("https://a.example")).await.is_ok());
    assert_eq!(memory.times(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_openid_provider_has_one_place() {
    let memory = Arc::new(Memory::new(|_| Ok(json(&document("https://a.example/t1")))));
    let cache = MetadataCache::new(memory.clone());
    let own = issuer("https://a.example/t1");
    assert!(cache.openid_provider(&own).await.is_ok());
    assert!(cache.openid_provider(&own).await.is_ok());
    assert_eq!(
        memory.asked(),
        ["https://a.example/t1/.well-known/openid-configuration"]
    );
    cache.forget(&own);
    assert!(cache.openid_provider(&own).await.is_ok());
    assert_eq!(memory.times(), 2);
    let slash = cache.openid_provider(&issuer("https://a.example/t1/")).await;
    assert_eq!(slash.unwrap_err(), MetadataError::OtherIssuer);
}

#[tokio::test(start_paused = true)]
async fn a_document_of_another_issuer_is_discarded_cl_di_04() {
    for other in [
        "https://evil.example",
        "https://a.example/",
        "https://A.example",
        "https://a.example/x",
    ] {
        let body = document(other);
        let memory = Arc::new(Memory::new(move |_| Ok(json(&body))));
        let cache = MetadataCache::new(memory);
        let outcome = cache.authorization_server(&issuer("https://a.example")).await;
        assert_eq!(outcome.unwrap_err(), MetadataError::OtherIssuer, "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_server_is_not_worked_around() {
    for failure in [
        || Ok(response(503, "text/html", "")),
        || Err(FetchError::Timeout),
        || Err(FetchError::Forbidden("a redirect")),
    ] {
        let memory = Arc::new(Memory::new(move |_| failure()));
        let cache = MetadataCache::new(memory.clone());
        let outcome = cache.authorization_server(&issuer("https://a.example/t1")).await;
        assert!(matches!(outcome, Err(MetadataError::Fetch(_))), "{outcome:?}");
        assert_eq!(memory.times(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_not_strict_json_is_refused() {
    let memory = Arc::new(Memory::new(|_| {
        Ok(json(r#"{"issuer":"https://a.example","issuer":"https://b.example"}"#))
    }));
    let cache = MetadataCache::new(memory);
    let outcome = cache.authorization_server(&issuer("https://a.example")).await;
    assert!(
        matches!(outcome, Err(MetadataError::Fetch(FetchError::Content(_)))),
        "{outcome:?}"
    );
}
