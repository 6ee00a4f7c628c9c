//! From a verified sign-in at an identity provider to a person (AL-01 … AL-08).

use std::time::Duration;

use lanyard_core::admin::grant::{Holder, RoleGrant};
use lanyard_core::admin::link;
use lanyard_core::admin::spec::connection::ConnectionSpec;
use lanyard_core::admin::token::AdminRole;
use lanyard_core::clock::Clock;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::requirement::Requirement;
use lanyard_core::session::strength::Strength;
use lanyard_core::upstream::connection::{LinkBy, Preset};
use lanyard_core::upstream::denial::ResolveDenial;
use lanyard_core::upstream::mapping::Unlisted;
use lanyard_core::upstream::sign_in::{Next, SignInRefused};
use lanyard_testkit::company::{ALICE, Company, DAVE, REDIRECT};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::ras_world::{denied, granted};
use crate::upstream_support::{asserted, company, finish, groups_of, sign_in, spec, taken};

fn refusal(outcome: Outcome<lanyard_core::upstream::sign_in::SignedIn, SignInRefused>) -> ResolveDenial {
    match denied(outcome) {
        SignInRefused::Person(denial) => denial,
        SignInRefused::Request(refusal) => panic!("{refusal:?}"),
    }
}

/// A person of the company without a password, as a provisioning client makes them.
fn add(company: &Company, username: &str) {
    let spec = lanyard_core::admin::spec::UserSpec {
        username: username.to_owned(),
        display_name: None,
        email: None,
        groups: None,
        active: None,
        password: None,
    };
    company.apply(&lanyard_core::admin::spec::Organisation {
        users: vec![spec],
        ..Default::default()
    });
}

fn link(company: &Company, subject: &'static str, person: &'static str) {
    let admin = company.admin.clone();
    let linked = company.write(move |cx, tx| link::link(cx, tx, &admin, "corp", subject, person));
    let _ = granted(linked);
}

#[test]
fn a_first_sign_in_makes_a_person_and_the_next_one_finds_them_by_subject_al_01_al_05() {
    let company = company(|_| {});
    let first = granted(sign_in(
        &company,
        asserted("s-1", json!({"preferred_username": "Erin", "name": "Erin Example"})),
    ));
    assert_eq!(first.session.user.username, "erin");
    let Next::Client(valid, Outcome::Granted(code)) = first.next else {
        panic!("no code")
    };
    assert!(code.location.expose_secret().starts_with(REDIRECT));
    assert_eq!(valid.redirect_uri, REDIRECT);
    let session = first.session.session;
    assert!(session.connection.is_some());
    let created = company
        .events()
        .into_iter()
        .find(|e| e.event.kind == "directory.user.created")
        .unwrap();
    assert_eq!(created.event.detail["connection"], "corp");
    // Another name at the provider, another address: the same person here, under the name they have.
    let again = granted(sign_in(
        &company,
        asserted("s-1", json!({"preferred_username": "alice", "name": "Erin Renamed"})),
    ));
    assert_eq!(
        (again.session.user.id, again.session.user.username.as_str()),
        (first.session.user.id, "erin")
    );
    assert_eq!(again.session.user.display_name, "Erin Renamed");
}

#[test]
fn a_user_name_that_somebody_has_is_refused_and_links_nobody_al_04_al_07() {
    let company = company(|_| {});
    let denial = refusal(sign_in(
        &company,
        asserted(
            "s-1",
            json!({"preferred_username": "ALICE", "email": "alice@northwind.example", "email_verified": true}),
        ),
    ));
    assert_eq!(denial, ResolveDenial::UsernameTaken(ALICE.to_owned()));
    assert_eq!(
        company.last_event(),
        ("idp.sign_in.failed".to_owned(), Some("username_taken".to_owned()))
    );
}

#[test]
fn an_address_never_links_anybody_al_03_al_07() {
    let company = company(|spec| spec.domains = vec!["northwind.example".to_owned()]);
    let new = granted(sign_in(
        &company,
        asserted(
            "s-1",
            json!({"preferred_username": "erin", "email": "alice@northwind.example", "email_verified": true}),
        ),
    ));
    assert_ne!(new.session.user.id, company.user(ALICE).id);
}

#[test]
fn without_just_in_time_nobody_is_made_and_an_administrators_link_lets_in_al_05() {
    let company = company(|spec| spec.just_in_time = false);
    let claims = json!({"preferred_username": "whatever"});
    assert_eq!(
        refusal(sign_in(&company, asserted("s-1", claims.clone()))),
        ResolveDenial::NotLinked
    );
    link(&company, "s-1", ALICE);
    let signed_in = granted(sign_in(&company, asserted("s-1", claims)));
    assert_eq!(signed_in.session.user.username, ALICE);
    // Names of people who were here before are somebody else's to keep.
    assert_eq!(company.user(ALICE).display_name, "Alice Example");
}

