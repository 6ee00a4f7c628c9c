//! The cache of good signatures: what it saves and what it never hides.

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::KeySet;
use lanyard_jose::token::{IdJag, Unverified};
use lanyard_jose::verify::{Audience, Expected, VerdictCache, VerifyError};

use crate::forge::{Issuer, NOW, RAS, expected, id_jag};

fn read(token: &str) -> Unverified<IdJag> {
    Unverified::parse(token).unwrap()
}

#[test]
fn a_remembered_token_is_still_checked_for_everything_but_the_signature() {
    let issuer = Issuer::new();
    let cache = VerdictCache::new(100);
    let token = read(&issuer.sign(&issuer.header(), &id_jag()));
    let judge = |expected: Expected<'_>| cache.verify(&token, "idp", &issuer.keys, &expected).map(drop);
    assert_eq!(judge(expected()), Ok(()));
    assert_eq!(judge(expected()), Ok(()));
    assert_eq!(
        judge(Expected {
            now: NOW + 400,
            ..expected()
        }),
        Err(VerifyError::Expired)
    );
    assert_eq!(
        judge(Expected {
            now: NOW - 400,
            ..expected()
        }),
        Err(VerifyError::IssuedInFuture)
    );
    assert_eq!(
        judge(Expected {
            issuer: RAS,
            ..expected()
        }),
        Err(VerifyError::Issuer)
    );
    assert_eq!(
        judge(Expected {
            audience: Audience::Sole("x"),
            ..expected()
        }),
        Err(VerifyError::Audience)
    );
    assert_eq!(
        judge(Expected {
            algorithms: &[Algorithm::Rs256],
            ..expected()
        }),
        Err(VerifyError::Algorithm)
    );
    assert_eq!(
        judge(Expected {
            max_lifetime: Some(10),
            ..expected()
        }),
        Err(VerifyError::Lifetime)
    );
}

#[test]
fn a_removed_key_ends_the_memory_sec_17() {
    let issuer = Issuer::new();
    let cache = VerdictCache::new(100);
    let token = read(&issuer.sign(&issuer.header(), &id_jag()));
    assert!(cache.verify(&token, "idp", &issuer.keys, &expected()).is_ok());
    let without = issuer.keys.without(issuer.key.kid());
    assert_eq!(
        cache.verify(&token, "idp", &without, &expected()).unwrap_err(),
        VerifyError::UnknownKey
    );
    // Another key under the same name: the old verdict does not count.
    let replaced: KeySet = [Issuer::new().key.public_jwk().with_kid(issuer.key.kid())]
        .into_iter()
        .collect();
    assert_eq!(
        cache.verify(&token, "idp", &replaced, &expected()).unwrap_err(),
        VerifyError::Signature
    );
}

#[test]
fn a_good_token_does_not_vouch_for_a_forged_one_with_the_same_beginning() {
    let (issuer, attacker) = (Issuer::new(), Issuer::new());
    let cache = VerdictCache::new(100);
    let good = issuer.sign(&issuer.header(), &id_jag());
    assert!(cache.verify(&read(&good), "idp", &issuer.keys, &expected()).is_ok());
    let (message, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", attacker.signature(message));
    for _ in 0..2 {
        let refused = cache.verify(&read(&forged), "idp", &issuer.keys, &expected());
        assert_eq!(refused.unwrap_err(), VerifyError::Signature);
    }
}
