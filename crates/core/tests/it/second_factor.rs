//! Second factors as rules: waits that grow, one answer of many, codes that are kept under a key.

use std::sync::Arc;
use std::time::Duration;

use lanyard_core::account::Own;
use lanyard_core::account::factors::{MadePasskey, add_passkey, begin_app, confirm_app};
use lanyard_core::directory::factor::Factors;
use lanyard_core::directory::settings::SecondFactorRule;
use lanyard_core::idp::second_factor::{Browser, StepDenial, Waiting, complete_with_code};
use lanyard_core::idp::sign_in::{NewSession, Passed, SignInDenial, complete, lookup, proceed};
use lanyard_core::outcome::Outcome;
use lanyard_testkit::company::{ALICE, Company};
use secrecy::{ExposeSecret, SecretString};

/// Stands in for an app: the right code of any step is `code` and the step's number.
fn check(_secret: &[u8], typed: &str, seconds: i64) -> Option<u64> {
    let step = u64::try_from(seconds / 30).ok()?;
    (typed == format!("code {step}")).then_some(step)
}

fn right(company: &Company) -> String {
    format!("code {}", company.cx().now.seconds() / 30)
}

fn browser(known: Option<&str>) -> Browser {
    Browser {
        bound: SecretString::from("b".repeat(43)),
        known: known.map(str::to_owned),
        agent: Some("Firefox on Linux".to_owned()),
    }
}

fn with_app(company: &Company) -> Vec<SecretString> {
    let (vault, alice, typed) = (Arc::clone(&company.vault), company.user(ALICE), right(company));
    let end = company.write(move |cx, tx| {
        let own = Own::enrolling(alice);
        let begun = begin_app(cx, tx, &vault, &own, &[7; 20])?;
        assert!(matches!(begun, Outcome::Granted(_)));
        confirm_app(cx, tx, &vault, &own, &typed, check)
    });
    company.clock.advance(Duration::from_secs(30));
    match end {
        Outcome::Granted(codes) => codes,
        Outcome::Denied(denial) => panic!("{denial}"),
    }
}

fn waiting(company: &Company, known: Option<&str>) -> Waiting {
    let (settings, by) = (company.idp.clone(), browser(known));
    let end = company.write(move |cx, tx| {
        let candidate = lookup(tx, ALICE)?;
        proceed(cx, tx, &settings, (&candidate, true), &by, None, None)
    });
    match end {
        Outcome::Granted(Passed::Waiting(waiting)) => *waiting,
        _ => panic!("no second factor is asked for"),
    }
}

fn answer(company: &Company, waiting: &Waiting, known: Option<&str>, typed: &str) -> Result<NewSession, StepDenial> {
    let (settings, vault, by) = (company.idp.clone(), Arc::clone(&company.vault), browser(known));
    let (secret, typed) = (waiting.secret.clone(), typed.to_owned());
    let end =
        company.write(move |cx, tx| complete_with_code(cx, tx, &settings, &vault, &by, &secret, &typed, check, None));
    match end {
        Outcome::Granted(new) => Ok(new),
        Outcome::Denied(denial) => Err(denial),
    }
}

#[test]
fn each_failure_after_the_fifth_doubles_the_wait_up_to_an_hour() {
    let company = Company::new();
    with_app(&company);
    for _ in 0..4 {
        let denial = answer(&company, &waiting(&company, None), None, "no").err();
        assert_eq!(denial, Some(StepDenial::WrongCode));
    }
    let mut waits = Vec::new();
    for _ in 0..9 {
        assert_eq!(
            answer(&company, &waiting(&company, None), None, "no").err(),
            Some(StepDenial::WrongCode)
        );
        let Some(StepDenial::TooMany(seconds)) = answer(&company, &waiting(&company, None), None, "no").err() else {
            panic!("nobody waits");
        };
        waits.push(seconds - 1);
        company.clock.advance(Duration::from_secs(seconds));
    }
    assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
    // A day later they are forgotten.
    company.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(
        answer(&company, &waiting(&company, None), None, "no").err(),
        Some(StepDenial::WrongCode)
    );
    assert!(answer(&company, &waiting(&company, None), None, &right(&company)).is_ok());
}

