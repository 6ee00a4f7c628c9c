//! Each condition alone, and its boundaries.

use super::*;
use crate::saml::assertion::{Conditions, NameId, PERSISTENT};

const NOW: i64 = 1_800_000_000;
const SP: &str = "https://sp.example/saml";
const ACS: &str = "https://sp.example/acs";

fn at(offset: i64) -> Timestamp {
    Timestamp::from_seconds(NOW + offset)
}

/// An assertion that is acceptable; each test changes one thing.
fn good() -> Assertion {
    Assertion {
        id: "_a".to_owned(),
        issuer: "https://idp.example".to_owned(),
        issued_at: at(-5),
        name_id: NameId {
            value: "alice".to_owned(),
            format: PERSISTENT.to_owned(),
            name_qualifier: None,
            sp_name_qualifier: None,
        },
        confirmations: vec![Confirmation {
            method: BEARER.to_owned(),
            recipient: Some(ACS.to_owned()),
            not_before: None,
            not_on_or_after: Some(at(300)),
            in_response_to: Some("_r".to_owned()),
        }],
        conditions: Conditions {
            not_before: Some(at(-30)),
            not_on_or_after: Some(at(300)),
            audiences: vec![vec![SP.to_owned()]],
            one_time_use: false,
            unknown: None,
        },
        statements: vec![AuthnStatement {
            authn_instant: at(-60),
            session_index: Some("s1".to_owned()),
            session_not_on_or_after: Some(at(28_800)),
            class_ref: None,
        }],
        attributes: Vec::new(),
    }
}

fn check(assertion: &Assertion, request: Request<'_>) -> Result<Accepted, Unacceptable> {
    let recipients = [ACS.to_owned()];
    accept(
        assertion,
        &Expected {
            audience: SP,
            recipients: &recipients,
            request,
            now: at(0),
            skew: Duration::from_secs(60),
        },
    )
}

fn refused(change: impl FnOnce(&mut Assertion)) -> Unacceptable {
    let mut assertion = good();
    change(&mut assertion);
    check(&assertion, Request::Ours("_r")).unwrap_err()
}

fn accepted(change: impl FnOnce(&mut Assertion)) -> Accepted {
    let mut assertion = good();
    change(&mut assertion);
    check(&assertion, Request::Ours("_r")).unwrap()
}

#[test]
fn a_good_assertion_is_remembered_past_its_last_end_saml_09() {
    let accepted = accepted(|_| ());
    assert_eq!(accepted.keep_until, at(361));
    assert_eq!(accepted.authentication.authn_instant, at(-60));
    assert_eq!(accepted.authentication.session_not_on_or_after, Some(at(28_800)));
}

#[test]
fn every_audience_restriction_must_name_the_service_provider_saml_05() {
    let other = || vec!["https://other.example".to_owned()];
    assert_eq!(refused(|a| a.conditions.audiences.clear()), Unacceptable::Audience);
    assert_eq!(
        refused(|a| a.conditions.audiences = vec![other()]),
        Unacceptable::Audience
    );
    assert_eq!(
        refused(|a| a.conditions.audiences.push(other())),
        Unacceptable::Audience
    );
    assert_eq!(
        refused(|a| a.conditions.audiences.push(Vec::new())),
        Unacceptable::Audience
    );
    accepted(|a| a.conditions.audiences = vec![vec!["https://other.example".to_owned(), SP.to_owned()]]);
}

#[test]
fn times_are_exact_to_the_second_with_the_skew_saml_06() {
    accepted(|a| a.conditions.not_before = Some(at(60)));
    assert_eq!(
        refused(|a| a.conditions.not_before = Some(at(61))),
        Unacceptable::NotYet
    );
    accepted(|a| a.conditions.not_on_or_after = Some(at(-59)));
    assert_eq!(
        refused(|a| a.conditions.not_on_or_after = Some(at(-60))),
        Unacceptable::Expired
    );
    assert_eq!(refused(|a| a.issued_at = at(61)), Unacceptable::NotYet);
}

