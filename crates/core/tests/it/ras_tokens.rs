//! Introspection, revocation, cut-off: RAS-IN, RV, P7.

use std::time::Duration;

use lanyard_core::audit::event::Actor;
use lanyard_core::client::registration::{KeyHolder, Side};
use lanyard_core::connector::record::ConnectorStatus;
use lanyard_core::outcome::Outcome;
use lanyard_core::ras::access_grant::AccessGrant;
use lanyard_core::ras::cut_off::{self, CutOff};
use lanyard_core::ras::denial::Denial;
use lanyard_core::ras::{introspect, native_key, revoke};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_protocol::gateway::{RevocationEntry, Revoked};
use lanyard_protocol::oauth::introspection::Introspection;

use crate::ras_world::{A, B, IDP, RAS, World, client_id, denied, granted, issuer, resource_id, subject};

fn look(world: &World, grant: &AccessGrant, resources: &[&str]) -> Introspection {
    let mut caller = world.client("other");
    caller.client.introspects = resources.iter().map(|resource| (*resource).to_owned()).collect();
    let (cx, settings, token) = (world.cx(), world.settings.clone(), world.access_token(grant));
    world.read(move |tx| introspect::introspect(&cx, tx, &settings, &caller, Some(&token)))
}

fn revoke_by(world: &World, client: &'static str, grant: &AccessGrant) -> Outcome<i64, revoke::Denial> {
    let (cx, settings, client) = (world.cx(), world.settings.clone(), world.client(client));
    let token = world.access_token(grant);
    world
        .write(move |tx| revoke::revoke(&cx, tx, &settings, &client, Some(&token)))
        .unwrap()
}

fn feed(world: &World) -> Vec<RevocationEntry> {
    world.read(|tx| tx.list_revocations(0, 100))
}

fn cut(world: &World, sub: &'static str) -> CutOff {
    let (cx, settings) = (world.cx(), world.settings.clone());
    let now = world.now();
    world
        .write(move |tx| cut_off::revoke_subject(&cx, tx, &settings, &issuer(IDP), &subject(sub), now))
        .unwrap()
}

#[test]
fn an_active_token_is_described_to_its_resource_ras_in_02() {
    let world = World::new();
    let grant = world.redeem(&world.id_jag(|_| ())).unwrap();
    let said = look(&world, &grant, &[A]);
    let text = serde_json::to_value(&said).unwrap();
    for member in [
        "active",
        "scope",
        "client_id",
        "sub",
        "aud",
        "iss",
        "exp",
        "iat",
        "jti",
        "token_type",
        "acr",
        "auth_time",
    ] {
        assert!(text.get(member).is_some(), "{member}");
    }
    assert_eq!(
        (said.iss.as_deref(), said.sub.as_deref()),
        (Some(RAS), Some(grant.account.as_str()))
    );
}

