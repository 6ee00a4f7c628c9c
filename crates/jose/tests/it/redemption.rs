//! The adversarial list for redemption: what must be refused about one ID-JAG (RAS-JB-04 to 10, SEC-06, SEC-22,
//! TOK-GN-02). Each case changes one thing in a token that is otherwise good.

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::{HmacKey, base64url, from_base64url};
use lanyard_jose::jwk::KeySet;
use lanyard_jose::token::{IdJag, Unverified};
use lanyard_jose::verify::{Expected, VerifyError};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::forge::{ISSUER, Issuer, NOW, RAS, change, expected, id_jag, redeem};

fn refusal(issuer: &Issuer, token: &str) -> VerifyError {
    redeem::<IdJag>(token, &issuer.keys, &expected()).unwrap_err()
}

fn with_header(issuer: &Issuer, name: &str, value: Value) -> VerifyError {
    refusal(issuer, &issuer.sign(&change(issuer.header(), name, value), &id_jag()))
}

fn with_claim(issuer: &Issuer, name: &str, value: Value) -> Result<(), VerifyError> {
    let token = issuer.sign(&issuer.header(), &change(id_jag(), name, value));
    redeem::<IdJag>(&token, &issuer.keys, &expected()).map(drop)
}

#[test]
fn a_good_id_jag_is_accepted() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
        let issuer = Issuer::with(algorithm);
        let token = issuer.sign(&issuer.header(), &id_jag());
        assert_eq!(
            redeem::<IdJag>(&token, &issuer.keys, &expected()).unwrap().sub.as_str(),
            "u-1"
        );
    }
}

#[test]
fn unsigned_tokens_are_refused_in_any_spelling_ras_jb_05() {
    let issuer = Issuer::new();
    for name in ["none", "None", "NONE", "nOnE", "", "null"] {
        let header = change(issuer.header(), "alg", json!(name));
        let token = issuer.sign(&header, &id_jag());
        assert_eq!(refusal(&issuer, &token), VerifyError::Algorithm, "{name}");
        let (message, _) = token.rsplit_once('.').unwrap();
        assert_eq!(
            refusal(&issuer, &format!("{message}.")),
            VerifyError::Algorithm,
            "{name}"
        );
    }
    assert!(matches!(
        with_header(&issuer, "alg", Value::Null),
        VerifyError::Malformed(_)
    ));
    assert!(matches!(
        with_header(&issuer, "alg", json!(["ES256"])),
        VerifyError::Malformed(_)
    ));
}

#[test]
fn a_public_key_is_never_a_shared_secret_ras_jb_05() {
    let issuer = Issuer::new();
    let jwk = issuer.key.public_jwk().to_value();
    let point = [
        vec![4],
        from_base64url(jwk["x"].as_str().unwrap()).unwrap(),
        from_base64url(jwk["y"].as_str().unwrap()).unwrap(),
    ]
    .concat();
    let header = change(issuer.header(), "alg", json!("HS256"));
    let message = format!(
        "{}.{}",
        base64url(header.to_string().as_bytes()),
        base64url(id_jag().to_string().as_bytes())
    );
    for secret in [point, jwk.to_string().into_bytes(), b"client-secret".to_vec()] {
        let token = format!(
            "{message}.{}",
            base64url(&HmacKey::new(&secret).sign(message.as_bytes()))
        );
        assert_eq!(refusal(&issuer, &token), VerifyError::Algorithm);
    }
}

#[test]
fn an_algorithm_outside_the_list_of_the_issuer_is_refused_ras_jb_05() {
    let issuer = Issuer::new();
    let token = issuer.sign(&issuer.header(), &id_jag());
    for algorithms in [&[][..], &[Algorithm::Rs256, Algorithm::EdDsa]] {
        let expected = Expected {
            algorithms,
            ..expected()
        };
        assert_eq!(
            redeem::<IdJag>(&token, &issuer.keys, &expected).unwrap_err(),
            VerifyError::Algorithm
        );
    }
}

