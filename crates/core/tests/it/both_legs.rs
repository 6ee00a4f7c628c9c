//! Both legs together: what one party issues the other redeems, and a leaver loses all of it (IDP-MN, RAS-JB, P7).

use std::sync::Arc;
use std::time::Duration;

use lanyard_core::client::auth::{self, AuthenticatedClient};
use lanyard_core::client::registration::{Side, SubjectMode};
use lanyard_core::clock::Clock;
use lanyard_core::directory::provision;
use lanyard_core::idp::id_jag;
use lanyard_core::idp::token_exchange::{Denial as ExchangeDenial, Subject};
use lanyard_core::jobs::run;
use lanyard_core::ras::access_grant::AccessGrant;
use lanyard_core::ras::denial::Denial;
use lanyard_core::ras::introspect::introspect;
use lanyard_core::ras::jwt_bearer::{self, Verification};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::token::{AccessToken, IdJag, Unverified, Verified};
use lanyard_jose::verify::{Audience, Expected, verify};
use lanyard_testkit::company::{ALICE, CAROL, Company, FIGMA, IDE_AT_RAS, IDE_SECRET, IDP, LINEAR, RAS};

use crate::idp_support::{Exchange, id_token, ide, tokens, with_secret};
use crate::ras_world::{granted, request, scopes};

fn expected<'a>(company: &Company, issuer: &'a str, audience: &'a str) -> Expected<'a> {
    Expected {
        issuer,
        audience: Audience::Sole(audience),
        now: company.clock.now().seconds(),
        leeway: 30,
        algorithms: &[Algorithm::Es256],
        max_lifetime: None,
    }
}

/// Leg 1, signed and verified as the RAS does.
fn exchanged(company: &Company, username: &'static str, exchange: Exchange) -> Result<Verified<IdJag>, ExchangeDenial> {
    let client = ide(company);
    let grant = tokens(company, &client, username);
    let subject = Subject::IdToken(Box::new(id_token(company, &grant)));
    let grant = exchange.run(company, &client, subject)?;
    let ring = company.rings().idp.unwrap();
    let text = ring
        .active
        .sign("oauth-id-jag+jwt", &id_jag::claims(&company.idp, &grant))
        .unwrap();
    Ok(verify(
        &Unverified::parse(&text).unwrap(),
        &ring.published,
        &expected(company, IDP, RAS),
    )
    .unwrap())
}

fn at_ras(company: &Company) -> AuthenticatedClient {
    let vault = Arc::clone(&company.vault);
    let presented = with_secret(IDE_AT_RAS, IDE_SECRET);
    granted(company.write(move |cx, tx| auth::authenticate(cx, tx, &vault, Side::Ras, &presented)))
}

/// Leg 2.
fn redeemed(company: &Company, id_jag: &Verified<IdJag>) -> Result<AccessGrant, Denial> {
    let (client, settings, id_jag) = (at_ras(company), company.ras.clone(), id_jag.clone());
    let look = settings.clone();
    let trusts = company.read(move |tx| jwt_bearer::candidates(tx, &look, IDP));
    let used = Verification::by(jwt_bearer::choose(&trusts, &id_jag).unwrap());
    company
        .write(move |cx, tx| jwt_bearer::redeem(cx, tx, &settings, &client, &request(None, &[]), &id_jag, &used))
        .into_result()
}

fn is_active(company: &Company, grant: &AccessGrant) -> bool {
    let ring = company.rings().ras.unwrap();
    let claims = lanyard_core::ras::access_token::claims(&company.ras, grant).unwrap();
    let text = ring.active.sign("at+jwt", &claims).unwrap();
    let token: Verified<AccessToken> = verify(
        &Unverified::parse(&text).unwrap(),
        &ring.published,
        &expected(company, RAS, grant.resource.as_str()),
    )
    .unwrap();
    let mut caller = at_ras(company);
    caller.client.introspects = vec![grant.resource.as_str().to_owned()];
    let (settings, cx) = (company.ras.clone(), company.cx());
    company
        .read(move |tx| introspect(&cx, tx, &settings, &caller, Some(&token)))
        .active
}

fn deactivate(company: &Company, username: &'static str) {
    let (vault, issuer, admin) = (
        Arc::clone(&company.vault),
        company.idp.issuer.clone(),
        company.admin.clone(),
    );
    let id = company.user(username).id;
    let done = granted(company.write(move |cx, tx| provision::deactivate(cx, tx, &vault, &issuer, &admin, &id)));
    for job in done.jobs {
        let ras = company.ras.clone();
        let performed = company.write(move |cx, tx| run::perform(cx, tx, &ras, &job));
        assert!(performed.sequence <= company.read(|tx| tx.revocation_head()));
    }
}

