//! Signing keys: first start, rotation, emergency removal (MD-KEY-01, SEC-12, SEC-17, P6).

use std::sync::Arc;
use std::time::Duration;

use lanyard_core::admin::token::{Admin, AdminRole};
use lanyard_core::clock::Clock;
use lanyard_core::keys::record::{KeyState, Ring};
use lanyard_core::keys::ring::{KeyRing, load};
use lanyard_core::keys::rotation::{self, FreshKey, Need, Removal, RotationSettings};
use lanyard_core::keys::vault::{Vault, WrongKek};
use lanyard_core::outcome::Outcome;
use lanyard_core::store::StoreError;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::seal::Kek;
use lanyard_protocol::gateway::Revoked;
use lanyard_testkit::company::Company;

use crate::ras_world::{denied, granted};

fn fresh(company: &Company, ring: Ring, algorithm: Algorithm) -> FreshKey {
    FreshKey::generate(&company.vault, ring, algorithm).unwrap()
}

fn ring(company: &Company, ring: Ring) -> KeyRing {
    let vault = Arc::clone(&company.vault);
    company.read(move |tx| load(tx, &vault, ring))
}

fn kids(ring: &KeyRing) -> Vec<String> {
    ring.jwks.keys.iter().map(|key| key.kid().unwrap().to_owned()).collect()
}

fn rotate(company: &Company, which: Ring, algorithm: Algorithm) -> String {
    let (key, admin) = (fresh(company, which, algorithm), company.admin.clone());
    let kid = key.kid().to_owned();
    let end = company.write(move |cx, tx| rotation::rotate(cx, tx, &RotationSettings::default(), &admin, &key));
    granted(end);
    kid
}

fn tend(company: &Company) -> bool {
    company.write(|cx, tx| rotation::tend(cx, tx, &RotationSettings::default()))
}

fn remove(company: &Company, which: Ring, kid: &str) -> Removal {
    let (key, admin, kid) = (
        fresh(company, which, Algorithm::Es256),
        company.admin.clone(),
        kid.to_owned(),
    );
    let ras = company.ras.issuer.clone();
    granted(company.write(move |cx, tx| rotation::remove_now(cx, tx, &admin, Some(&ras), &kid, &key)))
}

#[test]
fn every_ring_has_a_key_of_its_own_tok_gn_03() {
    let rings = Company::new().rings();
    let mut all: Vec<String> = [&rings.idp, &rings.ras, &rings.audit]
        .iter()
        .flat_map(|ring| kids(ring.as_ref().unwrap()))
        .collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 3);
}

#[test]
fn of_two_replicas_that_start_together_one_makes_the_key() {
    let company = Company::new();
    let before = kids(&ring(&company, Ring::Idp));
    let late = fresh(&company, Ring::Idp, Algorithm::Es256);
    assert!(!company.write(move |cx, tx| rotation::ensure(cx, tx, &late)));
    assert_eq!(kids(&ring(&company, Ring::Idp)), before);
}

#[test]
fn a_new_key_is_published_before_it_signs_and_the_old_one_stays_until_its_last_token_is_expired_md_key_01() {
    let company = Company::new();
    let old = ring(&company, Ring::Ras);
    let new = rotate(&company, Ring::Ras, Algorithm::Es256);
    let announced = ring(&company, Ring::Ras);
    assert_eq!((announced.active.kid(), kids(&announced).len()), (old.active.kid(), 2));
    assert!(announced.published.contains(&new) && announced.version > old.version);

    company.clock.advance(Duration::from_secs(299));
    assert!(!tend(&company), "one second too early");
    company.clock.advance(Duration::from_secs(1));
    assert!(tend(&company));
    let moved = ring(&company, Ring::Ras);
    assert_eq!(moved.active.kid(), new);
    assert!(
        moved.published.contains(old.active.kid()),
        "tokens of the old key are still out"
    );

    company.clock.advance(Duration::from_secs(3659));
    assert!(!tend(&company));
    company.clock.advance(Duration::from_secs(1));
    assert!(tend(&company));
    assert_eq!(kids(&ring(&company, Ring::Ras)), [new]);
    assert_eq!(company.last_event().0, "keys.key.removed");
}

