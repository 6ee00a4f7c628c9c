//! Rules and scopes that ask for a strong or recent sign-in (SU-01, SU-04, IDP-PL-03).

use std::time::Duration;

use lanyard_core::admin::requirement::RequirementSpec;
use lanyard_core::admin::spec::{AllOr, Organisation};
use lanyard_core::connector::record::Upstream;
use lanyard_core::connector::route;
use lanyard_core::idp::authorize::{
    self, AuthorizeDenial, AuthorizeRequest, AuthorizeStep, SignInReason, ValidAuthorize,
};
use lanyard_core::idp::sign_in::{Admission, admit};
use lanyard_core::idp::token_exchange::{Denial, Subject};
use lanyard_core::policy::rule::Effect;
use lanyard_core::session::record::Session;
use lanyard_core::session::requirement::Requirement;
use lanyard_core::session::strength::Strength;
use lanyard_protocol::form::Form;
use lanyard_testkit::company::{ALICE, CAROL, Company, FIGMA, IDE, LINEAR, REDIRECT};

use crate::idp_support::*;

fn requires(strength: Option<Strength>, max_age: Option<&str>) -> Option<RequirementSpec> {
    Some(RequirementSpec {
        strength,
        max_age: max_age.map(str::to_owned),
    })
}

/// The rule of the engineers asks for this.
fn engineers_need(strength: Option<Strength>, max_age: Option<&str>) -> Company {
    Company::with(|organisation| organisation.rules[0].requires = requires(strength, max_age))
}

fn writing_needs(strength: Strength) -> impl FnOnce(&mut Organisation) {
    move |organisation| organisation.connectors[0].scopes[1].requires = requires(Some(strength), None)
}

fn session_of(company: &Company, username: &'static str, strength: Strength) -> Session {
    let settings = company.idp.clone();
    company.write(move |cx, tx| {
        let user = tx.find_user_by_username(username)?.unwrap();
        let how = Admission::local(cx, strength, &["pwd"]);
        Ok(admit(cx, tx, &settings, user, how, None)?.session)
    })
}

fn exchange_in(company: &Company, session: &Session, exchange: Exchange) -> Result<String, Denial> {
    let client = ide(company);
    let grant = tokens_in(company, &client, session, SCOPES);
    let subject = Subject::IdToken(Box::new(id_token(company, &grant)));
    exchange
        .run(company, &client, subject)
        .map(|grant| grant.scope.to_string())
}

fn asking(scope: &'static str) -> Exchange {
    Exchange {
        scope: Some(scope),
        ..Exchange::default()
    }
}

const fn needed(strength: Option<Strength>, max_age: Option<u64>) -> Denial {
    Denial::StepUpNeeded {
        needed: Requirement { strength, max_age },
    }
}

#[test]
fn a_rule_that_asks_for_two_factors_grants_nothing_to_a_password_su_01() {
    let company = engineers_need(Some(Strength::MultiFactor), None);
    let weak = session_of(&company, ALICE, Strength::Password);
    assert_eq!(
        exchange_in(&company, &weak, Exchange::default()),
        Err(needed(Some(Strength::MultiFactor), None))
    );
    for enough in [Strength::MultiFactor, Strength::PhishingResistant] {
        let session = session_of(&company, ALICE, enough);
        assert_eq!(
            exchange_in(&company, &session, Exchange::default()).unwrap(),
            "linear.read linear.write"
        );
    }
}

#[test]
fn a_sign_in_grows_too_old_and_a_new_one_does_su_01() {
    let company = engineers_need(None, Some("15m"));
    let session = session_of(&company, ALICE, Strength::MultiFactor);
    company.clock.advance(Duration::from_secs(900));
    assert!(exchange_in(&company, &session, Exchange::default()).is_ok());
    company.clock.advance(Duration::from_secs(1));
    // No weaker than the present one: somebody with two factors is not asked for less.
    let denied = exchange_in(&company, &session, Exchange::default());
    assert_eq!(denied, Err(needed(Some(Strength::MultiFactor), Some(900))));
    let again = session_of(&company, ALICE, Strength::Password);
    assert!(exchange_in(&company, &again, Exchange::default()).is_ok());
}

#[test]
fn a_step_up_comes_before_fewer_scopes_and_only_for_scopes_that_were_asked_for_su_01() {
    let company = Company::with(writing_needs(Strength::PhishingResistant));
    let session = session_of(&company, ALICE, Strength::MultiFactor);
    assert_eq!(
        exchange_in(&company, &session, Exchange::default()),
        Err(needed(Some(Strength::PhishingResistant), None)),
        "linear.read alone would be a narrower grant"
    );
    assert_eq!(
        exchange_in(&company, &session, asking("linear.read")).unwrap(),
        "linear.read"
    );
    let nothing_named = Exchange {
        scope: None,
        ..Exchange::default()
    };
    assert_eq!(exchange_in(&company, &session, nothing_named).unwrap(), "linear.read");
}

