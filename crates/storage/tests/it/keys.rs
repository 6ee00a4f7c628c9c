//! Signing keys.

use lanyard_core::keys::record::{KeyState, Ring};
use lanyard_core::store::StoreError;

use crate::sample::{at, stored_key};

conformance! {
    fn keys_read_back_by_ring_oldest_first_and_move_the_version(b) {
        let version = || b.read(|tx| tx.keys_version()).unwrap();
        let start = version();
        let new = stored_key(Ring::Idp, KeyState::Next, 2);
        let old = stored_key(Ring::Idp, KeyState::Active, 1);
        let ras = stored_key(Ring::Ras, KeyState::Active, 1);
        let all = [new.clone(), old.clone(), ras.clone()];
        b.write(move |tx| all.iter().try_for_each(|key| tx.insert_key(key))).unwrap();
        assert!(version() > start);
        assert_eq!(b.read(|tx| tx.list_keys(Ring::Idp)).unwrap(), [old.clone(), new]);
        assert_eq!(b.read(|tx| tx.list_keys(Ring::Ras)).unwrap(), [ras]);
        assert_eq!(b.read(|tx| tx.list_keys(Ring::Audit)).unwrap(), []);
        assert!(matches!(b.write(move |tx| tx.insert_key(&old)), Err(StoreError::Conflict("key identifier"))));
    }

    fn a_key_moves_once_and_removal_empties_its_private_half_sec_17(b) {
        let key = stored_key(Ring::Idp, KeyState::Next, 0);
        let kid = key.kid.clone();
        b.write(move |tx| tx.insert_key(&key)).unwrap();
        let step = |from, to, seconds, after: Option<i64>| {
            let kid = kid.clone();
            b.write(move |tx| tx.move_key(&kid, from, to, at(seconds), after.map(at))).unwrap()
        };
        let stored = || b.read(|tx| tx.list_keys(Ring::Idp)).unwrap().remove(0);
        let version = || b.read(|tx| tx.keys_version()).unwrap();
        assert!(!step(KeyState::Active, KeyState::Retired, 1, None));
        let before = version();
        assert!(step(KeyState::Next, KeyState::Active, 10, None));
        assert!(version() > before);
        assert_eq!((stored().state, stored().activates_at), (KeyState::Active, at(10)));
        assert!(!step(KeyState::Next, KeyState::Active, 11, None));
        assert!(step(KeyState::Active, KeyState::Retired, 20, Some(30)));
        let retired = stored();
        assert_eq!((retired.retired_at, retired.remove_after), (Some(at(20)), Some(at(30))));
        assert_eq!(retired.sealed_private, [1, 2, 3]);
        assert!(step(KeyState::Retired, KeyState::Removed, 31, None));
        let removed = stored();
        assert_eq!((removed.state, removed.retired_at), (KeyState::Removed, Some(at(20))));
        assert!(removed.sealed_private.is_empty());
    }
}
