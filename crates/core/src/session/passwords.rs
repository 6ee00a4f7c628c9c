//! Passwords apart from units and from the runtime: hashed and checked on threads that may be slow, a bounded number
//! at once for the whole process.
//!
//! Owns the way to those threads and back. Never starts a thread (the composition does), never stores a password, and
//! never decides what a right one opens.

use std::sync::Arc;

use futures_channel::oneshot;
use lanyard_jose::random::Random;
use secrecy::{ExposeSecret, SecretString};

use crate::session::password;

/// Work for a thread that may be slow: each takes 19 MiB and some 20 ms of a core.
pub type SlowWork = Box<dyn FnOnce() + Send>;

/// Gives work to the threads, or says at once that too much waits already.
pub type Threads = Arc<dyn Fn(SlowWork) -> Result<(), Busy> + Send + Sync>;

/// Hashes and checks passwords. One per process, so that its bound holds for sign-ins and administrators together.
pub struct Passwords {
    threads: Threads,
    random: Arc<dyn Random>,
}

/// Too many passwords wait to be checked at this moment, or the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked")]
pub struct Busy;

/// Why a password was not hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotHashed {
    /// Too many wait; later it works.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// It is longer than a password may be.
    #[error(transparent)]
    TooLong(#[from] password::PasswordTooLong),
}

impl Passwords {
    /// On these threads.
    pub fn new(threads: Threads, random: Arc<dyn Random>) -> Self {
        Self { threads, random }
    }

    /// Whether `password` is the one behind `phc`.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn fits(&self, phc: &str, password: SecretString) -> Result<bool, Busy> {
        let phc = phc.to_owned();
        self.apart(move || password::verify(&phc, password.expose_secret()))
            .await
    }

    /// The argon2id hash of a password, in PHC form.
    ///
    /// # Errors
    /// [`NotHashed`].
    pub async fn hash(&self, password: SecretString) -> Result<String, NotHashed> {
        let random = Arc::clone(&self.random);
        let hashed = self.apart(move || password::hash(&*random, password.expose_secret()));
        Ok(hashed.await??)
    }

    async fn apart<T, F>(&self, work: F) -> Result<T, Busy>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        (self.threads)(Box::new(move || {
            // Whoever asked may have left meanwhile: nobody's password costs nothing.
            if !sender.is_canceled() {
                let _ = sender.send(work());
            }
        }))?;
        receiver.await.map_err(|_| Busy)
    }
}
