//! Two replicas on one PostgreSQL: no process holds truth.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use lanyard_testkit::postgres::{Database, database};
use serde_json::Value;

use super::audit_log::AuditLog;
use super::http::{Answer, Request};
use super::load::{Desk, jti, kid, token};
use super::site::{PATIENCE, Ports, Server, Site};

/// The bound on a view of revocations (architecture, section 10).
const BOUND: std::time::Duration = std::time::Duration::from_secs(5);

struct Pair {
    a: Site,
    b: Site,
    _servers: [Server; 2],
    _database: Database,
}

/// Two processes under the same issuers, with the same database and key-encryption key.
fn pair() -> Pair {
    let database = database();
    let mut a = Site::new();
    let key = a.path("kek");
    std::fs::write(&key, [9; 32]).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    a.more = format!(
        "[store]\nurl = {:?}\nconnections = 4\n[kek]\nfile = {key:?}\n",
        database.url()
    );
    let mut b = Site::new();
    b.ports = Ports::free();
    b.named = a.ports;
    b.more = a.more.clone();
    let first = a.start();
    let second = b.start();
    a.claim();
    a.populate();
    Pair {
        a,
        b,
        _servers: [first, second],
        _database: database,
    }
}

/// A call at the gateway of a site. Nothing stands behind it: only what the gateway itself says counts.
fn call(site: &Site, token: &str) -> Answer {
    let call = Request::get(site.ports.gateway, "/notes/mcp").named(&format!("127.0.0.1:{}", site.named.gateway));
    let call = call.header("Authorization", format!("Bearer {token}"));
    call.header("Accept", "text/event-stream").send().unwrap()
}

/// Asks until it is so, and gives up after `PATIENCE`; each question is a request, so nothing spins.
fn until(what: &str, mut is_so: impl FnMut() -> bool) -> std::time::Duration {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}");
    }
    began.elapsed()
}

#[test]
fn a_grant_redeemed_at_one_replica_is_refused_at_the_other_even_at_once_postgres() {
    let pair = pair();
    let at_a = Desk::sign_in(&pair.a, "alice");
    let at_b = at_a.towards(&pair.b);
    for _ in 0..20 {
        let id_jag = token(&at_a.exchange().unwrap());
        let both = std::thread::scope(|scope| {
            let rival = scope.spawn(|| at_b.redeem(&id_jag).unwrap());
            [at_a.redeem(&id_jag).unwrap(), rival.join().unwrap()]
        });
        let mut codes = both.map(|answer| answer.status);
        codes.sort_unstable();
        assert_eq!(codes, [200, 400]);
        assert_eq!(at_b.redeem(&id_jag).unwrap().status, 400);
    }
    let mut log = AuditLog::default();
    log.read(&pair.a);
    assert_eq!(log.redemptions.len(), 20);
    assert!(log.redemptions.values().all(|times| *times == 1));
    AuditLog::verify_chain(&pair.a);
}

#[test]
fn a_deactivation_at_one_replica_bites_at_the_other_within_the_bound_postgres() {
    let pair = pair();
    let at_a = Desk::sign_in(&pair.a, "alice");
    let at_b = at_a.towards(&pair.b);
    let held = at_a.chain();
    let call = || call(&pair.b, &held);
    // The token opens the gateway there, whatever becomes of the call: nothing stands behind it.
    until("the other gateway never knew the connector", || {
        ![404, 503].contains(&call().status)
    });
    let before = call();
    assert_ne!(before.status, 401, "{before:?}");
    assert_eq!(at_b.introspect(&held)["active"], true);

    assert_eq!(
        pair.a.admin("POST", "/admin/v1/users/alice/deactivate", None).status,
        200
    );
    // What is decided from the store bites with the commit; the gateway's view of the other process follows.
    assert_ne!(at_b.exchange().unwrap().status, 200);
    assert_eq!(at_b.introspect(&held)["active"], false);
    let took = until("the other gateway still lets the token in", || call().status == 401);
    assert!(took < BOUND, "{took:?}");
    println!("the other replica's gateway refused after {} ms", took.as_millis());
}

#[test]
fn a_rotation_at_one_replica_reaches_the_other_and_tokens_of_both_keys_are_accepted_postgres() {
    let pair = pair();
    let at_a = Desk::sign_in(&pair.a, "alice");
    let at_b = at_a.towards(&pair.b);
    let kids = |site: &Site| -> Vec<String> {
        let jwks = Request::get(site.ports.idp, "/oauth2/jwks").named(&format!("127.0.0.1:{}", site.named.idp));
        let jwks: Value = jwks.send().unwrap().json();
        let mut kids: Vec<String> = jwks["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect();
        kids.sort();
        kids
    };
    let before = kids(&pair.b);
    let old = token(&at_b.exchange().unwrap());
    pair.a.must(&["keys", "rotate", "idp"]);
    let after = kids(&pair.a);
    assert!(after.len() > before.len(), "{before:?} {after:?}");
    until("the other replica never published the next key", || {
        kids(&pair.b) == after
    });
    let redeemed = token(&at_b.redeem(&old).unwrap());
    assert!(!jti(&redeemed).is_empty());
    at_b.chain();
    at_a.chain();
}

#[test]
fn an_emergency_removal_at_one_replica_bites_at_the_other_and_fresh_tokens_are_accepted_postgres() {
    let pair = pair();
    let at_a = Desk::sign_in(&pair.a, "alice");
    let at_b = at_a.towards(&pair.b);
    let held = at_a.chain();
    let removed = kid(&held);
    until("the other gateway never let the token in", || {
        ![401, 404, 503].contains(&call(&pair.b, &held).status)
    });

    pair.a.must(&["keys", "remove", &removed, "--yes"]);
    assert_eq!(at_a.introspect(&held)["active"], false);
    let took = until("the other gateway still lets the token in", || {
        call(&pair.b, &held).status == 401
    });
    assert!(took < BOUND, "{took:?}");
    until("the other replica still vouches for the token", || {
        at_b.introspect(&held)["active"] == false
    });
    until("the other replica still signs with the removed key", || {
        kid(&at_b.chain()) != removed
    });
    let fresh = at_b.chain();
    assert_eq!(at_a.introspect(&fresh)["active"], true);
}