#[test]
fn an_algorithm_that_is_not_the_one_of_the_key_is_refused_sec_06() {
    let issuer = Issuer::new();
    for name in ["ES384", "EdDSA", "RS256", "PS256"] {
        assert_eq!(
            with_header(&issuer, "alg", json!(name)),
            VerifyError::Algorithm,
            "{name}"
        );
    }
    for name in ["RS512", "ES512", "ES256K", "es256", "Ed25519"] {
        assert_eq!(
            with_header(&issuer, "alg", json!(name)),
            VerifyError::Algorithm,
            "{name}"
        );
    }
}

#[test]
fn headers_that_bring_a_key_or_change_the_meaning_are_refused_ras_jb_07() {
    let issuer = Issuer::new();
    let attacker = Issuer::new();
    for (name, value) in [
        ("jwk", attacker.key.public_jwk().to_value()),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!("b64")),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
    ] {
        assert_eq!(
            with_header(&issuer, name, value),
            VerifyError::ForbiddenHeader(name),
            "{name}"
        );
    }
    // `null` is presence, too.
    let text = issuer.header().to_string().replacen('{', "{\"crit\":null,", 1);
    assert_eq!(
        refusal(&issuer, &issuer.sign_text(&text, &id_jag().to_string())),
        VerifyError::ForbiddenHeader("crit")
    );
    // And signed by the key it brings along.
    let header = change(
        change(issuer.header(), "jwk", attacker.key.public_jwk().to_value()),
        "kid",
        json!("new"),
    );
    assert_eq!(
        refusal(&issuer, &attacker.sign(&header, &id_jag())),
        VerifyError::ForbiddenHeader("jwk")
    );
}

#[test]
fn an_unknown_kid_never_falls_back_to_another_key_ras_jb_07() {
    let issuer = Issuer::new();
    assert_eq!(with_header(&issuer, "kid", json!("other")), VerifyError::UnknownKey);
    assert!(matches!(
        with_header(&issuer, "kid", json!("")),
        VerifyError::Malformed(_)
    ));
    assert!(matches!(
        with_header(&issuer, "kid", json!(7)),
        VerifyError::Malformed(_)
    ));
    assert!(matches!(
        with_header(&issuer, "kid", json!("k".repeat(257))),
        VerifyError::Malformed(_)
    ));
}

#[test]
fn a_token_without_kid_needs_a_set_of_one_key() {
    let issuer = Issuer::new();
    let token = issuer.sign(&change(issuer.header(), "kid", Value::Null), &id_jag());
    assert!(redeem::<IdJag>(&token, &issuer.keys, &expected()).is_ok());
    let two: KeySet = [issuer.key.public_jwk(), Issuer::new().key.public_jwk()]
        .into_iter()
        .collect();
    assert_eq!(
        redeem::<IdJag>(&token, &two, &expected()).unwrap_err(),
        VerifyError::UnknownKey
    );
    assert_eq!(
        redeem::<IdJag>(&token, &KeySet::empty(), &expected()).unwrap_err(),
        VerifyError::UnknownKey
    );
}

#[test]
fn the_right_kid_with_another_key_is_a_bad_signature() {
    let (issuer, attacker) = (Issuer::new(), Issuer::new());
    assert_eq!(
        refusal(&issuer, &attacker.sign(&issuer.header(), &id_jag())),
        VerifyError::Signature
    );
}

#[test]
fn two_keys_under_one_kid_are_no_key() {
    let (issuer, other) = (Issuer::new(), Issuer::new());
    let both: KeySet = [
        issuer.key.public_jwk(),
        other.key.public_jwk().with_kid(issuer.key.kid()),
    ]
    .into_iter()
    .collect();
    let token = issuer.sign(&issuer.header(), &id_jag());
    assert_eq!(
        redeem::<IdJag>(&token, &both, &expected()).unwrap_err(),
        VerifyError::UnknownKey
    );
}