#[test]
fn the_worker_knows_when_to_come_back() {
    let company = Company::new();
    assert_eq!(company.read(|tx| rotation::next_due(tx)), None);
    rotate(&company, Ring::Idp, Algorithm::Es256);
    let due = company.read(|tx| rotation::next_due(tx)).unwrap();
    assert_eq!(due, company.clock.now().plus(Duration::from_secs(300)));
}

#[test]
fn one_rotation_at_a_time() {
    let company = Company::new();
    let first = rotate(&company, Ring::Idp, Algorithm::Es256);
    let (key, admin) = (fresh(&company, Ring::Idp, Algorithm::Es256), company.admin.clone());
    let end = company.write(move |cx, tx| rotation::rotate(cx, tx, &RotationSettings::default(), &admin, &key));
    assert!(denied(end).to_string().contains(&first));
    assert_eq!(
        company.last_event(),
        ("keys.rotation.refused".to_owned(), Some("invalid".to_owned()))
    );
}

#[test]
fn another_algorithm_is_made_when_it_is_selected_tok_gn_03() {
    let company = Company::new();
    for algorithm in [Algorithm::EdDsa, Algorithm::Rs256] {
        assert_eq!(
            company.read(move |tx| rotation::need(tx, Ring::Idp, algorithm)),
            Need::OtherAlgorithm
        );
        let key = fresh(&company, Ring::Idp, algorithm);
        assert!(company.write(move |cx, tx| rotation::select(cx, tx, &RotationSettings::default(), &key)));
        assert_eq!(
            company.read(move |tx| rotation::need(tx, Ring::Idp, algorithm)),
            Need::Nothing
        );
        company.clock.advance(Duration::from_secs(300));
        tend(&company);
        let ring = ring(&company, Ring::Idp);
        assert_eq!(ring.active.algorithm(), algorithm);
        assert!(ring.active.sign("JWT", &serde_json::json!({})).is_ok());
    }
    assert_eq!(
        company.read(|tx| rotation::need(tx, Ring::Idp, Algorithm::Rs256)),
        Need::Nothing
    );
}

#[test]
fn an_emergency_removal_bites_at_once_and_gateways_are_told_sec_17_p6() {
    let company = Company::new();
    let bad = ring(&company, Ring::Ras).active.kid().to_owned();
    let removal = remove(&company, Ring::Ras, &bad);
    let now = ring(&company, Ring::Ras);
    assert!(!now.published.contains(&bad));
    assert_eq!(removal.signs_now.as_deref(), Some(now.active.kid()));
    let entry = company.read(|tx| tx.list_revocations(0, 10)).pop().unwrap();
    assert_eq!(Some(entry.sequence), removal.sequence);
    assert_eq!(
        entry.revoked,
        Revoked::Key {
            issuer: company.ras.issuer.clone(),
            kid: bad
        }
    );
    let event = company.events().remove(0).event;
    assert_eq!(
        (event.kind.as_str(), &event.detail["emergency"]),
        ("keys.key.removed", &serde_json::json!(true))
    );
}

#[test]
fn the_next_key_takes_over_when_the_signing_one_is_removed() {
    let company = Company::new();
    let bad = ring(&company, Ring::Idp).active.kid().to_owned();
    let next = rotate(&company, Ring::Idp, Algorithm::Es256);
    let removal = remove(&company, Ring::Idp, &bad);
    assert_eq!(
        (removal.signs_now.as_deref(), removal.sequence),
        (Some(next.as_str()), None)
    );
    assert_eq!(kids(&ring(&company, Ring::Idp)), [next]);
}

