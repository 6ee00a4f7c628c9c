//! Tenants and account linking: MT, AL.

use lanyard_core::id::{AccountId, Id, TenantId};
use lanyard_core::ras::account::{Account, AccountOrigin};
use lanyard_core::ras::denial::Denial;
use lanyard_core::ras::jwt_bearer::{self, Verification};
use lanyard_core::trust::issuer::Allowed;
use lanyard_protocol::claims::id_jag::IdJagClaims;

use crate::ras_world::{A, B, World, client_id, resource_id, subject, verified};

const SHARED: &str = "https://shared-idp.example";

fn claims_of(world: &World, issuer: &str, change: impl FnOnce(&mut IdJagClaims)) -> IdJagClaims {
    let mut claims = world.claims();
    claims.iss = crate::ras_world::issuer(issuer);
    change(&mut claims);
    claims
}

#[test]
fn the_first_redemption_makes_an_account_where_the_record_says_so_al_05() {
    let world = World::new();
    let grant = world.redeem(&world.id_jag(|_| ())).unwrap();
    let (tenant, id) = (grant.tenant.clone(), grant.account.clone());
    let account = world.read(move |tx| tx.find_account(&tenant, &id)).unwrap();
    assert_eq!(account.origin, AccountOrigin::JustInTime);
    assert_eq!(world.events()[0].detail["account_made"], true);
    // AL-04: the link stays; the second time nothing is made.
    let again = world
        .redeem(&world.id_jag(|claims| claims.email = Some("new@address.example".to_owned())))
        .unwrap();
    assert_eq!(again.account, grant.account);
    assert!(!world.events()[0].detail.contains_key("account_made"));
}

#[test]
fn an_unknown_person_is_refused_where_no_accounts_are_made_ras_jb_19_al_05() {
    let world = World::with(|trust| trust.just_in_time = false);
    assert_eq!(world.redeem(&world.id_jag(|_| ())), Err(Denial::UnknownSubject));
    world.last_is("ras.id_jag.denied", Some("unknown_subject"));
}

#[test]
fn the_same_sub_of_two_issuers_is_two_people_al_01_mt_11() {
    let world = World::new();
    let (trust, key) = world.trust_also(2, "https://second.example", |_| ());
    let one = world.redeem(&world.id_jag(|_| ())).unwrap();
    let id_jag = verified(&claims_of(&world, "https://second.example", |_| ()), &key, world.now());
    let two = world
        .redeem_by(world.client("agent"), &id_jag, None, &[], &Verification::by(&trust))
        .unwrap();
    assert_ne!(one.account, two.account);
    // MT-01: and of two tenants.
    assert_ne!(one.tenant, two.tenant);
}

#[test]
fn an_address_or_a_name_never_links_al_07() {
    let world = World::new();
    let same = |claims: &mut IdJagClaims| claims.email = Some("shared@idp.example".to_owned());
    let one = world.redeem(&world.id_jag(same)).unwrap();
    let two = world
        .redeem(&world.id_jag(|claims| {
            same(claims);
            claims.sub = subject("mallory");
        }))
        .unwrap();
    assert_ne!(one.account, two.account);
}

#[test]
fn a_switched_off_account_is_refused_and_never_made_anew_al_06() {
    let world = World::new();
    let grant = world.redeem(&world.id_jag(|_| ())).unwrap();
    let (tenant, id) = (grant.tenant.clone(), grant.account);
    world
        .write(move |tx| tx.set_account_enabled(&tenant, &id, false))
        .unwrap();
    for _ in 0..2 {
        assert_eq!(world.redeem(&world.id_jag(|_| ())), Err(Denial::AccountDisabled));
    }
    let (issuer, alice) = (world.trust.issuer.clone(), subject("alice"));
    assert_eq!(
        world.read(move |tx| tx.list_accounts_of_subject(&issuer, &alice)).len(),
        1
    );
}

