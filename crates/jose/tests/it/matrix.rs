//! Token confusion (SEC-01): seven kinds of JWT as their issuers send them, each offered to each of the five verifiers
//! under the worst circumstances: the same issuer, key and audience for all of them.

use lanyard_jose::jwk::KeySet;
use lanyard_jose::token::{AccessToken, ClientAssertion, IdJag, IdToken, Kind, UpstreamIdToken};
use lanyard_jose::verify::Expected;
use serde_json::{Value, json};

use crate::forge::{ISSUER, Issuer, NOW, RAS, change, expected, redeem};

/// Name, `typ` and claims of a good token of each kind. Older forms have no `typ`, or `JWT`.
fn tokens() -> Vec<(&'static str, Option<&'static str>, Value)> {
    let base = json!({"iss": ISSUER, "sub": "u-1", "aud": RAS, "iat": NOW, "exp": NOW + 60, "jti": "j-1"});
    let id_token = base.clone();
    let id_jag = change(base.clone(), "client_id", json!("agent"));
    let access_token = change(id_jag.clone(), "scope", json!("files.read"));
    let assertion = change(base.clone(), "sub", json!(ISSUER));
    let proof = json!({"jti": "j-1", "htm": "POST", "htu": RAS, "iat": NOW, "exp": NOW + 60, "iss": ISSUER,
        "sub": "u-1", "aud": RAS});
    let logout = change(
        base.clone(),
        "events",
        json!({"http://schemas.openid.net/event/backchannel-logout": {}}),
    );
    let set = change(
        base,
        "events",
        json!({"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {}}),
    );
    vec![
        ("id_token", Some("JWT"), id_token.clone()),
        ("id_token", None, id_token),
        ("id_jag", Some("oauth-id-jag+jwt"), id_jag),
        ("access_token", Some("at+jwt"), access_token),
        ("client_assertion", Some("client-authentication+jwt"), assertion.clone()),
        ("client_assertion", Some("JWT"), assertion.clone()),
        ("client_assertion", None, assertion),
        ("dpop_proof", Some("dpop+jwt"), proof.clone()),
        ("dpop_proof", Some("JWT"), proof.clone()),
        ("dpop_proof", None, proof),
        ("logout_token", Some("logout+jwt"), logout.clone()),
        ("logout_token", Some("JWT"), logout.clone()),
        ("logout_token", None, logout),
        ("security_event", Some("secevent+jwt"), set.clone()),
        ("security_event", Some("JWT"), set.clone()),
        ("security_event", None, set),
    ]
}

fn accepts<K: Kind>(token: &str, keys: &KeySet, expected: &Expected<'_>) -> (&'static str, bool) {
    (K::NAME, redeem::<K>(token, keys, expected).is_ok())
}

#[test]
fn each_verifier_accepts_its_own_kind_and_no_other_sec_01() {
    let issuer = Issuer::new();
    for (kind, typ, claims) in tokens() {
        let header = change(issuer.header(), "typ", typ.map_or(Value::Null, Value::from));
        let token = issuer.sign(&header, &claims);
        let (keys, expected) = (&issuer.keys, &expected());
        for (verifier, accepted) in [
            accepts::<IdToken>(&token, keys, expected),
            accepts::<UpstreamIdToken>(&token, keys, expected),
            accepts::<IdJag>(&token, keys, expected),
            accepts::<AccessToken>(&token, keys, expected),
            accepts::<ClientAssertion>(&token, keys, expected),
        ] {
            assert_eq!(
                accepted,
                verifier == kind || (verifier, kind) == ("upstream_id_token", "id_token"),
                "a {kind} with typ {typ:?} at the verifier of {verifier}"
            );
        }
    }
}
