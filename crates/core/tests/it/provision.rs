//! People and groups: making, changing, cutting off, bringing back (RV-03, SC-14, P7).

use std::sync::Arc;
use std::time::Duration;

use lanyard_core::admin::change::Change;
use lanyard_core::admin::spec::GroupSpec;
use lanyard_core::admin::token::{Admin, AdminRole};
use lanyard_core::client::registration::{KeyHolder, RegisteredKey, Side, SubjectMode};
use lanyard_core::clock::{Clock, Timestamp};
use lanyard_core::directory::group::GroupKind;
use lanyard_core::directory::provision::{self, Deactivated, NewUser, UserChange};
use lanyard_core::directory::user::UserStatus;
use lanyard_core::directory::{membership, put};
use lanyard_core::id::{Id, SessionId, UserId};
use lanyard_core::jobs::outbox::{Queue, Task};
use lanyard_core::jobs::{run, schedule};
use lanyard_core::session::record::{Authentication, Session};
use lanyard_core::session::refresh::RefreshFamily;
use lanyard_core::session::strength::Strength;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::scope::ScopeSet;
use lanyard_testkit::company::{ALICE, CAROL, CLI, Company, DAVE, IDE};

use crate::ras_world::{denied, granted};

fn new_user(username: &str) -> NewUser {
    NewUser {
        username: username.to_owned(),
        email: None,
        display_name: String::new(),
    }
}

fn auditor(company: &Company) -> Admin {
    Admin {
        role: AdminRole::Auditor,
        ..company.admin.clone()
    }
}

fn deactivate(company: &Company, username: &'static str) -> Deactivated {
    let (vault, issuer, admin) = (
        Arc::clone(&company.vault),
        company.idp.issuer.clone(),
        company.admin.clone(),
    );
    let id = company.user(username).id;
    granted(company.write(move |cx, tx| provision::deactivate(cx, tx, &vault, &issuer, &admin, &id)))
}

pub(crate) fn signed_in(company: &Company, username: &'static str) -> (SessionId, lanyard_core::id::FamilyId) {
    let (user, client) = (company.user(username).id, company.client(Side::Idp, IDE).key);
    company.write(move |cx, tx| {
        let authentication = Authentication {
            auth_time: cx.now,
            acr: "urn:lanyard:acr:pwd".to_owned(),
            amr: vec!["pwd".to_owned()],
            strength: Strength::Password,
        };
        let session = Session {
            id: cx.new_id(),
            user: user.clone(),
            secret_hash: [9; 32],
            authentication: authentication.clone(),
            connection: None,
            upstream_session: None,
            agent: None,
            peer: None,
            created_at: cx.now,
            last_used_at: cx.now,
            expires_at: cx.now.plus(Duration::from_secs(3600)),
            ended_at: None,
            ended_by_admin: false,
        };
        tx.insert_session(&session)?;
        let family = RefreshFamily {
            id: cx.new_id(),
            client,
            bound_kid: None,
            user,
            session: session.id.clone(),
            offline: true,
            scope: ScopeSet::empty(),
            authentication,
            created_at: cx.now,
            expires_at: cx.now.plus(Duration::from_secs(3600)),
            ended_at: None,
        };
        tx.insert_family(&family)?;
        Ok((session.id, family.id))
    })
}

#[test]
fn a_person_is_made_with_a_name_in_lower_case_once() {
    let company = Company::new();
    let make = |name: &str| {
        let (admin, new) = (company.admin.clone(), new_user(name));
        company.write(move |cx, tx| provision::create(cx, tx, &admin, &new, None))
    };
    let user = granted(make("Erin.Example"));
    assert_eq!(
        (user.username.as_str(), user.display_name.as_str()),
        ("erin.example", "erin.example")
    );
    assert_eq!(company.last_event().0, "directory.user.created");
    assert_eq!(denied(make("ERIN.EXAMPLE")).code(), "taken");
    assert_eq!(
        company.last_event(),
        ("directory.user.creation_refused".to_owned(), Some("taken".to_owned()))
    );
    for bad in ["", "two words", "tab\tname", &"x".repeat(129)] {
        assert_eq!(denied(make(bad)).code(), "invalid", "{bad:?}");
    }
}

