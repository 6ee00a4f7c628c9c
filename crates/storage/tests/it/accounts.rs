//! Accounts of the RAS and their links.

use lanyard_core::ras::account::{AccountOrigin, EndedSession};
use lanyard_core::store::StoreError;

use crate::sample::{account, at, first, id, issuer, link, subject, tenant, then};

conformance! {
    fn an_account_reads_back_in_its_tenant_only(b) {
        let mut made = account("acme", "a");
        made.origin = AccountOrigin::Admin;
        made.not_before = Some(at(9));
        let written = made.clone();
        b.write(move |tx| tx.insert_tenant(&tenant("acme")).and_then(|()| tx.insert_account(&written))).unwrap();
        assert_eq!(b.read(|tx| tx.find_account(&id("acme"), &id("a"))).unwrap(), Some(made));
        assert_eq!(b.read(|tx| tx.find_account(&id("zoo"), &id("a"))).unwrap(), None);
        assert!(b.write(|tx| tx.insert_account(&account("nowhere", "b"))).is_err());
    }

    fn a_link_is_unique_per_issuer_tenant_claim_and_subject_al_01(b) {
        b.write(|tx| {
            for name in ["acme", "zoo"] {
                tx.insert_tenant(&tenant(name))?;
            }
            tx.insert_account(&account("acme", "a"))?;
            tx.insert_account(&account("acme", "b"))?;
            tx.insert_account(&account("zoo", "z"))?;
            tx.insert_link(&link("acme", "a", None, "ada"))?;
            tx.insert_link(&link("acme", "b", Some("t1"), "ada"))?;
            tx.insert_link(&link("zoo", "z", None, "ada"))
        }).unwrap();
        let twin = b.write(|tx| tx.insert_link(&link("acme", "b", None, "ada")));
        assert!(matches!(twin, Err(StoreError::Conflict("account link"))));
        let linked = |tenant: &'static str, claim: Option<&'static str>, of: &'static str| {
            b.read(move |tx| tx.find_linked_account(&id(tenant), &issuer("idp"), claim, &subject(of))).unwrap()
        };
        assert_eq!(linked("acme", None, "ada"), Some(account("acme", "a")));
        assert_eq!(linked("acme", Some("t1"), "ada"), Some(account("acme", "b")));
        assert_eq!(linked("zoo", None, "ada"), Some(account("zoo", "z")));
        assert_eq!(linked("zoo", Some("t1"), "ada"), None);
        assert_eq!(linked("acme", Some(""), "ada"), None);
        assert_eq!(linked("acme", None, "eve"), None);
        let all = b.read(|tx| tx.list_accounts_of_subject(&issuer("idp"), &subject("ada"))).unwrap();
        assert_eq!(all.len(), 3);
        assert_eq!(b.read(|tx| tx.list_accounts_of_subject(&issuer("ras"), &subject("ada"))).unwrap(), []);
        let links = b.read(|tx| tx.list_links(&id("acme"), &id("b"))).unwrap();
        assert_eq!(links, [link("acme", "b", Some("t1"), "ada")]);
        assert_eq!(b.read(|tx| tx.list_links(&id("zoo"), &id("b"))).unwrap(), []);
    }

    fn accounts_are_paged_within_their_tenant(b) {
        b.write(|tx| {
            tx.insert_tenant(&tenant("acme"))?;
            tx.insert_tenant(&tenant("zoo"))?;
            tx.insert_account(&account("zoo", "b1"))?;
            ["c", "a", "b"].iter().try_for_each(|name| tx.insert_account(&account("acme", name)))
        }).unwrap();
        let page = b.read(|tx| tx.list_accounts(&id("acme"), &first(2))).unwrap();
        assert_eq!(page.items, [account("acme", "a"), account("acme", "b")]);
        let rest = b.read(move |tx| tx.list_accounts(&id("acme"), &then(page.next, 2))).unwrap();
        assert_eq!((rest.items, rest.next), (vec![account("acme", "c")], None));
    }

    fn an_account_is_switched_off_and_its_not_before_only_rises_al_06(b) {
        b.write(|tx| tx.insert_tenant(&tenant("acme")).and_then(|()| tx.insert_account(&account("acme", "a")))).unwrap();
        let switch = |tenant: &'static str| {
            b.write(move |tx| tx.set_account_enabled(&id(tenant), &id("a"), false)).unwrap()
        };
        assert!(!switch("zoo"));
        assert!(switch("acme"));
        for seconds in [5, 3] {
            b.write(move |tx| tx.raise_account_not_before(&id("acme"), &id("a"), at(seconds))).unwrap();
        }
        let stored = b.read(|tx| tx.find_account(&id("acme"), &id("a"))).unwrap().unwrap();
        assert_eq!((stored.enabled, stored.not_before), (false, Some(at(5))));
    }

    fn sessions_that_ended_are_noted_with_the_account_and_forgotten_again_rv_07(b) {
        b.write(|tx| tx.insert_tenant(&tenant("acme"))).unwrap();
        b.write(|tx| tx.insert_account(&account("acme", "a"))).unwrap();
        let ended = vec![EndedSession { handle: "h1".to_owned(), keep_until: 7 }];
        let (written, elsewhere) = (ended.clone(), ended.clone());
        b.write(move |tx| tx.put_ended_sessions(&id("zoo"), &id("a"), &elsewhere)).unwrap();
        let stored = || b.read(|tx| tx.find_account(&id("acme"), &id("a"))).unwrap().unwrap().ended_sessions;
        assert_eq!(stored(), []);
        b.write(move |tx| tx.put_ended_sessions(&id("acme"), &id("a"), &written)).unwrap();
        assert_eq!(stored(), ended);
        b.write(|tx| tx.put_ended_sessions(&id("acme"), &id("a"), &[])).unwrap();
        assert_eq!(stored(), []);
    }

    fn two_first_redemptions_at_once_make_one_account_al_05(b) {
        b.write(|tx| tx.insert_tenant(&tenant("acme"))).unwrap();
        let made: Vec<bool> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || {
                let name = format!("a{n}");
                b.write(move |tx| {
                    tx.insert_account(&account("acme", &name))?;
                    tx.insert_link(&link("acme", &name, None, "ada"))
                }).is_ok()
            })).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(made.iter().filter(|made| **made).count(), 1);
        assert_eq!(b.read(|tx| tx.list_accounts(&id("acme"), &first(10))).unwrap().items.len(), 1);
    }
}