#[test]
fn no_sign_in_unlocks_what_no_rule_grants_su_01() {
    let company = Company::with(writing_needs(Strength::PhishingResistant));
    let session = session_of(&company, CAROL, Strength::Password);
    // A contractor is granted reading only, however she signs in.
    assert_eq!(
        exchange_in(&company, &session, Exchange::default()).unwrap(),
        "linear.read"
    );
    assert_eq!(
        exchange_in(&company, &session, asking("linear.write")),
        Err(Denial::NoScopeGranted)
    );
    let company = engineers_need(Some(Strength::MultiFactor), None);
    let session = session_of(&company, CAROL, Strength::Password);
    let figma = Exchange {
        resources: vec![FIGMA],
        scope: Some("figma.read"),
        ..Exchange::default()
    };
    assert_eq!(exchange_in(&company, &session, figma), Err(Denial::NotPermitted));
}

#[test]
fn a_deny_rule_with_a_requirement_denies_who_has_it_not_su_01() {
    let company = Company::with(|organisation| {
        let mut gate = organisation.rules[0].clone();
        gate.title = "Writing needs a passkey".to_owned();
        (gate.effect, gate.everyone, gate.groups) = (Effect::Deny, true, Vec::new());
        gate.scopes = AllOr::only(["linear.write"]);
        gate.requires = requires(Some(Strength::PhishingResistant), None);
        organisation.rules.push(gate);
    });
    let weak = session_of(&company, ALICE, Strength::MultiFactor);
    assert_eq!(
        exchange_in(&company, &weak, Exchange::default()),
        Err(needed(Some(Strength::PhishingResistant), None))
    );
    let strong = session_of(&company, ALICE, Strength::PhishingResistant);
    assert_eq!(
        exchange_in(&company, &strong, Exchange::default()).unwrap(),
        "linear.read linear.write"
    );
}

#[test]
fn one_sign_in_is_asked_for_that_unlocks_every_scope_at_once_su_02() {
    let company = Company::with(|organisation| {
        organisation.connectors[0].scopes[0].requires = requires(None, Some("5m"));
        organisation.connectors[0].scopes[1].requires = requires(Some(Strength::PhishingResistant), Some("1h"));
    });
    let session = session_of(&company, ALICE, Strength::MultiFactor);
    company.clock.advance(Duration::from_secs(301));
    assert_eq!(
        exchange_in(&company, &session, Exchange::default()),
        Err(needed(Some(Strength::PhishingResistant), Some(300)))
    );
    // A more recent sign-in alone, and yet no weaker one.
    assert_eq!(
        exchange_in(&company, &session, asking("linear.read")),
        Err(needed(Some(Strength::MultiFactor), Some(300)))
    );
}

#[test]
fn a_scope_that_one_of_several_connectors_locks_asks_for_the_sign_in_su_01() {
    let company = Company::with(|organisation| {
        for connector in &mut organisation.connectors {
            let mut shared = connector.scopes[0].clone();
            shared.scope = "files".to_owned();
            connector.scopes.push(shared);
        }
        organisation.connectors[1].scopes[2].requires = requires(Some(Strength::MultiFactor), None);
    });
    let both = || Exchange {
        resources: vec![LINEAR, FIGMA],
        scope: Some("files"),
        ..Exchange::default()
    };
    let session = session_of(&company, ALICE, Strength::Password);
    assert_eq!(
        exchange_in(&company, &session, both()),
        Err(needed(Some(Strength::MultiFactor), None))
    );
    let session = session_of(&company, ALICE, Strength::MultiFactor);
    assert_eq!(exchange_in(&company, &session, both()).unwrap(), "files");
}

#[test]
fn refreshing_makes_no_sign_in_younger_su_04() {
    let company = engineers_need(None, Some("15m"));
    let client = ide(&company);
    let session = session_of(&company, ALICE, Strength::Password);
    let grant = tokens_in(&company, &client, &session, SCOPES);
    company.clock.advance(Duration::from_secs(1000));
    let refreshed = refresh(&company, &client, &grant.refresh_token.unwrap(), None).unwrap();
    let denied = Err(needed(None, Some(900)));
    let subject = Subject::IdToken(Box::new(id_token(&company, &refreshed)));
    let by_id_token = Exchange::default().run(&company, &client, subject);
    assert_eq!(by_id_token.map(|_| ()), denied);
    let subject = Subject::RefreshToken(refreshed.refresh_token.unwrap());
    let by_refresh_token = Exchange::default().run(&company, &client, subject);
    assert_eq!(by_refresh_token.map(|_| ()), denied);
}

#[test]
fn what_a_person_may_reach_is_listed_as_after_the_best_sign_in() {
    let company = engineers_need(Some(Strength::PhishingResistant), Some("5m"));
    let user = company.user(ALICE);
    let (policy, client) = (company.policy.clone(), ide(&company).client.key);
    let list = company.read(move |tx| lanyard_core::idp::connectors::reachable(tx, &policy, &user, &client));
    assert_eq!(list.connectors.len(), 2);
}

