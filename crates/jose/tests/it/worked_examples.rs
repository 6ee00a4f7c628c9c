//! The worked examples verify 70 seconds after their first instant, and only as what they are.

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::{Jwk, KeySet};
use lanyard_jose::token::{AccessToken, ClientAssertion, IdJag, IdToken};
use lanyard_jose::verify::{Audience, Expected, VerifyError};
use serde_json::Value;

use crate::forge::redeem;
use crate::vectors::{AT_1, AT_DPOP, CA_CIMD, JAG_1, KEYS, PROOF_RS};

/// The examples begin at 1789387200.
const NOW: i64 = 1_789_387_200 + 70;

fn keys(owner: &str) -> KeySet {
    let all: Value = serde_json::from_str(KEYS).unwrap();
    [Jwk::parse(&all[owner]).unwrap()].into_iter().collect()
}

fn expected(issuer: &'static str, audience: &'static str) -> Expected<'static> {
    Expected {
        issuer,
        audience: Audience::Sole(audience),
        now: NOW,
        leeway: 0,
        algorithms: &[Algorithm::Es256],
        max_lifetime: Some(600),
    }
}

#[test]
fn the_id_jag_verifies() {
    let expected = expected("https://login.northwind.example", "https://auth.ledger.example");
    let id_jag = redeem::<IdJag>(JAG_1, &keys("idp"), &expected).unwrap();
    assert_eq!(id_jag.client_id.as_str(), "ide-at-ledger-77");
    assert_eq!(id_jag.jti.as_str(), "jag-01J7Q9M2C4X8");
    assert_eq!(id_jag.kid(), "nw-2026-09");
}

#[test]
fn the_access_tokens_verify() {
    let expected = expected("https://auth.ledger.example", "https://mcp.ledger.example/mcp");
    let plain = redeem::<AccessToken>(AT_1, &keys("ras"), &expected).unwrap();
    assert_eq!(plain.sub.as_str(), "acct_88213");
    let bound = redeem::<AccessToken>(AT_DPOP, &keys("ras"), &expected).unwrap();
    let all: Value = serde_json::from_str(KEYS).unwrap();
    assert_eq!(
        bound.cnf.as_ref().unwrap()["jkt"],
        Jwk::parse(&all["dpop"]).unwrap().thumbprint()
    );
}

#[test]
fn the_client_assertion_verifies() {
    let client = "https://ide.contoso.example/oauth/client.json";
    let assertion = redeem::<ClientAssertion>(
        CA_CIMD,
        &keys("client"),
        &expected(client, "https://auth.ledger.example"),
    )
    .unwrap();
    assert_eq!(assertion.jti.as_str(), "ca-5f10d2");
}

#[test]
fn an_example_is_refused_by_typ_where_another_kind_is_expected_sec_01() {
    let ras = expected("https://login.northwind.example", "https://auth.ledger.example");
    for token in [AT_1, AT_DPOP, CA_CIMD] {
        assert_eq!(
            redeem::<IdJag>(token, &keys("idp"), &ras).unwrap_err(),
            VerifyError::Typ
        );
    }
    for token in [JAG_1, CA_CIMD] {
        assert_eq!(
            redeem::<AccessToken>(token, &keys("ras"), &ras).unwrap_err(),
            VerifyError::Typ
        );
    }
    for token in [JAG_1, AT_1, AT_DPOP] {
        assert_eq!(
            redeem::<ClientAssertion>(token, &keys("client"), &ras).unwrap_err(),
            VerifyError::Typ
        );
    }
    for token in [JAG_1, AT_1, AT_DPOP, CA_CIMD] {
        assert_eq!(
            redeem::<IdToken>(token, &keys("idp"), &ras).unwrap_err(),
            VerifyError::Typ
        );
    }
}

#[test]
fn the_id_jag_does_not_verify_with_the_key_of_another_owner() {
    let all: Value = serde_json::from_str(KEYS).unwrap();
    let foreign: KeySet = [Jwk::parse(&all["ras"]).unwrap().with_kid("nw-2026-09")]
        .into_iter()
        .collect();
    let expected = expected("https://login.northwind.example", "https://auth.ledger.example");
    assert_eq!(
        redeem::<IdJag>(JAG_1, &foreign, &expected).unwrap_err(),
        VerifyError::Signature
    );
}

#[test]
fn the_proof_is_no_token_because_it_brings_its_key() {
    let expected = expected("https://login.northwind.example", "https://auth.ledger.example");
    let refused = VerifyError::ForbiddenHeader("jwk");
    assert_eq!(
        redeem::<IdJag>(PROOF_RS, &keys("dpop"), &expected).unwrap_err(),
        refused
    );
    assert_eq!(
        redeem::<AccessToken>(PROOF_RS, &keys("dpop"), &expected).unwrap_err(),
        refused
    );
    assert_eq!(
        redeem::<ClientAssertion>(PROOF_RS, &keys("dpop"), &expected).unwrap_err(),
        refused
    );
    assert_eq!(
        redeem::<IdToken>(PROOF_RS, &keys("dpop"), &expected).unwrap_err(),
        refused
    );
}
