//! Sign-ins under way: bound to a browser, a provider and a moment, and used once (CL-SS-01, SEC-04, SEC-16).

use std::sync::Arc;
use std::time::Duration;

use lanyard_core::outcome::Outcome;
use lanyard_core::upstream::attempt::{self, ATTEMPT_TTL, Begun, Carried, Purpose};
use lanyard_core::upstream::denial::AttemptDenial;
use lanyard_core::upstream::secret;
use lanyard_testkit::company::Company;
use secrecy::{ExposeSecret, SecretString};

use crate::ras_world::{denied, granted};
use crate::upstream_support::{browser, company, put, spec};

fn begin(company: &Company) -> Begun {
    let vault = Arc::clone(&company.vault);
    company.write(move |cx, tx| {
        let connection = tx.find_connection_by_name("corp")?.unwrap();
        let carried = Carried {
            purpose: Purpose::Client,
            request: "client_id=ide".to_owned(),
            max_age: None,
        };
        attempt::begin(cx, tx, &vault, &connection, &browser(), carried)
    })
}

fn take(
    company: &Company,
    connection: &'static str,
    handle: &SecretString,
    from: Option<SecretString>,
) -> Outcome<attempt::Taken, AttemptDenial> {
    let handle = handle.expose_secret().to_owned();
    company.write(move |cx, tx| attempt::take(cx, tx, connection, &handle, from.as_ref()))
}

#[test]
fn the_answer_is_taken_once_with_its_verifier_sealed_cl_ss_01() {
    let company = company(|_| {});
    let begun = begin(&company);
    let taken = granted(take(&company, "corp", &begun.handle, Some(browser())));
    assert_eq!(taken.attempt.nonce, begun.nonce);
    let sealed = taken.attempt.sealed_verifier.unwrap();
    let opened = secret::open_verifier(&company.vault, &taken.attempt.handle_hash, &sealed).unwrap();
    assert_eq!(opened.expose_secret(), begun.verifier.expose_secret());
    assert!(secret::open_verifier(&company.vault, &[0; 32], &sealed).is_err());
    assert_eq!(
        denied(take(&company, "corp", &begun.handle, Some(browser()))),
        AttemptDenial::Used
    );
}

#[test]
fn another_browser_is_refused_and_uses_nothing_up_sec_16() {
    let company = company(|_| {});
    let begun = begin(&company);
    for other in [None, Some(SecretString::from("c".repeat(43)))] {
        assert_eq!(
            denied(take(&company, "corp", &begun.handle, other)),
            AttemptDenial::OtherBrowser
        );
    }
    let _ = granted(take(&company, "corp", &begun.handle, Some(browser())));
}

#[test]
fn an_answer_at_another_providers_address_is_refused_sec_04() {
    let company = company(|_| {});
    let _ = granted(put(&company, &spec("other")));
    let begun = begin(&company);
    assert_eq!(
        denied(take(&company, "other", &begun.handle, Some(browser()))),
        AttemptDenial::OtherConnection
    );
}

#[test]
fn an_invented_state_is_unknown_and_an_old_one_expired() {
    let company = company(|_| {});
    let begun = begin(&company);
    for invented in ["", "x", &"y".repeat(43), &"z".repeat(4000)] {
        let invented = SecretString::from(invented.to_owned());
        assert_eq!(
            denied(take(&company, "corp", &invented, Some(browser()))),
            AttemptDenial::Unknown
        );
    }
    company.clock.advance(ATTEMPT_TTL);
    assert_eq!(
        denied(take(&company, "corp", &begun.handle, Some(browser()))),
        AttemptDenial::Expired
    );
    company.clock.advance(Duration::from_secs(7200));
    let now = lanyard_core::clock::Clock::now(&company.clock);
    company.write(move |_, tx| lanyard_core::jobs::schedule::purge(tx, now, 100));
    assert_eq!(
        denied(take(&company, "corp", &begun.handle, Some(browser()))),
        AttemptDenial::Unknown
    );
}

#[test]
fn a_connection_that_changed_meanwhile_takes_no_answer() {
    let company = company(|_| {});
    let begun = begin(&company);
    let mut changed = spec("corp");
    changed.title = Some("Another".to_owned());
    let _ = granted(put(&company, &changed));
    let denial = denied(take(&company, "corp", &begun.handle, Some(browser())));
    assert_eq!(denial, AttemptDenial::ConnectionChanged);
}
