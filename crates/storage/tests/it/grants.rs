//! Access grants and the revocation feed.

use lanyard_core::store::StoreError;
use lanyard_protocol::gateway::Revoked;

use crate::sample::{at, client_id, first, grant, id, issuer, then};

fn token(jti: &str) -> Revoked {
    Revoked::Token {
        issuer: issuer("ras"),
        jti: jti.to_owned(),
    }
}

conformance! {
    fn a_grant_reads_back_and_its_jti_is_unique_ras_at_05(b) {
        let mut bare = grant("bare", "a");
        (bare.sid, bare.auth_time, bare.acr, bare.amr) = (None, None, None, None);
        let written = bare.clone();
        b.write(move |tx| tx.insert_access_grant(&grant("full", "a")).and_then(|()| tx.insert_access_grant(&written))).unwrap();
        assert_eq!(b.read(|tx| tx.find_access_grant("full")).unwrap(), Some(grant("full", "a")));
        assert_eq!(b.read(|tx| tx.find_access_grant("bare")).unwrap(), Some(bare));
        assert_eq!(b.read(|tx| tx.find_access_grant("none")).unwrap(), None);
        let again = b.write(|tx| tx.insert_access_grant(&grant("full", "b")));
        assert!(matches!(again, Err(StoreError::Conflict("access grant"))));
    }

    fn a_grant_is_revoked_once_and_by_its_own_client_only(b) {
        b.write(|tx| tx.insert_access_grant(&grant("t", "a"))).unwrap();
        let revoke = |by: &'static str| b.write(move |tx| tx.revoke_access_grant(&client_id(by), "t", at(5))).unwrap();
        assert!(!revoke("stranger"));
        assert!(revoke("agent"));
        assert!(!revoke("agent"));
        let stored = b.read(|tx| tx.find_access_grant("t")).unwrap().unwrap();
        assert_eq!(stored.revoked_at, Some(at(5)));
    }

    fn live_grants_of_an_account_or_client_are_revoked_and_counted(b) {
        b.write(|tx| {
            for (jti, account) in [("1", "a"), ("2", "a"), ("3", "b")] {
                tx.insert_access_grant(&grant(jti, account))?;
            }
            let mut expired = grant("4", "a");
            expired.expires_at = at(1);
            tx.insert_access_grant(&expired)
        }).unwrap();
        assert_eq!(b.write(|tx| tx.revoke_grants_of_account(&id("zoo"), &id("a"), at(5))).unwrap(), 0);
        assert_eq!(b.write(|tx| tx.revoke_grants_of_account(&id("acme"), &id("a"), at(5))).unwrap(), 2);
        assert_eq!(b.write(|tx| tx.revoke_grants_of_account(&id("acme"), &id("a"), at(6))).unwrap(), 0);
        let live = b.read(|tx| tx.list_live_grants(at(5), &first(10))).unwrap();
        assert_eq!(live.items, [grant("3", "b")]);
        assert_eq!(b.write(|tx| tx.revoke_grants_of_client(&client_id("agent"), at(7))).unwrap(), 1);
        assert_eq!(b.read(|tx| tx.list_live_grants(at(5), &first(10))).unwrap().items, []);
    }

    fn live_grants_of_one_session_are_revoked_and_named_rv_07(b) {
        b.write(|tx| {
            for (jti, account, sid) in [("1", "a", "s1"), ("2", "a", "s1"), ("3", "a", "s2"), ("4", "b", "s1")] {
                let mut grant = grant(jti, account);
                grant.sid = Some(sid.to_owned());
                tx.insert_access_grant(&grant)?;
            }
            let mut expired = grant("5", "a");
            (expired.sid, expired.expires_at) = (Some("s1".to_owned()), at(1));
            tx.insert_access_grant(&expired)
        }).unwrap();
        let revoke = |tenant: &'static str| {
            b.write(move |tx| tx.revoke_grants_of_session(&id(tenant), &id("a"), "s1", at(5))).unwrap()
        };
        assert!(revoke("zoo").is_empty());
        assert_eq!(revoke("acme"), ["1", "2"]);
        assert!(revoke("acme").is_empty());
        let live = b.read(|tx| tx.list_live_grants(at(5), &first(10))).unwrap().items;
        assert_eq!(live.iter().map(|grant| grant.jti.as_str()).collect::<Vec<_>>(), ["3", "4"]);
    }

    fn live_grants_are_paged_and_expired_ones_purged_in_batches_sec_18(b) {
        b.write(|tx| {
            for n in 0..5 {
                let mut grant = grant(&format!("g{n}"), "a");
                grant.expires_at = at(n);
                tx.insert_access_grant(&grant)?;
            }
            Ok(())
        }).unwrap();
        let page = b.read(|tx| tx.list_live_grants(at(1), &first(2))).unwrap();
        assert_eq!(page.next.as_deref(), Some("g3"));
        let rest = b.read(move |tx| tx.list_live_grants(at(1), &then(page.next, 2))).unwrap();
        assert_eq!((rest.items.len(), rest.next), (1, None));
        for expected in [2, 1, 0] {
            assert_eq!(b.write(|tx| tx.purge_grants(at(3), 2)).unwrap(), expected);
        }
        assert!(b.read(|tx| tx.find_access_grant("g3")).unwrap().is_some());
    }

    fn the_revocation_feed_is_read_in_order_after_a_sequence(b) {
        assert_eq!(b.read(|tx| tx.revocation_head()).unwrap(), 0);
        let client = Revoked::Client { issuer: issuer("ras"), client_id: "agent".to_owned(), not_after: 7 };
        let kinds = [token("a"), client, token("b")];
        let entries = kinds.clone();
        let sequences = b.write(move |tx| {
            entries.iter().map(|entry| tx.append_revocation(entry, at(0), at(600))).collect::<Result<Vec<_>, _>>()
        }).unwrap();
        assert_eq!(sequences, [1, 2, 3]);
        assert_eq!(b.read(|tx| tx.revocation_head()).unwrap(), 3);
        let all = b.read(|tx| tx.list_revocations(0, 2)).unwrap();
        assert_eq!(all.iter().map(|entry| (entry.sequence, entry.revoked.clone())).collect::<Vec<_>>(),
            [(1, kinds[0].clone()), (2, kinds[1].clone())]);
        assert_eq!(all[0].keep_until, at(600).seconds());
        let rest = b.read(|tx| tx.list_revocations(2, 10)).unwrap();
        assert_eq!(rest[0].revoked, kinds[2]);
    }

    fn the_head_of_the_feed_outlives_its_entries(b) {
        b.write(|tx| {
            tx.append_revocation(&token("a"), at(0), at(1))?;
            tx.append_revocation(&token("b"), at(0), at(2))
        }).unwrap();
        assert_eq!(b.write(|tx| tx.purge_revocations(at(10), 1)).unwrap(), 1);
        assert_eq!(b.write(|tx| tx.purge_revocations(at(10), 9)).unwrap(), 1);
        assert_eq!(b.read(|tx| tx.list_revocations(0, 10)).unwrap(), []);
        assert_eq!(b.read(|tx| tx.revocation_head()).unwrap(), 2);
    }

    fn a_reader_of_the_feed_never_misses_an_entry_that_commits_late(b) {
        let stop = std::sync::atomic::AtomicBool::new(false);
        let (seen, head) = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..6).map(|n| scope.spawn(move || {
                for m in 0..20 {
                    let name = format!("{n}-{m}");
                    b.write(move |tx| {
                        let sequence = tx.append_revocation(&token(&name), at(0), at(600))?;
                        // Some roll back after taking a number, which must leave no gap.
                        if sequence % 7 == 0 && m % 2 == 0 { Err(StoreError::Unavailable) } else { Ok(()) }
                    }).unwrap_or(());
                }
            })).collect();
            let reader = scope.spawn(|| {
                let mut seen: Vec<i64> = Vec::new();
                loop {
                    let last = stop.load(std::sync::atomic::Ordering::SeqCst);
                    let after = seen.last().copied().unwrap_or(0);
                    seen.extend(b.read(move |tx| tx.list_revocations(after, 5)).unwrap().iter().map(|e| e.sequence));
                    let head = b.read(|tx| tx.revocation_head()).unwrap();
                    if last && seen.last().copied().unwrap_or(0) == head {
                        return (seen, head);
                    }
                }
            });
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            stop.store(true, std::sync::atomic::Ordering::SeqCst);
            reader.join().unwrap()
        });
        assert_eq!(seen, (1..=head).collect::<Vec<_>>());
    }
}
