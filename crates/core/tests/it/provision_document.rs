//! People set from a document: as it says, once, and nothing if it is so already.

use std::sync::Arc;

use lanyard_core::admin::change::Change;
use lanyard_core::admin::spec::UserSpec;
use lanyard_core::clock::Clock;
use lanyard_core::directory::put;
use lanyard_core::jobs::run;
use lanyard_testkit::company::{ALICE, Company};

use crate::provision::signed_in;
use crate::ras_world::{denied, granted};

fn spec(username: &str) -> UserSpec {
    UserSpec {
        username: username.to_owned(),
        display_name: None,
        email: None,
        groups: None,
        active: None,
        password: None,
    }
}

fn put_user(company: &Company, spec: UserSpec, hash: Option<&'static str>) -> Change {
    let (vault, issuer, admin) = (
        Arc::clone(&company.vault),
        company.idp.issuer.clone(),
        company.admin.clone(),
    );
    granted(company.write(move |cx, tx| put::put_user(cx, tx, &vault, Some(&issuer), &admin, &spec, hash))).1
}

#[test]
fn a_document_is_applied_once_and_then_changes_nothing() {
    let company = Company::new();
    let wanted = UserSpec {
        groups: Some(vec!["engineering".to_owned(), "contractors".to_owned()]),
        email: Some("erin@northwind.example".to_owned()),
        active: Some(true),
        ..spec("Erin")
    };
    assert_eq!(put_user(&company, wanted.clone(), None), Change::Created);
    let events = company.events().len();
    assert_eq!(put_user(&company, wanted.clone(), None), Change::Unchanged);
    assert_eq!(company.events().len(), events);
    let fewer = UserSpec {
        groups: Some(vec!["contractors".to_owned()]),
        ..wanted
    };
    assert_eq!(put_user(&company, fewer, None), Change::Changed);
    let id = company.user("erin").id;
    assert_eq!(company.read(move |tx| put::group_names(tx, &id)), ["contractors"]);
    assert_eq!(company.events()[0].event.detail["before"]["groups"][1], "engineering");
    // What a document leaves out stays as it is.
    assert_eq!(put_user(&company, spec("erin"), None), Change::Unchanged);
    assert_eq!(company.user("erin").email.as_deref(), Some("erin@northwind.example"));
}

#[test]
fn a_document_deactivates_with_everything_that_belongs_to_it_and_brings_back() {
    let company = Company::new();
    signed_in(&company, ALICE);
    let off = UserSpec {
        active: Some(false),
        ..spec(ALICE)
    };
    assert_eq!(put_user(&company, off.clone(), None), Change::Changed);
    let now = company.clock.now();
    assert_eq!(company.write(move |_, tx| run::claim(tx, now, 10)).len(), 1);
    assert_eq!(put_user(&company, off, None), Change::Unchanged);
    assert_eq!(
        put_user(
            &company,
            UserSpec {
                active: Some(true),
                ..spec(ALICE)
            },
            None
        ),
        Change::Changed
    );
    assert!(company.user(ALICE).is_active());
}

#[test]
fn a_document_sets_a_password_and_ends_old_sessions() {
    let company = Company::new();
    let (session, _) = signed_in(&company, ALICE);
    assert_eq!(put_user(&company, spec(ALICE), Some("$argon2id$new")), Change::Changed);
    assert!(
        company
            .read(move |tx| tx.find_session(&session))
            .unwrap()
            .ended_at
            .is_some()
    );
    assert!(!company.events()[0].text.contains("argon2id"));
}

#[test]
fn a_document_that_names_an_unknown_group_is_refused_by_name() {
    let company = Company::new();
    let (vault, issuer, admin) = (
        Arc::clone(&company.vault),
        company.idp.issuer.clone(),
        company.admin.clone(),
    );
    let wrong = UserSpec {
        groups: Some(vec!["enginering".to_owned()]),
        ..spec(ALICE)
    };
    let end = company.write(move |cx, tx| put::put_user(cx, tx, &vault, Some(&issuer), &admin, &wrong, None));
    assert!(denied(end).to_string().contains("enginering"));
}
