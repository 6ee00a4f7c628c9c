//! Opening, starting at once, ending, and what is told about commits.

use std::sync::mpsc::channel;

use lanyard_core::store::StoreError;
use lanyard_core::store::StoreExt as _;
use lanyard_storage::{Committed, Location, OpenError, StoreConfig, migrate, open, schema};
use lanyard_testkit::block_on::block_on;

use crate::sample::{at, event, id, rule, user};
use crate::support::{Bench, Place};

fn config(b: &Bench) -> StoreConfig {
    match &b.place {
        Place::File(place) => StoreConfig::sqlite(place.path().join("lanyard.db")),
        Place::Database(database) => StoreConfig {
            connections: 2,
            ..StoreConfig::postgres(database.url())
        },
    }
}

conformance! {
    fn what_was_committed_is_there_after_a_restart(b) {
        b.write(|tx| tx.insert_user(&user("ada"))).unwrap();
        b.handle.shutdown();
        let again = open(&config(b)).unwrap();
        let found = block_on(again.store.read(|tx| tx.find_user(&id("ada")))).unwrap();
        assert_eq!(found, Some(user("ada")));
    }

    fn a_store_that_was_shut_down_is_not_available(b) {
        let last = b.submit(lanyard_core::store::Mode::Write, |tx| tx.insert_user(&user("ada")));
        b.handle.shutdown();
        assert!(last.recv().unwrap().is_ok());
        assert!(matches!(b.write(|tx| tx.count_users()), Err(StoreError::Unavailable)));
        assert!(matches!(b.read(|tx| tx.count_users()), Err(StoreError::Unavailable)));
        b.handle.shutdown();
    }

    fn several_processes_may_start_at_once(b) {
        b.handle.shutdown();
        let place = Fresh::beside(b);
        let config = place.config();
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| open(&config).map(|_| ()).unwrap());
            }
        });
    }

    fn commits_are_told_with_what_they_wrote_and_roll_backs_are_not(b) {
        let (sender, told) = channel();
        b.handle.on_commit(move |committed| sender.send(committed).unwrap_or(()));
        b.write(|tx| tx.insert_user(&user("ada"))).unwrap();
        let (record, text) = event("1", "idp.id_jag.issued", 0);
        let (again, again_text) = (record.clone(), text.clone());
        let refused: Result<(), _> = b.write(move |tx| {
            tx.append_event(&record, &text)?;
            Err(StoreError::Unavailable)
        });
        assert!(refused.is_err());
        b.write(move |tx| tx.append_event(&again, &again_text).and_then(|()| tx.insert_rule(&rule("r")))).unwrap();
        // On PostgreSQL the first look at the epoch tells more than happened.
        let first = told.iter().find(|committed: &Committed| committed.audit && committed.records).unwrap();
        assert!(!first.jobs);
    }

    fn a_reader_cannot_write(b) {
        assert!(b.read(|tx| tx.insert_user(&user("ada"))).is_err());
        assert_eq!(b.write(|tx| tx.count_users()).unwrap(), (0, 0));
    }

    fn a_snapshot_does_not_move_under_a_reader(b) {
        let (entered, is_in) = channel();
        let (go, wait) = channel::<()>();
        let (sender, counts) = channel();
        let end = b.submit(lanyard_core::store::Mode::Read, move |tx| {
            let before = tx.count_users()?;
            entered.send(()).unwrap();
            wait.recv().unwrap();
            sender.send((before, tx.count_users()?)).unwrap();
            Ok(())
        });
        is_in.recv().unwrap();
        b.write(|tx| tx.insert_user(&user("ada"))).unwrap();
        go.send(()).unwrap();
        assert!(end.recv().unwrap().is_ok());
        assert_eq!(counts.recv().unwrap(), ((0, 0), (0, 0)));
        assert_eq!(b.read(|tx| tx.count_users()).unwrap(), (1, 1));
    }

    fn a_store_that_is_missing_is_looked_at_without_making_it_and_migrated_once(b) {
        b.handle.shutdown();
        let place = Fresh::beside(b);
        let config = place.config();
        let before = schema(&config).unwrap();
        assert!(before.applied.is_empty() && !before.missing.is_empty() && before.last() == 0);
        assert_eq!(schema(&config).unwrap(), before, "looking changed something");
        if let Fresh::File(place) = &place {
            assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "looking made something");
        }
        assert_eq!(migrate(&config).unwrap(), before.missing);
        let after = schema(&config).unwrap();
        assert_eq!((&after.applied, after.missing.len()), (&before.missing, 0));
        assert_eq!(migrate(&config).unwrap(), Vec::<String>::new());
        assert!(open(&config).is_ok());
    }

    fn a_healthy_store_says_so(b) {
        b.write(|tx| tx.touch_session(&id("none"), at(0))).unwrap();
        let health = b.handle.health();
        assert!(health.available && !health.full);
        assert!(["sqlite", "postgres"].contains(&b.store.engine()));
    }
}