#[test]
fn a_shared_issuer_must_name_the_tenant_of_the_record_mt_03_mt_07() {
    let world = World::new();
    let (trust, key) = world.trust_also(2, SHARED, |trust| trust.tenant_claim = Some("acme".to_owned()));
    let (other, _) = world.trust_also(3, SHARED, |trust| trust.tenant_claim = Some("globex".to_owned()));
    let attempt = |used: &Verification, tenant: Option<&str>| {
        let claims = claims_of(&world, SHARED, |claims| claims.tenant = tenant.map(str::to_owned));
        world.redeem_by(
            world.client("agent"),
            &verified(&claims, &key, world.now()),
            None,
            &[],
            used,
        )
    };
    let (acme, globex) = (Verification::by(&trust), Verification::by(&other));
    assert_eq!(attempt(&acme, None), Err(Denial::TenantMismatch), "a missing claim");
    assert_eq!(attempt(&acme, Some("globex")), Err(Denial::TenantMismatch));
    let one = attempt(&acme, Some("acme")).unwrap();
    let two = attempt(&globex, Some("globex")).unwrap();
    assert_ne!(
        (one.tenant, one.account),
        (two.tenant, two.account),
        "the same sub in two tenants"
    );
}

#[test]
fn the_record_is_chosen_by_the_tenant_claim_mt_07() {
    let world = World::new();
    world.trust_also(2, SHARED, |trust| trust.tenant_claim = Some("acme".to_owned()));
    world.trust_also(3, SHARED, |trust| trust.tenant_claim = Some("globex".to_owned()));
    let settings = world.settings.clone();
    let candidates = world.read(move |tx| jwt_bearer::candidates(tx, &settings, SHARED));
    let chosen = |tenant: Option<&str>| {
        let claims = claims_of(&world, SHARED, |claims| claims.tenant = tenant.map(str::to_owned));
        jwt_bearer::choose(&candidates, &claims).map(|trust| trust.tenant.to_string())
    };
    assert_eq!(chosen(Some("acme")).as_deref(), Some("ten_2"));
    assert_eq!(chosen(Some("globex")).as_deref(), Some("ten_3"));
    assert_eq!((chosen(None), chosen(Some("initech"))), (None, None));
}

#[test]
fn an_issuer_of_one_tenant_must_not_begin_to_name_tenants_mt_03() {
    let world = World::new();
    let named = world.id_jag(|claims| claims.tenant = Some("acme".to_owned()));
    assert_eq!(world.redeem(&named), Err(Denial::TenantMismatch));
    // D-14: what a tenant-specific issuer sends when it is told to send something.
    assert!(
        world
            .redeem(&world.id_jag(|claims| claims.tenant = Some("organization".to_owned())))
            .is_ok()
    );
}

#[test]
fn an_audience_tenant_that_disagrees_is_refused_mt_06() {
    let world = World::with(|trust| trust.aud_tenant = Some("northwind".to_owned()));
    let with = |tenant: &str| world.id_jag(|claims| claims.aud_tenant = Some(tenant.to_owned()));
    assert_eq!(world.redeem(&with("southwind")), Err(Denial::AudienceTenantMismatch));
    assert!(world.redeem(&with("northwind")).is_ok());
    assert!(world.redeem(&world.id_jag(|_| ())).is_ok(), "the claim is optional");
    let unnamed = World::new();
    let foreign = unnamed.id_jag(|claims| claims.aud_tenant = Some("ten_2".to_owned()));
    assert_eq!(unnamed.redeem(&foreign), Err(Denial::AudienceTenantMismatch));
    assert!(
        unnamed
            .redeem(&unnamed.id_jag(|claims| claims.aud_tenant = Some("ten_1".to_owned())))
            .is_ok()
    );
}