#[test]
fn a_link_by_user_name_needs_the_operators_word_and_reaches_no_local_password_al_04() {
    let company = company(|spec| {
        spec.link_by = LinkBy::Username;
        spec.just_in_time = false;
    });
    add(&company, "frank");
    let frank = |subject| asserted(subject, json!({"preferred_username": "frank"}));
    let linked = granted(sign_in(&company, frank("s-1")));
    assert_eq!(linked.session.user.id, company.user("frank").id);
    // The name was given to somebody else at the provider: an administrator decides.
    assert_eq!(
        refusal(sign_in(&company, frank("s-2"))),
        ResolveDenial::LinkedOtherwise("frank".to_owned())
    );
    let alice = asserted("s-3", json!({"preferred_username": ALICE}));
    assert_eq!(
        refusal(sign_in(&company, alice)),
        ResolveDenial::LocalAccount(ALICE.to_owned())
    );
    let unknown = asserted("s-4", json!({"preferred_username": "nobody"}));
    assert_eq!(refusal(sign_in(&company, unknown)), ResolveDenial::NotLinked);
}

#[test]
fn a_provider_makes_administrators_only_where_an_owner_said_so() {
    let give = |company: &Company, holder: &'static str, group: bool, provisioned: bool| {
        company.write(move |cx, tx| {
            let holder = match group {
                true => Holder::Group(tx.find_group_by_name(holder)?.unwrap().id),
                false => Holder::Person(tx.find_user_by_username(holder)?.unwrap().id),
            };
            tx.remove_grant(&holder)?;
            tx.insert_grant(&RoleGrant {
                holder,
                role: AdminRole::Operator,
                provisioned,
                version: 1,
                created_at: cx.now,
                updated_at: cx.now,
            })
        });
    };
    let company = company(|spec| spec.link_by = LinkBy::Username);
    give(&company, "engineering", true, false);
    let erin = || asserted("s-1", json!({"preferred_username": "erin", "groups": ["engineering"]}));
    let _ = granted(sign_in(&company, erin()));
    assert_eq!(groups_of(&company, "erin"), [""; 0]);
    give(&company, "engineering", true, true);
    let _ = granted(sign_in(&company, erin()));
    assert_eq!(groups_of(&company, "erin"), ["engineering"]);
    add(&company, "frank");
    give(&company, "frank", false, false);
    let frank = asserted("s-2", json!({"preferred_username": "frank"}));
    assert_eq!(
        refusal(sign_in(&company, frank)),
        ResolveDenial::AdministratorAccount("frank".to_owned())
    );
}

#[test]
fn a_deactivated_person_is_not_let_in_and_not_made_again_al_06() {
    let company = company(|spec| spec.link_by = LinkBy::Username);
    let dave = || asserted("s-1", json!({"preferred_username": DAVE}));
    assert_eq!(refusal(sign_in(&company, dave())), ResolveDenial::UserDeactivated);
    link(&company, "s-1", DAVE);
    assert_eq!(refusal(sign_in(&company, dave())), ResolveDenial::UserDeactivated);
    assert!(!company.user(DAVE).is_active());
    assert_eq!(
        company.last_event(),
        ("idp.sign_in.failed".to_owned(), Some("user_deactivated".to_owned()))
    );
}

#[test]
fn a_user_name_in_the_domain_of_another_provider_is_refused_al_07() {
    let company = company(|_| {});
    let mut other = spec("partner");
    other.domains = vec!["partner.example".to_owned()];
    let _ = granted(crate::upstream_support::put(&company, &other));
    let denial = refusal(sign_in(
        &company,
        asserted("s-1", json!({"preferred_username": "boss@Partner.Example"})),
    ));
    assert_eq!(
        denial,
        ResolveDenial::UsernameOfOtherDomain("boss@partner.example".to_owned())
    );
}

#[test]
fn a_subject_or_a_user_name_that_cannot_be_used_is_refused() {
    let company = company(|_| {});
    for subject in ["", "a\nb", &"x".repeat(256)] {
        let claims = json!({"preferred_username": "erin"});
        assert_eq!(
            refusal(sign_in(&company, asserted(subject, claims))),
            ResolveDenial::SubjectUnusable
        );
    }
    for name in [json!(null), json!(""), json!("two words"), json!(["x".repeat(200)])] {
        let claims = json!({"preferred_username": name});
        let denial = refusal(sign_in(&company, asserted("s-1", claims)));
        assert_eq!(denial, ResolveDenial::UsernameMissing("preferred_username".to_owned()));
    }
}

