//! Agents: who answers for them, when they may act, their keys (MT-09, IDP-MN-02, IDP-TK-04).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lanyard_core::admin::agent::status::Act;
use lanyard_core::admin::agent::{self, keys, owners, status};
use lanyard_core::admin::change::Change;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::spec::{AgentKeySpec, AgentSpec};
use lanyard_core::admin::token::{Admin, AdminRole};
use lanyard_core::agent::record::{Agent, AgentStatus};
use lanyard_core::client::auth::{AuthDenial, authenticate};
use lanyard_core::client::registration::Side;
use lanyard_core::directory::provision;
use lanyard_core::idp::authorize::{AuthorizeRefusal, AuthorizeRequest, PageDenial, check_client};
use lanyard_core::idp::own_token::{OwnTokenDenial, bearer};
use lanyard_core::jobs::outbox::{Job, Task};
use lanyard_core::jobs::run;
use lanyard_core::outcome::Outcome;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_testkit::company::{AGENT, AGENT_AT_RAS, ALICE, CAROL, Company, DAVE, IDE, RAS, REDIRECT};

use crate::idp_support::{access_token, agent as agent_client, assertion_of, request, tokens};
use crate::ras_world::{denied, granted};

fn spec(owners: &[&str]) -> AgentSpec {
    AgentSpec {
        name: "helper".to_owned(),
        title: None,
        purpose: Some("Reads tickets".to_owned()),
        vendor: None,
        software: None,
        owners: Some(owners.iter().map(|owner| (*owner).to_owned()).collect()),
        client: Some(AGENT.to_owned()),
        client_ids: None,
        status: None,
    }
}

fn set_as(company: &Company, admin: &Admin, spec: AgentSpec) -> Outcome<(Agent, Change), AdminDenial> {
    let admin = admin.clone();
    company.write(move |cx, tx| agent::put(cx, tx, &admin, &spec))
}

fn set(company: &Company, spec: AgentSpec) -> Outcome<(Agent, Change), AdminDenial> {
    set_as(company, &company.admin, spec)
}

fn role(company: &Company, role: AdminRole) -> Admin {
    Admin {
        role,
        ..company.admin.clone()
    }
}

fn act_as(company: &Company, admin: &Admin, what: Act) -> Outcome<Agent, AdminDenial> {
    let admin = admin.clone();
    company.write(move |cx, tx| status::act(cx, tx, &admin, "helper", what))
}

fn act(company: &Company, what: Act) -> Agent {
    granted(act_as(company, &company.admin, what))
}

/// An active agent with two owners.
fn with_helper() -> Company {
    let company = Company::new();
    granted(set(
        &company,
        AgentSpec {
            status: Some(AgentStatus::Active),
            ..spec(&[ALICE, CAROL])
        },
    ));
    company
}

fn find(company: &Company) -> Agent {
    company.read(|tx| tx.find_agent_by_name("helper")).unwrap()
}

fn deactivate(company: &Company, username: &'static str) -> Vec<Job> {
    let (vault, issuer) = (Arc::clone(&company.vault), company.idp.issuer.clone());
    let (admin, id) = (company.admin.clone(), company.user(username).id);
    granted(company.write(move |cx, tx| provision::deactivate(cx, tx, &vault, &issuer, &admin, &id))).jobs
}

fn authenticated(company: &Company, jti: &str) -> Result<(), AuthDenial> {
    let (vault, presented) = (
        Arc::clone(&company.vault),
        assertion_of(company, AGENT, &company.agent_key, jti),
    );
    let end = company.write(move |cx, tx| authenticate(cx, tx, &vault, Side::Idp, &presented));
    end.into_result().map(|_| ())
}