#[test]
fn a_token_of_somebody_elses_resource_or_none_at_all_is_inactive_and_nothing_else_ras_in_01() {
    let world = World::new();
    let grant = world.redeem(&world.id_jag(|_| ())).unwrap();
    let (cx, settings, caller) = (world.cx(), world.settings.clone(), world.client("other"));
    let none = world.read(move |tx| introspect::introspect(&cx, tx, &settings, &caller, None));
    for said in [look(&world, &grant, &[B]), look(&world, &grant, &[]), none] {
        assert_eq!(serde_json::to_string(&said).unwrap(), r#"{"active":false}"#);
    }
}

#[test]
fn a_token_stands_only_while_everything_under_it_stands_ras_in_01() {
    type Change = fn(&World, &AccessGrant);
    let changes: [(&str, Change); 5] = [
        ("account switched off", |world, grant| {
            let (tenant, id) = (grant.tenant.clone(), grant.account.clone());
            world
                .write(move |tx| tx.set_account_enabled(&tenant, &id, false))
                .unwrap();
        }),
        ("client switched off", |world, _| {
            world
                .write(|tx| {
                    let mut client = tx.find_client(Side::Ras, &client_id("agent"))?.unwrap();
                    (client.enabled, client.version) = (false, 2);
                    tx.update_client(&client)
                })
                .unwrap();
        }),
        ("resource switched off", |world, _| {
            world
                .write(|tx| {
                    let mut resource = tx.find_resource(&resource_id(A))?.unwrap();
                    (resource.status, resource.version) = (ConnectorStatus::Off, 2);
                    tx.update_resource(&resource)
                })
                .unwrap();
        }),
        ("trust withdrawn", |world, _| {
            let mut trust = world.trust.clone();
            (trust.enabled, trust.version) = (false, 2);
            world.write(move |tx| tx.update_trust(&trust)).unwrap();
        }),
        ("cut off", |world, _| {
            cut(world, "alice");
        }),
    ];
    for (what, change) in changes {
        let world = World::new();
        let grant = world.redeem(&world.id_jag(|_| ())).unwrap();
        assert!(look(&world, &grant, &[A]).active);
        change(&world, &grant);
        assert!(!look(&world, &grant, &[A]).active, "{what}");
    }
}

#[test]
fn an_expired_token_is_inactive_ras_in_01() {
    let world = World::new();
    let grant = world.redeem(&world.id_jag(|_| ())).unwrap();
    world.advance(Duration::from_secs(600));
    assert!(
        !look(&world, &grant, &[A]).active,
        "also within the leeway of the verification"
    );
}

#[test]
fn the_owner_revokes_and_gateways_hear_of_it_rv_01_rv_02() {
    let world = World::new();
    let grant = world.redeem(&world.id_jag(|_| ())).unwrap();
    let sequence = granted(revoke_by(&world, "agent", &grant));
    world.last_is("ras.access_token.revoked", None);
    assert!(!look(&world, &grant, &[A]).active);
    let entries = feed(&world);
    assert_eq!(entries.last().unwrap().sequence, sequence);
    assert_eq!(
        entries.last().unwrap().revoked,
        Revoked::Token {
            issuer: issuer(RAS),
            jti: grant.jti.clone()
        }
    );
    assert!(
        entries.last().unwrap().keep_until > grant.expires_at.seconds() + 30,
        "kept until nobody accepts it"
    );
    assert_eq!(
        denied(revoke_by(&world, "agent", &grant)),
        revoke::Denial::UnknownToken,
        "once is enough"
    );
}

#[test]
fn nobody_revokes_another_clients_token_rv_01() {
    let world = World::new();
    let grant = world.redeem(&world.id_jag(|_| ())).unwrap();
    assert_eq!(denied(revoke_by(&world, "other", &grant)), revoke::Denial::NotOwner);
    world.last_is("ras.access_token.revocation_refused", Some("not_owner"));
    assert!(look(&world, &grant, &[A]).active && feed(&world).is_empty());
}

#[test]
fn a_cut_off_ends_every_token_of_the_person_and_nobody_elses_p7() {
    let world = World::new();
    let mine: Vec<_> = (0..3).map(|_| world.redeem(&world.id_jag(|_| ())).unwrap()).collect();
    let other = world
        .redeem(&world.id_jag(|claims| claims.sub = subject("bob")))
        .unwrap();
    world.advance(Duration::from_secs(5));
    let done = cut(&world, "alice");
    assert_eq!((done.accounts, done.tokens), (1, 3));
    world.last_is("ras.subject.cut_off", None);
    assert!(mine.iter().all(|grant| !look(&world, grant, &[A]).active));
    assert!(look(&world, &other, &[A]).active);
    let entry = feed(&world).pop().unwrap();
    assert_eq!(Some(entry.sequence), done.sequence);
    let Revoked::Subject { subject, not_after, .. } = entry.revoked else {
        panic!("{entry:?}")
    };
    assert_eq!(
        (subject.as_str(), not_after),
        (mine[0].account.as_str(), world.now().seconds())
    );
    assert!(entry.keep_until >= world.now().seconds() + 3600 + 30);
}

#[test]
fn a_grant_minted_before_the_cut_off_is_not_redeemed_after_it_p7() {
    let world = World::new();
    world.redeem(&world.id_jag(|_| ())).unwrap();
    let old = world.id_jag(|_| ());
    cut(&world, "alice");
    assert_eq!(world.redeem(&old), Err(Denial::CutOff), "also within the same second");
    world.advance(Duration::from_secs(1));
    assert_eq!(world.redeem(&old), Err(Denial::CutOff));
    // Back again (SC-14): what is minted afterwards works, what is from before stays dead.
    assert!(world.redeem(&world.id_jag(|_| ())).is_ok());
    assert_eq!(world.redeem(&old), Err(Denial::CutOff));
}

#[test]
fn a_grant_of_a_person_who_was_never_here_does_not_outlive_the_cut_off_either_p7_al_06() {
    let world = World::new();
    let old = world.id_jag(|_| ());
    cut(&world, "alice");
    assert_eq!(world.redeem(&old), Err(Denial::CutOff));
    world.advance(Duration::from_secs(1));
    assert!(world.redeem(&world.id_jag(|_| ())).is_ok());
}

#[test]
fn a_token_bought_between_deactivation_and_cut_off_dies_with_the_others_p7() {
    let world = World::new();
    let deactivated_at = world.now();
    let old = world.id_jag(|_| ());
    world.advance(Duration::from_secs(2));
    let grant = world.redeem(&old).unwrap();
    let (cx, settings) = (world.cx(), world.settings.clone());
    world
        .write(move |tx| cut_off::revoke_subject(&cx, tx, &settings, &issuer(IDP), &subject("alice"), deactivated_at))
        .unwrap();
    assert!(!look(&world, &grant, &[A]).active);
    let Revoked::Subject { not_after, .. } = feed(&world).pop().unwrap().revoked else {
        panic!()
    };
    assert!(not_after >= grant.issued_at.seconds());
}

#[test]
fn a_client_is_cut_off_with_all_its_tokens_rv_03() {
    let world = World::new();
    let grant = world.redeem(&world.id_jag(|_| ())).unwrap();
    let (cx, settings) = (world.cx(), world.settings.clone());
    let actor = Actor::Admin("adm_1".to_owned());
    let done = world
        .write(move |tx| cut_off::revoke_client(&cx, tx, &settings, actor, &client_id("agent")))
        .unwrap();
    assert_eq!(done.tokens, 1);
    assert!(!look(&world, &grant, &[A]).active);
    let Revoked::Client { client_id, .. } = feed(&world).pop().unwrap().revoked else {
        panic!()
    };
    assert_eq!(client_id, "agent");
}

#[test]
fn an_issuer_is_cut_off_with_everybody_it_vouched_for_sec_18() {
    let world = World::new();
    let grants: Vec<_> = ["alice", "bob", "carol"]
        .into_iter()
        .map(|sub| world.redeem(&world.id_jag(|claims| claims.sub = subject(sub))).unwrap())
        .collect();
    let (cx, settings) = (world.cx(), world.settings.clone());
    let actor = Actor::Admin("adm_1".to_owned());
    let done = world
        .write(move |tx| cut_off::revoke_issuer(&cx, tx, &settings, actor, &issuer(IDP)))
        .unwrap();
    assert_eq!((done.accounts, done.tokens), (3, 3));
    assert!(grants.iter().all(|grant| !look(&world, grant, &[A]).active));
}

fn enrol(
    world: &World,
    kid: &str,
    sub: &'static str,
) -> Outcome<lanyard_core::client::registration::RegisteredKey, native_key::Denial> {
    let jwk = SigningKey::generate(Algorithm::Es256).unwrap().public_jwk();
    let new = native_key::NewKey {
        kid: kid.to_owned(),
        jwk,
        label: "laptop".to_owned(),
        expires_at: None,
    };
    let cx = world.cx();
    world
        .write(move |tx| native_key::enrol(&cx, tx, &client_id("cli"), &issuer(IDP), &subject(sub), new))
        .unwrap()
}

#[test]
fn a_persons_keys_die_with_the_person_cl_st_03() {
    let world = World::new();
    let key = granted(enrol(&world, "k1", "alice"));
    assert_eq!(
        key.holder,
        Some(KeyHolder::Subject {
            issuer: issuer(IDP),
            subject: subject("alice")
        })
    );
    granted(enrol(&world, "k2", "bob"));
    assert_eq!(denied(enrol(&world, "k1", "bob")), native_key::Denial::Taken);
    assert_eq!(cut(&world, "alice").keys, 1);
    let kids: Vec<String> = world
        .read(|tx| tx.list_keys_held_by_subject(&issuer(IDP), "bob"))
        .into_iter()
        .map(|key| key.kid)
        .collect();
    assert_eq!(kids, ["k2"]);
    assert!(
        world
            .read(|tx| tx.list_keys_held_by_subject(&issuer(IDP), "alice"))
            .is_empty()
    );
}

#[test]
fn keys_are_enrolled_for_native_clients_of_trusted_issuers_only_and_not_without_end() {
    let world = World::new();
    let jwk = world.idp_key.public_jwk();
    let attempt = |client: &'static str, issuer_text: &'static str| {
        let new = native_key::NewKey {
            kid: "x".to_owned(),
            jwk: jwk.clone(),
            label: String::new(),
            expires_at: None,
        };
        let cx = world.cx();
        denied(
            world
                .write(move |tx| {
                    native_key::enrol(
                        &cx,
                        tx,
                        &client_id(client),
                        &issuer(issuer_text),
                        &subject("alice"),
                        new,
                    )
                })
                .unwrap(),
        )
    };
    assert_eq!(attempt("agent", IDP), native_key::Denial::NotNative);
    assert_eq!(attempt("nobody", IDP), native_key::Denial::UnknownClient);
    assert_eq!(
        attempt("cli", "https://personal.example"),
        native_key::Denial::NotTrusted
    );
    for n in 0..native_key::MAX_KEYS {
        granted(enrol(&world, &format!("k{n}"), "alice"));
    }
    assert_eq!(denied(enrol(&world, "one-more", "alice")), native_key::Denial::TooMany);
}

#[test]
fn one_key_is_removed_by_its_owner() {
    let world = World::new();
    granted(enrol(&world, "k1", "alice"));
    let remove = |sub: &'static str| {
        let cx = world.cx();
        let actor = Actor::User("usr_1".to_owned());
        world
            .write(move |tx| native_key::remove(&cx, tx, actor, &issuer(IDP), &subject(sub), "k1"))
            .unwrap()
    };
    assert!(!remove("bob"), "nobody removes the key of somebody else");
    assert!(remove("alice") && !remove("alice"));
}
