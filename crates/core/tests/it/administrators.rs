//! Who administers: roles, the last owner, and that nobody raises anybody (MT-08: administrators are one party).

use std::sync::Arc;
use std::time::Duration;

use lanyard_core::admin::administrators;
use lanyard_core::admin::change::Change;
use lanyard_core::admin::client;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::owner::{self, ClaimDenial, FirstOwner};
use lanyard_core::admin::permission::{Permission, allows};
use lanyard_core::admin::spec::{AdministratorSpec, UserSpec};
use lanyard_core::admin::standing;
use lanyard_core::admin::token::{Admin, AdminRole, Administrator};
use lanyard_core::admin::tokens;
use lanyard_core::client::registration::Side;
use lanyard_core::directory::group::Group;
use lanyard_core::directory::provision::{self, NewUser};
use lanyard_core::directory::{membership, put};
use lanyard_core::id::DirectoryId;
use lanyard_core::outcome::Outcome;
use lanyard_testkit::company::{ALICE, CAROL, CLI, Company, DAVE};

use crate::ras_world::{denied, granted};

fn acting(company: &Company, username: &'static str, role: AdminRole) -> Admin {
    Admin {
        who: Administrator::Person(company.user(username).id),
        role,
    }
}

fn directory() -> Admin {
    Admin {
        who: Administrator::Directory(DirectoryId::parse("dir_hr").unwrap()),
        role: AdminRole::Provisioner,
    }
}

fn person(username: &str, role: AdminRole) -> AdministratorSpec {
    AdministratorSpec {
        person: Some(username.to_owned()),
        group: None,
        role,
        provisioned: false,
    }
}

fn group(name: &str, role: AdminRole, provisioned: bool) -> AdministratorSpec {
    AdministratorSpec {
        person: None,
        group: Some(name.to_owned()),
        role,
        provisioned,
    }
}

