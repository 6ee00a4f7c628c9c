//! `typ` as a media type, and claims that contradict their kind.

use lanyard_jose::token::{AccessToken, ClientAssertion, IdJag, IdToken, Unverified};
use lanyard_jose::verify::{Audience, Expected, VerifyError};
use serde_json::{Value, json};

use crate::forge::{Issuer, change, expected, id_jag, redeem};

fn with_typ(issuer: &Issuer, typ: Value) -> Result<(), VerifyError> {
    let token = issuer.sign(&change(issuer.header(), "typ", typ), &id_jag());
    redeem::<IdJag>(&token, &issuer.keys, &expected()).map(drop)
}

#[test]
fn typ_compares_as_a_media_type_ras_jb_04() {
    let issuer = Issuer::new();
    for good in [
        "oauth-id-jag+jwt",
        "OAUTH-ID-JAG+JWT",
        "application/oauth-id-jag+jwt",
        "Application/OAuth-ID-JAG+jwt",
    ] {
        assert_eq!(with_typ(&issuer, json!(good)), Ok(()), "{good}");
    }
}

#[test]
fn another_or_no_typ_is_not_an_id_jag_ras_jb_04() {
    let issuer = Issuer::new();
    for bad in [
        "JWT",
        "at+jwt",
        "jwt",
        "",
        "oauth-id-jag",
        "id-jag+jwt",
        "text/oauth-id-jag+jwt",
        " oauth-id-jag+jwt",
        "application/application/oauth-id-jag+jwt",
        "oauth-id-jag+jwt; charset=utf-8",
        "oauth_id_jag+jwt",
    ] {
        assert_eq!(with_typ(&issuer, json!(bad)), Err(VerifyError::Typ), "{bad:?}");
    }
    assert_eq!(with_typ(&issuer, Value::Null), Err(VerifyError::Typ));
    let text = issuer.header().to_string().replace("\"oauth-id-jag+jwt\"", "null");
    let token = issuer.sign_text(&text, &id_jag().to_string());
    assert!(matches!(
        Unverified::<IdJag>::parse(&token),
        Err(VerifyError::Malformed(_))
    ));
}

#[test]
fn an_assertion_whose_issuer_is_not_its_subject_is_refused() {
    let issuer = Issuer::new();
    let header = change(issuer.header(), "typ", json!("client-authentication+jwt"));
    let token = issuer.sign(&header, &id_jag());
    assert_eq!(
        Unverified::<ClientAssertion>::parse(&token).unwrap_err(),
        VerifyError::Claims
    );
}

#[test]
fn nothing_of_a_token_is_printed_sec_10() {
    let issuer = Issuer::new();
    let token = issuer.sign(&issuer.header(), &id_jag());
    let unverified = Unverified::<IdJag>::parse(&token).unwrap();
    let verified = redeem::<IdJag>(&token, &issuer.keys, &expected()).unwrap();
    let mut printed = format!("{unverified:?} {verified:?} {:?} {:?}", issuer.key, issuer.keys);
    for broken in [token.replace('.', "!"), format!("{token}x"), token.to_lowercase()] {
        if let Err(error) = redeem::<IdJag>(&broken, &issuer.keys, &expected()) {
            printed.push_str(&format!(" {error} {error:?} {}", error.code()));
        }
    }
    for secret in token.split('.').skip(1).chain(["u-1", "files.read"]) {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn an_id_token_may_name_several_audiences_only_where_that_is_expected() {
    let issuer = Issuer::new();
    let header = change(issuer.header(), "typ", json!("JWT"));
    let token = issuer.sign(
        &header,
        &change(id_jag(), "aud", json!(["other", "https://auth.ledger.example"])),
    );
    assert_eq!(
        redeem::<IdToken>(&token, &issuer.keys, &expected()).unwrap_err(),
        VerifyError::Audience
    );
    let contains = Expected {
        audience: Audience::Contains("https://auth.ledger.example"),
        ..expected()
    };
    assert!(redeem::<IdToken>(&token, &issuer.keys, &contains).is_ok());
}

#[test]
fn only_an_access_token_is_looked_at_by_its_issuer_without_an_audience() {
    let issuer = Issuer::new();
    let own = Expected {
        audience: Audience::OwnRecord,
        ..expected()
    };
    let token = issuer.sign(&change(issuer.header(), "typ", json!("at+jwt")), &id_jag());
    assert!(redeem::<AccessToken>(&token, &issuer.keys, &own).is_ok());
    let token = issuer.sign(&issuer.header(), &id_jag());
    assert_eq!(
        redeem::<IdJag>(&token, &issuer.keys, &own).unwrap_err(),
        VerifyError::Audience
    );
    let token = issuer.sign(&change(issuer.header(), "typ", json!("JWT")), &id_jag());
    assert_eq!(
        redeem::<IdToken>(&token, &issuer.keys, &own).unwrap_err(),
        VerifyError::Audience
    );
}