#[test]
fn an_agent_has_a_purpose_and_at_least_one_active_person_who_answers_for_it() {
    let company = Company::new();
    let refused = |change: fn(&mut AgentSpec), expected: &str| {
        let mut wanted = spec(&[ALICE]);
        change(&mut wanted);
        match denied(set(&company, wanted)) {
            AdminDenial::Invalid { field, .. } => assert_eq!(field, expected),
            other => assert_eq!(other.code(), expected),
        }
    };
    refused(|spec| spec.purpose = None, "purpose");
    refused(|spec| spec.owners = None, "owners");
    refused(|spec| spec.owners = Some(Vec::new()), "owners");
    refused(|spec| spec.owners = Some(vec![DAVE.to_owned()]), "owners");
    refused(|spec| spec.owners = Some(vec!["nobody".to_owned()]), "not_found");
    refused(|spec| spec.name = "Two Words".to_owned(), "name");
    refused(|spec| spec.client = Some("unknown".to_owned()), "not_found");
    let (made, change) = granted(set(&company, spec(&[ALICE])));
    assert_eq!((made.status, change), (AgentStatus::Staged, Change::Created));
    assert_eq!(granted(set(&company, spec(&[ALICE]))).1, Change::Unchanged);
    let event = company.events().remove(0).event;
    assert_eq!(event.kind, "admin.agent.created");
    assert_eq!(event.detail["after"]["owners"][0], ALICE);
}

#[test]
fn a_client_belongs_to_one_agent_and_an_agent_keeps_its_client() {
    let company = with_helper();
    let second = AgentSpec {
        name: "second".to_owned(),
        ..spec(&[ALICE])
    };
    assert_eq!(denied(set(&company, second)).code(), "taken");
    let swapped = AgentSpec {
        client: Some(IDE.to_owned()),
        ..spec(&[ALICE])
    };
    assert_eq!(denied(set(&company, swapped)).code(), "invalid");
    let unregistered =
        company.read(|tx| tx.list_unregistered_clients(&lanyard_core::store::page::PageRequest::new(None, 9)));
    assert!(
        unregistered
            .items
            .iter()
            .all(|client| client.client_id.as_str() != AGENT)
    );
    assert!(unregistered.items.iter().any(|client| client.client_id.as_str() == IDE));
}

#[test]
fn an_agent_that_is_not_active_is_refused_at_every_door_with_the_exact_reason() {
    for (what, reason) in [(Act::Suspend, "agent_suspended"), (Act::Deactivate, "agent_inactive")] {
        let company = with_helper();
        let client = agent_client(&company);
        let grant = tokens(&company, &client, ALICE);
        let token = access_token(&company, &grant);
        act(&company, what);
        assert_eq!(authenticated(&company, "j1").unwrap_err().code(), reason);
        let asked = AuthorizeRequest::parse(&request(AGENT, REDIRECT, "openid"));
        let refusal = company.write(move |cx, tx| check_client(cx, tx, &asked)).unwrap_err();
        assert!(matches!(
            refusal,
            AuthorizeRefusal::ShowPage(PageDenial::AgentNotActive(_))
        ));
        assert_eq!(refusal.code(), reason);
        let end = company.write(move |cx, tx| bearer(cx, tx, &token, "openid"));
        assert_eq!(denied(end), OwnTokenDenial::Client);
        let family = grant.family;
        assert!(
            company
                .read(move |tx| tx.find_family(&family))
                .unwrap()
                .ended_at
                .is_some()
        );
        act(&company, Act::Activate);
        authenticated(&company, "j2").unwrap();
    }
}

#[test]
fn registering_a_client_that_works_stops_it_until_it_is_approved() {
    let company = Company::new();
    authenticated(&company, "j1").unwrap();
    granted(set(&company, spec(&[ALICE])));
    assert_eq!(authenticated(&company, "j2").unwrap_err().code(), "agent_staged");
    let approver = role(&company, AdminRole::Approver);
    granted(act_as(&company, &approver, Act::Activate));
    authenticated(&company, "j3").unwrap();
}