#[test]
fn a_change_is_recorded_with_before_and_after_and_no_change_is_none() {
    let company = Company::new();
    let id = company.user(ALICE).id;
    let change = |change: UserChange| {
        let (admin, id) = (company.admin.clone(), id.clone());
        company.write(move |cx, tx| provision::change(cx, tx, &admin, &id, &change))
    };
    let email = |text: &str| UserChange {
        email: Some(Some(text.to_owned())),
        ..UserChange::default()
    };
    granted(change(email("new@northwind.example")));
    let event = company.events().remove(0).event;
    assert_eq!(event.detail["before"]["email"], "alice@northwind.example");
    assert_eq!(event.detail["after"]["email"], "new@northwind.example");
    let events = company.events().len();
    granted(change(email("new@northwind.example")));
    assert_eq!(company.events().len(), events);
    for bad in ["@", "a@", "@b", "no address", "a b@c"] {
        assert_eq!(denied(change(email(bad))).code(), "invalid", "{bad}");
    }
    let taken = UserChange {
        username: Some(CAROL.to_owned()),
        ..UserChange::default()
    };
    assert_eq!(denied(change(taken)).code(), "taken");
}

#[test]
fn an_auditor_changes_nobody_and_the_attempt_is_recorded() {
    let company = Company::new();
    let (admin, id) = (auditor(&company), company.user(ALICE).id);
    let (vault, issuer) = (Arc::clone(&company.vault), company.idp.issuer.clone());
    let end = company.write(move |cx, tx| provision::deactivate(cx, tx, &vault, &issuer, &admin, &id));
    assert_eq!(denied(end).code(), "not_permitted");
    let refused = (
        "directory.user.deactivation_refused".to_owned(),
        Some("not_permitted".to_owned()),
    );
    assert_eq!(company.last_event(), refused);
    assert!(company.user(ALICE).is_active());
}

#[test]
fn a_leaver_loses_sessions_refresh_tokens_and_keys_in_one_commit_rv_03_p7() {
    let company = Company::new();
    let (session, family) = signed_in(&company, ALICE);
    let (user, client) = (company.user(ALICE).id, company.client(Side::Idp, CLI).key);
    let jwk = SigningKey::generate(Algorithm::Es256).unwrap().public_jwk();
    let holder = user.clone();
    company.write(move |cx, tx| {
        tx.insert_client_key(&RegisteredKey {
            kid: "k1".to_owned(),
            client,
            jwk,
            holder: Some(KeyHolder::User(holder)),
            label: "laptop".to_owned(),
            created_at: cx.now,
            expires_at: None,
        })
    });
    let done = deactivate(&company, ALICE);
    assert_eq!((done.sessions, done.families, done.keys, done.jobs.len()), (1, 1, 1, 1));
    let now = company.user(ALICE);
    assert_eq!(
        (now.status, now.not_before),
        (UserStatus::Deactivated, Some(company.clock.now()))
    );
    assert!(
        company
            .read(move |tx| tx.find_session(&session))
            .unwrap()
            .ended_at
            .is_some()
    );
    assert!(
        company
            .read(move |tx| tx.find_family(&family))
            .unwrap()
            .ended_at
            .is_some()
    );
    assert!(company.read(move |tx| tx.list_keys_held_by_user(&user)).is_empty());
    let event = company.events().remove(0).event;
    assert_eq!(event.kind, "directory.user.deactivated");
    assert_eq!(
        (&event.detail["before"]["status"], &event.detail["after"]["status"]),
        (&"active".into(), &"deactivated".into())
    );
}

#[test]
fn the_cut_off_names_the_subject_that_the_ras_knows_idp_mn_03() {
    for (mode, pairwise) in [(SubjectMode::Public, false), (SubjectMode::Pairwise, true)] {
        let company = Company::with(|organisation| organisation.audiences[0].subject = mode);
        let user = company.user(ALICE);
        let done = deactivate(&company, ALICE);
        let Task::RevokeSubject {
            issuer,
            subject,
            not_after,
        } = &done.jobs[0].task
        else {
            panic!("{:?}", done.jobs[0].task)
        };
        let public = Subject::parse(user.id.as_str()).unwrap();
        assert_eq!((issuer, *subject == public), (&company.idp.issuer, !pairwise));
        let ras = company.ras.issuer.clone();
        let audience = company.read(move |tx| tx.find_audience(&ras)).unwrap();
        assert_eq!(*subject, company.vault.subject_for_audience(&audience, &user.id));
        assert_eq!(Timestamp::from_micros(*not_after), company.clock.now());
    }
}