#[test]
fn broken_signatures_are_refused_sec_06() {
    let issuer = Issuer::new();
    let token = issuer.sign(&issuer.header(), &id_jag());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let good = from_base64url(signature).unwrap();
    let (r, s) = good.split_at(32);
    let der = |number: &[u8]| {
        let padded = if number[0] >= 0x80 {
            [&[0], number].concat()
        } else {
            number.to_vec()
        };
        [vec![2, u8::try_from(padded.len()).unwrap()], padded].concat()
    };
    let body = [der(r), der(s)].concat();
    let der = [vec![0x30, u8::try_from(body.len()).unwrap()], body].concat();
    let zero = [0_u8; 32];
    // The order of P-256 (FIPS 186-5): numbers must be below it.
    let order = from_base64url("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE").unwrap();
    for (name, forged) in [
        ("stripped", Vec::new()),
        ("zero r and s", [zero, zero].concat()),
        ("zero r", [&zero, s].concat()),
        ("zero s", [r, &zero].concat()),
        ("r = order", [&order, s].concat()),
        ("s = order", [r, &order].concat()),
        ("all ones", vec![0xff; 64]),
        ("DER", der),
        ("one byte short", good[..63].to_vec()),
        ("one byte long", [&good[..], &[0]].concat()),
        ("halves swapped", [s, r].concat()),
        ("half", r.to_vec()),
    ] {
        assert_eq!(
            refusal(&issuer, &format!("{message}.{}", base64url(&forged))),
            VerifyError::Signature,
            "{name}"
        );
    }
}

#[test]
fn a_swapped_payload_or_header_is_refused() {
    let issuer = Issuer::new();
    let token = issuer.sign(&issuer.header(), &id_jag());
    let parts: Vec<&str> = token.split('.').collect();
    let other = base64url(change(id_jag(), "sub", json!("admin")).to_string().as_bytes());
    assert_eq!(
        refusal(&issuer, &format!("{}.{other}.{}", parts[0], parts[2])),
        VerifyError::Signature
    );
    let header = base64url(change(issuer.header(), "cty", json!("x")).to_string().as_bytes());
    assert_eq!(
        refusal(&issuer, &format!("{header}.{}.{}", parts[1], parts[2])),
        VerifyError::Signature
    );
}

#[test]
fn anything_but_a_compact_jws_is_malformed_sec_22() {
    let issuer = Issuer::new();
    let token = issuer.sign(&issuer.header(), &id_jag());
    let parts: Vec<&str> = token.split('.').collect();
    let json_form = json!({"payload": parts[1], "protected": parts[0], "signature": parts[2]}).to_string();
    let general =
        json!({"payload": parts[1], "signatures": [{"protected": parts[0], "signature": parts[2]}]}).to_string();
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{}.{}", parts[1], parts[2]),
        json_form,
        general,
        format!("{token}="),
        format!("{token}\n"),
        format!(" {token}"),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        token.replace('.', ".\u{200b}"),
        format!("Bearer {token}"),
    ] {
        assert!(matches!(refusal(&issuer, &bad), VerifyError::Malformed(_)), "{bad:?}");
    }
}

#[test]
fn a_token_is_read_to_16_kilobytes_and_no_further_sec_22() {
    let issuer = Issuer::new();
    let sized = |padding: usize| {
        issuer.sign(
            &issuer.header(),
            &change(id_jag(), "padding", json!("x".repeat(padding))),
        )
    };
    let base = sized(0).len();
    let most = (16 * 1024 - base) * 3 / 4 - 4;
    assert!(redeem::<IdJag>(&sized(most), &issuer.keys, &expected()).is_ok());
    assert_eq!(
        refusal(&issuer, &sized(most + 16)),
        VerifyError::Malformed("longer than 16 KB")
    );
}

