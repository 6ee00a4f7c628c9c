//! Passwords on threads that may be slow: the bound, and callers that left.

use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use lanyard_core::session::passwords::{Busy, NotHashed, Passwords, SlowWork};
use lanyard_testkit::block_on::block_on;
use lanyard_testkit::passwords::passwords;
use lanyard_testkit::random::SeededRandom;
use secrecy::SecretString;

fn random() -> Arc<SeededRandom> {
    Arc::new(SeededRandom::new(7))
}

#[test]
fn a_password_fits_its_own_hash_only_and_an_endless_one_is_refused() {
    let passwords = passwords(random());
    let hash = block_on(passwords.hash(SecretString::from("correct horse"))).unwrap();
    assert_eq!(block_on(passwords.fits(&hash, "correct horse".into())), Ok(true));
    assert_eq!(block_on(passwords.fits(&hash, "another".into())), Ok(false));
    let endless = block_on(passwords.hash("x".repeat(1025).into()));
    assert!(matches!(endless, Err(NotHashed::TooLong(_))), "{endless:?}");
}

#[test]
fn a_full_queue_is_told_at_once_sec_22() {
    let full = Passwords::new(Arc::new(|_| Err(Busy)), random());
    assert_eq!(block_on(full.fits("any", "any".into())), Err(Busy));
    assert_eq!(block_on(full.hash("any".into())), Err(NotHashed::Busy(Busy)));
}

#[test]
fn the_password_of_somebody_who_left_is_not_hashed() {
    let queue: Arc<Mutex<Vec<SlowWork>>> = Arc::default();
    let takes = Arc::clone(&queue);
    let passwords = Passwords::new(
        Arc::new(move |work| {
            takes.lock().unwrap().push(work);
            Ok(())
        }),
        Arc::new(Never),
    );
    let mut asked = Box::pin(passwords.hash("any".into()));
    assert!(
        asked
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    drop(asked);
    let work = queue.lock().unwrap().pop().unwrap();
    work();
}

/// Ends the test when a salt is drawn.
struct Never;

impl lanyard_jose::random::Random for Never {
    fn fill(&self, _: &mut [u8]) {
        panic!("a salt was drawn");
    }
}