#[test]
fn an_address_is_kept_only_where_the_provider_may_speak_for_it_row_17() {
    let email_of = |preset: Preset, domains: &[&str], claims: serde_json::Value| {
        let company = company(|spec| {
            spec.preset = preset;
            spec.domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
            if let (Preset::Entra, Some(oidc)) = (preset, spec.oidc.as_mut()) {
                oidc.issuer = "https://login.microsoftonline.com/7b54a3f1-7e5d-4a0c-9a51-0b4d5a1c2d3e/v2.0".to_owned();
            }
        });
        let mut given = claims.as_object().cloned().unwrap();
        given.insert("preferred_username".to_owned(), json!("erin"));
        granted(sign_in(&company, asserted("s-1", given.into())))
            .session
            .user
            .email
    };
    let own = "erin@acme.example";
    let verified = json!({"email": own, "email_verified": true});
    let said_nothing = json!({"email": own});
    let unverified = json!({"email": own, "email_verified": false});
    let as_text = json!({"email": own, "email_verified": "true"});
    assert_eq!(
        email_of(Preset::Plain, &["acme.example"], verified.clone()).as_deref(),
        Some(own)
    );
    assert_eq!(
        email_of(Preset::Plain, &["acme.example"], said_nothing.clone()).as_deref(),
        Some(own)
    );
    assert_eq!(email_of(Preset::Plain, &["acme.example"], unverified.clone()), None);
    assert_eq!(email_of(Preset::Plain, &["other.example"], verified.clone()), None);
    assert_eq!(email_of(Preset::Plain, &[], verified.clone()).as_deref(), Some(own));
    assert_eq!(email_of(Preset::Plain, &[], as_text).as_deref(), Some(own));
    assert_eq!(email_of(Preset::Plain, &[], said_nothing), None);
    // nOAuth: the address in Entra's token is whatever an administrator of some tenant typed.
    assert_eq!(email_of(Preset::Entra, &[], verified), None);
}

#[test]
fn groups_follow_the_provider_and_nobody_elses_memberships_are_touched() {
    let company = company(|_| {});
    add(&company, "frank");
    link(&company, "s-1", "frank");
    let with = |groups: serde_json::Value| asserted("s-1", json!({"groups": groups}));
    let _ = granted(sign_in(&company, with(json!(["engineering", "unknown-there"]))));
    assert_eq!(groups_of(&company, "frank"), ["engineering"]);
    let synchronised = company
        .events()
        .into_iter()
        .find(|event| event.event.kind == "directory.membership.synchronised")
        .unwrap();
    assert_eq!(synchronised.event.detail["added"], json!(["engineering"]));
    // An administrator adds another; the provider's word about it is silence, not a no.
    let (group, user) = (
        company.read(|tx| tx.find_group_by_name("contractors")).unwrap(),
        company.user("frank"),
    );
    company.write(move |cx, tx| tx.insert_member(&group.id, &user.id, cx.now));
    let _ = granted(sign_in(&company, with(json!([]))));
    assert_eq!(groups_of(&company, "frank"), ["contractors"]);
    // A claim that is missing is no group; one that was left out for its length keeps what was.
    let _ = granted(sign_in(&company, with(json!("engineering"))));
    let mut overage = with(json!(null));
    overage.groups_missing = true;
    assert_eq!(refusal(sign_in(&company, overage)), ResolveDenial::GroupsOverage);
    assert_eq!(groups_of(&company, "frank"), ["contractors", "engineering"]);
}

#[test]
fn a_group_that_an_administrator_took_away_comes_back_with_the_providers_word() {
    let company = company(|_| {});
    let erin = || asserted("s-1", json!({"preferred_username": "erin", "groups": ["engineering"]}));
    let _ = granted(sign_in(&company, erin()));
    let (group, user) = (
        company.read(|tx| tx.find_group_by_name("engineering")).unwrap(),
        company.user("erin"),
    );
    company.write(move |_, tx| tx.remove_member(&group.id, &user.id));
    let _ = granted(sign_in(&company, erin()));
    assert_eq!(groups_of(&company, "erin"), ["engineering"]);
}

#[test]
fn a_role_is_given_only_by_the_table_and_groups_are_made_only_when_told_to() {
    let company = Company::with(|organisation| {
        organisation.groups.push(lanyard_core::admin::spec::GroupSpec {
            name: "approvers".to_owned(),
            kind: lanyard_core::directory::group::GroupKind::Role,
        });
    });
    let sign_in_under = |unlisted: Unlisted, table: &[(&str, &str)]| {
        let mut spec = spec("corp");
        let groups = spec.groups.as_mut().unwrap();
        groups.unlisted = unlisted;
        groups.names = table.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let _ = granted(crate::upstream_support::put(&company, &spec));
        let claims = json!({"preferred_username": "erin", "groups": ["approvers", "new-team", "engineering"]});
        let _ = granted(sign_in(&company, asserted("s-1", claims)));
        groups_of(&company, "erin")
    };
    assert_eq!(sign_in_under(Unlisted::Ignore, &[]), [""; 0]);
    assert_eq!(sign_in_under(Unlisted::Match, &[]), ["engineering"]);
    assert_eq!(sign_in_under(Unlisted::Create, &[]), ["engineering", "new-team"]);
    assert_eq!(
        sign_in_under(Unlisted::Ignore, &[("new-team", "approvers")]),
        ["approvers"]
    );
}