#[test]
fn a_refusal_is_recorded_with_the_sign_in_and_what_it_lacks_su_01() {
    let company = engineers_need(Some(Strength::MultiFactor), None);
    let session = session_of(&company, ALICE, Strength::Password);
    exchange_in(&company, &session, Exchange::default()).unwrap_err();
    let event = company.events().remove(0).event;
    assert_eq!(event.reason.as_deref(), Some("step_up_needed"));
    assert_eq!(event.detail["because"], "a sign-in with two factors is needed");
    assert_eq!(event.detail["sign_in"], "password, 0s ago");
    assert_eq!(event.detail["refused"][0]["needs"], "a sign-in with two factors");
}

fn asking_for(acr_values: &str) -> Form {
    request(IDE, REDIRECT, SCOPES).with("acr_values", acr_values)
}

fn valid(company: &Company, form: &Form) -> ValidAuthorize {
    let request = AuthorizeRequest::parse(form);
    company
        .write(move |cx, tx| authorize::check_client(cx, tx, &request))
        .unwrap()
}

fn step(company: &Company, form: &Form, session: &Session) -> AuthorizeStep {
    let valid = valid(company, form);
    authorize::decide(&company.cx(), &company.idp, &valid, Some(session))
}

#[test]
fn a_session_that_is_too_weak_leads_to_a_sign_in_that_names_the_strength_idp_au_07() {
    let company = Company::new();
    let session = session_of(&company, ALICE, Strength::MultiFactor);
    company.clock.advance(Duration::from_secs(10));
    let too_weak = AuthorizeStep::SignIn(SignInReason::TooWeak(Strength::PhishingResistant));
    for (acr_values, expected) in [
        ("urn:lanyard:acr:mfa", AuthorizeStep::Issue),
        ("urn:lanyard:acr:pwd", AuthorizeStep::Issue),
        ("phr", too_weak),
        ("phrh gold", too_weak),
        // Any of those named will do.
        ("phr urn:lanyard:acr:mfa", AuthorizeStep::Issue),
        // A wish that nobody here can grant is no obstacle (OpenID Connect Core, section 3.1.2.1).
        ("gold silver", AuthorizeStep::Issue),
        ("", AuthorizeStep::Issue),
    ] {
        assert_eq!(
            step(&company, &asking_for(acr_values), &session),
            expected,
            "{acr_values}"
        );
    }
    let silent = asking_for("phr").with("prompt", "none");
    assert_eq!(
        step(&company, &silent, &session),
        AuthorizeStep::Refuse(AuthorizeDenial::LoginRequired)
    );
}

#[test]
fn an_acr_of_the_identity_provider_satisfies_a_client_that_names_it() {
    let company = Company::new();
    let mut session = session_of(&company, ALICE, Strength::Password);
    session.authentication.acr = "phr-like".to_owned();
    company.clock.advance(Duration::from_secs(10));
    assert_eq!(
        step(&company, &asking_for("phr-like phr"), &session),
        AuthorizeStep::Issue
    );
}

#[test]
fn who_signs_in_and_stays_too_weak_gets_no_code_and_the_client_hears_why_su_03() {
    let company = Company::new();
    let asked = valid(&company, &asking_for("phr"));
    let session = session_of(&company, ALICE, Strength::Password);
    let (settings, id, weak) = (company.idp.clone(), session.id, asked.clone());
    let end = company.write(move |cx, tx| authorize::issue_code(cx, tx, &settings, &weak, &id));
    assert_eq!(end.into_result().err(), Some(AuthorizeDenial::Unmet));
    let event = company.events().remove(0).event;
    assert_eq!(
        (event.kind.as_str(), event.reason.as_deref()),
        ("idp.code.denied", Some("authentication_unmet"))
    );
    assert_eq!(event.detail["acr_values"], "phr");
    assert_eq!(event.subject.as_deref(), Some(session.user.as_str()));
    let strong = session_of(&company, ALICE, Strength::PhishingResistant);
    let settings = company.idp.clone();
    let end = company.write(move |cx, tx| authorize::issue_code(cx, tx, &settings, &asked, &strong.id));
    assert!(end.into_result().is_ok());
}

#[test]
fn what_a_scope_asks_for_reaches_the_gateway_with_every_tool_that_needs_it_su_05() {
    let company = Company::with(|organisation| {
        let linear = &mut organisation.connectors[0];
        linear.upstream = Some(Upstream {
            url: "http://127.0.0.1:1/mcp".to_owned(),
            insecure: false,
            durable: false,
        });
        linear.tools = [("look", "linear.read"), ("change", "linear.read linear.write")]
            .map(|(tool, scopes)| (tool.to_owned(), scopes.to_owned()))
            .into();
        linear.scopes[0].requires = requires(None, Some("1h"));
        linear.scopes[1].requires = requires(Some(Strength::MultiFactor), Some("5m"));
    });
    let routes = company.read(|tx| route::snapshot(tx, None)).routes;
    let asked = &routes[0].authentication;
    assert_eq!((asked["look"].acr_values.len(), asked["look"].max_age), (0, Some(3600)));
    assert_eq!(asked["change"].acr_values, ["urn:lanyard:acr:mfa", "phr", "phrh"]);
    assert_eq!(asked["change"].max_age, Some(300));
}
