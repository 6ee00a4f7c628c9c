//! Administrator tokens and the one-time owner token.

use lanyard_core::admin::token::{AdminRole, OwnerClaim};
use lanyard_core::store::StoreError;

use crate::sample::{admin_token, at, id};

fn claim(hash: u8) -> OwnerClaim {
    OwnerClaim {
        hash: [hash; 32],
        created_at: at(0),
        expires_at: at(3600),
        used_at: None,
    }
}

conformance! {
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
