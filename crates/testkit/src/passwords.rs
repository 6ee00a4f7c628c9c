//! Passwords hashed at once, on the thread that asks.

use std::sync::Arc;

use lanyard_core::session::passwords::Passwords;
use lanyard_jose::random::Random;

/// Hashes and checks without a queue.
pub fn passwords(random: Arc<dyn Random>) -> Arc<Passwords> {
    let at_once = Arc::new(|work: lanyard_core::session::passwords::SlowWork| {
        work();
        Ok(())
    });
    Arc::new(Passwords::new(at_once, random))
}
