//! Public keys and sets as others publish them.

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::{Jwk, JwkSet, KeySet};
use lanyard_jose::key::{KeyError, SigningKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::forge::change;

fn key(algorithm: Algorithm) -> Value {
    SigningKey::generate(algorithm).unwrap().public_jwk().to_value()
}

fn set(keys: &[Value]) -> Result<JwkSet, KeyError> {
    JwkSet::parse(json!({"keys": keys}).to_string().as_bytes())
}

#[test]
fn the_thumbprint_is_the_one_of_rfc_7638_section_3_1() {
    let jwk = Jwk::parse(&json!({
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
    }))
    .unwrap();
    assert_eq!(jwk.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(jwk.algorithms(), [Algorithm::Rs256]);
}

#[test]
fn thumbprints_agree_with_jsonwebtoken() {
    for algorithm in Algorithm::ALL {
        let value = key(algorithm);
        let theirs: jsonwebtoken::jwk::Jwk = serde_json::from_value(value.clone()).unwrap();
        let theirs = theirs.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap();
        assert_eq!(Jwk::parse(&value).unwrap().thumbprint(), theirs, "{algorithm}");
    }
}

#[test]
fn the_thumbprint_depends_on_the_material_only() {
    let value = key(Algorithm::Es256);
    let bare = ["kid", "use", "alg"]
        .into_iter()
        .fold(value.clone(), |value, name| change(value, name, Value::Null));
    assert_eq!(
        Jwk::parse(&bare).unwrap().thumbprint(),
        Jwk::parse(&value).unwrap().thumbprint()
    );
}

#[test]
fn private_members_refuse_the_key_and_the_whole_set() {
    for (algorithm, name) in [
        (Algorithm::Es256, "d"),
        (Algorithm::EdDsa, "d"),
        (Algorithm::Rs256, "d"),
        (Algorithm::Rs256, "p"),
        (Algorithm::Rs256, "oth"),
        (Algorithm::Es256, "k"),
    ] {
        let leaked = change(key(algorithm), name, json!("AQAB"));
        assert_eq!(Jwk::parse(&leaked), Err(KeyError::Private), "{algorithm} {name}");
        assert_eq!(set(&[key(Algorithm::Es256), leaked]), Err(KeyError::Private));
    }
}

#[test]
fn keys_that_cannot_verify_are_left_out_of_the_set() {
    let good = key(Algorithm::Es256);
    let es256 = || key(Algorithm::Es256);
    let others = [
        json!({"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AAAA", "y": "AAAA"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AAAA"}),
        change(change(es256(), "use", json!("enc")), "alg", Value::Null),
        change(es256(), "alg", json!("ECDH-ES")),
        change(es256(), "alg", json!("RS256")),
        change(es256(), "alg", json!("HS256")),
        change(es256(), "key_ops", json!(["sign"])),
        change(es256(), "x", json!("AAAA")),
        change(es256(), "x", json!(7)),
        change(es256(), "kid", json!(7)),
        change(es256(), "kid", json!("")),
        json!("not a key"),
        json!({}),
    ];
    for other in &others {
        let kept = set(&[other.clone(), good.clone()]).unwrap();
        assert_eq!(kept.keys, [Jwk::parse(&good).unwrap()], "{other}");
    }
}

#[test]
fn numbers_that_are_no_key_are_refused_sec_06() {
    let es256 = key(Algorithm::Es256);
    // (0, 0) and a point off the curve.
    let zero = json!("A".repeat(43));
    assert!(Jwk::parse(&change(change(es256.clone(), "x", zero.clone()), "y", zero)).is_err());
    let (x, y) = (es256["x"].clone(), es256["y"].clone());
    assert!(Jwk::parse(&change(change(es256, "x", y), "y", x)).is_err());
    let rsa = key(Algorithm::Rs256);
    for bad in ["AQ", "Ag", "AAAA", "", "AQAC", "AQAAAAAB"] {
        assert!(Jwk::parse(&change(rsa.clone(), "e", json!(bad))).is_err(), "e = {bad}");
    }
    // 1024 bits.
    assert!(Jwk::parse(&change(rsa, "n", json!(format!("_{}w", "_".repeat(169))))).is_err());
}

#[test]
fn an_rsa_modulus_with_a_leading_zero_is_the_same_key() {
    let rsa = key(Algorithm::Rs256);
    let n = lanyard_jose::digest::from_base64url(rsa["n"].as_str().unwrap()).unwrap();
    let padded = change(
        rsa.clone(),
        "n",
        json!(lanyard_jose::digest::base64url(&[&[0], &n[..]].concat())),
    );
    assert_eq!(Jwk::parse(&padded), Jwk::parse(&rsa));
}

#[test]
fn sets_are_strict_and_bounded_sec_08() {
    for bad in [
        &b""[..],
        b"[]",
        b"{}",
        b"{\"keys\":{}}",
        b"{\"keys\":[],\"keys\":[]}",
        b"null",
        b"{\"keys\":[]} x",
    ] {
        assert!(JwkSet::parse(bad).is_err(), "{bad:?}");
    }
    let many: Vec<Value> = vec![json!({}); 101];
    assert!(set(&many).is_err());
    let large = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(64 * 1024));
    assert!(JwkSet::parse(large.as_bytes()).is_err());
}

#[test]
fn the_version_of_a_set_follows_its_contents() {
    let (one, two) = (key(Algorithm::Es256), key(Algorithm::Es256));
    let keys = |keys: &[Value]| KeySet::from_jwks(&set(keys).unwrap());
    let both = keys(&[one.clone(), two.clone()]);
    assert_eq!(both.version(), keys(&[two.clone(), one.clone()]).version());
    assert_ne!(both.version(), keys(std::slice::from_ref(&one)).version());
    let kid = two["kid"].as_str().unwrap();
    assert_eq!(both.without(kid), keys(&[one]));
    assert!(both.contains(kid) && !both.without(kid).contains(kid));
    assert_eq!(both.jwks().keys.len(), 2);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = JwkSet::parse(&bytes);
    }

    #[test]
    fn no_members_make_the_reader_panic(
        kty in "EC|RSA|OKP|oct|", crv in "P-256|P-384|Ed25519|", x in "[A-Za-z0-9_-]{0,90}", y in "[A-Za-z0-9_-]{0,70}"
    ) {
        let _ = Jwk::parse(&json!({"kty": kty, "crv": crv, "x": x, "y": y, "n": x, "e": y}));
    }
}
