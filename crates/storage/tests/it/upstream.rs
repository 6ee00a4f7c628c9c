//! Identity providers, links of people to them, sign-ins under way.

use lanyard_core::store::StoreError;
use lanyard_core::upstream::connection::Kind;
use lanyard_core::upstream::saml::SamlSettings;

use crate::sample::{at, attempt, connection, first, id, person_link, then};

conformance! {
    fn a_connection_reads_back_by_id_name_and_domain(b) {
        let acme = connection("acme", &["acme.example", "acme.test"]);
        let mut corp = connection("corp", &[]);
        corp.kind = Kind::Saml(SamlSettings {
            entity_id: "https://idp.example".to_owned(),
            sso_url: "https://idp.example/sso".to_owned(),
            slo_url: None,
            slo_response_url: None,
            certificates: vec!["AAAA".to_owned()],
            valid_until: Some(at(9)),
            idp_initiated: true,
            name_id_format: None,
            subject_attribute: Some("uid".to_owned()),
        });
        (corp.sealed_secret, corp.is_default, corp.mapping.groups) = (None, false, None);
        let (one, two) = (acme.clone(), corp.clone());
        b.write(move |tx| tx.insert_connection(&two).and_then(|()| tx.insert_connection(&one))).unwrap();
        assert_eq!(b.read(|tx| tx.find_connection(&id("acme"))).unwrap(), Some(acme.clone()));
        assert_eq!(b.read(|tx| tx.find_connection_by_name("corp")).unwrap(), Some(corp.clone()));
        assert_eq!(b.read(|tx| tx.find_connection_by_name("none")).unwrap(), None);
        assert_eq!(b.read(|tx| tx.find_connection_of_domain("acme.test")).unwrap(), Some(acme.clone()));
        assert_eq!(b.read(|tx| tx.find_connection_of_domain("corp.example")).unwrap(), None);
        assert_eq!(b.read(|tx| tx.list_connections()).unwrap(), [acme, corp]);
    }

    fn a_name_and_a_domain_belong_to_one_connection(b) {
        b.write(|tx| tx.insert_connection(&connection("acme", &["acme.example"]))).unwrap();
        let mut twin = connection("twin", &[]);
        twin.name = "acme".to_owned();
        let refused = b.write(move |tx| tx.insert_connection(&twin));
        assert!(matches!(refused, Err(StoreError::Conflict("identity provider"))));
        let refused = b.write(|tx| tx.insert_connection(&connection("corp", &["acme.example"])));
        assert!(matches!(refused, Err(StoreError::Conflict("domain"))));
        assert_eq!(b.read(|tx| tx.find_connection_by_name("corp")).unwrap(), None);
    }

    fn a_connection_is_changed_by_version_with_its_domains(b) {
        b.write(|tx| tx.insert_connection(&connection("acme", &["acme.example"]))).unwrap();
        let mut changed = connection("acme", &["acme.test"]);
        (changed.version, changed.enabled) = (2, false);
        let (one, two) = (changed.clone(), changed.clone());
        b.write(move |tx| tx.update_connection(&one)).unwrap();
        assert!(matches!(b.write(move |tx| tx.update_connection(&two)), Err(StoreError::Conflict("identity provider"))));
        assert_eq!(b.read(|tx| tx.find_connection_of_domain("acme.test")).unwrap(), Some(changed));
        assert_eq!(b.read(|tx| tx.find_connection_of_domain("acme.example")).unwrap(), None);
    }

    fn a_removed_connection_takes_everything_of_it_along(b) {
        b.write(|tx| {
            tx.insert_connection(&connection("acme", &["acme.example"]))?;
            tx.insert_connection(&connection("corp", &[]))?;
            tx.insert_person_link(&person_link("acme", "1", "ada"))?;
            tx.insert_person_link(&person_link("corp", "1", "ada"))?;
            tx.insert_upstream_membership(&id("acme"), &id("ada"), &id("eng"))?;
            tx.insert_attempt(&attempt(1, "acme"))?;
            tx.insert_attempt(&attempt(2, "corp"))
        }).unwrap();
        assert!(b.write(|tx| tx.remove_connection(&id("acme"))).unwrap());
        assert!(!b.write(|tx| tx.remove_connection(&id("acme"))).unwrap());
        assert_eq!(b.read(|tx| tx.find_person_link(&id("acme"), "1")).unwrap(), None);
        assert_eq!(b.read(|tx| tx.list_links_of_person(&id("ada"))).unwrap(), [person_link("corp", "1", "ada")]);
        assert_eq!(b.read(|tx| tx.list_upstream_memberships(&id("acme"), &id("ada"))).unwrap(), []);
        assert_eq!(b.read(|tx| tx.find_attempt(&[1; 32])).unwrap(), None);
        assert!(b.read(|tx| tx.find_attempt(&[2; 32])).unwrap().is_some());
        b.write(|tx| tx.insert_connection(&connection("new", &["acme.example"]))).unwrap();
    }

    fn a_link_is_found_both_ways_and_stands_once_each_way_al_04(b) {
        let link = person_link("acme", "248289761001", "ada");
        let own = link.clone();
        b.write(move |tx| tx.insert_connection(&connection("acme", &[])).and_then(|()| tx.insert_person_link(&own))).unwrap();
        assert_eq!(b.read(|tx| tx.find_person_link(&id("acme"), "248289761001")).unwrap(), Some(link.clone()));
        assert_eq!(b.read(|tx| tx.find_person_link(&id("acme"), "248289761002")).unwrap(), None);
        assert_eq!(b.read(|tx| tx.find_link_of_person(&id("acme"), &id("ada"))).unwrap(), Some(link.clone()));
        for twin in [person_link("acme", "248289761001", "eve"), person_link("acme", "other", "ada")] {
            assert!(matches!(b.write(move |tx| tx.insert_person_link(&twin)), Err(StoreError::Conflict("link"))));
        }
        b.write(|tx| tx.touch_person_link(&id("acme"), "248289761001", at(5))).unwrap();
        let seen = b.read(|tx| tx.find_person_link(&id("acme"), "248289761001")).unwrap().unwrap();
        assert_eq!(seen.last_seen_at, Some(at(5)));
        assert!(b.write(|tx| tx.remove_person_link(&id("acme"), "248289761001")).unwrap());
        assert!(!b.write(|tx| tx.remove_person_link(&id("acme"), "248289761001")).unwrap());
    }

    fn the_links_of_a_connection_are_paged_by_subject(b) {
        b.write(|tx| {
            tx.insert_connection(&connection("acme", &[]))?;
            for (subject, user) in [("b", "bob"), ("a", "ada"), ("c", "cyd")] {
                tx.insert_person_link(&person_link("acme", subject, user))?;
            }
            Ok(())
        }).unwrap();
        let page = b.read(|tx| tx.list_person_links(&id("acme"), &first(2))).unwrap();
        let subjects: Vec<_> = page.items.iter().map(|link| link.subject.as_str()).collect();
        assert_eq!((subjects, page.next.as_deref()), (vec!["a", "b"], Some("b")));
        let rest = b.read(move |tx| tx.list_person_links(&id("acme"), &then(page.next, 2))).unwrap();
        assert_eq!((rest.items.len(), rest.next), (1, None));
    }

    fn a_membership_that_a_connection_made_is_noted_once(b) {
        b.write(|tx| {
            tx.insert_connection(&connection("acme", &[]))?;
            for group in ["ops", "eng", "eng"] {
                tx.insert_upstream_membership(&id("acme"), &id("ada"), &id(group))?;
            }
            Ok(())
        }).unwrap();
        assert_eq!(b.read(|tx| tx.list_upstream_memberships(&id("acme"), &id("ada"))).unwrap(), [id("eng"), id("ops")]);
        assert_eq!(b.read(|tx| tx.list_upstream_memberships(&id("acme"), &id("eve"))).unwrap(), []);
        b.write(|tx| tx.remove_upstream_membership(&id("acme"), &id("ada"), &id("eng"))).unwrap();
        assert_eq!(b.read(|tx| tx.list_upstream_memberships(&id("acme"), &id("ada"))).unwrap(), [id("ops")]);
    }

    fn an_attempt_reads_back_and_is_used_once_cl_ss_01(b) {
        b.write(|tx| tx.insert_attempt(&attempt(1, "acme"))).unwrap();
        assert_eq!(b.read(|tx| tx.find_attempt(&[1; 32])).unwrap(), Some(attempt(1, "acme")));
        assert_eq!(b.read(|tx| tx.find_attempt(&[2; 32])).unwrap(), None);
        let wins: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| b.write(|tx| tx.use_attempt(&[1; 32], at(5))).unwrap())).collect();
            threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
        });
        assert_eq!(wins, 1);
        b.write(|tx| tx.report_attempt(&[1; 32], "{}")).unwrap();
        let used = b.read(|tx| tx.find_attempt(&[1; 32])).unwrap().unwrap();
        assert_eq!((used.used_at, used.report.as_deref()), (Some(at(5)), Some("{}")));
    }

    fn attempts_that_are_over_are_removed_in_batches(b) {
        b.write(|tx| (1..=3).try_for_each(|handle| tx.insert_attempt(&attempt(handle, "acme")))).unwrap();
        assert_eq!(b.write(|tx| tx.purge_attempts(at(600), 10)).unwrap(), 0);
        assert_eq!(b.write(|tx| tx.purge_attempts(at(601), 2)).unwrap(), 2);
        assert_eq!(b.write(|tx| tx.purge_attempts(at(601), 2)).unwrap(), 1);
    }
}