#[test]
fn each_issuer_is_held_to_its_own_clients_and_resources_mt_11() {
    let world = World::with(|trust| {
        trust.clients = Allowed::Only(vec![client_id("agent")]);
        trust.resources = Allowed::Only(vec![resource_id(A)]);
    });
    let other = world.id_jag(|claims| claims.client_id = client_id("other"));
    assert_eq!(
        world.redeem_as("other", &other, None, &[]),
        Err(Denial::ClientNotTrusted)
    );
    let second =
        world.id_jag(|claims| claims.resource = Some(lanyard_protocol::audience::OneOrMany::One(B.to_owned())));
    assert_eq!(world.redeem(&second), Err(Denial::ResourceNotTrusted(B.to_owned())));
    assert!(world.redeem(&world.id_jag(|_| ())).is_ok());
    // An empty list allows nothing.
    let closed = World::with(|trust| trust.clients = Allowed::Only(Vec::new()));
    assert_eq!(closed.redeem(&closed.id_jag(|_| ())), Err(Denial::ClientNotTrusted));
}

/// An account that an administrator made, of a tenant.
fn made_by_admin(world: &World, id: &'static str, tenant: &'static str) {
    let account = Account {
        id: AccountId::from_stored(id.to_owned()),
        tenant: TenantId::from_stored(tenant.to_owned()),
        origin: AccountOrigin::Admin,
        enabled: true,
        not_before: None,
        ended_sessions: Vec::new(),
        created_at: world.now(),
    };
    world.write(move |tx| tx.insert_account(&account)).unwrap();
}

#[test]
fn an_account_named_by_our_own_id_is_linked_when_it_is_nobodys_yet_al_02() {
    let world = World::with(|trust| trust.just_in_time = false);
    made_by_admin(&world, "acct_before", "ten_1");
    let named = |sub: &str| {
        world.id_jag(|claims| {
            claims.sub = subject(sub);
            claims.aud_sub = Some("acct_before".to_owned());
        })
    };
    assert_eq!(world.redeem(&named("alice")).unwrap().account.as_str(), "acct_before");
    // AL-04: from then on the primary key decides, with or without the name.
    assert_eq!(
        world.redeem(&world.id_jag(|_| ())).unwrap().account.as_str(),
        "acct_before"
    );
    assert_eq!(
        world.redeem(&named("mallory")),
        Err(Denial::LinkConflict),
        "somebody else's account"
    );
    made_by_admin(&world, "acct_second", "ten_1");
    let moved = world.id_jag(|claims| claims.aud_sub = Some("acct_second".to_owned()));
    assert_eq!(
        world.redeem(&moved),
        Err(Denial::LinkConflict),
        "a linked subject is not moved"
    );
}

#[test]
fn an_account_of_another_tenant_is_not_reached_by_its_id_al_02_mt_01() {
    let world = World::new();
    world.trust_also(2, "https://second.example", |_| ());
    made_by_admin(&world, "acct_foreign", "ten_2");
    for named in ["acct_foreign", "acct_nobody", "not an id", ""] {
        let id_jag = world.id_jag(|claims| claims.aud_sub = Some(named.to_owned()));
        assert_eq!(world.redeem(&id_jag), Err(Denial::UnknownSubject), "{named}");
    }
}

#[test]
fn an_issuer_does_not_take_over_the_account_of_another_issuers_person_mt_11() {
    let world = World::new();
    let account = world.redeem(&world.id_jag(|_| ())).unwrap().account;
    let (trust, key) = world.trust_also(2, "https://second.example", |trust| {
        // The worst case: a second issuer for the same tenant.
        trust.tenant = TenantId::from_stored("ten_1".to_owned());
    });
    let claims = claims_of(&world, "https://second.example", |claims| {
        claims.aud_sub = Some(account.as_str().to_owned());
    });
    let id_jag = verified(&claims, &key, world.now());
    let end = world.redeem_by(world.client("agent"), &id_jag, None, &[], &Verification::by(&trust));
    assert_eq!(end, Err(Denial::LinkConflict));
}
