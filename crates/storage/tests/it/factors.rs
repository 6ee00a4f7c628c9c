//! Second factors, and sign-ins that wait for one.

use lanyard_core::directory::factor::{AppSecret, Passkey};
use lanyard_core::idp::second_factor::{Failures, Step};
use lanyard_core::store::StoreError;

use crate::sample::{at, family, id, session};

fn passkey(name: &str, user: &str, credential: &str) -> Passkey {
    Passkey {
        id: id(name),
        user: id(user),
        credential: credential.to_owned(),
        name: format!("the {name}"),
        record: "{\"counter\":0}".to_owned(),
        created_at: at(1),
        last_used_at: None,
    }
}

fn step(byte: u8, user: &str, expires: i64) -> Step {
    Step {
        hash: [byte; 32],
        browser: [9; 32],
        user: id(user),
        enrols: byte % 2 == 1,
        attempts: 0,
        created_at: at(1),
        expires_at: at(expires),
    }
}

conformance! {
    fn the_secret_of_an_app_reads_back_is_replaced_and_removed(b) {
        let secret = |sealed: u8, confirmed| AppSecret { sealed: vec![sealed; 40], created_at: at(1), confirmed_at: confirmed };
        b.write(move |tx| tx.put_app_secret(&id("ada"), &secret(1, None))).unwrap();
        assert!(b.read(|tx| tx.find_app_secret(&id("ada"))).unwrap() == Some(secret(1, None)));
        b.write(move |tx| tx.put_app_secret(&id("ada"), &secret(2, Some(at(5))))).unwrap();
        assert!(b.read(|tx| tx.find_app_secret(&id("ada"))).unwrap() == Some(secret(2, Some(at(5)))));
        assert!(b.read(|tx| tx.find_app_secret(&id("eve"))).unwrap().is_none());
        assert!(b.write(|tx| tx.remove_app_secret(&id("ada"))).unwrap());
        assert!(!b.write(|tx| tx.remove_app_secret(&id("ada"))).unwrap());
    }

    fn a_recovery_code_is_used_once_and_all_are_replaced_together(b) {
        b.write(|tx| tx.replace_recovery_codes(&id("ada"), &[[1; 32], [2; 32], [3; 32]], at(1))).unwrap();
        assert_eq!(b.read(|tx| tx.count_recovery_codes(&id("ada"))).unwrap(), 3);
        assert!(b.write(|tx| tx.use_recovery_code(&id("ada"), &[2; 32], at(2))).unwrap());
        assert!(!b.write(|tx| tx.use_recovery_code(&id("ada"), &[2; 32], at(3))).unwrap());
        assert!(!b.write(|tx| tx.use_recovery_code(&id("eve"), &[1; 32], at(3))).unwrap());
        assert_eq!(b.read(|tx| tx.count_recovery_codes(&id("ada"))).unwrap(), 2);
        b.write(|tx| tx.replace_recovery_codes(&id("ada"), &[[4; 32]], at(4))).unwrap();
        assert!(!b.write(|tx| tx.use_recovery_code(&id("ada"), &[1; 32], at(5))).unwrap());
        assert_eq!(b.read(|tx| tx.count_recovery_codes(&id("ada"))).unwrap(), 1);
    }

    fn passkeys_read_back_in_order_and_their_names_are_unique(b) {
        b.write(|tx| {
            tx.insert_passkey(&passkey("p2", "ada", "two"))?;
            tx.insert_passkey(&passkey("p1", "ada", "one"))?;
            tx.insert_passkey(&passkey("p3", "eve", "three"))
        }).unwrap();
        let own = b.read(|tx| tx.list_passkeys(&id("ada"))).unwrap();
        assert_eq!(own, [passkey("p1", "ada", "one"), passkey("p2", "ada", "two")]);
        assert_eq!(b.read(|tx| tx.find_passkey_by_credential("three")).unwrap(), Some(passkey("p3", "eve", "three")));
        assert_eq!(b.read(|tx| tx.find_passkey_by_credential("four")).unwrap(), None);
        let twin = b.write(|tx| tx.insert_passkey(&passkey("p4", "eve", "one")));
        assert!(matches!(twin, Err(StoreError::Conflict("passkey"))));
    }

    fn a_passkey_is_used_from_the_record_that_was_read_and_changed_by_its_person_only(b) {
        b.write(|tx| tx.insert_passkey(&passkey("p1", "ada", "one"))).unwrap();
        let before = "{\"counter\":0}";
        assert!(b.write(move |tx| tx.use_passkey(&id("p1"), before, "{\"counter\":1}", at(7))).unwrap());
        assert!(!b.write(move |tx| tx.use_passkey(&id("p1"), before, "{\"counter\":2}", at(8))).unwrap());
        assert!(!b.write(|tx| tx.rename_passkey(&id("eve"), &id("p1"), "mine")).unwrap());
        assert!(b.write(|tx| tx.rename_passkey(&id("ada"), &id("p1"), "laptop")).unwrap());
        let stored = b.read(|tx| tx.list_passkeys(&id("ada"))).unwrap().remove(0);
        assert_eq!((stored.name.as_str(), stored.record.as_str(), stored.last_used_at), ("laptop", "{\"counter\":1}", Some(at(7))));
        assert!(!b.write(|tx| tx.remove_passkey(&id("eve"), &id("p1"))).unwrap());
        assert!(b.write(|tx| tx.remove_passkey(&id("ada"), &id("p1"))).unwrap());
    }

    fn a_waiting_sign_in_counts_its_failures_and_ends_once(b) {
        b.write(|tx| tx.insert_step(&step(1, "ada", 60))).unwrap();
        assert_eq!(b.read(|tx| tx.find_step(&[1; 32])).unwrap(), Some(step(1, "ada", 60)));
        assert_eq!(b.read(|tx| tx.find_step(&[2; 32])).unwrap(), None);
        assert_eq!(b.write(|tx| tx.count_step(&[1; 32])).unwrap(), 1);
        assert_eq!(b.write(|tx| tx.count_step(&[1; 32])).unwrap(), 2);
        let wins: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| b.write(|tx| tx.remove_step(&[1; 32])).unwrap())).collect();
            threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
        });
        assert_eq!(wins, 1);
        b.write(|tx| tx.insert_step(&step(3, "ada", 60)).and_then(|()| tx.insert_step(&step(4, "eve", 60)))).unwrap();
        assert_eq!(b.write(|tx| tx.remove_steps_of(&id("ada"))).unwrap(), 1);
        assert!(b.read(|tx| tx.find_step(&[4; 32])).unwrap().is_some());
    }

    fn failures_are_kept_for_each_browser_and_forgotten(b) {
        let failures = |count| Failures { count, wait_until: at(9), keep_until: at(90) };
        b.write(move |tx| {
            tx.put_failures(&id("ada"), "", &failures(1))?;
            tx.put_failures(&id("ada"), "laptop", &failures(4))?;
            tx.put_failures(&id("ada"), "", &failures(2))
        }).unwrap();
        assert_eq!(b.read(|tx| tx.find_failures(&id("ada"), "")).unwrap(), Some(failures(2)));
        b.write(|tx| tx.remove_failures(&id("ada"), "")).unwrap();
        assert_eq!(b.read(|tx| tx.find_failures(&id("ada"), "")).unwrap(), None);
        assert_eq!(b.read(|tx| tx.find_failures(&id("ada"), "laptop")).unwrap(), Some(failures(4)));
    }

    fn what_waits_or_failed_is_removed_after_its_time_in_batches(b) {
        b.write(|tx| {
            for n in 1..=3 {
                tx.insert_step(&step(n, "ada", i64::from(n) * 10))?;
            }
            tx.put_failures(&id("ada"), "", &Failures { count: 1, wait_until: at(1), keep_until: at(5) })
        }).unwrap();
        assert_eq!(b.write(|tx| tx.purge_steps(at(25), 1)).unwrap(), 2);
        assert_eq!(b.write(|tx| tx.purge_steps(at(25), 1)).unwrap(), 1);
        assert_eq!(b.write(|tx| tx.purge_steps(at(25), 1)).unwrap(), 0);
        assert!(b.read(|tx| tx.find_step(&[3; 32])).unwrap().is_some());
    }

    fn a_session_remembers_when_its_person_was_confirmed(b) {
        b.write(|tx| tx.insert_session(&session("s1", "ada", 1))).unwrap();
        assert_eq!(b.read(|tx| tx.find_confirmation(&id("s1"))).unwrap(), None);
        b.write(|tx| tx.confirm_session(&id("s1"), at(7))).unwrap();
        assert_eq!(b.read(|tx| tx.find_confirmation(&id("s1"))).unwrap(), Some(at(7)));
        assert_eq!(b.read(|tx| tx.find_confirmation(&id("none"))).unwrap(), None);
    }

    fn a_persons_living_families_are_listed_newest_first(b) {
        b.write(|tx| {
            for name in ["f1", "f2", "f3"] {
                tx.insert_family(&family(name, "s1", false))?;
            }
            tx.end_family(&id("f2"), at(5)).map(|_| ())
        }).unwrap();
        let living = b.read(|tx| tx.list_families_of(&id("ada"), at(0), 10)).unwrap();
        assert_eq!(living.iter().map(|family| family.id.clone()).collect::<Vec<_>>(), [id("f3"), id("f1")]);
        assert_eq!(b.read(|tx| tx.list_families_of(&id("ada"), at(0), 1)).unwrap().len(), 1);
        assert!(b.read(|tx| tx.list_families_of(&id("ada"), at(400_000_000), 10)).unwrap().is_empty());
    }
}
