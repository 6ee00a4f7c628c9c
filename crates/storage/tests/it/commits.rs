//! The unit of work: commit, roll back, panic, group commit.

use std::sync::mpsc::channel;

use lanyard_core::store::{Mode, StoreError};

use crate::sample::user;
use crate::support::Bench;

conformance! {
    fn a_unit_that_fails_leaves_nothing(b) {
        let failed: Result<(), _> = b.write(|tx| {
            tx.insert_user(&user("ada"))?;
            Err(StoreError::Conflict("on purpose"))
        });
        assert!(matches!(failed, Err(StoreError::Conflict("on purpose"))));
        assert_eq!(b.read(|tx| tx.count_users()).unwrap(), (0, 0));
    }

    fn a_unit_that_panics_is_rolled_back_alone(b) {
        let gate = b.gate();
        let ends: Vec<_> = (0..5).map(|n| b.submit(Mode::Write, move |tx| {
            tx.insert_user(&user(&format!("u{n}")))?;
            assert!(n != 2, "on purpose");
            Ok(())
        })).collect();
        drop(gate);
        let ends: Vec<_> = ends.into_iter().map(|end| end.recv().unwrap()).collect();
        assert!(matches!(ends[2], Err(StoreError::Panicked)));
        assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 4);
        assert_eq!(b.read(|tx| tx.count_users()).unwrap(), (4, 4));
    }

    fn a_unit_that_fails_is_rolled_back_alone(b) {
        let gate = b.gate();
        let ends: Vec<_> = (0..5).map(|n| b.submit(Mode::Write, move |tx| {
            tx.insert_user(&user(&format!("u{n}")))?;
            if n % 2 == 0 { Err(StoreError::Unavailable) } else { Ok(()) }
        })).collect();
        drop(gate);
        // Each is told that what it decided has happened.
        assert!(ends.into_iter().all(|end| end.recv().unwrap().is_ok()));
        assert_eq!(b.read(|tx| tx.count_users()).unwrap(), (2, 2));
    }

    fn after_a_failed_statement_a_unit_cannot_be_committed_any_more(b) {
        b.write(|tx| tx.insert_user(&user("ada")).and_then(|()| tx.insert_user(&user("eve")))).unwrap();
        let stubborn = b.write(|tx| {
            let mut eve = user("eve");
            eve.username = "ada".to_owned();
            eve.version = 2;
            assert!(tx.update_user(&eve).is_err());
            assert!(tx.insert_user(&user("bob")).is_err());
            Ok(())
        });
        assert!(matches!(stubborn, Err(StoreError::Conflict(_))));
        assert_eq!(b.read(|tx| tx.count_users()).unwrap(), (2, 2));
    }

    fn a_commit_that_fails_fails_every_unit_in_it_and_the_store_goes_on(b) {
        b.meddle(
            "CREATE TABLE parent (id INTEGER PRIMARY KEY);
             CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
             CREATE TRIGGER boom AFTER INSERT ON settings WHEN new.name = 'boom'
             BEGIN INSERT INTO child VALUES (1); END;",
            "CREATE TABLE parent (id BIGINT PRIMARY KEY);
             CREATE TABLE child (id BIGINT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
             CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN INSERT INTO child VALUES (1); RETURN new; END';
             CREATE TRIGGER boom AFTER INSERT ON settings FOR EACH ROW WHEN (new.name = 'boom')
             EXECUTE FUNCTION boom();",
        );
        let failed = b.write(|tx| tx.put_setting("boom", "x").and_then(|()| tx.insert_user(&user("ada"))));
        assert!(failed.is_err());
        assert_eq!(b.write(|tx| tx.count_users()).unwrap(), (0, 0));
        b.write(|tx| tx.insert_user(&user("eve"))).unwrap();
        assert_eq!(b.read(|tx| tx.count_users()).unwrap(), (1, 1));
    }

    fn what_was_acknowledged_is_seen_by_the_next_reader(b) {
        std::thread::scope(|scope| {
            for t in 0..6 {
                scope.spawn(move || {
                    for n in 0..20 {
                        let name = format!("u{t}-{n}");
                        let wanted = name.clone();
                        b.write(move |tx| tx.insert_user(&user(&name))).unwrap();
                        assert!(b.read(move |tx| tx.find_user_by_username(&wanted)).unwrap().is_some());
                    }
                });
            }
        });
    }
}

#[test]
fn units_that_wait_share_one_commit_on_sqlite() {
    let b = Bench::sqlite();
    let (sender, told) = channel();
    b.handle
        .on_commit(move |committed| sender.send(committed).unwrap_or(()));
    let gate = b.gate();
    let ends: Vec<_> = (0..50)
        .map(|n| {
            let (event, text) = crate::sample::event(&n.to_string(), "idp.id_jag.issued", 0);
            b.submit(Mode::Write, move |tx| tx.append_event(&event, &text))
        })
        .collect();
    drop(gate);
    assert!(ends.into_iter().all(|end| end.recv().unwrap().is_ok()));
    b.handle.shutdown();
    assert_eq!(told.try_iter().count(), 1);
}

#[test]
fn a_failed_commit_takes_all_units_of_its_batch_on_sqlite() {
    let b = Bench::sqlite();
    b.meddle(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER boom AFTER INSERT ON settings WHEN new.name = 'boom' BEGIN INSERT INTO child VALUES (1); END;",
        "",
    );
    let gate = b.gate();
    let one = b.submit(Mode::Write, |tx| tx.insert_user(&user("ada")));
    let two = b.submit(Mode::Write, |tx| tx.put_setting("boom", "x"));
    let three = b.submit(Mode::Write, |tx| tx.insert_user(&user("eve")));
    drop(gate);
    for end in [one, two, three] {
        assert!(end.recv().unwrap().is_err());
    }
    assert_eq!(b.read(|tx| tx.count_users()).unwrap(), (0, 0));
    b.write(|tx| tx.insert_user(&user("bob"))).unwrap();
}

#[test]
fn a_full_queue_answers_not_available() {
    let b = Bench::sqlite_with(|config| config.queue = 2);
    let gate = b.gate();
    let waiting: Vec<_> = (0..2).map(|_| b.submit(Mode::Write, |_| Ok(()))).collect();
    let refused = b.submit(Mode::Write, |_| Ok(()));
    assert!(matches!(refused.recv().unwrap(), Err(StoreError::Unavailable)));
    drop(gate);
    assert!(waiting.into_iter().all(|end| end.recv().unwrap().is_ok()));
}