#[test]
fn the_job_is_there_with_the_commit_and_is_done_once_p7() {
    let company = Company::new();
    let done = deactivate(&company, ALICE);
    let now = company.clock.now();
    let claimed = company.write(move |_, tx| run::claim(tx, now, 10));
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].task, done.jobs[0].task);
    assert!(
        company.write(move |_, tx| run::claim(tx, now, 10)).is_empty(),
        "another worker leaves it alone"
    );
    let (ras, job) = (company.ras.clone(), claimed[0].clone());
    let performed = company.write(move |cx, tx| run::perform(cx, tx, &ras, &job));
    assert_eq!(performed.sequence, company.read(|tx| tx.revocation_head()));
    assert_eq!(company.last_event().0, "ras.subject.cut_off");
    company.clock.advance(Duration::from_secs(3600));
    let later = company.clock.now();
    assert!(company.write(move |_, tx| run::claim(tx, later, 10)).is_empty());
}

#[test]
fn a_failed_job_is_tried_again_and_seen_when_it_keeps_failing() {
    let company = Company::new();
    deactivate(&company, ALICE);
    for attempt in 0..6 {
        let now = company.clock.now();
        let mut claimed = company.write(move |_, tx| run::claim(tx, now, 10));
        assert_eq!(claimed.len(), 1, "attempt {attempt}");
        let job = claimed.remove(0);
        assert_eq!(job.attempts, attempt);
        company.write(move |cx, tx| run::retry(cx, tx, &job));
        assert!(
            company.write(move |_, tx| run::claim(tx, now, 10)).is_empty(),
            "not at once"
        );
        assert_eq!(company.last_event().0 == "jobs.job.failed", attempt >= 4);
        company.clock.advance(Duration::from_secs(300));
    }
}

#[test]
fn a_worker_that_dies_leaves_the_job_to_the_next() {
    let company = Company::new();
    deactivate(&company, ALICE);
    let now = company.clock.now();
    company.write(move |_, tx| run::claim(tx, now, 10));
    company.clock.advance(run::LEASE);
    company.clock.advance(Duration::from_secs(1));
    let later = company.clock.now();
    assert_eq!(company.write(move |_, tx| run::claim(tx, later, 10)).len(), 1);
}

#[test]
fn whoever_comes_back_begins_anew_sc_14() {
    let company = Company::new();
    let (session, family) = signed_in(&company, ALICE);
    deactivate(&company, ALICE);
    let cut = company.user(ALICE).not_before;
    company.clock.advance(Duration::from_secs(60));
    let (admin, id) = (company.admin.clone(), company.user(ALICE).id);
    let user = granted(company.write(move |cx, tx| provision::reactivate(cx, tx, &admin, &id)));
    assert!(user.is_active());
    assert_eq!(company.user(ALICE).not_before, cut, "what is from before stays dead");
    assert!(
        company
            .read(move |tx| tx.find_session(&session))
            .unwrap()
            .ended_at
            .is_some()
    );
    assert!(
        company
            .read(move |tx| tx.find_family(&family))
            .unwrap()
            .ended_at
            .is_some()
    );
    assert_eq!(company.last_event().0, "directory.user.reactivated");
}

#[test]
fn deactivating_twice_cuts_twice_and_harms_nothing() {
    let company = Company::new();
    deactivate(&company, DAVE);
    let again = deactivate(&company, DAVE);
    assert_eq!((again.user.status, again.jobs.len()), (UserStatus::Deactivated, 1));
}

#[test]
fn ending_access_leaves_the_person_active() {
    let company = Company::new();
    signed_in(&company, ALICE);
    let (vault, issuer, admin) = (
        Arc::clone(&company.vault),
        company.idp.issuer.clone(),
        company.admin.clone(),
    );
    let id = company.user(ALICE).id;
    let done = granted(company.write(move |cx, tx| provision::end_access(cx, tx, &vault, &issuer, &admin, &id)));
    assert_eq!((done.sessions, done.families, done.jobs.len()), (1, 1, 1));
    assert!(company.user(ALICE).is_active() && company.user(ALICE).not_before.is_some());
}