#[test]
fn headers_and_claims_are_strict_json_tok_gn_02() {
    let issuer = Issuer::new();
    let (header, claims) = (issuer.header().to_string(), id_jag().to_string());
    let twice = claims.replacen('{', &format!("{{\"aud\":\"{RAS}\","), 1);
    assert_eq!(
        refusal(&issuer, &issuer.sign_text(&header, &twice)),
        VerifyError::Claims
    );
    let escaped = claims.replacen('{', "{\"\\u0061ud\":\"x\",", 1);
    assert_eq!(
        refusal(&issuer, &issuer.sign_text(&header, &escaped)),
        VerifyError::Claims
    );
    let header_twice = header.replacen('{', "{\"alg\":\"ES256\",", 1);
    assert!(matches!(
        refusal(&issuer, &issuer.sign_text(&header_twice, &claims)),
        VerifyError::Malformed(_)
    ));
    let deep = format!("{{\"x\":{}1{},{}", "[".repeat(40), "]".repeat(40), &claims[1..]);
    assert_eq!(refusal(&issuer, &issuer.sign_text(&header, &deep)), VerifyError::Claims);
    for bad in [
        "",
        "null",
        "7",
        "\"x\"",
        "[]",
        "{",
        "{}",
        "not json",
        " {}",
        "\u{feff}{}",
    ] {
        assert_eq!(
            refusal(&issuer, &issuer.sign_text(&header, bad)),
            VerifyError::Claims,
            "{bad:?}"
        );
    }
    for bad in [
        "",
        "null",
        "[\"ES256\",\"oauth-id-jag+jwt\"]",
        "\"ES256\"",
        "{",
        "{} {}",
    ] {
        assert!(
            matches!(
                refusal(&issuer, &issuer.sign_text(bad, &claims)),
                VerifyError::Malformed(_)
            ),
            "{bad:?}"
        );
    }
    // An array with the claims in the order of the type is not an object with claims.
    let array = json!([ISSUER, "u-1", RAS, "agent", "j-1", NOW + 300, NOW]).to_string();
    assert_eq!(
        refusal(&issuer, &issuer.sign_text(&header, &array)),
        VerifyError::Claims
    );
}

#[test]
fn every_required_claim_is_required_with_its_type_ras_jb_09() {
    let issuer = Issuer::new();
    for name in ["iss", "sub", "aud", "client_id", "jti", "exp", "iat"] {
        assert_eq!(
            with_claim(&issuer, name, Value::Null),
            Err(VerifyError::Claims),
            "without {name}"
        );
        for wrong in [json!({}), json!(true), json!([]), json!([[]]), json!("")] {
            let outcome = with_claim(&issuer, name, wrong.clone());
            assert!(outcome.is_err(), "{name} = {wrong}");
        }
    }
    for name in ["exp", "iat", "nbf"] {
        for wrong in [
            json!("1800000000"),
            json!(1.8e9),
            json!(-1),
            json!(1e300),
            json!(9_223_372_036_854_775_807_i64),
        ] {
            assert!(with_claim(&issuer, name, wrong.clone()).is_err(), "{name} = {wrong}");
        }
    }
    for name in ["sub", "client_id", "jti"] {
        assert_eq!(with_claim(&issuer, name, json!(7)), Err(VerifyError::Claims), "{name}");
        assert_eq!(
            with_claim(&issuer, name, json!(["a"])),
            Err(VerifyError::Claims),
            "{name}"
        );
    }
    assert_eq!(
        with_claim(&issuer, "jti", json!("x".repeat(257))),
        Err(VerifyError::Claims)
    );
    assert_eq!(
        with_claim(&issuer, "scope", json!(["files.read"])),
        Err(VerifyError::Claims)
    );
    assert_eq!(with_claim(&issuer, "nbf", json!("x")), Err(VerifyError::Claims));
}

#[test]
fn the_issuer_is_compared_byte_for_byte() {
    let issuer = Issuer::new();
    for other in [
        format!("{ISSUER}/"),
        ISSUER.replace("login", "LOGIN"),
        format!("{ISSUER}:443"),
        RAS.to_owned(),
    ] {
        assert_eq!(
            with_claim(&issuer, "iss", json!(other)),
            Err(VerifyError::Issuer),
            "{other}"
        );
    }
    assert_eq!(with_claim(&issuer, "iss", json!("not a url")), Err(VerifyError::Claims));
}

#[test]
fn the_audience_is_this_server_alone_ras_jb_08() {
    let issuer = Issuer::new();
    assert_eq!(with_claim(&issuer, "aud", json!([RAS])), Ok(()));
    for other in [
        json!(format!("{RAS}/")),
        json!(format!("{RAS}/token")),
        json!("https://auth.ledger"),
        json!([]),
        json!([RAS, "https://other.example"]),
        json!([RAS, RAS]),
        json!("https://other.example"),
        json!(["", RAS]),
    ] {
        assert_eq!(
            with_claim(&issuer, "aud", other.clone()),
            Err(VerifyError::Audience),
            "{other}"
        );
    }
    for malformed in [json!([RAS, 7]), json!({"0": RAS}), json!(7)] {
        assert_eq!(
            with_claim(&issuer, "aud", malformed.clone()),
            Err(VerifyError::Claims),
            "{malformed}"
        );
    }
}

