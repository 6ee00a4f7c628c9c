//! The memory of access tokens: what it saves and what it never hides.

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::KeySet;
use lanyard_jose::token::{AccessToken, Verified};
use lanyard_jose::verify::{AccessTokenCache, Audience, Expected, VerifyError};
use serde_json::json;

use crate::forge::{ISSUER, Issuer, NOW, RAS, change, expected, id_jag};

/// A good access token with another member or two.
fn token(issuer: &Issuer, name: &str, value: serde_json::Value) -> String {
    let header = change(issuer.header(), "typ", json!("at+jwt"));
    issuer.sign(&header, &change(id_jag(), name, value))
}

fn present(
    cache: &AccessTokenCache,
    token: &str,
    keys: &KeySet,
    expected: &Expected<'_>,
) -> Result<Verified<AccessToken>, VerifyError> {
    cache.verify(&cache.read(token)?, keys, expected)
}

#[test]
fn a_remembered_token_says_the_same_and_is_still_checked_for_everything_but_the_signature() {
    let issuer = Issuer::new();
    let cache = AccessTokenCache::new(100);
    let token = token(&issuer, "scope", json!("files.read"));
    let first = present(&cache, &token, &issuer.keys, &expected()).unwrap();
    let again = present(&cache, &token, &issuer.keys, &expected()).unwrap();
    assert_eq!(first.claims(), again.claims());
    assert_eq!((first.kid(), first.token_hash()), (again.kid(), again.token_hash()));
    let presented = cache.read(&token).unwrap();
    assert_eq!((presented.issuer(), presented.kid()), (ISSUER, Some(issuer.key.kid())));
    let now = |now| Expected { now, ..expected() };
    for (expected, refusal) in [
        (now(NOW + 400), VerifyError::Expired),
        (now(NOW - 400), VerifyError::IssuedInFuture),
        (
            Expected {
                issuer: RAS,
                ..expected()
            },
            VerifyError::Issuer,
        ),
        (
            Expected {
                audience: Audience::Contains("x"),
                ..expected()
            },
            VerifyError::Audience,
        ),
        (
            Expected {
                algorithms: &[Algorithm::Rs256],
                ..expected()
            },
            VerifyError::Algorithm,
        ),
        (
            Expected {
                max_lifetime: Some(10),
                ..expected()
            },
            VerifyError::Lifetime,
        ),
    ] {
        let refused = present(&cache, &token, &issuer.keys, &expected).unwrap_err();
        assert_eq!(refused, refusal);
    }
}

#[test]
fn other_keys_end_the_memory_sec_17() {
    let issuer = Issuer::new();
    let cache = AccessTokenCache::new(100);
    let token = token(&issuer, "sub", json!("u-2"));
    let refused = |keys: &KeySet| present(&cache, &token, keys, &expected()).map(drop);
    assert_eq!(refused(&issuer.keys), Ok(()));
    assert_eq!(
        refused(&issuer.keys.without(issuer.key.kid())),
        Err(VerifyError::UnknownKey)
    );
    // Another key under the same name: the old verdict does not count.
    let replaced: KeySet = [Issuer::new().key.public_jwk().with_kid(issuer.key.kid())]
        .into_iter()
        .collect();
    assert_eq!(refused(&replaced), Err(VerifyError::Signature));
    // One key more: the token is verified again, and remembered under the new set.
    let more: KeySet = [issuer.key.public_jwk(), Issuer::new().key.public_jwk()]
        .into_iter()
        .collect();
    assert_eq!(refused(&more), Ok(()));
    assert_eq!(refused(&more), Ok(()));
    assert_eq!(refused(&KeySet::default()), Err(VerifyError::UnknownKey));
}

#[test]
fn what_was_refused_is_not_remembered_and_a_good_token_does_not_vouch_for_a_forged_one() {
    let (issuer, attacker) = (Issuer::new(), Issuer::new());
    let cache = AccessTokenCache::new(100);
    let good = token(&issuer, "jti", json!("j-2"));
    let (message, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", attacker.signature(message));
    for _ in 0..2 {
        assert!(present(&cache, &good, &issuer.keys, &expected()).is_ok());
        let refused = present(&cache, &forged, &issuer.keys, &expected());
        assert_eq!(refused.unwrap_err(), VerifyError::Signature);
    }
    // Refused for its audience first: nothing of it may be left that a later check would trust.
    let other = Issuer::new();
    let foreign = token(&other, "aud", json!("x"));
    for _ in 0..2 {
        let refused = present(&cache, &foreign, &other.keys, &expected());
        assert_eq!(refused.unwrap_err(), VerifyError::Audience);
    }
    assert_eq!(
        present(&cache, &foreign, &issuer.keys, &expected()).unwrap_err(),
        VerifyError::UnknownKey
    );
}

#[test]
fn long_and_key_bound_tokens_are_verified_each_time_and_take_no_room_sec_22() {
    let issuer = Issuer::new();
    let cache = AccessTokenCache::new(100);
    for (name, value) in [
        ("acr", json!("a".repeat(3000))),
        ("cnf", json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})),
    ] {
        let token = token(&issuer, name, value);
        for _ in 0..2 {
            assert!(present(&cache, &token, &issuer.keys, &expected()).is_ok());
            assert_eq!(cache.remembered(), 0, "{name}");
        }
    }
    let token = token(&issuer, "acr", json!("pwd"));
    assert!(present(&cache, &token, &issuer.keys, &expected()).is_ok());
    assert_eq!(cache.remembered(), 1);
}

#[test]
fn a_token_that_is_no_access_token_or_too_long_is_not_read() {
    let issuer = Issuer::new();
    let cache = AccessTokenCache::new(100);
    let id_jag = issuer.sign(&issuer.header(), &id_jag());
    assert_eq!(cache.read(&id_jag).unwrap_err(), VerifyError::Typ);
    let long = "a".repeat(20_000);
    assert!(matches!(cache.read(&long).unwrap_err(), VerifyError::Malformed(_)));
}