#[test]
fn a_new_password_ends_what_was_signed_in_with_the_old_one() {
    let company = Company::new();
    let (session, family) = signed_in(&company, ALICE);
    let (admin, id) = (company.admin.clone(), company.user(ALICE).id);
    let (vault, issuer) = (Arc::clone(&company.vault), company.idp.issuer.clone());
    let person = id.clone();
    granted(company.write(move |cx, tx| {
        let ends = Some((&*vault, &issuer));
        provision::reset_password(cx, tx, ends, &admin, &id, "$argon2id$new".to_owned())
    }));
    let user = company.user(ALICE);
    assert_eq!((user.is_active(), user.not_before), (true, Some(company.clock.now())));
    let jobs = company.write(|cx, tx| tx.claim_jobs(Queue::CutOff, cx.now, cx.now.plus(Duration::from_secs(1)), 9));
    assert_eq!(jobs.len(), 1, "access tokens end by a job");
    assert_eq!(
        company
            .read(move |tx| tx.find_credential(&person))
            .unwrap()
            .password_hash,
        "$argon2id$new"
    );
    assert!(
        company
            .read(move |tx| tx.find_session(&session))
            .unwrap()
            .ended_at
            .is_some()
    );
    assert!(
        company
            .read(move |tx| tx.find_family(&family))
            .unwrap()
            .ended_at
            .is_some()
    );
    let text = &company.events()[0].text;
    assert!(!text.contains("argon2id"), "a hash is nobody's to read: {text}");
}

#[test]
fn an_unknown_person_is_not_found() {
    let company = Company::new();
    let admin = company.admin.clone();
    let id = UserId::from_stored("usr_nobody".to_owned());
    let end = company.write(move |cx, tx| provision::reactivate(cx, tx, &admin, &id));
    assert_eq!(denied(end).code(), "not_found");
}

#[test]
fn groups_are_made_renamed_joined_left_and_not_removed_under_a_rule() {
    let company = Company::new();
    let admin = company.admin.clone();
    let group =
        granted(company.write(move |cx, tx| membership::create_group(cx, tx, &admin, "approvers", GroupKind::Role)));
    let (user, id) = (company.user(ALICE).id, group.id);
    let act = |add: bool| {
        let (admin, id, user) = (company.admin.clone(), id.clone(), user.clone());
        granted(company.write(move |cx, tx| match add {
            true => membership::add_member(cx, tx, &admin, &id, &user),
            false => membership::remove_member(cx, tx, &admin, &id, &user),
        }))
    };
    assert!(act(true) && !act(true));
    assert_eq!(company.last_event().0, "directory.membership.added");
    assert!(act(false) && !act(false));
    let (admin, same) = (company.admin.clone(), id.clone());
    granted(company.write(move |cx, tx| membership::rename_group(cx, tx, &admin, &same, "reviewers")));
    let (admin, same) = (company.admin.clone(), id.clone());
    granted(company.write(move |cx, tx| membership::remove_group(cx, tx, &admin, &same)));
    let admin = company.admin.clone();
    let end = company.write(move |cx, tx| {
        let ruled = tx.find_group_by_name("engineering")?.unwrap();
        membership::remove_group(cx, tx, &admin, &ruled.id)
    });
    assert!(denied(end).to_string().contains("Engineering uses every connector"));
    let admin = company.admin.clone();
    let spec = GroupSpec {
        name: "engineering".to_owned(),
        kind: GroupKind::Group,
    };
    let (_, change) = granted(company.write(move |cx, tx| put::put_group(cx, tx, &admin, &spec)));
    assert_eq!(change, Change::Unchanged);
}

#[test]
fn what_has_expired_is_removed_in_batches_and_not_before() {
    let company = Company::new();
    company.write(|cx, tx| {
        for n in 0..5 {
            let kind = lanyard_core::store::replay::ReplayKind::IdJag;
            tx.record_use("t", kind, "i", &format!("j{n}"), cx.now.plus(Duration::from_secs(60)))?;
        }
        Ok(())
    });
    let purge = |limit: u32| {
        let now = company.clock.now();
        company.write(move |_, tx| schedule::purge(tx, now, limit))
    };
    assert_eq!(purge(100), 0);
    company.clock.advance(Duration::from_secs(61));
    assert_eq!((purge(3), purge(3), purge(3)), (3, 2, 0));
}
