//! What is read of a message that is in order.

use lanyard_core::clock::Timestamp;
use lanyard_core::saml::assertion::{BEARER, PERSISTENT, UNSPECIFIED};
use lanyard_core::saml::defect::Defect;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_testkit::saml::{Draft, IdentityProvider};
use proptest::prelude::*;

use crate::support::{ACS, IDP, ISSUER, SP, STRANGER, assertion, draft, now, pinned, response};

#[test]
fn every_part_of_a_signed_assertion_is_read_saml_08() {
    let mut draft = draft();
    draft.in_response_to = Some("_q1".to_owned());
    draft.session_not_on_or_after = Some(Timestamp::from_seconds(1_800_028_800));
    draft.attributes = vec![("groups".to_owned(), vec!["a&b".to_owned(), "c<d".to_owned()])];
    let read = assertion(&IDP.sign(&draft), &pinned()).unwrap();

    assert_eq!((read.id.as_str(), read.issuer.as_str()), ("_a1", ISSUER));
    assert_eq!(read.issued_at, now());
    assert_eq!(read.name_id.value, "alice-1f0a");
    assert_eq!(read.name_id.format, PERSISTENT);
    assert_eq!(
        (&read.name_id.name_qualifier, &read.name_id.sp_name_qualifier),
        (&None, &None)
    );
    let [confirmation] = &read.confirmations[..] else {
        panic!("{read:?}")
    };
    assert_eq!(confirmation.method, BEARER);
    assert_eq!(confirmation.recipient.as_deref(), Some(ACS));
    assert_eq!(confirmation.in_response_to.as_deref(), Some("_q1"));
    assert_eq!(confirmation.not_on_or_after, draft.confirmed_until);
    assert_eq!(confirmation.not_before, None);
    assert_eq!(read.conditions.audiences, [[SP.to_owned()]]);
    assert_eq!(read.conditions.not_before, draft.not_before);
    assert_eq!(read.conditions.unknown, None);
    let [statement] = &read.statements[..] else {
        panic!("{read:?}")
    };
    assert_eq!(Some(statement.authn_instant), draft.authn_instant);
    assert_eq!(statement.session_index.as_deref(), Some("s-1"));
    assert_eq!(statement.session_not_on_or_after, draft.session_not_on_or_after);
    assert_eq!(statement.class_ref, draft.class_ref);
    let [attribute] = &read.attributes[..] else {
        panic!("{read:?}")
    };
    assert_eq!((attribute.name.as_str(), attribute.values.len()), ("groups", 2));
    assert_eq!(attribute.values, ["a&b", "c<d"]);
}

#[test]
fn a_response_may_be_signed_as_well_and_then_by_a_pinned_key_too_saml_04() {
    let draft = draft();
    let inner = IDP.sign(&draft);
    assert!(response(&IDP.respond(&draft, &inner), &pinned()).is_ok());
    assert!(response(&IDP.respond_signed(&draft, &inner), &pinned()).is_ok());
    assert_eq!(
        response(&STRANGER.respond_signed(&draft, &inner), &pinned()),
        Err(Defect::Signature("response"))
    );
    let unsigned = {
        let (before, after) = draft.parts();
        format!("{before}{after}")
    };
    assert_eq!(
        response(&IDP.respond_signed(&draft, &unsigned), &pinned()),
        Err(Defect::Unsigned("assertion"))
    );
}

#[test]
fn any_of_the_pinned_keys_will_do_saml_03() {
    let signed = IDP.sign(&draft());
    let other = IdentityProvider::new(ISSUER, Algorithm::Es256);
    let both = [other.certificate.clone(), IDP.certificate.clone()];
    assert!(assertion(&signed, &both).is_ok());
    assert!(assertion(&other.sign(&draft()), &both).is_ok());
    for none in [&[][..], &both[..1]] {
        assert_eq!(assertion(&signed, none), Err(Defect::Signature("assertion")));
    }
}

#[test]
fn a_key_in_the_message_is_not_used_saml_03() {
    let signed = STRANGER.sign(&draft());
    assert!(signed.contains(&STRANGER.certificate.to_base64()));
    assert_eq!(assertion(&signed, &pinned()), Err(Defect::Signature("assertion")));
}

#[test]
fn an_absent_format_of_a_name_says_nothing_saml_11() {
    let mut draft = draft();
    draft.format = None;
    let read = assertion(&IDP.sign(&draft), &pinned()).unwrap();
    assert_eq!(read.name_id.format, UNSPECIFIED);
}

