//! Browser sessions, codes and refresh tokens.

use lanyard_core::client::registration::Side;
use lanyard_core::store::StoreError;
use lanyard_core::store::session::LogoutClient;

use crate::sample::{at, client, code, family, first, id, refresh_token, session, then};

conformance! {
    fn a_session_reads_back_and_is_found_by_its_secret(b) {
        b.write(|tx| tx.insert_session(&session("s1", "ada", 1))).unwrap();
        assert_eq!(b.read(|tx| tx.find_session(&id("s1"))).unwrap(), Some(session("s1", "ada", 1)));
        assert_eq!(b.read(|tx| tx.find_session_by_secret(&[1; 32])).unwrap(), Some(session("s1", "ada", 1)));
        assert_eq!(b.read(|tx| tx.find_session_by_secret(&[2; 32])).unwrap(), None);
        let twin = b.write(|tx| tx.insert_session(&session("s2", "ada", 1)));
        assert!(matches!(twin, Err(StoreError::Conflict("session"))));
    }

    fn sessions_are_listed_newest_first(b) {
        b.write(|tx| {
            for (n, name) in [(1, "s1"), (2, "s2"), (3, "s3")] {
                tx.insert_session(&session(name, "ada", n))?;
            }
            tx.insert_session(&session("s4", "eve", 4))
        }).unwrap();
        let page = b.read(|tx| tx.list_sessions_of(&id("ada"), &first(2))).unwrap();
        assert_eq!(page.next.as_deref(), Some("ses_s2"));
        assert_eq!(page.items[0].id, id("s3"));
        let rest = b.read(move |tx| tx.list_sessions_of(&id("ada"), &then(page.next, 2))).unwrap();
        assert_eq!((rest.items.len(), rest.next), (1, None));
    }

    fn a_session_is_used_and_ended_once(b) {
        b.write(|tx| tx.insert_session(&session("s1", "ada", 1)).and_then(|()| tx.insert_session(&session("s2", "ada", 2)))).unwrap();
        for seconds in [60, 30] {
            b.write(move |tx| tx.touch_session(&id("s1"), at(seconds))).unwrap();
        }
        let end = || b.write(|tx| tx.end_session(&id("s1"), at(70), false)).unwrap();
        assert!(end());
        assert!(!end());
        assert_eq!(b.write(|tx| tx.end_sessions_of(&id("ada"), at(80))).unwrap(), 1);
        let one = b.read(|tx| tx.find_session(&id("s1"))).unwrap().unwrap();
        assert_eq!((one.last_used_at, one.ended_at, one.ended_by_admin), (at(60), Some(at(70)), false));
        let two = b.read(|tx| tx.find_session(&id("s2"))).unwrap().unwrap();
        assert_eq!((two.ended_at, two.ended_by_admin), (Some(at(80)), true));
    }

    fn a_code_reads_back_and_is_used_once_idp_au_06(b) {
        b.write(|tx| tx.insert_code(&code(1))).unwrap();
        assert_eq!(b.read(|tx| tx.find_code(&[1; 32])).unwrap(), Some(code(1)));
        assert_eq!(b.read(|tx| tx.find_code(&[2; 32])).unwrap(), None);
        let wins: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| {
                b.write(|tx| tx.use_code(&[1; 32], at(5), Some(&id("f1")))).unwrap()
            })).collect();
            threads.into_iter().filter(|_| true).map(|thread| usize::from(thread.join().unwrap())).sum()
        });
        assert_eq!(wins, 1);
        let used = b.read(|tx| tx.find_code(&[1; 32])).unwrap().unwrap();
        assert_eq!((used.used_at, used.family), (Some(at(5)), Some(id("f1"))));
    }

    fn a_family_reads_back_is_bound_once_and_ended_once(b) {
        b.write(|tx| tx.insert_family(&family("f1", "s1", true))).unwrap();
        assert_eq!(b.read(|tx| tx.find_family(&id("f1"))).unwrap(), Some(family("f1", "s1", true)));
        assert!(b.write(|tx| tx.bind_family(&id("f1"), "k1")).unwrap());
        assert!(!b.write(|tx| tx.bind_family(&id("f1"), "k2")).unwrap());
        assert!(b.write(|tx| tx.end_family(&id("f1"), at(9))).unwrap());
        assert!(!b.write(|tx| tx.end_family(&id("f1"), at(10))).unwrap());
        let stored = b.read(|tx| tx.find_family(&id("f1"))).unwrap().unwrap();
        assert_eq!((stored.bound_kid.as_deref(), stored.ended_at), (Some("k1"), Some(at(9))));
    }

    fn families_end_with_their_session_user_client_or_key_rv_07(b) {
        b.write(|tx| {
            for (name, session, offline) in [("f1", "s1", false), ("f2", "s1", true), ("f3", "s2", false), ("f4", "s3", false)] {
                tx.insert_family(&family(name, session, offline))?;
            }
            let mut other = family("f5", "s4", false);
            (other.client, other.user) = (id("other"), id("eve"));
            tx.insert_family(&other)?;
            tx.bind_family(&id("f3"), "k1")?;
            Ok(())
        }).unwrap();
        assert_eq!(b.write(|tx| tx.end_families_of_session(&id("s1"), false, at(1))).unwrap(), 1);
        assert_eq!(b.write(|tx| tx.end_families_of_session(&id("s1"), true, at(2))).unwrap(), 1);
        assert_eq!(b.write(|tx| tx.end_families_of_key(&id("agent"), "k1", at(3))).unwrap(), 1);
        assert_eq!(b.write(|tx| tx.end_families_of_user(&id("ada"), at(4))).unwrap(), 1);
        assert_eq!(b.write(|tx| tx.end_families_of_client(&id("agent"), at(5))).unwrap(), 0);
        assert_eq!(b.write(|tx| tx.end_families_of_client(&id("other"), at(6))).unwrap(), 1);
    }

    fn the_sessions_of_an_identity_provider_end_with_their_families(b) {
        b.write(|tx| {
            tx.insert_session(&session("s1", "ada", 1))?;
            let mut local = session("s2", "ada", 2);
            local.connection = None;
            tx.insert_session(&local)?;
            tx.insert_family(&family("f1", "s1", true))?;
            tx.insert_family(&family("f2", "s2", true))
        }).unwrap();
        assert_eq!(b.write(|tx| tx.end_sessions_of_connection(&id("other"), at(4))).unwrap(), 0);
        assert_eq!(b.write(|tx| tx.end_sessions_of_connection(&id("corp"), at(5))).unwrap(), 1);
        assert_eq!(b.write(|tx| tx.end_sessions_of_connection(&id("corp"), at(6))).unwrap(), 0);
        let ended = |name: &'static str| b.read(move |tx| tx.find_session(&id(name))).unwrap().unwrap().ended_at;
        assert_eq!((ended("s1"), ended("s2")), (Some(at(5)), None));
        let family_ended = |name: &'static str| b.read(move |tx| tx.find_family(&id(name))).unwrap().unwrap().ended_at;
        assert_eq!((family_ended("f1"), family_ended("f2")), (Some(at(5)), None));
    }

    fn open_sessions_are_found_by_what_their_identity_provider_calls_them_saml_08(b) {
        b.write(|tx| {
            for (name, index) in [("s1", "i-1"), ("s2", "i-2"), ("s3", "i-1")] {
                let mut session = session(name, "ada", 1);
                session.secret_hash = lanyard_jose::digest::sha256(name.as_bytes());
                session.upstream_session = Some(index.to_owned());
                tx.insert_session(&session)?;
            }
            tx.end_session(&id("s3"), at(2), false)
        }).unwrap();
        let found = |connection: &'static str, index: &'static str| {
            let found = b.read(move |tx| tx.list_sessions_of_upstream(&id(connection), index)).unwrap();
            found.into_iter().map(|session| session.id).collect::<Vec<_>>()
        };
        assert_eq!(found("corp", "i-1"), [id("s1")]);
        assert_eq!(found("corp", "i-2"), [id("s2")]);
        assert_eq!((found("corp", "i-3"), found("other", "i-1")), (vec![], vec![]));
    }

    fn the_clients_of_a_session_that_want_to_hear_of_its_end_are_found_rv_05(b) {
        b.write(|tx| {
            let mut off = client(Side::Idp, "off");
            off.enabled = false;
            let mut silent = client(Side::Idp, "silent");
            silent.backchannel_logout = None;
            for client in [client(Side::Idp, "one"), client(Side::Idp, "two"), off, silent] {
                tx.insert_client(&client)?;
            }
            for (name, user) in [("s1", "ada"), ("s2", "ada"), ("s3", "ada"), ("s4", "eve")] {
                tx.insert_session(&session(name, user, name.as_bytes()[1]))?;
            }
            for (name, session, client) in [
                ("f1", "s1", "oneidp"), ("f2", "s1", "oneidp"), ("f3", "s1", "twoidp"), ("f4", "s1", "offidp"),
                ("f5", "s1", "silentidp"), ("f6", "s2", "twoidp"), ("f7", "s3", "oneidp"), ("f8", "s4", "oneidp"),
            ] {
                let mut family = family(name, session, false);
                family.client = id(client);
                tx.insert_family(&family)?;
            }
            tx.end_session(&id("s3"), at(1), false)
        }).unwrap();
        let heard = |found: Vec<LogoutClient>| -> Vec<String> {
            found.iter().map(|one| format!("{} {} {}", one.session, one.user, one.client)).collect()
        };
        let of_session = |name: &'static str| heard(b.read(move |tx| tx.list_logout_clients(&id(name))).unwrap());
        assert_eq!(of_session("s1"), ["ses_s1 usr_ada cli_oneidp", "ses_s1 usr_ada cli_twoidp"]);
        assert_eq!(of_session("s3"), ["ses_s3 usr_ada cli_oneidp"], "also when it ended");
        let of_ada = ["ses_s1 usr_ada cli_oneidp", "ses_s1 usr_ada cli_twoidp", "ses_s2 usr_ada cli_twoidp"];
        assert_eq!(heard(b.read(|tx| tx.list_logout_clients_of_user(&id("ada"))).unwrap()), of_ada);
        let all = heard(b.read(|tx| tx.list_logout_clients_of_connection(&id("corp"))).unwrap());
        assert_eq!(all, [&of_ada[..], &["ses_s4 usr_eve cli_oneidp"]].concat());
        assert!(b.read(|tx| tx.list_logout_clients_of_connection(&id("other"))).unwrap().is_empty());
    }

    fn a_family_stays_while_its_session_lives_to_hear_of_the_end_rv_05(b) {
        b.write(|tx| {
            tx.insert_session(&session("s1", "ada", 1))?;
            tx.insert_family(&family("f1", "s1", false))?;
            tx.end_family(&id("f1"), at(5)).map(|_| ())
        }).unwrap();
        let gone = || b.read(|tx| tx.find_family(&id("f1"))).unwrap().is_none();
        b.write(|tx| tx.purge_sessions(at(100), 10)).unwrap();
        assert!(!gone());
        b.write(|tx| tx.end_session(&id("s1"), at(6), false)).unwrap();
        b.write(|tx| tx.purge_sessions(at(100), 10)).unwrap();
        assert!(gone());
    }

    fn a_refresh_token_reads_back_and_is_rotated_once_idp_au_09(b) {
        b.write(|tx| {
            tx.insert_refresh_token(&refresh_token(1, "f1", 1))?;
            tx.insert_refresh_token(&refresh_token(2, "f1", 2))
        }).unwrap();
        assert_eq!(b.read(|tx| tx.find_refresh_token(&[1; 32])).unwrap(), Some(refresh_token(1, "f1", 1)));
        assert!(b.write(|tx| tx.rotate_refresh_token(&[1; 32], at(5))).unwrap());
        assert!(!b.write(|tx| tx.rotate_refresh_token(&[1; 32], at(6))).unwrap());
        assert_eq!(b.read(|tx| tx.find_refresh_token(&[1; 32])).unwrap().unwrap().rotated_at, Some(at(5)));
        assert_eq!(b.read(|tx| tx.newest_generation(&id("f1"))).unwrap(), 2);
        assert_eq!(b.read(|tx| tx.newest_generation(&id("none"))).unwrap(), 0);
        let twin = b.write(|tx| tx.insert_refresh_token(&refresh_token(3, "f1", 2)));
        assert!(matches!(twin, Err(StoreError::Conflict("refresh token"))));
    }

    fn the_dead_are_removed_and_the_living_stay(b) {
        b.write(|tx| {
            tx.insert_code(&code(1))?;
            tx.insert_session(&session("s1", "ada", 1))?;
            tx.insert_session(&session("s2", "ada", 2))?;
            tx.insert_family(&family("f1", "s1", false))?;
            tx.insert_family(&family("f2", "s2", false))?;
            tx.insert_refresh_token(&refresh_token(1, "f1", 1))?;
            tx.insert_refresh_token(&refresh_token(2, "f1", 2))?;
            tx.insert_refresh_token(&refresh_token(3, "f2", 1))?;
            tx.end_session(&id("s1"), at(5), false)?;
            tx.end_family(&id("f1"), at(5))
        }).unwrap();
        assert_eq!(b.write(|tx| tx.purge_sessions(at(0), 100)).unwrap(), 0);
        // With a limit of one, a family waits for the last of its tokens.
        let mut removed = 0;
        for _ in 0..5 {
            removed += b.write(|tx| tx.purge_sessions(at(100), 1)).unwrap();
        }
        assert_eq!(removed, 5);
        assert!(b.read(|tx| tx.find_code(&[1; 32])).unwrap().is_none());
        assert!(b.read(|tx| tx.find_session(&id("s1"))).unwrap().is_none());
        assert!(b.read(|tx| tx.find_family(&id("f1"))).unwrap().is_none());
        assert!(b.read(|tx| tx.find_refresh_token(&[2; 32])).unwrap().is_none());
        assert!(b.read(|tx| tx.find_session(&id("s2"))).unwrap().is_some());
        assert!(b.read(|tx| tx.find_family(&id("f2"))).unwrap().is_some());
        assert!(b.read(|tx| tx.find_refresh_token(&[3; 32])).unwrap().is_some());
    }
}
