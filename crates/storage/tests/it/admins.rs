//! Roles of people and groups, administrator tokens and the one-time owner token.

use lanyard_core::admin::grant::{Holder, RoleGrant};
use lanyard_core::admin::token::{AdminRole, OwnerClaim};
use lanyard_core::directory::user::UserStatus;
use lanyard_core::store::StoreError;

use crate::sample::{admin_token, at, group, id, user};

fn grant(holder: Holder, role: AdminRole) -> RoleGrant {
    RoleGrant {
        holder,
        role,
        provisioned: false,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn person(name: &str) -> Holder {
    Holder::Person(id(name))
}

fn team(name: &str) -> Holder {
    Holder::Group(id(name))
}

fn claim(hash: u8) -> OwnerClaim {
    OwnerClaim {
        hash: [hash; 32],
        created_at: at(0),
        expires_at: at(3600),
        used_at: None,
    }
}

conformance! {
    fn a_role_reads_back_changes_by_version_and_is_given_once(b) {
        b.write(|tx| {
            tx.insert_grant(&grant(person("ada"), AdminRole::Owner))?;
            tx.insert_grant(&grant(team("ops"), AdminRole::Auditor))
        }).unwrap();
        let twin = b.write(|tx| tx.insert_grant(&grant(person("ada"), AdminRole::Auditor)));
        assert!(matches!(twin, Err(StoreError::Conflict("administrator"))));
        let holders: Vec<_> = b.read(|tx| tx.list_grants()).unwrap().into_iter().map(|grant| grant.holder).collect();
        assert_eq!(holders, [team("ops"), person("ada")]);
        let changed = RoleGrant {
            role: AdminRole::Operator, provisioned: true, version: 2, updated_at: at(9), ..grant(team("ops"), AdminRole::Auditor)
        };
        let (one, two) = (changed.clone(), changed.clone());
        b.write(move |tx| tx.update_grant(&one)).unwrap();
        assert!(matches!(b.write(move |tx| tx.update_grant(&two)), Err(StoreError::Conflict("administrator"))));
        assert_eq!(b.read(|tx| tx.find_grant(&team("ops"))).unwrap(), Some(changed));
        assert!(b.write(|tx| tx.remove_grant(&team("ops"))).unwrap());
        assert!(!b.write(|tx| tx.remove_grant(&team("ops"))).unwrap());
        assert_eq!(b.read(|tx| tx.find_grant(&team("ops"))).unwrap(), None);
    }

    fn roles_come_from_the_person_and_from_their_groups_and_owners_are_active(b) {
        b.write(|tx| {
            for name in ["ada", "ben", "cy"] {
                tx.insert_user(&user(name))?;
            }
            let mut gone = user("dan");
            gone.status = UserStatus::Deactivated;
            tx.insert_user(&gone)?;
            tx.insert_group(&group("ops"))?;
            tx.insert_group(&group("top"))?;
            for (team, name) in [("ops", "ada"), ("top", "ada"), ("top", "ben"), ("top", "dan")] {
                tx.insert_member(&id(team), &id(name), at(0))?;
            }
            tx.insert_grant(&grant(person("ada"), AdminRole::Owner))?;
            tx.insert_grant(&grant(person("dan"), AdminRole::Owner))?;
            tx.insert_grant(&grant(team("ops"), AdminRole::Auditor))?;
            tx.insert_grant(&grant(team("top"), AdminRole::Owner))
        }).unwrap();
        b.write(|tx| tx.hold_owners()).unwrap();
        let roles = |name: &'static str| {
            let mut roles = b.read(move |tx| tx.list_roles_of(&id(name))).unwrap();
            roles.sort_by_key(|role| role.reach());
            roles
        };
        assert_eq!(roles("ada"), [AdminRole::Auditor, AdminRole::Owner, AdminRole::Owner]);
        assert_eq!(roles("ben"), [AdminRole::Owner]);
        assert_eq!(roles("cy"), []);
        let mut owners = b.read(|tx| tx.list_owners()).unwrap();
        owners.sort_by(|a, b| (a.0.as_str(), &a.1).cmp(&(b.0.as_str(), &b.1)));
        assert_eq!(owners, [(team("top"), id("ada")), (team("top"), id("ben")), (person("ada"), id("ada"))]);
    }

    fn administrator_tokens_read_back_and_are_revoked_once(b) {
        b.write(|tx| {
            tx.insert_admin_token(&admin_token("b", 1, AdminRole::Owner))?;
            tx.insert_admin_token(&admin_token("a", 2, AdminRole::Gateway))?;
            tx.insert_admin_token(&admin_token("c", 3, AdminRole::Owner))
        }).unwrap();
        assert_eq!(b.read(|tx| tx.find_admin_token(&[2; 32])).unwrap(), Some(admin_token("a", 2, AdminRole::Gateway)));
        assert_eq!(b.read(|tx| tx.find_admin_token(&[9; 32])).unwrap(), None);
        let names: Vec<_> = b.read(|tx| tx.list_admin_tokens()).unwrap().into_iter().map(|token| token.name).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert!(b.write(|tx| tx.revoke_admin_token(&id("b"), at(5))).unwrap());
        assert!(!b.write(|tx| tx.revoke_admin_token(&id("b"), at(6))).unwrap());
        assert_eq!(b.write(|tx| tx.revoke_owner_tokens(at(7))).unwrap(), 1);
        let revoked: Vec<_> = b.read(|tx| tx.list_admin_tokens()).unwrap().into_iter().map(|token| token.revoked_at).collect();
        assert_eq!(revoked, [None, Some(at(5)), Some(at(7))]);
        let twin = b.write(|tx| tx.insert_admin_token(&admin_token("d", 2, AdminRole::Owner)));
        assert!(matches!(twin, Err(StoreError::Conflict("administrator token"))));
    }

    fn the_owner_claim_is_replaced_and_used_once(b) {
        assert_eq!(b.read(|tx| tx.find_owner_claim()).unwrap(), None);
        b.write(|tx| tx.put_owner_claim(&claim(1))).unwrap();
        b.write(|tx| tx.put_owner_claim(&claim(2))).unwrap();
        assert_eq!(b.read(|tx| tx.find_owner_claim()).unwrap(), Some(claim(2)));
        assert!(!b.write(|tx| tx.use_owner_claim(&[1; 32], at(1))).unwrap());
        assert!(b.write(|tx| tx.use_owner_claim(&[2; 32], at(1))).unwrap());
        assert!(!b.write(|tx| tx.use_owner_claim(&[2; 32], at(2))).unwrap());
        assert_eq!(b.read(|tx| tx.find_owner_claim()).unwrap().unwrap().used_at, Some(at(1)));
    }
}