#[test]
fn time_is_checked_to_the_second_ras_jb_10() {
    let issuer = Issuer::new();
    let token = issuer.sign(&issuer.header(), &change(id_jag(), "nbf", json!(NOW + 10)));
    let at = |now: i64, leeway: i64| {
        redeem::<IdJag>(
            &token,
            &issuer.keys,
            &Expected {
                now,
                leeway,
                ..expected()
            },
        )
        .map(drop)
    };
    assert_eq!(at(NOW + 299, 0), Ok(()));
    assert_eq!(at(NOW + 300, 0), Err(VerifyError::Expired));
    assert_eq!(at(NOW + 329, 30), Ok(()));
    assert_eq!(at(NOW + 330, 30), Err(VerifyError::Expired));
    assert_eq!(at(NOW + 10, 0), Ok(()));
    assert_eq!(at(NOW + 9, 0), Err(VerifyError::NotYetValid));
    assert_eq!(at(NOW - 20, 30), Ok(()));
    assert_eq!(at(NOW - 21, 30), Err(VerifyError::NotYetValid));
    // More than the maximum skew counts as the maximum; less than none as none (SEC-07).
    assert_eq!(at(NOW + 359, 3600), Ok(()));
    assert_eq!(at(NOW + 360, 3600), Err(VerifyError::Expired));
    assert_eq!(at(NOW + 300, -3600), Err(VerifyError::Expired));
}

#[test]
fn a_time_of_issue_in_the_future_is_refused_ras_jb_10() {
    let issuer = Issuer::new();
    assert_eq!(with_claim(&issuer, "iat", json!(NOW + 30)), Ok(()));
    assert_eq!(
        with_claim(&issuer, "iat", json!(NOW + 31)),
        Err(VerifyError::IssuedInFuture)
    );
}

#[test]
fn too_long_a_lifetime_is_refused_and_so_is_none_at_all_d_18() {
    let issuer = Issuer::new();
    assert_eq!(with_claim(&issuer, "exp", json!(NOW + 600)), Ok(()));
    assert_eq!(with_claim(&issuer, "exp", json!(NOW + 601)), Err(VerifyError::Lifetime));
    assert_eq!(
        with_claim(&issuer, "exp", json!(253_402_300_799_i64)),
        Err(VerifyError::Lifetime)
    );
    assert_eq!(with_claim(&issuer, "exp", json!(NOW)), Err(VerifyError::Lifetime));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_text_makes_the_reader_panic_or_is_accepted(text in "\\PC{0,200}") {
        prop_assert!(Unverified::<IdJag>::parse(&text).is_err());
    }

    #[test]
    fn one_changed_character_refuses_the_token(at in any::<prop::sample::Index>(), by in "[A-Za-z0-9_.=-]") {
        let issuer = Issuer::new();
        let token = issuer.sign(&issuer.header(), &id_jag());
        let n = at.index(token.len());
        let changed = format!("{}{by}{}", &token[..n], &token[n + 1..]);
        prop_assume!(changed != token);
        prop_assert!(redeem::<IdJag>(&changed, &issuer.keys, &expected()).is_err());
    }

    #[test]
    fn a_cut_token_is_refused(at in any::<prop::sample::Index>()) {
        let issuer = Issuer::new();
        let token = issuer.sign(&issuer.header(), &id_jag());
        let (cut, _) = token.split_at(at.index(token.len()));
        prop_assert!(redeem::<IdJag>(cut, &issuer.keys, &expected()).is_err());
    }

    #[test]
    fn acceptance_in_time_is_one_interval(now in NOW - 400..NOW + 800, leeway in 0_i64..120) {
        let issuer = Issuer::new();
        let token = issuer.sign(&issuer.header(), &id_jag());
        let accepted = redeem::<IdJag>(&token, &issuer.keys, &Expected { now, leeway, ..expected() }).is_ok();
        let skew = leeway.min(60);
        prop_assert_eq!(accepted, now >= NOW - skew && now < NOW + 300 + skew);
    }
}