#[test]
fn approvers_decide_what_waits_and_operators_the_rest() {
    let company = Company::new();
    granted(set(&company, spec(&[ALICE])));
    let (approver, auditor) = (role(&company, AdminRole::Approver), role(&company, AdminRole::Auditor));
    assert_eq!(
        denied(act_as(&company, &auditor, Act::Activate)).code(),
        "not_permitted"
    );
    assert_eq!(
        denied(act_as(&company, &approver, Act::Suspend)).code(),
        "not_permitted"
    );
    assert_eq!(
        granted(act_as(&company, &approver, Act::Deactivate)).status,
        AgentStatus::Inactive,
        "turned down"
    );
    assert_eq!(
        denied(act_as(&company, &approver, Act::Activate)).code(),
        "not_permitted",
        "it does not wait any more"
    );
    assert!(granted(act_as(&company, &approver, Act::Review)).reviewed_at.is_some());
    let operator = role(&company, AdminRole::Operator);
    assert_eq!(
        granted(act_as(&company, &operator, Act::Activate)).status,
        AgentStatus::Active
    );
    let event = company.events().remove(0).event;
    assert_eq!(
        (event.kind.as_str(), &event.detail["before"]["status"]),
        ("admin.agent.activated", &"inactive".into())
    );
    assert_eq!(
        denied(set_as(&company, &approver, spec(&[ALICE]))).code(),
        "not_permitted"
    );
}

#[test]
fn an_agent_whose_last_active_owner_leaves_is_suspended_in_the_same_unit() {
    let company = with_helper();
    let client = agent_client(&company);
    let family = tokens(&company, &client, CAROL).family;
    assert!(
        deactivate(&company, ALICE)
            .iter()
            .all(|job| matches!(job.task, Task::RevokeSubject { .. }))
    );
    assert_eq!(
        find(&company).status,
        AgentStatus::Active,
        "somebody still answers for it"
    );

    let jobs = deactivate(&company, CAROL);
    let now = find(&company);
    assert_eq!((now.status, now.orphaned), (AgentStatus::Suspended, true));
    assert!(
        company
            .read(move |tx| tx.find_family(&family))
            .unwrap()
            .ended_at
            .is_some()
    );
    let key = client.client.key;
    assert!(
        jobs.iter()
            .any(|job| job.task == Task::RevokeClient { client: key.clone() }),
        "{jobs:?}"
    );
    let orphaned = company
        .events()
        .into_iter()
        .find(|stored| stored.event.kind == "admin.agent.orphaned")
        .unwrap()
        .event;
    assert_eq!(
        (orphaned.target.as_deref(), &orphaned.detail["last_owner"]),
        (Some("helper"), &CAROL.into())
    );
    assert_eq!(orphaned.detail["after"]["status"], "suspended");
    assert_eq!(authenticated(&company, "j1").unwrap_err().code(), "agent_suspended");

    let shown = company.write(|cx, tx| {
        let agent = tx.find_agent_by_name("helper")?.unwrap();
        agent::shown(cx, tx, agent)
    });
    assert!(shown.warnings[0].starts_with("orphaned"), "{:?}", shown.warnings);
    // Nobody lets it act again before somebody active answers for it; coming back is not enough by itself.
    assert_eq!(
        denied(act_as(&company, &company.admin, Act::Activate)).code(),
        "invalid"
    );
    let (admin, id) = (company.admin.clone(), company.user(CAROL).id);
    granted(company.write(move |cx, tx| provision::reactivate(cx, tx, &admin, &id)));
    assert_eq!(find(&company).status, AgentStatus::Suspended);
    assert!(!act(&company, Act::Activate).orphaned);
}

#[test]
fn a_suspended_agent_loses_its_access_tokens_and_the_grants_on_their_way_rv_03() {
    let company = with_helper();
    act(&company, Act::Suspend);
    let now = company.clock.now();
    let jobs = company.write(move |_, tx| run::claim(tx, now, 10));
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    let (ras, job) = (company.ras.clone(), jobs[0].clone());
    company.write(move |cx, tx| run::perform(cx, tx, &ras, &job));
    assert_eq!(company.last_event().0, "ras.client.cut_off");
    let there = company.client(Side::Ras, AGENT_AT_RAS);
    assert_eq!(there.not_before, Some(now), "what was minted before buys nothing");
}

