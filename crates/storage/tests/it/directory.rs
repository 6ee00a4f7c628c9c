//! People, groups, memberships.

use lanyard_core::directory::user::{Credential, UserStatus};
use lanyard_core::id::UserId;
use lanyard_core::store::StoreError;

use crate::sample::{at, first, group, id, then, user};

conformance! {
    fn a_person_reads_back_as_written_and_is_found_by_id_and_name(b) {
        let mut ada = user("ada");
        ada.not_before = Some(at(3));
        ada.email = None;
        let written = ada.clone();
        b.write(move |tx| tx.insert_user(&written)).unwrap();
        let id = ada.id.clone();
        let by_id = b.read(move |tx| tx.find_user(&id)).unwrap();
        let by_name = b.read(|tx| tx.find_user_by_username("ada")).unwrap();
        assert_eq!((by_id, by_name), (Some(ada.clone()), Some(ada)));
        assert_eq!(b.read(|tx| tx.find_user_by_username("eve")).unwrap(), None);
    }

    fn a_text_that_one_engine_cannot_hold_is_found_by_nobody_and_breaks_no_unit(b) {
        b.write(|tx| tx.insert_user(&user("ada"))).unwrap();
        let found = b.read(|tx| tx.find_user_by_username("ada\0"));
        assert_eq!(found.unwrap(), None);
        b.write(|tx| {
            let mut odd = user("odd");
            odd.display_name = "a\0b".to_owned();
            tx.insert_user(&odd)
        }).unwrap();
        let odd = b.read(|tx| tx.find_user_by_username("odd")).unwrap().unwrap();
        assert_eq!(odd.display_name, "a\u{fffd}b");
    }

    fn a_taken_user_name_is_a_conflict_and_the_unit_may_go_on(b) {
        b.write(|tx| tx.insert_user(&user("ada"))).unwrap();
        let both = b.write(|tx| {
            let mut twin = user("twin");
            twin.username = "ada".to_owned();
            let refused = tx.insert_user(&twin);
            tx.insert_user(&user("eve"))?;
            Ok(matches!(refused, Err(StoreError::Conflict("user name"))))
        });
        assert!(both.unwrap());
        assert_eq!(b.read(|tx| tx.count_users()).unwrap(), (2, 2));
    }

    fn whom_an_administrator_cut_off_is_kept_out_until_let_in(b) {
        b.write(|tx| tx.insert_user(&user("ada")).and_then(|()| tx.insert_user(&user("eve")))).unwrap();
        for second in [1, 2] {
            b.write(move |tx| tx.keep_out(&id("ada"), at(second))).unwrap();
        }
        assert!(b.read(|tx| tx.is_kept_out(&id("ada"))).unwrap());
        assert!(!b.read(|tx| tx.is_kept_out(&id("eve"))).unwrap());
        assert!(b.write(|tx| tx.let_in(&id("ada"))).unwrap());
        assert!(!b.write(|tx| tx.let_in(&id("ada"))).unwrap());
        assert!(!b.read(|tx| tx.is_kept_out(&id("ada"))).unwrap());
    }

    fn a_change_needs_the_version_that_is_stored(b) {
        b.write(|tx| tx.insert_user(&user("ada"))).unwrap();
        let mut changed = user("ada");
        changed.version = 2;
        changed.status = UserStatus::Deactivated;
        changed.display_name = "Ada".to_owned();
        let (one, two) = (changed.clone(), changed.clone());
        b.write(move |tx| tx.update_user(&one)).unwrap();
        let again = b.write(move |tx| tx.update_user(&two));
        assert!(matches!(again, Err(StoreError::Conflict("user"))));
        assert_eq!(b.read(|tx| tx.find_user_by_username("ada")).unwrap(), Some(changed));
        assert_eq!(b.read(|tx| tx.count_users()).unwrap(), (1, 0));
    }

    fn a_name_taken_by_a_change_is_a_conflict(b) {
        b.write(|tx| tx.insert_user(&user("ada")).and_then(|()| tx.insert_user(&user("eve")))).unwrap();
        let mut eve = user("eve");
        eve.username = "ada".to_owned();
        eve.version = 2;
        assert!(matches!(b.write(move |tx| tx.update_user(&eve)), Err(StoreError::Conflict("user"))));
    }

    fn people_are_paged_by_name_and_searched_without_regard_to_case(b) {
        b.write(|tx| {
            for name in ["dora", "ada", "bob", "cleo"] {
                tx.insert_user(&user(name))?;
            }
            let mut odd = user("odd");
            odd.display_name = "ÄÖ 100%_x".to_owned();
            tx.insert_user(&odd)
        }).unwrap();
        let page = b.read(|tx| tx.list_users(None, &first(3))).unwrap();
        let names: Vec<_> = page.items.iter().map(|user| user.username.clone()).collect();
        assert_eq!((names, page.next.as_deref()), (vec!["ada".into(), "bob".into(), "cleo".into()], Some("cleo")));
        let rest = b.read(move |tx| tx.list_users(None, &then(page.next, 3))).unwrap();
        assert_eq!((rest.items.len(), rest.next), (2, None));
        let found = |search: &'static str| {
            let page = b.read(move |tx| tx.list_users(Some(search), &first(10))).unwrap();
            page.items.into_iter().map(|user| user.username).collect::<Vec<_>>()
        };
        assert_eq!(found("display b"), ["bob"]);
        assert_eq!(found("äö"), ["odd"]);
        assert_eq!(found("0%_"), ["odd"]);
        assert_eq!(found("%"), ["odd"]);
        assert_eq!(found("cleo@acme"), ["cleo"]);
    }

    fn a_password_hash_is_replaced_and_needs_its_person(b) {
        b.write(|tx| tx.insert_user(&user("ada"))).unwrap();
        for hash in ["$argon2id$1", "$argon2id$2"] {
            b.write(move |tx| {
                tx.put_credential(&id("ada"), &Credential { password_hash: hash.to_owned(), changed_at: at(1) })
            }).unwrap();
        }
        let stored = b.read(|tx| tx.find_credential(&id("ada"))).unwrap().unwrap();
        assert_eq!(stored.password_hash, "$argon2id$2");
        let orphan = Credential { password_hash: "x".to_owned(), changed_at: at(1) };
        assert!(b.write(move |tx| tx.put_credential(&id("nobody"), &orphan)).is_err());
        assert!(b.read(|tx| tx.find_credential(&id("nobody"))).unwrap().is_none());
    }

    fn groups_are_found_changed_listed_and_removed_with_their_memberships(b) {
        b.write(|tx| {
            tx.insert_user(&user("ada"))?;
            for name in ["eng", "all"] {
                tx.insert_group(&group(name))?;
                tx.insert_member(&id(name), &id("ada"), at(0))?;
            }
            Ok(())
        }).unwrap();
        assert!(matches!(b.write(|tx| tx.insert_group(&group("eng"))), Err(StoreError::Conflict("group name"))));
        assert_eq!(b.read(|tx| tx.find_group(&id("eng"))).unwrap(), Some(group("eng")));
        assert_eq!(b.read(|tx| tx.find_group_by_name("eng")).unwrap(), Some(group("eng")));
        let mut renamed = group("eng");
        renamed.name = "engineering".to_owned();
        renamed.version = 2;
        let stale = renamed.clone();
        b.write(move |tx| tx.update_group(&renamed)).unwrap();
        assert!(matches!(b.write(move |tx| tx.update_group(&stale)), Err(StoreError::Conflict("group"))));
        b.write(|tx| tx.touch_group(&id("eng"), at(9))).unwrap();
        let touched = b.read(|tx| tx.find_group(&id("eng"))).unwrap().unwrap();
        assert_eq!((touched.version, touched.updated_at), (3, at(9)));
        let page = b.read(|tx| tx.list_groups(&first(1))).unwrap();
        assert_eq!((page.items[0].name.as_str(), page.next.as_deref()), ("all", Some("all")));
        assert!(b.write(|tx| tx.remove_group(&id("eng"))).unwrap());
        assert!(!b.write(|tx| tx.remove_group(&id("eng"))).unwrap());
        assert_eq!(b.read(|tx| tx.list_group_ids_of(&id("ada"))).unwrap(), [id("all")]);
    }

    fn memberships_are_added_and_removed_once(b) {
        b.write(|tx| {
            tx.insert_group(&group("eng"))?;
            for name in ["bob", "ada"] {
                tx.insert_user(&user(name))?;
            }
            Ok(())
        }).unwrap();
        let add = |name: &'static str| b.write(move |tx| tx.insert_member(&id("eng"), &id(name), at(0)));
        assert!(add("ada").unwrap());
        assert!(!add("ada").unwrap());
        assert!(add("bob").unwrap());
        assert!(add("nobody").is_err());
        let page = b.read(|tx| tx.list_members(&id("eng"), &first(1))).unwrap();
        assert_eq!((page.items[0].username.as_str(), page.next.as_deref()), ("ada", Some("ada")));
        let rest = b.read(move |tx| tx.list_members(&id("eng"), &then(page.next, 1))).unwrap();
        assert_eq!(rest.items[0].username, "bob");
        let leave = || b.write(|tx| tx.remove_member(&id("eng"), &id::<UserId>("ada")));
        assert!(leave().unwrap());
        assert!(!leave().unwrap());
    }
}