#[test]
fn the_session_says_how_and_when_the_provider_signed_the_person_in_idp_mn_05() {
    let company = company(|_| {});
    let now = company.clock.now();
    let mut erin = asserted("s-1", json!({"preferred_username": "erin"}));
    erin.auth_time = Some(now.seconds() - 90);
    erin.acr = Some("phr".to_owned());
    erin.amr = vec!["hwk".to_owned(), "mfa".to_owned()];
    erin.session = Some("up-7".to_owned());
    erin.ends_by = Some(now.plus(Duration::from_secs(600)));
    let session = granted(sign_in(&company, erin.clone())).session.session;
    let how = &session.authentication;
    assert_eq!((how.auth_time.seconds(), how.acr.as_str()), (now.seconds() - 90, "phr"));
    assert_eq!((how.amr.len(), how.strength), (2, Strength::PhishingResistant));
    assert_eq!(session.upstream_session.as_deref(), Some("up-7"));
    assert_eq!(session.expires_at, now.plus(Duration::from_secs(600)));
    // A clock that is ahead makes no sign-in in the future, and what is not said is one factor.
    let mut ahead = asserted("s-1", json!({}));
    ahead.auth_time = Some(now.seconds() + 20);
    let session = granted(sign_in(&company, ahead.clone())).session.session;
    assert_eq!(
        (session.authentication.auth_time, session.authentication.strength),
        (now, Strength::Password)
    );
    assert_eq!(session.authentication.acr, Strength::Password.acr());
    ahead.auth_time = Some(now.seconds() + 3600);
    assert_eq!(refusal(sign_in(&company, ahead)), ResolveDenial::AuthTimeAhead);
}

#[test]
fn a_sign_in_whose_time_is_not_told_satisfies_no_age_su_04() {
    let company = company(|_| {});
    let erin = asserted("s-1", json!({"preferred_username": "erin"}));
    let how = granted(sign_in(&company, erin)).session.session.authentication;
    assert_eq!(how.known_time(), None);
    let ever = Requirement {
        strength: None,
        max_age: Some(10 * 365 * 86_400),
    };
    assert!(!ever.is_met(how.evidence(company.clock.now())));
}

#[test]
fn a_new_sign_in_that_was_asked_for_must_have_happened() {
    let company = company(|_| {});
    let asked = company.clock.now().seconds();
    let with = |auth_time| {
        let mut erin = asserted("s-1", json!({"preferred_username": "erin"}));
        erin.auth_time = auth_time;
        erin
    };
    for stale in [None, Some(asked - 32), Some(asked - 3600)] {
        let denial = refusal(finish(&company, taken(&company, "corp", Some(0)), with(stale)));
        assert_eq!(denial, ResolveDenial::NotFresh, "{stale:?}");
    }
    let begun = taken(&company, "corp", Some(0));
    let end = granted(finish(&company, begun, with(Some(asked - 20))));
    assert!(
        end.session.session.authentication.auth_time.seconds() >= asked,
        "the clocks differ a little"
    );
    let aged = finish(&company, taken(&company, "corp", Some(600)), with(Some(asked - 500)));
    assert_eq!(
        granted(aged).session.session.authentication.auth_time.seconds(),
        asked - 500
    );
    let denial = refusal(finish(
        &company,
        taken(&company, "corp", Some(600)),
        with(Some(asked - 700)),
    ));
    assert_eq!(denial, ResolveDenial::NotFresh);
}

#[test]
fn a_connection_that_changed_or_was_switched_off_meanwhile_lets_nobody_in() {
    let changes: [fn(&mut ConnectionSpec); 2] = [|spec| spec.enabled = false, |spec| spec.just_in_time = false];
    for change in changes {
        let company = company(|_| {});
        let begun = taken(&company, "corp", None);
        let mut changed = spec("corp");
        change(&mut changed);
        let _ = granted(crate::upstream_support::put(&company, &changed));
        let erin = asserted("s-1", json!({"preferred_username": "erin"}));
        assert_eq!(refusal(finish(&company, begun, erin)), ResolveDenial::ConnectionChanged);
    }
}