fn give(company: &Company, admin: &Admin, spec: AdministratorSpec) -> Outcome<Change, AdminDenial> {
    let admin = admin.clone();
    company.write(move |cx, tx| {
        Ok(match administrators::put(cx, tx, &admin, &spec)? {
            Outcome::Granted((_, change)) => Outcome::Granted(change),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
}

fn take(company: &Company, person: Option<&'static str>, group: Option<&'static str>) -> Outcome<(), AdminDenial> {
    let admin = company.admin.clone();
    company.write(move |cx, tx| administrators::remove(cx, tx, &admin, person, group))
}

fn role(company: &Company, username: &'static str) -> Option<AdminRole> {
    let user = company.user(username).id;
    company.read(move |tx| standing::role_of(tx, &user))
}

fn group_named(company: &Company, name: &'static str) -> Group {
    company.read(move |tx| tx.find_group_by_name(name)).unwrap()
}

fn member(
    company: &Company,
    admin: &Admin,
    name: &'static str,
    username: &'static str,
    join: bool,
) -> Outcome<bool, AdminDenial> {
    let (group, user, admin) = (group_named(company, name).id, company.user(username).id, admin.clone());
    company.write(move |cx, tx| match join {
        true => membership::add_member(cx, tx, &admin, &group, &user),
        false => membership::remove_member(cx, tx, &admin, &group, &user),
    })
}

fn deactivate(company: &Company, admin: &Admin, username: &'static str) -> Outcome<(), AdminDenial> {
    let (vault, issuer) = (Arc::clone(&company.vault), company.idp.issuer.clone());
    let (admin, id) = (admin.clone(), company.user(username).id);
    company.write(move |cx, tx| {
        Ok(match provision::deactivate(cx, tx, &vault, &issuer, &admin, &id)? {
            Outcome::Granted(_) => Outcome::Granted(()),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
}

#[test]
fn each_role_of_people_may_do_what_the_one_before_may() {
    for pair in AdminRole::OF_PEOPLE.windows(2) {
        for permission in Permission::ALL {
            assert!(
                !allows(pair[0], permission) || allows(pair[1], permission),
                "{} may {} and {} may not",
                pair[0].as_str(),
                permission.as_str(),
                pair[1].as_str()
            );
        }
        assert!(pair[0].reach() < pair[1].reach());
    }
}

#[test]
fn a_role_is_given_changed_and_taken_back_with_before_and_after() {
    let company = Company::new();
    let owner = company.admin.clone();
    assert_eq!(
        granted(give(&company, &owner, person(ALICE, AdminRole::Operator))),
        Change::Created
    );
    assert_eq!(role(&company, ALICE), Some(AdminRole::Operator));
    let event = company.events().remove(0).event;
    assert_eq!(
        (event.kind.as_str(), event.target.as_deref()),
        ("admin.grant.created", Some(ALICE))
    );
    assert_eq!(event.detail["after"]["role"], "operator");

    let events = company.events().len();
    assert_eq!(
        granted(give(&company, &owner, person(ALICE, AdminRole::Operator))),
        Change::Unchanged
    );
    assert_eq!(company.events().len(), events);

    assert_eq!(
        granted(give(&company, &owner, person(ALICE, AdminRole::Auditor))),
        Change::Changed
    );
    let event = company.events().remove(0).event;
    assert_eq!(
        (&event.detail["before"]["role"], &event.detail["after"]["role"]),
        (&"operator".into(), &"auditor".into())
    );

    granted(take(&company, Some(ALICE), None));
    assert_eq!(role(&company, ALICE), None);
    assert_eq!(company.events().remove(0).event.detail["before"]["role"], "auditor");
    assert_eq!(denied(take(&company, Some(ALICE), None)).code(), "not_found");
}

#[test]
fn a_person_acts_with_the_furthest_of_their_roles() {
    let company = Company::new();
    let owner = company.admin.clone();
    granted(give(&company, &owner, person(ALICE, AdminRole::Auditor)));
    granted(give(&company, &owner, group("engineering", AdminRole::Operator, false)));
    assert_eq!(role(&company, ALICE), Some(AdminRole::Operator));
    assert_eq!(role(&company, CAROL), None);
    granted(take(&company, None, Some("engineering")));
    assert_eq!(role(&company, ALICE), Some(AdminRole::Auditor));
}

#[test]
fn only_an_owner_gives_or_takes_a_role() {
    let company = Company::new();
    granted(give(&company, &company.admin, person(CAROL, AdminRole::Auditor)));
    for acts_as in [
        AdminRole::Operator,
        AdminRole::Approver,
        AdminRole::Auditor,
        AdminRole::Gateway,
    ] {
        let admin = acting(&company, ALICE, acts_as);
        assert_eq!(
            denied(give(&company, &admin, person(ALICE, AdminRole::Owner))).code(),
            "not_permitted"
        );
        let end = company.write(move |cx, tx| administrators::remove(cx, tx, &admin, Some(CAROL), None));
        assert_eq!(denied(end).code(), "not_permitted");
    }
    assert_eq!(role(&company, CAROL), Some(AdminRole::Auditor));
}

#[test]
fn roles_of_programs_are_not_given_to_people_and_a_grant_names_one_holder() {
    let company = Company::new();
    for bad in [
        person(ALICE, AdminRole::Gateway),
        person(ALICE, AdminRole::Provisioner),
        AdministratorSpec {
            provisioned: true,
            ..person(ALICE, AdminRole::Auditor)
        },
        AdministratorSpec {
            group: Some("engineering".to_owned()),
            ..person(ALICE, AdminRole::Auditor)
        },
        AdministratorSpec {
            person: None,
            ..person(ALICE, AdminRole::Auditor)
        },
    ] {
        assert_eq!(denied(give(&company, &company.admin, bad)).code(), "invalid");
    }
    assert_eq!(
        denied(give(&company, &company.admin, person("nobody", AdminRole::Auditor))).code(),
        "not_found"
    );
    assert_eq!(
        denied(give(
            &company,
            &company.admin,
            group("nothing", AdminRole::Auditor, false)
        ))
        .code(),
        "not_found"
    );
}

#[test]
fn the_last_owner_stays_whichever_way_they_would_go() {
    let company = Company::new();
    let owner = company.admin.clone();
    granted(give(&company, &owner, person(ALICE, AdminRole::Owner)));
    assert_eq!(denied(take(&company, Some(ALICE), None)), AdminDenial::LastOwner);
    assert_eq!(
        denied(give(&company, &owner, person(ALICE, AdminRole::Operator))),
        AdminDenial::LastOwner
    );
    assert_eq!(denied(deactivate(&company, &owner, ALICE)), AdminDenial::LastOwner);
    assert!(company.user(ALICE).is_active());

    // A second owner by a group; then the group is the last one, and its last member too.
    granted(give(&company, &owner, group("contractors", AdminRole::Owner, false)));
    granted(take(&company, Some(ALICE), None));
    assert_eq!(
        denied(take(&company, None, Some("contractors"))),
        AdminDenial::LastOwner
    );
    assert_eq!(
        denied(member(&company, &owner, "contractors", CAROL, false)),
        AdminDenial::LastOwner
    );
    assert_eq!(denied(deactivate(&company, &owner, CAROL)), AdminDenial::LastOwner);
    let (admin, vault) = (owner.clone(), Arc::clone(&company.vault));
    let leaves = UserSpec {
        username: CAROL.to_owned(),
        display_name: None,
        email: None,
        groups: Some(Vec::new()),
        active: None,
        password: None,
    };
    let end = company.write(move |cx, tx| put::put_user(cx, tx, &vault, None, &admin, &leaves, None));
    assert_eq!(denied(end), AdminDenial::LastOwner);
    let (admin, id) = (owner.clone(), group_named(&company, "contractors").id);
    let end = company.write(move |cx, tx| membership::remove_group(cx, tx, &admin, &id));
    assert_eq!(denied(end).code(), "invalid");

    granted(give(&company, &owner, person(ALICE, AdminRole::Owner)));
    granted(deactivate(&company, &owner, CAROL));
}

#[test]
fn an_owner_token_without_an_end_is_an_owner_too() {
    let company = Company::new();
    let (admin, later) = (company.admin.clone(), company.cx().now.plus(Duration::from_secs(3600)));
    let make = |name: &'static str, end| {
        let admin = admin.clone();
        granted(company.write(move |cx, tx| tokens::create(cx, tx, &admin, (name, AdminRole::Owner, end)))).0
    };
    let revoke = |id: &lanyard_core::id::AdminTokenId| {
        let (admin, id) = (admin.clone(), id.clone());
        company.write(move |cx, tx| tokens::revoke(cx, tx, &admin, &id))
    };
    let (safe, short) = (make("in the safe", None), make("for an hour", Some(later)));
    assert_eq!(
        denied(revoke(&safe.id)),
        AdminDenial::LastOwner,
        "a token with an end is no lasting owner"
    );
    granted(give(&company, &admin, person(ALICE, AdminRole::Owner)));
    granted(take(&company, Some(ALICE), None));
    granted(give(&company, &admin, person(ALICE, AdminRole::Owner)));
    granted(revoke(&short.id));
    granted(revoke(&safe.id));
    assert_eq!(company.events().remove(0).event.detail["before"]["name"], "in the safe");
    assert_eq!(denied(take(&company, Some(ALICE), None)), AdminDenial::LastOwner);
    let made = company.write(move |cx, tx| tokens::create(cx, tx, &admin, ("scim", AdminRole::Provisioner, None)));
    assert_eq!(denied(made).code(), "invalid");
}

#[test]
fn an_operator_raises_nobody_through_a_group() {
    let company = Company::new();
    granted(give(
        &company,
        &company.admin,
        group("engineering", AdminRole::Auditor, false),
    ));
    let operator = acting(&company, CAROL, AdminRole::Operator);
    assert_eq!(
        denied(member(&company, &operator, "engineering", CAROL, true)).code(),
        "out_of_reach"
    );
    assert_eq!(
        denied(member(&company, &operator, "engineering", ALICE, false)).code(),
        "out_of_reach"
    );
    assert_eq!(
        company.last_event(),
        (
            "directory.membership.change_refused".into(),
            Some("out_of_reach".into())
        )
    );
    let (admin, vault) = (operator.clone(), Arc::clone(&company.vault));
    let joins = UserSpec {
        username: "erin".to_owned(),
        display_name: None,
        email: None,
        groups: Some(vec!["engineering".to_owned()]),
        active: None,
        password: None,
    };
    let end = company.write(move |cx, tx| put::put_user(cx, tx, &vault, None, &admin, &joins, None));
    assert_eq!(denied(end).code(), "out_of_reach");
    assert!(company.read(|tx| tx.find_user_by_username("erin")).is_none());
    // Other groups are theirs to fill, and owners fill all.
    assert!(granted(member(&company, &operator, "contractors", ALICE, true)));
    assert!(granted(member(&company, &company.admin, "engineering", CAROL, true)));
}

#[test]
fn a_directory_fills_a_group_with_a_role_only_where_an_owner_allowed_it() {
    let company = Company::new();
    granted(give(
        &company,
        &company.admin,
        group("engineering", AdminRole::Owner, false),
    ));
    assert_eq!(
        denied(member(&company, &directory(), "engineering", CAROL, true)).code(),
        "out_of_reach"
    );
    let engineering = group_named(&company, "engineering").id;
    let open = |company: &Company| {
        let id = engineering.clone();
        company.read(move |tx| standing::is_open_to_provisioning(tx, &id))
    };
    assert!(!open(&company));
    granted(give(
        &company,
        &company.admin,
        group("engineering", AdminRole::Owner, true),
    ));
    assert!(open(&company));
    assert!(granted(member(&company, &directory(), "engineering", CAROL, true)));
    // Who left has left, whatever they were: a directory is never told that somebody is the last.
    assert!(granted(member(&company, &directory(), "engineering", CAROL, false)));
    assert!(granted(member(&company, &directory(), "engineering", ALICE, false)));
}

#[test]
fn a_directory_cuts_an_owner_off_and_never_sets_their_password() {
    let company = Company::new();
    granted(give(&company, &company.admin, person(ALICE, AdminRole::Owner)));
    let id = company.user(ALICE).id;
    let reset =
        company.write(move |cx, tx| provision::reset_password(cx, tx, None, &directory(), &id, "$argon2id$x".into()));
    assert_eq!(denied(reset).code(), "out_of_reach");
    granted(deactivate(&company, &directory(), ALICE));
    assert!(!company.user(ALICE).is_active());
    let id = company.user(ALICE).id;
    granted(company.write(move |cx, tx| provision::reactivate(cx, tx, &directory(), &id)));
}

#[test]
fn nobody_becomes_somebody_of_a_further_role_by_their_password() {
    let company = Company::new();
    granted(give(&company, &company.admin, person(ALICE, AdminRole::Owner)));
    granted(give(&company, &company.admin, person(CAROL, AdminRole::Operator)));
    let operator = acting(&company, CAROL, AdminRole::Operator);
    let (admin, id) = (operator.clone(), company.user(ALICE).id);
    let end = company.write(move |cx, tx| provision::reset_password(cx, tx, None, &admin, &id, "$argon2id$x".into()));
    assert_eq!(denied(end).code(), "out_of_reach");
    let (admin, vault) = (operator.clone(), Arc::clone(&company.vault));
    let spec = UserSpec {
        username: ALICE.to_owned(),
        display_name: None,
        email: None,
        groups: None,
        active: None,
        password: None,
    };
    let end = company.write(move |cx, tx| put::put_user(cx, tx, &vault, None, &admin, &spec, Some("$argon2id$x")));
    assert_eq!(denied(end).code(), "out_of_reach");
    assert_eq!(denied(deactivate(&company, &operator, ALICE)).code(), "out_of_reach");
    // An equal and everybody without a role are within reach.
    for username in [CAROL, DAVE] {
        let (admin, id) = (operator.clone(), company.user(username).id);
        granted(
            company.write(move |cx, tx| provision::reset_password(cx, tx, None, &admin, &id, "$argon2id$x".into())),
        );
    }
    // Nor is an owner who was cut off let in again by somebody else.
    granted(give(&company, &company.admin, person(DAVE, AdminRole::Owner)));
    let (admin, id) = (operator, company.user(DAVE).id);
    let end = company.write(move |cx, tx| provision::reactivate(cx, tx, &admin, &id));
    assert_eq!(denied(end).code(), "out_of_reach");
}

#[test]
fn a_client_that_administrators_sign_in_with_is_an_owners_to_change() {
    let company = Company::new();
    let record = company.client(Side::Idp, CLI);
    let spec = company.read(move |tx| client::describe(tx, &record));
    let raised = lanyard_core::admin::spec::ClientSpec {
        scopes: Some("openid admin".to_owned()),
        ..spec.clone()
    };
    let set = |admin: &Admin, spec: &lanyard_core::admin::spec::ClientSpec| {
        let (admin, spec, vault) = (admin.clone(), spec.clone(), Arc::clone(&company.vault));
        company.write(move |cx, tx| {
            Ok(match client::put(cx, tx, &vault, &admin, None, &spec)? {
                Outcome::Granted((_, change)) => Outcome::Granted(change),
                Outcome::Denied(denial) => Outcome::Denied(denial),
            })
        })
    };
    let operator = acting(&company, CAROL, AdminRole::Operator);
    assert_eq!(denied(set(&operator, &raised)).code(), "out_of_reach");
    granted(set(&company.admin, &raised));
    assert_eq!(
        denied(set(&operator, &spec)).code(),
        "out_of_reach",
        "also what takes the scope away"
    );
    granted(set(&company.admin, &spec));
    granted(set(&operator, &spec));
}

#[test]
fn the_one_time_token_makes_a_new_person_owner_in_one_unit() {
    let company = Company::new();
    let token = granted_token(&company);
    let wanted = FirstOwner {
        person: NewUser {
            username: " Root ".to_owned(),
            email: None,
            display_name: "The first".to_owned(),
        },
        password_hash: Some("$argon2id$x".to_owned()),
    };
    let claim = |token: &str, wanted: &FirstOwner| {
        let (token, wanted) = (token.to_owned(), wanted.clone());
        company.write(move |cx, tx| owner::claim_as_person(cx, tx, &token, &wanted))
    };
    assert_eq!(denied(claim("lny_owner_guess", &wanted)), ClaimDenial::Unknown);
    let bad = FirstOwner {
        person: NewUser {
            username: "two words".to_owned(),
            ..NewUser::default()
        },
        ..wanted.clone()
    };
    assert_eq!(denied(claim(&token, &bad)).code(), "invalid");
    assert_eq!(
        company.last_event(),
        ("admin.owner_token.refused".into(), Some("invalid".into()))
    );
    let user = granted(claim(&token, &wanted));
    assert_eq!((user.username.as_str(), user.is_active()), ("root", true));
    let id = user.id.clone();
    assert_eq!(
        company.read(move |tx| standing::role_of(tx, &id)),
        Some(AdminRole::Owner)
    );
    let kinds: Vec<_> = company
        .events()
        .into_iter()
        .take(2)
        .map(|stored| stored.event.kind)
        .collect();
    assert_eq!(kinds, ["admin.grant.created", "directory.user.created"]);
    assert_eq!(denied(claim(&token, &wanted)), ClaimDenial::Used);
    assert!(
        company.write(|cx, tx| owner::first_start(cx, tx)).is_none(),
        "there is an owner"
    );
}

#[test]
fn the_one_time_token_of_a_reset_makes_somebody_who_is_there_owner() {
    let company = Company::new();
    let (session, _) = crate::provision::signed_in(&company, ALICE);
    let token = granted_token(&company);
    let claim = |username: &str| {
        let wanted = FirstOwner {
            person: NewUser {
                username: username.to_owned(),
                ..NewUser::default()
            },
            password_hash: Some("$argon2id$new".to_owned()),
        };
        let token = token.clone();
        company.write(move |cx, tx| owner::claim_as_person(cx, tx, &token, &wanted))
    };
    assert_eq!(denied(claim(DAVE)).code(), "invalid", "who was cut off stays so");
    let presented = token.clone();
    assert_eq!(
        company.write(move |cx, tx| owner::is_claimable(cx, tx, &presented)),
        Ok(())
    );
    granted(claim(ALICE));
    assert_eq!(role(&company, ALICE), Some(AdminRole::Owner));
    let ended = company.read(move |tx| tx.find_session(&session)).unwrap().ended_at;
    assert!(ended.is_some(), "the old password's sign-ins are over");
}

fn granted_token(company: &Company) -> String {
    use secrecy::ExposeSecret as _;
    company.write(|cx, tx| owner::reset(cx, tx)).expose_secret().to_owned()
}
