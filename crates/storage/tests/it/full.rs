//! A full disk on SQLite: refused, still cut off, and recovered without help.

use std::process::Command;

use lanyard_core::store::replay::ReplayKind;
use lanyard_core::store::{Mode, StoreError, StoreExt as _};
use lanyard_testkit::block_on::block_on;

use crate::sample::{at, event, id, session, user};
use crate::support::Bench;

fn small() -> Bench {
    Bench::sqlite_with(|config| {
        config.max_pages = Some(300);
        config.reserve_bytes = 40 * 4096;
    })
}

/// Writes until the store says that it is full.
fn fill(b: &Bench) {
    for n in 0..100_000 {
        let written = b.write(move |tx| {
            for m in 0..20 {
                tx.record_use("acme", ReplayKind::IdJag, &"i".repeat(200), &format!("{n}-{m}"), at(0))?;
            }
            Ok(())
        });
        match written {
            Ok(()) => {}
            Err(StoreError::Full) => return,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the store never got full");
}

/// What a deactivation writes.
fn deactivate(b: &Bench) -> Result<u64, StoreError> {
    let (record, text) = event("cut", "admin.user.deactivated", 0);
    block_on(b.store.write_reserved(move |tx| {
        tx.append_event(&record, &text)?;
        tx.end_sessions_of(&id("ada"), at(1))
    }))
}

#[test]
fn a_full_store_refuses_ordinary_units_lets_a_deactivation_commit_and_recovers() {
    let b = small();
    b.write(|tx| tx.insert_session(&session("s", "ada", 1))).unwrap();
    fill(&b);
    assert!(b.handle.health().full);
    assert!(matches!(
        b.write(|tx| tx.insert_user(&user(&"x".repeat(5000)))),
        Err(StoreError::Full)
    ));
    assert_eq!(deactivate(&b).unwrap(), 1);
    for _ in 0..20 {
        let (record, text) = event("more", "admin.user.deactivated", 0);
        block_on(b.store.write_reserved(move |tx| tx.append_event(&record, &text))).unwrap();
    }
    // Reading goes on.
    assert!(
        b.read(|tx| tx.find_session(&id("s")))
            .unwrap()
            .unwrap()
            .ended_at
            .is_some()
    );
    // What expires makes room, without a restart.
    while b.write(|tx| tx.purge_uses(at(10), 1000)).unwrap() > 0 {}
    b.write(|tx| tx.insert_user(&user("later"))).unwrap();
    assert!(!b.handle.health().full);
}

#[test]
fn unit_three_of_five_that_meets_a_full_disk_never_lets_a_lost_unit_be_acknowledged() {
    let b = small();
    let gate = b.gate();
    let ends: Vec<_> = (0..5)
        .map(|n| {
            b.submit(Mode::Write, move |tx| {
                tx.insert_user(&user(&format!("u{n}")))?;
                if n == 2 {
                    for m in 0..100_000 {
                        tx.record_use("acme", ReplayKind::IdJag, &"i".repeat(200), &m.to_string(), at(0))?;
                    }
                }
                Ok(())
            })
        })
        .collect();
    drop(gate);
    let ends: Vec<bool> = ends.into_iter().map(|end| end.recv().unwrap().is_ok()).collect();
    assert!(!ends[2]);
    for (n, acknowledged) in ends.into_iter().enumerate() {
        let found = b.read(move |tx| tx.find_user(&id(&format!("u{n}")))).unwrap();
        assert_eq!(found.is_some(), acknowledged, "unit {n}");
    }
    // Nothing of the failed unit is left, so there is room again.
    b.write(|tx| tx.insert_user(&user("later"))).unwrap();
}

#[test]
fn a_reserved_unit_is_not_lost_with_an_ordinary_one_that_meets_a_full_disk() {
    let b = small();
    b.write(|tx| tx.insert_session(&session("s", "ada", 1))).unwrap();
    let gate = b.gate();
    let greedy = b.submit(Mode::Write, |tx| {
        for m in 0..100_000 {
            tx.record_use("acme", ReplayKind::IdJag, &"i".repeat(200), &m.to_string(), at(0))?;
        }
        Ok(())
    });
    let cut = b.submit(Mode::WriteReserved, |tx| {
        tx.end_sessions_of(&id("ada"), at(1)).map(|_| ())
    });
    drop(gate);
    // The unit rolled back as it decided to, or failed with its batch: either way nothing of it stands.
    let _ = greedy.recv().unwrap();
    assert!(cut.recv().unwrap().is_ok());
    assert!(
        b.read(|tx| tx.find_session(&id("s")))
            .unwrap()
            .unwrap()
            .ended_at
            .is_some()
    );
}

const CHILD: &str = "LANYARD_TEST_UNDER_LIMIT";

/// The limit belongs to a process, so the case runs in one of its own: this test program again, under `ulimit`.
#[test]
fn under_a_file_size_limit_the_store_gets_full_lets_a_deactivation_commit_and_recovers() {
    if std::env::var_os(CHILD).is_some() {
        return under_a_file_size_limit();
    }
    let name = "full::under_a_file_size_limit_the_store_gets_full_lets_a_deactivation_commit_and_recovers";
    // 6,144 blocks of 512 bytes. As in the program itself, the signal is ignored, so that the write fails instead.
    let output = Command::new("/bin/sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 6144; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn under_a_file_size_limit() {
    let b = Bench::sqlite();
    b.write(|tx| tx.insert_session(&session("s", "ada", 1))).unwrap();
    fill(&b);
    assert!(b.handle.health().full);
    assert_eq!(deactivate(&b).unwrap(), 1);
    for _ in 0..20 {
        let (record, text) = event("more", "admin.user.deactivated", 0);
        block_on(b.store.write_reserved(move |tx| tx.append_event(&record, &text))).unwrap();
    }
    assert!(
        b.read(|tx| tx.find_session(&id("s")))
            .unwrap()
            .unwrap()
            .ended_at
            .is_some()
    );
    while b.write(|tx| tx.purge_uses(at(10), 1000)).unwrap() > 0 {}
    b.write(|tx| tx.insert_user(&user("later"))).unwrap();
    assert!(!b.handle.health().full);
}