#[test]
fn a_removed_key_never_comes_back_and_its_private_half_is_gone_sec_17() {
    let company = Company::new();
    let bad = ring(&company, Ring::Idp).active.kid().to_owned();
    remove(&company, Ring::Idp, &bad);
    company.clock.advance(Duration::from_secs(100_000));
    tend(&company);
    assert!(!ring(&company, Ring::Idp).published.contains(&bad));
    let stored = company
        .read(|tx| tx.list_keys(Ring::Idp))
        .into_iter()
        .find(|key| key.kid == bad)
        .unwrap();
    assert_eq!((stored.state, stored.sealed_private.len()), (KeyState::Removed, 0));
    let (key, admin) = (fresh(&company, Ring::Idp, Algorithm::Es256), company.admin.clone());
    let again = company.write(move |cx, tx| rotation::remove_now(cx, tx, &admin, None, &bad, &key));
    assert_eq!(denied(again).code(), "invalid");
}

#[test]
fn a_key_of_another_ring_is_not_found_there() {
    let company = Company::new();
    let kid = ring(&company, Ring::Idp).active.kid().to_owned();
    let (key, admin) = (fresh(&company, Ring::Ras, Algorithm::Es256), company.admin.clone());
    let end = company.write(move |cx, tx| rotation::remove_now(cx, tx, &admin, None, &kid, &key));
    assert_eq!(denied(end).code(), "not_found");
}

#[test]
fn audit_keys_stay_published_for_as_long_as_exports_are_verified() {
    let company = Company::new();
    let old = ring(&company, Ring::Audit).active.kid().to_owned();
    rotate(&company, Ring::Audit, Algorithm::Es256);
    company.clock.advance(Duration::from_secs(300));
    tend(&company);
    company.clock.advance(Duration::from_secs(10_000_000));
    tend(&company);
    assert!(ring(&company, Ring::Audit).published.contains(&old));
}

#[test]
fn an_auditor_sees_the_keys_and_changes_none() {
    let company = Company::new();
    let auditor = Admin {
        role: AdminRole::Auditor,
        ..company.admin.clone()
    };
    let reader = auditor.clone();
    let views = granted(company.read(move |tx| rotation::list(tx, &reader)));
    assert_eq!(views.len(), 3);
    let key = fresh(&company, Ring::Idp, Algorithm::Es256);
    let end = company.write(move |cx, tx| rotation::rotate(cx, tx, &RotationSettings::default(), &auditor, &key));
    assert_eq!(denied(end).code(), "not_permitted");
    assert_eq!(company.last_event().0, "keys.rotation.refused");
}

#[test]
fn keys_rest_sealed_and_another_key_encryption_key_is_refused_by_name_sec_12() {
    let company = Company::new();
    let signing = ring(&company, Ring::Idp).active;
    let stored = company.read(|tx| tx.list_keys(Ring::Idp)).remove(0);
    let plain = signing.to_pkcs8();
    assert!(
        !stored
            .sealed_private
            .windows(16)
            .any(|part| plain.windows(16).any(|own| own == part))
    );
    let other = Arc::new(Vault::new(Kek::from_bytes([8; 32])));
    let own = Arc::clone(&company.vault);
    assert_eq!(company.write(move |_, tx| own.check(tx)), Outcome::Granted(()));
    let wrong = Arc::clone(&other);
    assert_eq!(company.write(move |_, tx| wrong.check(tx)), Outcome::Denied(WrongKek));
    let opened = lanyard_testkit::block_on::block_on(lanyard_core::store::StoreExt::read(&*company.store, move |tx| {
        load(tx, &other, Ring::Idp)
    }));
    assert!(matches!(opened, Err(StoreError::Corrupt(_))));
}

#[test]
fn a_key_moved_to_another_row_does_not_open_sec_12() {
    let company = Company::new();
    let stored = company.read(|tx| tx.list_keys(Ring::Idp)).remove(0);
    let kek = Kek::from_bytes([7; 32]);
    let place = |row| lanyard_jose::seal::Place {
        table: "signing_keys",
        row,
        column: "private",
    };
    assert!(kek.open(&place(&stored.kid), &stored.sealed_private).is_ok());
    assert!(kek.open(&place("another"), &stored.sealed_private).is_err());
}