#[test]
fn a_condition_that_is_not_understood_is_never_met_saml_06() {
    assert_eq!(
        refused(|a| a.conditions.unknown = Some("Condition".to_owned())),
        Unacceptable::Condition
    );
    accepted(|a| a.conditions.one_time_use = true);
}

#[test]
fn a_bearer_confirmation_has_an_end_and_no_beginning_saml_07() {
    assert_eq!(refused(|a| a.confirmations.clear()), Unacceptable::Confirmation);
    let first = |change: fn(&mut Confirmation)| refused(|a| a.confirmations.iter_mut().for_each(change));
    assert_eq!(first(|c| c.not_on_or_after = None), Unacceptable::Confirmation);
    assert_eq!(
        first(|c| c.not_before = Some(Timestamp::from_seconds(0))),
        Unacceptable::Confirmation
    );
    let holder = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key";
    assert_eq!(
        refused(|a| a.confirmations.iter_mut().for_each(|c| c.method = holder.to_owned())),
        Unacceptable::Confirmation
    );
    assert_eq!(first(|c| c.not_on_or_after = Some(at(-60))), Unacceptable::TooLate);
}

#[test]
fn only_a_registered_address_may_receive_it_saml_07() {
    let first = |recipient: Option<&str>| {
        refused(|a| {
            for confirmation in &mut a.confirmations {
                confirmation.recipient = recipient.map(str::to_owned);
            }
        })
    };
    assert_eq!(first(None), Unacceptable::Recipient);
    assert_eq!(first(Some("https://sp.example/acs/")), Unacceptable::Recipient);
}

#[test]
fn it_answers_the_request_that_was_made_saml_07() {
    let answered = |request: Request<'_>, value: Option<&str>| {
        let mut assertion = good();
        for confirmation in &mut assertion.confirmations {
            confirmation.in_response_to = value.map(str::to_owned);
        }
        check(&assertion, request).map(|_| ())
    };
    let wrong = Err(Unacceptable::InResponseTo);
    assert_eq!(answered(Request::Ours("_r"), Some("_r")), Ok(()));
    assert_eq!(answered(Request::Ours("_r"), Some("_x")), wrong);
    assert_eq!(answered(Request::Ours("_r"), None), wrong);
    assert_eq!(answered(Request::Unsolicited, None), Ok(()));
    assert_eq!(answered(Request::Unsolicited, Some("_r")), wrong);
    assert_eq!(answered(Request::Foreign, Some("_x")), Ok(()));
    assert_eq!(answered(Request::Foreign, None), Ok(()));
}

#[test]
fn one_fitting_confirmation_is_enough_saml_07() {
    accepted(|a| {
        let mut other = a.confirmations.clone();
        for confirmation in &mut other {
            confirmation.recipient = Some("https://other.example/acs".to_owned());
        }
        a.confirmations.splice(0..0, other);
    });
}

#[test]
fn somebody_must_have_been_authenticated_saml_08() {
    assert_eq!(refused(|a| a.statements.clear()), Unacceptable::NoAuthentication);
    assert_eq!(
        refused(|a| a.statements.iter_mut().for_each(|s| s.authn_instant = at(61))),
        Unacceptable::NotYet
    );
}

#[test]
fn the_earliest_end_of_a_session_counts_saml_08() {
    let with = |end: i64| AuthnStatement {
        authn_instant: at(-600),
        session_index: None,
        session_not_on_or_after: Some(at(end)),
        class_ref: None,
    };
    let accepted = accepted(|a| a.statements.push(with(100)));
    assert_eq!(accepted.authentication.session_not_on_or_after, Some(at(100)));
    assert_eq!(accepted.authentication.session_index.as_deref(), Some("s1"));
    assert_eq!(refused(|a| a.statements.push(with(0))), Unacceptable::SessionOver);
}
