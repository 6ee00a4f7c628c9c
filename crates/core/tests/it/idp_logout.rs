//! Logout (RV-04, RV-07).

use std::sync::Arc;

use lanyard_core::audit::event::Actor;
use lanyard_core::client::registration::SubjectMode;
use lanyard_core::idp::logout::{self, EndedBy, LogoutPlan, LogoutRequest};
use lanyard_core::session::record::Session;
use lanyard_jose::token::{IdToken, Verified};
use lanyard_testkit::company::{AGENT, ALICE, CAROL, Company, IDE};

use crate::idp_support::*;

const AFTER: &str = "https://ide.contoso.example/bye";

fn company() -> Company {
    Company::with(|organisation| {
        organisation.clients[0].post_logout_redirect_uris = vec![AFTER.to_owned()];
        organisation.clients[0].subject = SubjectMode::Pairwise;
    })
}

fn plan(
    company: &Company,
    hint: Option<Verified<IdToken>>,
    client_id: Option<&'static str>,
    redirect_uri: Option<&'static str>,
    session: Option<&Session>,
) -> LogoutPlan {
    plan_hinted(company, hint, (client_id, redirect_uri, None), session)
}

fn plan_hinted(
    company: &Company,
    hint: Option<Verified<IdToken>>,
    (client_id, redirect_uri, logout_hint): (Option<&'static str>, Option<&'static str>, Option<&'static str>),
    session: Option<&Session>,
) -> LogoutPlan {
    let (vault, session) = (Arc::clone(&company.vault), session.cloned());
    company.read(move |tx| {
        let request = LogoutRequest {
            hint: hint.as_ref(),
            client_id,
            redirect_uri,
            state: Some("a b"),
            logout_hint,
        };
        logout::plan(tx, &vault, &request, session.as_ref())
    })
}

#[test]
fn a_hint_of_the_session_spares_the_question_rv_04() {
    let company = company();
    let client = ide(&company);
    let session = sign_in(&company, ALICE);
    let grant = tokens_in(&company, &client, &session, "openid");
    let hint = Some(id_token(&company, &grant));
    let location = Some(format!("{AFTER}?state=a+b"));
    let own = plan(&company, hint.clone(), None, Some(AFTER), Some(&session));
    assert_eq!(
        own,
        LogoutPlan {
            contradictory: false,
            confirm: false,
            location: location.clone()
        }
    );

    let other = sign_in(&company, CAROL);
    assert!(
        plan(&company, hint.clone(), None, Some(AFTER), Some(&other)).confirm,
        "somebody else's hint"
    );
    assert!(
        plan(&company, None, Some(IDE), Some(AFTER), Some(&session)).confirm,
        "no hint"
    );
    assert!(!plan(&company, None, None, None, None).confirm, "nobody is signed in");
}

#[test]
fn a_logout_hint_that_names_somebody_else_asks_the_person_rv_04() {
    let company = company();
    let client = ide(&company);
    let session = sign_in(&company, ALICE);
    let grant = tokens_in(&company, &client, &session, "openid");
    let hint = id_token(&company, &grant);
    for (named, confirm) in [
        (ALICE, false),
        (" Alice ", false),
        ("alice@northwind.example", false),
        (CAROL, true),
        ("", true),
    ] {
        let asked = (None, Some(AFTER), Some(named));
        let planned = plan_hinted(&company, Some(hint.clone()), asked, Some(&session));
        assert_eq!(planned.confirm, confirm, "{named:?}");
    }
}

#[test]
fn a_hint_of_another_client_or_person_than_is_named_ends_nothing_rv_04() {
    let company = company();
    let client = ide(&company);
    let session = sign_in(&company, ALICE);
    let hint = id_token(&company, &tokens_in(&company, &client, &session, "openid"));
    for (client_id, logout_hint, session, contradictory) in [
        (Some(AGENT), None, Some(&session), true),
        (Some(AGENT), None, None, true),
        (Some("unknown"), None, None, true),
        (Some(IDE), None, Some(&session), false),
        (Some(IDE), None, None, false),
        (None, Some(CAROL), None, true),
        (None, Some(ALICE), None, false),
        (None, Some(CAROL), Some(&session), false),
    ] {
        let asked = (client_id, Some(AFTER), logout_hint);
        let planned = plan_hinted(&company, Some(hint.clone()), asked, session);
        assert_eq!(planned.contradictory, contradictory, "{client_id:?} {logout_hint:?}");
        assert!(!contradictory || (planned.confirm && planned.location.is_none()));
    }
}

#[test]
fn what_may_outlive_a_logout_outlives_ones_own_and_not_an_administrators_rv_07() {
    for (by, survives) in [
        (EndedBy::Person, true),
        (EndedBy::Administrator(Actor::Admin("adm_1".to_owned())), false),
    ] {
        let company = Company::new();
        let client = ide(&company);
        let session = sign_in(&company, ALICE);
        let offline = tokens_in(&company, &client, &session, SCOPES).refresh_token.unwrap();
        let id = session.id.clone();
        assert!(company.write(move |cx, tx| logout::end(cx, tx, &id, &by)));
        assert_eq!(refresh(&company, &client, &offline, None).is_ok(), survives);
    }
}

#[test]
fn a_logout_never_redirects_to_an_unregistered_place_rv_04() {
    let company = company();
    let session = sign_in(&company, ALICE);
    for bad in [
        "https://evil.example",
        "https://ide.contoso.example/bye/",
        "https://ide.contoso.example/bye?x=1",
    ] {
        assert_eq!(
            plan(&company, None, Some(IDE), Some(bad), Some(&session)).location,
            None,
            "{bad}"
        );
    }
    assert_eq!(
        plan(&company, None, None, Some(AFTER), Some(&session)).location,
        None,
        "of no client"
    );
    assert_eq!(
        plan(&company, None, Some(AGENT), Some(AFTER), Some(&session)).location,
        None,
        "of another client"
    );
}

#[test]
fn a_session_ends_once_and_is_recorded_with_who_ended_it() {
    let company = Company::new();
    let session = sign_in(&company, ALICE);
    let end = |by: EndedBy| {
        let id = session.id.clone();
        company.write(move |cx, tx| logout::end(cx, tx, &id, &by))
    };
    let admin = Actor::Admin("adm_1".to_owned());
    assert!(end(EndedBy::Administrator(admin.clone())));
    assert!(!end(EndedBy::Person));
    let event = &company.events()[0].event;
    assert_eq!((event.kind.as_str(), &event.actor), ("idp.session.ended", &admin));
    assert_eq!(event.target.as_deref(), Some(session.id.as_str()));
    let id = session.id.clone();
    assert!(company.read(move |tx| tx.find_session(&id)).unwrap().ended_by_admin);
}
