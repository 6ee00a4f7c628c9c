//! A full disk: 503, deactivation still commits, and the way back needs nobody.

use std::process::Command;

use serde_json::json;

use super::load::Desk;
use super::site::{Server, Site};

/// Fills the store by the admin API until it says that it is full.
fn fill(site: &Site) {
    let padding = "x".repeat(100);
    for batch in 0..400 {
        let people: Vec<_> = (0..100)
            .map(|n| json!({ "username": format!("p{batch}-{n}"), "display_name": padding, "email": format!("p{batch}-{n}@example.com") }))
            .collect();
        let answer = site.admin("POST", "/admin/v1/apply", Some(&json!({ "users": people })));
        match answer.status {
            200 => {}
            503 => return,
            _ => panic!("{answer:?}"),
        }
    }
    panic!("the store never got full");
}

fn lift_the_limit(server: &Server) {
    let lifted = Command::new("prlimit")
        .args(["--pid", &server.id().to_string(), "--fsize=unlimited"])
        .status()
        .unwrap_or_else(|error| panic!("missing: prlimit of util-linux: {error}"));
    assert!(lifted.success());
}

#[test]
fn a_full_disk_answers_503_still_commits_a_deactivation_and_recovers_by_itself_sec_22() {
    let site = Site::new();
    // 12,288 blocks of 512 bytes, as a soft limit that can be lifted from outside.
    let mut server = site.start_under("ulimit -S -f 12288");
    site.claim();
    site.populate();
    let (alice, bob) = (Desk::sign_in(&site, "alice"), Desk::sign_in(&site, "bob"));
    let held = alice.chain();
    fill(&site);

    // What is left holds a few small things after it refused a large one.
    let refused = (0..5_000)
        .map(|_| bob.exchange().unwrap())
        .find(|answer| answer.status != 200)
        .unwrap();
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(
        refused
            .header("retry-after")
            .is_some_and(|after| after.parse::<u32>().is_ok()),
        "{refused:?}"
    );
    assert!(server.runs());

    let deactivated = site.admin("POST", "/admin/v1/users/alice/deactivate", None);
    assert_eq!(deactivated.status, 200, "{deactivated:?}");
    assert_eq!(alice.introspect(&held)["active"], false);
    assert_ne!(alice.exchange().unwrap().status, 200);

    lift_the_limit(&server);
    // The limit is read again when the store gets full. At the edge a small act may have fitted just before; then one
    // more finds the old limit and is told to try again.
    let refused: Vec<usize> = (0..50).filter(|_| bob.exchange().unwrap().status == 503).collect();
    assert!(refused.len() <= 1, "told to try again at {refused:?} of 50");
    bob.chain();
    let user = site.admin("GET", "/admin/v1/users/alice", None).json();
    assert_eq!(user["active"], false, "{user}");
}