#[test]
fn an_employee_gets_every_approved_scope_and_a_contractor_his_own() {
    let company = Company::new();
    let grant = redeemed(&company, &exchanged(&company, ALICE, Exchange::default()).unwrap()).unwrap();
    assert_eq!(
        (grant.scope.clone(), grant.resource.as_str()),
        (scopes("linear.read linear.write"), LINEAR)
    );
    assert!(is_active(&company, &grant));
    let grant = redeemed(&company, &exchanged(&company, CAROL, Exchange::default()).unwrap()).unwrap();
    assert_eq!(grant.scope, scopes("linear.read"));
    let figma = Exchange {
        resources: vec![FIGMA],
        scope: None,
        ..Exchange::default()
    };
    assert!(exchanged(&company, CAROL, figma).is_err());
}

#[test]
fn two_connectors_of_one_person_are_one_account_with_two_tokens_al_08() {
    let company = Company::new();
    let linear = redeemed(&company, &exchanged(&company, ALICE, Exchange::default()).unwrap()).unwrap();
    let figma = Exchange {
        resources: vec![FIGMA],
        scope: None,
        ..Exchange::default()
    };
    let figma = redeemed(&company, &exchanged(&company, ALICE, figma).unwrap()).unwrap();
    assert_eq!(linear.account, figma.account);
    assert_ne!((linear.jti, linear.resource), (figma.jti, figma.resource));
}

#[test]
fn after_a_deactivation_nothing_of_the_person_works_anywhere_p7_rv_03() {
    for mode in [SubjectMode::Public, SubjectMode::Pairwise] {
        let company = Company::with(|organisation| organisation.audiences[0].subject = mode);
        let token = redeemed(&company, &exchanged(&company, ALICE, Exchange::default()).unwrap()).unwrap();
        let other = redeemed(&company, &exchanged(&company, CAROL, Exchange::default()).unwrap()).unwrap();
        let in_hand = exchanged(&company, ALICE, Exchange::default()).unwrap();
        let client = ide(&company);
        let subject = Subject::IdToken(Box::new(id_token(&company, &tokens(&company, &client, ALICE))));
        company.clock.advance(Duration::from_secs(2));
        deactivate(&company, ALICE);
        assert!(!is_active(&company, &token), "{mode:?}: the access token");
        assert_eq!(
            redeemed(&company, &in_hand),
            Err(Denial::CutOff),
            "{mode:?}: an ID-JAG in hand"
        );
        assert!(
            Exchange::default().run(&company, &client, subject).is_err(),
            "{mode:?}: the next exchange"
        );
        assert!(is_active(&company, &other), "nobody else is touched");
    }
}

#[test]
fn whoever_comes_back_works_again_and_nothing_from_before_does_sc_14() {
    let company = Company::new();
    let token = redeemed(&company, &exchanged(&company, ALICE, Exchange::default()).unwrap()).unwrap();
    let in_hand = exchanged(&company, ALICE, Exchange::default()).unwrap();
    deactivate(&company, ALICE);
    company.clock.advance(Duration::from_secs(1));
    let (admin, id) = (company.admin.clone(), company.user(ALICE).id);
    granted(company.write(move |cx, tx| provision::reactivate(cx, tx, &admin, &id)));
    assert_eq!(redeemed(&company, &in_hand), Err(Denial::CutOff));
    assert!(!is_active(&company, &token));
    let new = redeemed(&company, &exchanged(&company, ALICE, Exchange::default()).unwrap()).unwrap();
    assert!(is_active(&company, &new));
    assert_eq!(new.account, token.account, "the same person, the same account");
}

#[test]
fn one_chain_is_two_events_one_of_each_party() {
    let company = Company::new();
    let id_jag = exchanged(&company, ALICE, Exchange::default()).unwrap();
    let before = company.events().len();
    redeemed(&company, &id_jag).unwrap();
    let events = company.events();
    assert_eq!(events.len(), before + 1);
    assert_eq!(
        (events[0].event.kind.as_str(), events[1].event.kind.as_str()),
        ("ras.access_token.issued", "idp.id_jag.issued")
    );
    // No event holds a token (SEC-10): a compact JWS begins with the header's first letters.
    assert!(events.iter().all(|event| !event.text.contains("eyJ")));
}