use lanyard_core::clock::Clock as _;

#[test]
fn owners_come_and_go_and_the_last_active_one_stays() {
    let company = Company::new();
    granted(set(&company, spec(&[ALICE])));
    let change = |person: &'static str, join: bool| {
        let admin = company.admin.clone();
        company.write(move |cx, tx| match join {
            true => owners::add(cx, tx, &admin, "helper", person),
            false => owners::remove(cx, tx, &admin, "helper", person),
        })
    };
    assert_eq!(denied(change(ALICE, false)).code(), "invalid");
    assert_eq!(denied(change(DAVE, true)).code(), "invalid");
    assert_eq!(granted(change(CAROL, true)), Change::Changed);
    assert_eq!(granted(change(CAROL, true)), Change::Unchanged);
    assert_eq!(granted(change(ALICE, false)), Change::Changed);
    let event = company.events().remove(0).event;
    assert_eq!(event.detail["before"]["owners"].as_array().unwrap().len(), 2);
    assert_eq!(event.detail["after"]["owners"].as_array().unwrap().len(), 1);
    // Somebody answers for it again as soon as they say so, not when it is activated.
    deactivate(&company, CAROL);
    assert!(find(&company).orphaned);
    assert_eq!(granted(change(ALICE, true)), Change::Changed);
    assert!(!find(&company).orphaned);
}

#[test]
fn what_an_agent_is_called_elsewhere_is_set_with_it_and_never_twice_mt_09_idp_mn_02() {
    let company = with_helper();
    let ids = |id: &str| Some(BTreeMap::from([(RAS.to_owned(), id.to_owned())]));
    let named = |client_ids| AgentSpec {
        client_ids,
        ..spec(&[ALICE, CAROL])
    };
    assert_eq!(denied(set(&company, named(ids("ide-at-ledger")))).code(), "taken");
    assert_eq!(granted(set(&company, named(ids("another-id")))).1, Change::Changed);
    let event = company.events().remove(0).event;
    assert_eq!(event.detail["before"]["client_ids"][RAS], AGENT_AT_RAS);
    assert_eq!(event.detail["after"]["client_ids"][RAS], "another-id");
    granted(set(&company, named(Some(BTreeMap::new()))));
    let key = company.client(Side::Idp, AGENT).key;
    let found = company.read(move |tx| {
        let audience = tx
            .find_audience(&lanyard_protocol::issuer::Issuer::parse(RAS).unwrap())?
            .unwrap();
        tx.find_mapping(&key, &audience.id)
    });
    assert_eq!(found, None);
    let unknown = Some(BTreeMap::from([(
        "https://elsewhere.example".to_owned(),
        "x".to_owned(),
    )]));
    assert_eq!(denied(set(&company, named(unknown))).code(), "not_found");
}