#[test]
fn a_condition_that_is_not_known_is_told_saml_06() {
    let mut draft = draft();
    draft.conditions = "<saml:OneTimeUse></saml:OneTimeUse><x:Other xmlns:x=\"urn:x\"></x:Other>".to_owned();
    let read = assertion(&IDP.sign(&draft), &pinned()).unwrap();
    assert!(read.conditions.one_time_use);
    assert_eq!(read.conditions.unknown.as_deref(), Some("Other"));
}

#[test]
fn a_missing_or_malformed_part_is_named_saml_02() {
    type Change = fn(&mut Draft);
    let changes: [(Change, &str); 6] = [
        (|d| d.name.clear(), "NameID"),
        (|d| d.issuer.clear(), "Issuer"),
        (|d| d.issuer = "x".repeat(1025), "Issuer"),
        (|d| d.recipient = Some(String::new()), "Recipient"),
        (|d| d.audiences = vec![String::new()], "Audience"),
        (|d| d.class_ref = Some(String::new()), "AuthnContextClassRef"),
    ];
    for (change, part) in changes {
        let mut draft = draft();
        change(&mut draft);
        assert_eq!(assertion(&IDP.sign(&draft), &pinned()), Err(Defect::Value(part)));
    }
    let (before, after) = draft().parts();
    for (from, to, part) in [
        ("Version=\"2.0\"", "Version=\"1.1\"", "Version"),
        ("IssueInstant=\"2", "IssueInstant=\"+2", "IssueInstant"),
    ] {
        let before = before.replace(from, to);
        let signature = IDP.signature("_a1", (&before, &after));
        assert_eq!(
            assertion(&format!("{before}{signature}{after}"), &pinned()),
            Err(Defect::Value(part))
        );
    }
}

#[test]
fn a_refusal_of_the_identity_provider_is_told_in_its_words() {
    let draft = draft();
    let refused = IDP.respond(&draft, "").replace(
        "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\">",
        "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\">\
         <samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:NoPassive\"></samlp:StatusCode>",
    );
    assert_eq!(response(&refused, &pinned()), Err(Defect::Status("NoPassive")));
}

#[test]
fn the_certificate_of_a_key_of_ours_is_always_the_same() {
    let key = SigningKey::generate(Algorithm::Rs256).unwrap();
    let one = Certificate::self_signed(&key, now()).unwrap();
    assert_eq!(one, Certificate::self_signed(&key, now()).unwrap());
    assert_eq!(one, Certificate::parse(&one.to_base64()).unwrap());
    assert_eq!((one.not_before(), one.not_after() > now()), (now(), true));
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        one.to_base64()
    );
    assert_eq!(one, Certificate::parse(&pem).unwrap());
    assert!(Certificate::self_signed(&SigningKey::generate(Algorithm::EdDsa).unwrap(), now()).is_err());
}

#[test]
fn what_is_no_certificate_with_a_strong_key_is_refused() {
    for text in ["", "x", "AAAA", "-----BEGIN CERTIFICATE-----\nAAAA"] {
        assert!(Certificate::parse(text).is_err(), "{text}");
    }
    let good = IDP.certificate.to_base64();
    assert!(Certificate::parse(&format!("{good}AAAA")).is_err());
    // 1024 bits, made with OpenSSL.
    let weak = include_str!("../rsa1024.pem");
    assert!(Certificate::parse(weak).unwrap_err().to_string().contains("too short"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is changed in a signed message, by a byte: it is refused, or nothing of it reads differently.
    #[test]
    fn no_changed_byte_changes_what_is_read_saml_04(at in any::<prop::sample::Index>(), byte in 0x20_u8..0x7f) {
        let signed = IDP.sign(&draft());
        let before = assertion(&signed, &pinned()).unwrap();
        let mut bytes = signed.into_bytes();
        let index = at.index(bytes.len());
        bytes[index] = byte;
        if let Ok(after) = assertion(&String::from_utf8(bytes).unwrap(), &pinned()) {
            prop_assert_eq!(before, after);
        }
    }

    /// Whatever the name of a person is, it is read as it was signed.
    #[test]
    fn a_name_reads_back_saml_11(name in "[^\\p{Cc}\"\u{fffe}\u{ffff}]{1,40}") {
        let mut draft = draft();
        draft.name = name;
        let read = assertion(&IDP.sign(&draft), &pinned()).unwrap();
        prop_assert_eq!(read.name_id.value, draft.name);
    }
}
