//! Hashing passwords apart from everything else: a bounded number at once, on threads that may block.
//!
//! Owns how many run at once. Never stores a password.

use std::sync::Arc;

use lanyard_core::session::password;
use lanyard_jose::random::Random;
use tokio::sync::Semaphore;

/// Each hash takes 19 MiB and some 20 ms of a core; as many run at once as there are cores.
pub struct Passwords {
    permits: Semaphore,
    random: Arc<dyn Random>,
}

/// A password could not be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct NotHashed;

impl Passwords {
    /// At most `at_once` hashes at a time.
    pub fn new(at_once: usize, random: Arc<dyn Random>) -> Self {
        Self {
            permits: Semaphore::new(at_once),
            random,
        }
    }

    /// The argon2id hash of a password, in PHC form.
    ///
    /// # Errors
    /// [`NotHashed`] when the runtime is shutting down.
    pub async fn hash(&self, password: String) -> Result<String, NotHashed> {
        let _permit = self.permits.acquire().await.map_err(|_| NotHashed)?;
        let random = Arc::clone(&self.random);
        let hashed = tokio::task::spawn_blocking(move || password::hash(&*random, &password)).await;
        hashed.map_err(|_| NotHashed)?.map_err(|_| NotHashed)
    }
    /// Whether a password is the one of a hash.
    ///
    /// # Errors
    /// [`NotHashed`] when the runtime is shutting down.
    pub async fn fits(&self, phc: String, password: String) -> Result<bool, NotHashed> {
        let _permit = self.permits.acquire().await.map_err(|_| NotHashed)?;
        tokio::task::spawn_blocking(move || password::verify(&phc, &password))
            .await
            .map_err(|_| NotHashed)
    }
}
