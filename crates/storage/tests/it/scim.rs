//! Directories that provision, and what they find.

use std::collections::BTreeSet;

use lanyard_core::directory::user::UserStatus;
use lanyard_core::id::{DirectoryId, GroupId, UserId};
use lanyard_core::scim::directory::{Directory, DirectoryToken};
use lanyard_core::scim::document::Document;
use lanyard_core::scim::facts::Facts;
use lanyard_core::scim::group::ProvisionedGroup;
use lanyard_core::scim::search::{self, Search};
use lanyard_core::scim::user::ProvisionedUser;
use lanyard_core::store::{StoreError, Tx};
use lanyard_protocol::scim::filter::Filter;
use lanyard_protocol::scim::schema::USERS;
use serde_json::{Value, json};

use crate::sample::{at, group, id, user};
use crate::support::Bench;

fn directory(name: &str) -> Directory {
    Directory {
        id: id(name),
        name: name.to_owned(),
        adopts: false,
        strict_paths: true,
        enabled: true,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn token(name: &str, directory: &str, hash: u8) -> DirectoryToken {
    DirectoryToken {
        id: id(name),
        directory: id(directory),
        hash: [hash; 32],
        name: name.to_owned(),
        created_at: at(0),
        expires_at: Some(at(100)),
        revoked_at: None,
        last_used_at: None,
    }
}

fn person(name: &str, directory: &str, external_id: Option<&str>, mut body: Value) -> ProvisionedUser {
    body["userName"] = json!(name);
    let document = Document::read(&USERS, body).unwrap();
    let facts = Facts::of(&document).unwrap();
    let mut user = user(name);
    user.id = id(&name.to_lowercase());
    (user.username, user.email, user.display_name) = (facts.username, facts.email, facts.display_name);
    ProvisionedUser {
        user,
        directory: id(directory),
        external_id: external_id.map(str::to_owned),
        document,
    }
}

fn add(tx: &mut dyn Tx, person: &ProvisionedUser) -> Result<(), StoreError> {
    tx.insert_user(&person.user)?;
    tx.put_provisioned_user(person)
}

fn add_group(tx: &mut dyn Tx, name: &str, directory: &str, external_id: Option<&str>) -> Result<(), StoreError> {
    let mut group = group(&name.to_lowercase());
    group.name = name.to_owned();
    tx.insert_group(&group)?;
    tx.put_provisioned_group(&ProvisionedGroup {
        group,
        directory: id(directory),
        external_id: external_id.map(str::to_owned),
    })
}

/// Two directories with their people.
fn company(b: &Bench) {
    b.write(|tx| {
        for name in ["okta", "entra"] {
            tx.insert_directory(&directory(name))?;
        }
        add(tx, &person("Ada", "okta", Some("00u1"), json!({
            "displayName": "Ada Lovelace", "name": {"givenName": "Ada", "familyName": "Lovelace"},
            "emails": [{"value": "Ada@Work.example", "type": "work", "primary": true}, {"value": "ada@home.example", "type": "home"}],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "7", "manager": {"value": "usr_M"}}
        })))?;
        let mut bob = person("bob", "okta", Some("00U1"), json!({"displayName": "Ärzte_100%", "emails": [{"value": "bob@work.example"}]}));
        bob.user.status = UserStatus::Deactivated;
        (bob.user.created_at, bob.user.updated_at) = (at(10), at(20));
        add(tx, &bob)?;
        add(tx, &person("cleo", "okta", None, json!({})))?;
        add(tx, &person("zed", "entra", Some("00u1"), json!({"emails": [{"value": "ada@work.example", "type": "work"}]})))?;
        tx.insert_user(&user("own"))
    }).unwrap();
}

fn find(b: &Bench, filter: &str) -> Vec<String> {
    find_page(b, filter, 0, 100).1
}

fn find_page(b: &Bench, filter: &str, offset: u32, limit: u32) -> (i64, Vec<String>) {
    let condition = match filter {
        "" => None,
        text => Some(search::users(&Filter::parse(text).unwrap()).unwrap()),
    };
    let search = Search {
        condition,
        offset,
        limit,
    };
    let found = b
        .read(move |tx| tx.search_provisioned_users(&id("okta"), &search))
        .unwrap();
    (
        found.total,
        found.items.into_iter().map(|one| one.user.username).collect(),
    )
}

fn find_groups(b: &Bench, filter: &str) -> Vec<String> {
    let condition = Some(search::groups(&Filter::parse(filter).unwrap()).unwrap());
    let search = Search {
        condition,
        offset: 0,
        limit: 100,
    };
    let found = b
        .read(move |tx| tx.search_provisioned_groups(&id("okta"), &search))
        .unwrap();
    found.items.into_iter().map(|one| one.group.name).collect()
}

fn ids(names: &[&str]) -> BTreeSet<UserId> {
    names.iter().map(|name| id(name)).collect()
}

conformance! {
    fn a_directory_reads_back_changes_and_is_removed_with_its_links(b) {
        company(b);
        b.write(|tx| {
            add_group(tx, "eng", "okta", None)?;
            tx.insert_directory_token(&token("t", "okta", 1))
        }).unwrap();
        assert_eq!(b.read(|tx| tx.find_directory(&id("okta"))).unwrap(), Some(directory("okta")));
        assert_eq!(b.read(|tx| tx.find_directory_by_name("nobody")).unwrap(), None);
        let names: Vec<_> = b.read(|tx| tx.list_directories()).unwrap().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["entra", "okta"]);
        assert!(matches!(b.write(|tx| tx.insert_directory(&directory("okta"))), Err(StoreError::Conflict("directory name"))));
        let mut changed = directory("okta");
        (changed.version, changed.enabled, changed.adopts, changed.strict_paths) = (2, false, true, false);
        let (one, two) = (changed.clone(), changed.clone());
        b.write(move |tx| tx.update_directory(&one)).unwrap();
        assert!(matches!(b.write(move |tx| tx.update_directory(&two)), Err(StoreError::Conflict("directory"))));
        assert_eq!(b.read(|tx| tx.find_directory_by_name("okta")).unwrap(), Some(changed));
        assert_eq!(b.write(|tx| tx.remove_directory(&id("okta"))).unwrap(), (3, 1));
        assert_eq!(b.read(|tx| tx.find_directory(&id("okta"))).unwrap(), None);
        assert_eq!(b.read(|tx| tx.find_directory_token(&[1; 32])).unwrap(), None);
        assert!(b.read(|tx| tx.find_user(&id("ada"))).unwrap().is_some());
        assert_eq!(b.read(|tx| tx.find_owner_of_user(&id("ada"))).unwrap(), None);
    }

    fn tokens_of_a_directory_live_side_by_side_and_are_revoked_once_sc_02(b) {
        company(b);
        b.write(|tx| {
            tx.insert_directory_token(&token("b", "okta", 1))?;
            tx.insert_directory_token(&token("a", "okta", 2))?;
            tx.insert_directory_token(&token("c", "entra", 3))
        }).unwrap();
        assert!(b.write(|tx| tx.insert_directory_token(&token("d", "okta", 1))).is_err());
        assert_eq!(b.read(|tx| tx.find_directory_token(&[2; 32])).unwrap(), Some(token("a", "okta", 2)));
        let names: Vec<_> = b.read(|tx| tx.list_directory_tokens(&id("okta"))).unwrap().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(!b.write(|tx| tx.revoke_directory_token(&id("entra"), &id("a"), at(5))).unwrap());
        assert!(b.write(|tx| tx.revoke_directory_token(&id("okta"), &id("a"), at(5))).unwrap());
        assert!(!b.write(|tx| tx.revoke_directory_token(&id("okta"), &id("a"), at(6))).unwrap());
        b.write(|tx| tx.touch_directory_token(&id("b"), at(7))).unwrap();
        let used: Vec<_> = b.read(|tx| tx.list_directory_tokens(&id("okta"))).unwrap().into_iter().map(|one| (one.revoked_at, one.last_used_at)).collect();
        assert_eq!(used, [(Some(at(5)), None), (None, Some(at(7)))]);
    }

    fn a_person_is_found_by_their_own_directory_only_sc_20(b) {
        company(b);
        let found = b.read(|tx| tx.find_provisioned_user(&id("okta"), &id("ada"))).unwrap().unwrap();
        assert_eq!((found.external_id.as_deref(), found.document.text("userName")), (Some("00u1"), Some("Ada")));
        assert_eq!(b.read(|tx| tx.find_provisioned_user(&id("entra"), &id("ada"))).unwrap(), None);
        assert_eq!(b.read(|tx| tx.find_provisioned_user(&id("okta"), &id("own"))).unwrap(), None);
        let by = |name: &'static str, external: &'static str| {
            b.read(move |tx| tx.find_user_by_external_id(&id(name), external)).unwrap()
        };
        assert_eq!((by("okta", "00u1"), by("entra", "00u1")), (Some(id("ada")), Some(id("zed"))));
        assert_eq!(by("entra", "00U1"), None);
        assert_eq!(b.read(|tx| tx.find_owner_of_user(&id("zed"))).unwrap(), Some(id::<DirectoryId>("entra")));
        let mut stolen = found;
        stolen.directory = id("entra");
        assert!(matches!(b.write(move |tx| tx.put_provisioned_user(&stolen)), Err(StoreError::Conflict(_))));
    }

    fn an_external_id_names_one_person_of_a_directory_sc_20(b) {
        company(b);
        let twin = b.write(|tx| add(tx, &person("twin", "okta", Some("00u1"), json!({}))));
        assert!(matches!(twin, Err(StoreError::Conflict(_))));
        b.write(|tx| tx.remove_provisioned_user(&id("ada"))).unwrap();
        assert_eq!(find(b, r#"emails.value eq "ada@work.example""#), [""; 0]);
        b.write(|tx| add(tx, &person("twin", "okta", Some("00u1"), json!({})))).unwrap();
    }

    fn a_filter_means_the_same_on_both_engines_sc_03(b) {
        company(b);
        for (filter, names) in [
            (r#"userName eq "ADA""#, vec!["ada"]),
            (r#"userName eq "zed""#, vec![]),
            (r#"userName ne "ada""#, vec!["bob", "cleo"]),
            (r#"userName sw "a" or userName ew "b""#, vec!["ada", "bob"]),
            (r#"userName co "e""#, vec!["cleo"]),
            (r#"userName gt "ada" and userName le "bob""#, vec!["bob"]),
            (r#"id eq "usr_ada""#, vec!["ada"]),
            (r#"id eq "USR_ADA""#, vec![]),
            (r#"externalId eq "00u1""#, vec!["ada"]),
            (r#"externalId co "u""#, vec!["ada"]),
            (r#"externalId sw "00""#, vec!["ada", "bob"]),
            (r#"externalId ew "U1""#, vec!["bob"]),
            ("externalId pr", vec!["ada", "bob"]),
            ("not (externalId pr)", vec!["cleo"]),
            (r#"externalId ne "00u1""#, vec!["bob", "cleo"]),
            (r#"not (externalId sw "00u")"#, vec!["bob", "cleo"]),
            (r#"not (externalId gt "1")"#, vec!["ada", "bob", "cleo"]),
            (r#"displayName eq "ADA lovelace""#, vec!["ada"]),
            (r#"displayName sw "ärzte_""#, vec!["bob"]),
            (r#"displayName co "0%""#, vec!["bob"]),
            (r#"displayName ew "ace""#, vec!["ada"]),
            (r#"displayName ew "a much longer text than any""#, vec![]),
            (r#"name.familyName eq "lovelace" and name.givenName sw "AD""#, vec!["ada"]),
            (r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "7""#, vec!["ada"]),
            (r#"id eq "usr_ada" and manager eq "usr_M""#, vec!["ada"]),
            (r#"manager eq "usr_m""#, vec![]),
            ("active eq true", vec!["ada", "cleo"]),
            (r#"active eq "False""#, vec!["bob"]),
            (r#"emails.value eq "ada@WORK.example""#, vec!["ada"]),
            (r#"emails[type eq "work"].value eq "ada@work.example""#, vec!["ada"]),
            (r#"emails[type eq "home"].value eq "ada@work.example""#, vec![]),
            (r#"emails[type eq "home" and value co "@home"]"#, vec!["ada"]),
            (r#"emails[not (type eq "work")]"#, vec!["ada", "bob"]),
            (r#"not (emails[type eq "home"])"#, vec!["bob", "cleo"]),
            (r#"emails ne "bob@work.example""#, vec!["ada", "cleo"]),
            ("emails[primary eq true]", vec!["ada"]),
            ("emails pr", vec!["ada", "bob"]),
            (r#"meta.created gt "2027-01-15T08:00:00Z""#, vec!["bob"]),
            (r#"not (meta.lastModified lt "2027-01-15T08:00:20Z")"#, vec!["bob"]),
            (r#"meta.created eq "2027-01-15T08:00:10Z""#, vec!["bob"]),
            (r#"userName pr and (active eq false or externalId eq "00u1")"#, vec!["ada", "bob"]),
            (r#"userName eq "'; DROP TABLE users; --""#, vec![]),
            ("userName eq \"ada\\u0000\"", vec![]),
        ] {
            assert_eq!(find(b, filter), names, "{filter}");
        }
    }

    fn a_page_has_its_part_and_the_whole_number_sc_05(b) {
        company(b);
        assert_eq!(find_page(b, "", 0, 2), (3, vec!["ada".into(), "bob".into()]));
        assert_eq!(find_page(b, "", 2, 2), (3, vec!["cleo".into()]));
        assert_eq!(find_page(b, "", 0, 0), (3, vec![]));
        assert_eq!(find_page(b, "", 9, 2), (3, vec![]));
        assert_eq!(find_page(b, "externalId pr", 0, 1), (2, vec!["ada".into()]));
        assert_eq!(find_page(b, "externalId pr", 1, 1), (2, vec!["bob".into()]));
        assert_eq!(find_page(b, "externalId pr", 0, 0), (2, vec![]));
        assert_eq!(find_page(b, "externalId pr", 9, 9), (2, vec![]));
    }

    fn groups_are_found_by_their_own_directory_and_by_member_sc_12(b) {
        company(b);
        b.write(|tx| {
            add_group(tx, "Eng", "okta", Some("g1"))?;
            add_group(tx, "ops", "okta", None)?;
            add_group(tx, "far", "entra", Some("g1"))?;
            tx.insert_member(&id("eng"), &id("ada"), at(0))?;
            tx.insert_member(&id("eng"), &id("own"), at(0))?;
            tx.insert_member(&id("far"), &id("ada"), at(0))
        }).unwrap();
        let found = b.read(|tx| tx.find_provisioned_group(&id("okta"), &id("eng"))).unwrap().unwrap();
        assert_eq!((found.group.name.as_str(), found.external_id.as_deref()), ("Eng", Some("g1")));
        assert_eq!(b.read(|tx| tx.find_provisioned_group(&id("okta"), &id("far"))).unwrap(), None);
        assert_eq!(b.read(|tx| tx.find_provisioned_group_by_name(&id("okta"), "eng")).unwrap(), Some(id::<GroupId>("eng")));
        assert_eq!(b.read(|tx| tx.find_group_by_external_id(&id("entra"), "g1")).unwrap(), Some(id::<GroupId>("far")));
        assert_eq!(b.read(|tx| tx.find_owner_of_group(&id("far"))).unwrap(), Some(id::<DirectoryId>("entra")));
        for (filter, names) in [
            (r#"displayName eq "ENG""#, vec!["Eng"]),
            (r#"externalId eq "g1""#, vec!["Eng"]),
            (r#"members eq "usr_ada""#, vec!["Eng"]),
            (r#"members eq "usr_own""#, vec![]),
            (r#"id eq "grp_eng" and members[value eq "usr_ada"]"#, vec!["Eng"]),
            (r#"members ne "usr_ada""#, vec!["ops"]),
            ("members pr", vec!["Eng"]),
            ("not (members pr)", vec!["ops"]),
            (r#"meta.created le "2027-01-15T08:00:00Z" and displayName co "p""#, vec!["ops"]),
        ] {
            assert_eq!(find_groups(b, filter), names, "{filter}");
        }
        assert_eq!(find(b, r#"groups eq "grp_eng""#), ["ada"]);
        assert_eq!(find(b, r#"groups.value eq "grp_far""#), [""; 0]);
        assert_eq!(find(b, "not (groups pr)"), ["bob", "cleo"]);
        assert_eq!(
            b.read(|tx| tx.list_provisioned_groups_of(&id("okta"), &id("ada"))).unwrap(),
            [(id("eng"), "Eng".to_owned())]
        );
        assert_eq!(b.read(|tx| tx.list_provisioned_members(&id("okta"), &id("eng"))).unwrap(), [id("ada")]);
        let twin = b.write(|tx| add_group(tx, "ENG", "okta", None));
        assert!(matches!(twin, Err(StoreError::Conflict(_))));
        b.write(|tx| tx.remove_provisioned_group(&id("eng"))).unwrap();
        assert_eq!(b.read(|tx| tx.find_owner_of_group(&id("eng"))).unwrap(), None);
        assert!(b.read(|tx| tx.find_group(&id("eng"))).unwrap().is_some());
    }

    fn many_members_come_and_go_in_one_statement_each(b) {
        company(b);
        b.write(|tx| tx.insert_group(&group("eng"))).unwrap();
        let among = b.read(|tx| tx.list_provisioned_among(&id("okta"), &ids(&["ada", "zed", "own", "bob", "nobody"])));
        assert_eq!(among.unwrap(), ids(&["ada", "bob"]));
        assert_eq!(b.read(|tx| tx.list_provisioned_among(&id("okta"), &ids(&[]))).unwrap(), ids(&[]));
        let added = b.write(|tx| tx.insert_members(&id("eng"), &ids(&["ada", "bob"]), at(0))).unwrap();
        assert_eq!(added.into_iter().collect::<BTreeSet<_>>(), ids(&["ada", "bob"]));
        let added = b.write(|tx| tx.insert_members(&id("eng"), &ids(&["cleo", "bob"]), at(0))).unwrap();
        assert_eq!(added, [id("cleo")]);
        assert!(b.write(|tx| tx.insert_members(&id("eng"), &ids(&["nobody"]), at(0))).is_err());
        assert_eq!(b.write(|tx| tx.insert_members(&id("eng"), &ids(&[]), at(0))).unwrap(), []);
        let removed = b.write(|tx| tx.remove_members(&id("eng"), &ids(&["ada", "own"]))).unwrap();
        assert_eq!(removed, [id("ada")]);
        assert_eq!(b.read(|tx| tx.list_provisioned_members(&id("okta"), &id("eng"))).unwrap(), [id("bob"), id("cleo")]);
    }
}
