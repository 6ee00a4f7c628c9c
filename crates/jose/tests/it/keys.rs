//! Private keys: made, written, read back, never printed.

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::Jwk;
use lanyard_jose::key::{KeyError, SigningKey};
use lanyard_jose::token::IdJag;
use serde_json::{Value, json};

use crate::forge::{Issuer, expected, id_jag, redeem};

#[test]
fn a_key_reads_back_from_pkcs8_and_signs_the_same_identity() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let again = SigningKey::from_pkcs8(algorithm, &key.to_pkcs8()).unwrap();
        assert_eq!((again.kid(), again.public_jwk()), (key.kid(), key.public_jwk()));
        let keys = [key.public_jwk()].into_iter().collect();
        let token = again.sign("oauth-id-jag+jwt", &id_jag()).unwrap();
        assert_eq!(
            redeem::<IdJag>(&token, &keys, &expected()).unwrap().kid(),
            key.kid(),
            "{algorithm}"
        );
    }
}

#[test]
fn a_key_reads_back_from_its_private_jwk() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
        let key = SigningKey::generate(algorithm).unwrap();
        let again = SigningKey::from_private_jwk(&key.to_private_jwk().unwrap()).unwrap();
        assert_eq!((again.kid(), again.algorithm()), (key.kid(), algorithm));
        assert_eq!(again.public_jwk(), key.public_jwk());
    }
    let rsa = SigningKey::generate(Algorithm::Rs256).unwrap();
    assert!(matches!(rsa.to_private_jwk(), Err(KeyError::Unsupported(_))));
}

#[test]
fn a_private_jwk_with_foreign_halves_is_refused() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let mut one = SigningKey::generate(algorithm).unwrap().to_private_jwk().unwrap();
        let two = SigningKey::generate(algorithm).unwrap().to_private_jwk().unwrap();
        one["d"] = two["d"].clone();
        assert!(matches!(
            SigningKey::from_private_jwk(&one),
            Err(KeyError::Malformed(_))
        ));
        one["d"] = json!("AQ");
        assert!(matches!(
            SigningKey::from_private_jwk(&one),
            Err(KeyError::Malformed(_))
        ));
        one.as_object_mut().unwrap().remove("d");
        assert!(matches!(
            SigningKey::from_private_jwk(&one),
            Err(KeyError::Malformed(_))
        ));
    }
}

#[test]
fn a_pkcs8_document_is_a_key_for_its_own_algorithm_only() {
    let der = SigningKey::generate(Algorithm::Es256).unwrap().to_pkcs8();
    for other in [Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256] {
        assert!(SigningKey::from_pkcs8(other, &der).is_err(), "{other}");
    }
    assert!(SigningKey::from_pkcs8(Algorithm::Es256, &der[..40]).is_err());
}

#[test]
fn the_published_half_has_kid_use_and_alg_and_nothing_private_md_key_01() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let published = key.public_jwk().to_value();
        assert_eq!(published["kid"], key.kid());
        assert_eq!(published["kid"], key.public_jwk().thumbprint());
        assert_eq!(published["use"], "sig");
        assert_eq!(published["alg"], algorithm.as_str());
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(published.get(private), None);
        }
        assert_eq!(Jwk::parse(&published).unwrap(), key.public_jwk());
    }
}

#[test]
fn a_key_prints_its_name_only() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let private: Value = key.to_private_jwk().unwrap();
    let printed = format!("{key:?}");
    assert!(printed.contains(key.kid()));
    assert!(!printed.contains(private["d"].as_str().unwrap()));
}

#[test]
fn a_token_carries_typ_alg_and_the_registered_kid_and_nothing_else() {
    let issuer = Issuer::new();
    let token = issuer
        .key
        .sign_with_kid("at+jwt", "a \"quoted\" kid", &id_jag())
        .unwrap();
    let header = lanyard_jose::digest::from_base64url(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(
        header,
        json!({"typ": "at+jwt", "alg": "ES256", "kid": "a \"quoted\" kid"})
    );
}
