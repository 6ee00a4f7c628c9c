//! Checking passwords outside of units: slow on purpose, so a bounded number at once.
//!
//! Owns the queue. Never decides what a right password opens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lanyard_core::session::password;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

/// Sign-ins that wait at most; more are told to come back.
const MAX_WAITING: usize = 512;

/// As many checks at once as there are permits: each takes 19 MiB and a core.
pub struct Passwords {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// Too many people sign in at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked")]
pub struct Busy;

impl Passwords {
    /// So many checks at once; the number of cores.
    pub fn new(at_once: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(at_once.max(1))),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Whether `password` is the one behind `hash`.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn check(&self, hash: &str, password: SecretString) -> Result<bool, Busy> {
        let _place = Place::take(&self.waiting)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Busy)?;
        let hash = hash.to_owned();
        let checked = tokio::task::spawn_blocking(move || {
            let fits = password::verify(&hash, password.expose_secret());
            drop(permit);
            fits
        });
        // A check that panicked fits nothing.
        Ok(checked.await.unwrap_or(false))
    }
}

/// A place in the queue, given back when the request ends, also when its caller left.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Result<Self, Busy> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) < MAX_WAITING {
            Ok(place)
        } else {
            Err(Busy)
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