#[test]
fn a_known_browser_is_counted_for_itself_and_success_forgets_its_failures_only() {
    let company = Company::new();
    with_app(&company);
    for _ in 0..5 {
        let _ = answer(&company, &waiting(&company, None), None, "no");
    }
    let new = answer(
        &company,
        &waiting(&company, Some("laptop")),
        Some("laptop"),
        &right(&company),
    )
    .unwrap();
    assert_eq!(new.session.agent.as_deref(), Some("Firefox on Linux"));
    let still = answer(&company, &waiting(&company, None), None, "no").err();
    assert!(matches!(still, Some(StepDenial::TooMany(_))), "{still:?}");
}

#[test]
fn a_password_alone_is_refused_where_nobody_can_be_asked_for_more() {
    let company = Company::new();
    with_app(&company);
    let settings = company.idp.clone();
    let end = company.write(move |cx, tx| {
        let candidate = lookup(tx, ALICE)?;
        complete(cx, tx, &settings, &candidate, true, None)
    });
    assert!(matches!(end, Outcome::Denied(SignInDenial::SecondFactorNeeded)));
    let expected = ("idp.sign_in.failed".to_owned(), Some("second_factor_needed".to_owned()));
    assert_eq!(company.last_event(), expected);
}

#[test]
fn a_password_that_was_reset_meanwhile_does_not_let_the_old_sign_in_go_on() {
    let company = Company::new();
    with_app(&company);
    let waits = waiting(&company, None);
    company.clock.advance(Duration::from_secs(1));
    let (admin, alice) = (company.admin.clone(), company.user(ALICE).id);
    let hash = lanyard_core::session::password::hash(&*company.random, "seven green bicycles").unwrap();
    let (vault, issuer) = (Arc::clone(&company.vault), company.idp.issuer.clone());
    let end = company.write(move |cx, tx| {
        lanyard_core::directory::provision::reset_password(cx, tx, Some((&vault, &issuer)), &admin, &alice, hash)
    });
    assert!(matches!(end, Outcome::Granted(_)));
    assert!(answer(&company, &waits, None, &right(&company)).is_err());
}

#[test]
fn recovery_codes_are_kept_under_the_key_and_the_first_factor_alone_brings_them_sec_12() {
    let company = Company::new();
    let codes = with_app(&company);
    assert_eq!(codes.len(), 10);
    let (vault, alice) = (Arc::clone(&company.vault), company.user(ALICE));
    let plain = lanyard_jose::digest::sha256(codes[0].expose_secret().replace('-', "").as_bytes());
    let id = alice.id.clone();
    assert!(!company.write(move |cx, tx| tx.use_recovery_code(&id, &plain, cx.now)));
    let end = company.write(move |cx, tx| {
        let made = MadePasskey {
            credential: "c".to_owned(),
            record: "r".to_owned(),
            challenge: [1; 32],
            challenge_ends_at: cx.now,
        };
        add_passkey(cx, tx, &vault, &Own::enrolling(alice), "Key", &made)
    });
    assert!(matches!(end, Outcome::Granted(codes) if codes.is_empty()));
    let id = company.user(ALICE).id;
    let factors = company.read(move |tx| Factors::of(tx, &id));
    assert_eq!(
        (
            factors.recovery_codes,
            factors.passkeys.len(),
            factors.app_since.is_some()
        ),
        (10, 1, true)
    );
}

#[test]
fn the_rule_about_administrators_asks_them_and_nobody_else() {
    let mut company = Company::new();
    company.idp.people.second_factor = SecondFactorRule::Administrators;
    let try_it = |company: &Company| {
        let settings = company.idp.clone();
        company.write(move |cx, tx| {
            let candidate = lookup(tx, ALICE)?;
            proceed(cx, tx, &settings, (&candidate, true), &browser(None), None, None)
        })
    };
    assert!(matches!(try_it(&company), Outcome::Granted(Passed::Admitted(_))));
    let alice = company.user(ALICE).id;
    company.write(move |cx, tx| {
        tx.insert_grant(&lanyard_core::admin::grant::RoleGrant {
            holder: lanyard_core::admin::grant::Holder::Person(alice),
            role: lanyard_core::admin::token::AdminRole::Auditor,
            provisioned: false,
            version: 1,
            created_at: cx.now,
            updated_at: cx.now,
        })
    });
    assert!(matches!(try_it(&company), Outcome::Granted(Passed::Waiting(waiting)) if waiting.enrols));
}
