//! Keys of others: when they are fetched, and when the old ones serve (MD-KEY-02, SEC-17).

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use lanyard_fetch::{FetchError, FetchResponse, JwksCache};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;

use crate::memory::{Memory, json, response};

const URI: &str = "https://idp.example/keys";

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap()
}

fn set(keys: &[&SigningKey]) -> FetchResponse {
    let keys: Vec<_> = keys.iter().map(|key| key.public_jwk().to_value()).collect();
    json(&serde_json::json!({"keys": keys}).to_string())
}

async fn later(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_unknown_kids_brings_one_fetch_md_key_02() {
    let key = key();
    let answer = set(&[&key]);
    let memory = Arc::new(Memory::new(move |_| Ok(answer.clone())));
    let cache = JwksCache::new(memory.clone());
    assert!(cache.keys(URI, Some(key.kid())).await.unwrap().contains(key.kid()));
    later(11).await;
    for n in 0..1000 {
        let keys = cache.keys(URI, Some(&format!("forged-{n}"))).await.unwrap();
        assert!(keys.contains(key.kid()));
    }
    assert_eq!(memory.times(), 2);
    later(10).await;
    let _ = cache.keys(URI, Some("forged")).await;
    assert_eq!(memory.times(), 3);
}

#[tokio::test(start_paused = true)]
async fn many_callers_at_once_bring_one_fetch_md_key_02() {
    let key = key();
    let answer = set(&[&key]);
    let memory = Arc::new(Memory::new(move |_| Ok(answer.clone())));
    let cache = JwksCache::new(memory.clone());
    let all = join_all((0..100).map(|_| cache.keys(URI, Some(key.kid())))).await;
    assert!(all.iter().all(|keys| keys.as_ref().unwrap().contains(key.kid())));
    assert_eq!(memory.times(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_found_at_once_and_a_vanished_one_is_gone_sec_17() {
    let (old, new) = (key(), key());
    let answer = set(&[&old]);
    let memory = Arc::new(Memory::new(move |_| Ok(answer.clone())));
    let cache = JwksCache::new(memory.clone());
    assert!(cache.keys(URI, Some(old.kid())).await.unwrap().contains(old.kid()));
    let answer = set(&[&new]);
    memory.now(move |_| Ok(answer.clone()));
    later(11).await;
    let keys = cache.keys(URI, Some(new.kid())).await.unwrap();
    assert!(keys.contains(new.kid()) && !keys.contains(old.kid()));
    assert!(!cache.keys(URI, Some(old.kid())).await.unwrap().contains(old.kid()));
}

#[tokio::test(start_paused = true)]
async fn a_vanished_key_is_gone_after_the_time_of_the_set_without_any_question_for_another() {
    let (old, new) = (key(), key());
    let answer = set(&[&old]);
    let memory = Arc::new(Memory::new(move |_| Ok(answer.clone())));
    let cache = JwksCache::new(memory.clone());
    assert!(cache.keys(URI, Some(old.kid())).await.is_ok());
    let answer = set(&[&new]);
    memory.now(move |_| Ok(answer.clone()));
    later(299).await;
    assert!(cache.keys(URI, Some(old.kid())).await.unwrap().contains(old.kid()));
    later(2).await;
    assert!(!cache.keys(URI, Some(old.kid())).await.unwrap().contains(old.kid()));
    assert_eq!(memory.times(), 2);
}

#[tokio::test(start_paused = true)]
async fn old_keys_serve_for_a_day_while_their_server_is_down_md_key_02() {
    let key = key();
    let answer = set(&[&key]);
    let memory = Arc::new(Memory::new(move |_| Ok(answer.clone())));
    let cache = JwksCache::new(memory.clone());
    assert!(cache.keys(URI, None).await.is_ok());
    for failure in [
        || Err(FetchError::Timeout),
        || Ok(response(500, "application/json", "{}")),
        || Ok(response(200, "text/html", "{\"keys\":[]}")),
        || Ok(json("{\"keys\":7}")),
    ] {
        memory.now(move |_| failure());
        later(600).await;
        assert!(cache.keys(URI, Some(key.kid())).await.unwrap().contains(key.kid()));
    }
    later(24 * 60 * 60).await;
    assert_eq!(
        cache.keys(URI, Some(key.kid())).await.unwrap_err(),
        FetchError::Content("not a JWK Set")
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_server_is_asked_once_per_interval_and_keeps_nobody_waiting() {
    let key = key();
    let answer = set(&[&key]);
    let memory = Arc::new(Memory::new(move |url| {
        if url.contains("dead") {
            Err(FetchError::Unreachable)
        } else {
            Ok(answer.clone())
        }
    }));
    let cache = JwksCache::new(memory.clone());
    for _ in 0..50 {
        assert_eq!(
            cache.keys("https://dead.example/keys", None).await.unwrap_err(),
            FetchError::Unreachable
        );
    }
    assert_eq!(memory.times(), 1);
    tokio::select! {
        biased;
        _ = cache.keys("https://never.example/keys", None) => panic!("it never answers"),
        keys = cache.keys(URI, None) => assert!(keys.unwrap().contains(key.kid())),
    }
}

#[tokio::test(start_paused = true)]
async fn old_keys_serve_at_once_while_somebody_else_is_fetching() {
    let key = key();
    let uri = "https://idp.example/keys";
    let answer = set(&[&key]);
    let memory = Arc::new(Memory::new(move |_| Ok(answer.clone())));
    let cache = JwksCache::new(memory.clone());
    assert!(cache.keys(uri, None).await.is_ok());
    later(301).await;
    tokio::select! {
        biased;
        // The first caller begins to fetch and gives others a turn.
        _ = cache.keys(uri, None) => panic!("it was not the first to be ready"),
        keys = cache.keys(uri, Some(key.kid())) => assert!(keys.unwrap().contains(key.kid())),
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_block_the_next() {
    let key = key();
    let answer = set(&[&key]);
    let memory = Arc::new(Memory::new(move |_| Ok(answer.clone())));
    let cache = JwksCache::new(memory.clone());
    tokio::select! {
        biased;
        _ = cache.keys(URI, None) => panic!("it was not ready yet"),
        () = std::future::ready(()) => {}
    }
    assert!(cache.keys(URI, None).await.unwrap().contains(key.kid()));
}

#[tokio::test(start_paused = true)]
async fn a_published_secret_is_no_key_set() {
    let private = key().to_private_jwk().unwrap();
    let body = serde_json::json!({"keys": [private]}).to_string();
    let memory = Arc::new(Memory::new(move |_| Ok(json(&body))));
    let cache = JwksCache::new(memory);
    assert_eq!(
        cache.keys(URI, None).await.unwrap_err(),
        FetchError::Content("not a JWK Set")
    );
}

#[tokio::test(start_paused = true)]
async fn forgotten_keys_are_fetched_again() {
    let key = key();
    let answer = set(&[&key]);
    let memory = Arc::new(Memory::new(move |_| Ok(answer.clone())));
    let cache = JwksCache::new(memory.clone());
    assert!(cache.keys(URI, None).await.is_ok());
    cache.forget(URI);
    assert!(cache.keys(URI, None).await.is_ok());
    assert_eq!(memory.times(), 2);
}
