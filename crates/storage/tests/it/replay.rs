//! Single use.

use lanyard_core::store::replay::ReplayKind;

use crate::sample::at;

conformance! {
    fn an_identifier_is_used_once_within_its_own_name_space_sec_05(b) {
        let use_it = |scope: &'static str, kind, issuer: &'static str, jti: &'static str| {
            b.write(move |tx| tx.record_use(scope, kind, issuer, jti, at(60))).unwrap()
        };
        assert!(use_it("acme", ReplayKind::IdJag, "https://idp.example", "1"));
        assert!(!use_it("acme", ReplayKind::IdJag, "https://idp.example", "1"));
        assert!(use_it("zoo", ReplayKind::IdJag, "https://idp.example", "1"));
        assert!(use_it("acme", ReplayKind::ClientAssertionRas, "https://idp.example", "1"));
        assert!(use_it("acme", ReplayKind::IdJag, "https://other.example", "1"));
        assert!(use_it("acme", ReplayKind::IdJag, "https://idp.example", "2"));
    }

    fn of_two_at_once_one_wins(b) {
        for round in 0..20 {
            assert_eq!(race(b, 2, format!("two-{round}")), 1);
        }
    }

    fn of_twenty_four_at_once_one_wins(b) {
        for round in 0..5 {
            assert_eq!(race(b, 24, format!("many-{round}")), 1);
        }
    }

    fn a_use_that_is_rolled_back_was_none(b) {
        let refused: Result<(), _> = b.write(|tx| {
            assert!(tx.record_use("acme", ReplayKind::IdJag, "i", "j", at(60))?);
            Err(lanyard_core::store::StoreError::Unavailable)
        });
        assert!(refused.is_err());
        assert!(b.write(|tx| tx.record_use("acme", ReplayKind::IdJag, "i", "j", at(60))).unwrap());
    }

    fn uses_are_removed_after_their_time_in_batches(b) {
        b.write(|tx| {
            for n in 0..5 {
                tx.record_use("acme", ReplayKind::IdJag, "i", &n.to_string(), at(n))?;
            }
            Ok(())
        }).unwrap();
        for expected in [2, 1, 0] {
            assert_eq!(b.write(|tx| tx.purge_uses(at(3), 2)).unwrap(), expected);
        }
        assert!(!b.write(|tx| tx.record_use("acme", ReplayKind::IdJag, "i", "3", at(9))).unwrap());
        assert!(b.write(|tx| tx.record_use("acme", ReplayKind::IdJag, "i", "2", at(9))).unwrap());
    }
}

/// How many of so many callers at once are told that they were the first.
fn race(b: &crate::support::Bench, callers: usize, jti: String) -> usize {
    let start = std::sync::Barrier::new(callers);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers)
            .map(|_| {
                scope.spawn(|| {
                    let jti = jti.clone();
                    start.wait();
                    b.write(move |tx| tx.record_use("acme", ReplayKind::IdJag, "i", &jti, at(60)))
                        .unwrap()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| usize::from(thread.join().unwrap()))
            .sum()
    })
}