#[test]
fn keys_follow_each_other_with_overlap_and_each_has_an_end_idp_tk_04() {
    let company = with_helper();
    let fresh = SigningKey::generate(Algorithm::Es256).unwrap();
    let add = |key: &SigningKey, change: fn(&mut AgentKeySpec)| {
        let mut spec = AgentKeySpec {
            jwk: key.public_jwk().to_value(),
            label: Some("new host".to_owned()),
            expires_at: None,
            retire_others_after_seconds: Some(3600),
        };
        change(&mut spec);
        let admin = company.admin.clone();
        company.write(move |cx, tx| keys::add(cx, tx, &admin, "helper", &spec))
    };
    let bad: [fn(&mut AgentKeySpec); 4] = [
        |spec| spec.jwk = serde_json::json!({"kty": "oct", "k": "AAAA"}),
        |spec| spec.expires_at = Some(lanyard_core::clock::Timestamp::from_seconds(1)),
        |spec| spec.expires_at = Some(lanyard_core::clock::Timestamp::from_seconds(9_000_000_000)),
        |spec| spec.label = Some("x".repeat(65)),
    ];
    for change in bad {
        assert_eq!(denied(add(&fresh, change)).code(), "invalid");
    }
    let made = granted(add(&fresh, |_| {}));
    assert!(made.expires_at.is_some());
    assert_eq!(denied(add(&fresh, |_| {})).code(), "taken");
    let event = company
        .events()
        .into_iter()
        .find(|stored| stored.event.kind == "admin.agent_key.added")
        .unwrap()
        .event;
    assert_eq!(event.detail["before"].as_array().unwrap().len(), 1);
    assert_eq!(event.detail["after"].as_array().unwrap().len(), 2);

    let with = |key: &SigningKey, jti: &str| {
        let (vault, presented) = (Arc::clone(&company.vault), assertion_of(&company, AGENT, key, jti));
        company
            .write(move |cx, tx| authenticate(cx, tx, &vault, Side::Idp, &presented))
            .into_result()
            .map(|_| ())
    };
    with(&fresh, "a").unwrap();
    with(&company.agent_key, "b").unwrap();
    company.clock.advance(Duration::from_secs(3600));
    with(&fresh, "c").unwrap();
    assert_eq!(with(&company.agent_key, "d").unwrap_err(), AuthDenial::KeyExpired);

    let (admin, kid) = (company.admin.clone(), made.kid.clone());
    granted(company.write(move |cx, tx| keys::remove(cx, tx, &admin, "helper", &kid)));
    assert_eq!(company.last_event().0, "admin.agent_key.removed");
    let admin = company.admin.clone();
    let again = company.write(move |cx, tx| keys::remove(cx, tx, &admin, "helper", &made.kid));
    assert_eq!(denied(again).code(), "not_found");
}

#[test]
fn a_secret_is_allowed_and_pointed_out_cl_st_03() {
    let company = Company::new();
    granted(set(
        &company,
        AgentSpec {
            client: Some(IDE.to_owned()),
            ..spec(&[ALICE, CAROL])
        },
    ));
    let shown = company.write(|cx, tx| {
        let agent = tx.find_agent_by_name("helper")?.unwrap();
        agent::shown(cx, tx, agent)
    });
    assert_eq!(shown.warnings.len(), 1, "{:?}", shown.warnings);
    assert!(shown.warnings[0].contains("secret"));
    let key = AgentKeySpec {
        jwk: SigningKey::generate(Algorithm::Es256).unwrap().public_jwk().to_value(),
        label: None,
        expires_at: None,
        retire_others_after_seconds: None,
    };
    let admin = company.admin.clone();
    assert_eq!(
        denied(company.write(move |cx, tx| keys::add(cx, tx, &admin, "helper", &key))).code(),
        "invalid"
    );
}

#[test]
fn an_agent_that_is_removed_leaves_no_client_that_acts() {
    let company = with_helper();
    let remove = || {
        let (admin, ras) = (company.admin.clone(), company.ras.issuer.clone());
        company.write(move |cx, tx| agent::remove(cx, tx, &admin, Some(&ras), "helper"))
    };
    assert_eq!(denied(remove()).code(), "invalid", "an active one is not removed");
    act(&company, Act::Deactivate);
    granted(remove());
    let client = company.client(Side::Idp, AGENT);
    assert!(!client.enabled && client.agent.is_none());
    assert_eq!(authenticated(&company, "j1").unwrap_err(), AuthDenial::ClientDisabled);
    let kinds: Vec<_> = company
        .events()
        .into_iter()
        .take(3)
        .map(|stored| stored.event.kind)
        .collect();
    assert!(
        kinds.contains(&"admin.agent.removed".to_owned()) && kinds.contains(&"admin.client.changed".to_owned()),
        "{kinds:?}"
    );
}