enum Fresh {
    File(tempfile::TempDir),
    Database(lanyard_testkit::postgres::Database),
}

impl Fresh {
    fn beside(b: &Bench) -> Self {
        match &b.place {
            Place::File(_) => Self::File(tempfile::tempdir().unwrap()),
            Place::Database(_) => Self::Database(lanyard_testkit::postgres::database()),
        }
    }

    fn config(&self) -> StoreConfig {
        match self {
            Self::File(place) => StoreConfig::sqlite(place.path().join("new.db")),
            Self::Database(database) => StoreConfig {
                connections: 1,
                ..StoreConfig::postgres(database.url())
            },
        }
    }
}

#[test]
fn a_missing_directory_is_told_with_its_remedy() {
    let error = open(&StoreConfig::sqlite("/nonexistent/lanyard.db")).err().unwrap();
    assert!(matches!(&error, OpenError::File { .. }));
    assert!(error.to_string().contains("/nonexistent/lanyard.db"));
    assert!(error.to_string().contains("check that the directory exists"));
}

#[test]
fn a_server_that_does_not_answer_is_told_without_the_password() {
    let error = open(&StoreConfig::postgres("postgres://u:geheim@127.0.0.1:1/x"))
        .err()
        .unwrap();
    assert!(matches!(&error, OpenError::Server(_)));
    assert!(!error.to_string().contains("geheim"));
    assert!(!format!("{:?}", Location::parse("postgres://u:geheim@h/x")).contains("geheim"));
}

#[test]
fn migrations_that_are_missing_are_named_when_they_are_not_run_by_themselves() {
    let database = lanyard_testkit::postgres::database();
    let mut config = StoreConfig::postgres(database.url());
    config.migrate = false;
    assert!(matches!(open(&config), Err(OpenError::Schema { found: 0, .. })));
    assert!(
        open(&config)
            .err()
            .unwrap()
            .to_string()
            .contains("run `lanyard migrate` first")
    );
    let applied = migrate(&config).unwrap();
    assert_eq!(applied, schema(&config).unwrap().applied);
    assert!(open(&config).is_ok());
}

#[test]
fn the_file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let b = Bench::sqlite();
    b.write(|tx| tx.insert_user(&user("ada"))).unwrap();
    let Place::File(place) = &b.place else {
        panic!("a file was asked for")
    };
    for entry in std::fs::read_dir(place.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{:?}",
            entry.path()
        );
    }
}

#[test]
fn a_backup_is_a_store_and_never_overwrites() {
    let b = Bench::sqlite();
    b.write(|tx| tx.insert_user(&user("ada"))).unwrap();
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy.db");
    b.handle.backup(&copy).unwrap();
    assert!(b.handle.backup(&copy).is_err());
    let opened = open(&StoreConfig::sqlite(&copy)).unwrap();
    assert_eq!(block_on(opened.store.read(|tx| tx.count_users())).unwrap(), (1, 1));
}

#[test]
fn another_replica_hears_of_jobs_and_revocations() {
    let b = Bench::postgres();
    let other = open(&config(&b)).unwrap();
    let (sender, told) = channel();
    other
        .handle
        .on_commit(move |committed| sender.send(committed).unwrap_or(()));
    let revoked = lanyard_protocol::gateway::Revoked::Key {
        issuer: crate::sample::issuer("ras"),
        kid: "k".to_owned(),
    };
    b.write(move |tx| tx.append_revocation(&revoked, at(0), at(1))).unwrap();
    assert!(told.iter().any(|committed| committed.revocations));
}

#[test]
fn after_a_restore_into_another_cluster_new_events_are_sealed_after_the_old_ones() {
    let b = Bench::postgres();
    let append = |name: &'static str| {
        let (record, text) = event(name, "idp.id_jag.issued", 0);
        b.write(move |tx| tx.append_event(&record, &text)).unwrap();
    };
    append("sealed");
    append("unsealed");
    let unsealed = || b.read(|tx| tx.list_unsealed(9)).unwrap();
    while unsealed().len() < 2 {}
    let first = unsealed()[0].0;
    b.write(move |tx| tx.seal_events(&[(first, 1, "h".to_owned())]))
        .unwrap();
    // As if these rows came from a cluster that had counted further.
    b.meddle("", "UPDATE audit_events SET written_by = written_by + 1000000000");
    let again = open(&config(&b)).unwrap();
    append("new");
    drop(again);
    while unsealed().len() < 2 {}
    let ids: Vec<_> = unsealed()
        .iter()
        .map(|(_, text)| text.contains("\"evt_unsealed\""))
        .collect();
    assert_eq!(ids, [true, false]);
}
