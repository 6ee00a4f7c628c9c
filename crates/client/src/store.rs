//! Where sign-ins rest: a trait, and a store in memory.
//!
//! Owns the contract of a store. Never chooses a place on disk.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use lanyard_protocol::issuer::Issuer;

use crate::session::Session;

/// A future that a trait object returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps sign-ins, one per issuer, in operating system secure storage or in memory (CL-ST-01).
pub trait CredentialStore: Send + Sync {
    /// The sign-in at `issuer`, when there is one.
    fn load<'a>(&'a self, issuer: &'a Issuer) -> BoxFuture<'a, Result<Option<Session>, StoreError>>;
    /// Keeps a sign-in instead of the one that was there.
    fn save<'a>(&'a self, session: &'a Session) -> BoxFuture<'a, Result<(), StoreError>>;
    /// Forgets the sign-in at `issuer`.
    fn remove<'a>(&'a self, issuer: &'a Issuer) -> BoxFuture<'a, Result<(), StoreError>>;
    /// Keeps other users of the same store from renewing until the guard is dropped: a refresh token is used once.
    fn lock<'a>(&'a self, issuer: &'a Issuer) -> BoxFuture<'a, Result<RenewalGuard, StoreError>>;
}

/// Dropped when a renewal is over.
pub struct RenewalGuard(#[expect(dead_code, reason = "held for its Drop")] Box<dyn Send>);

impl RenewalGuard {
    /// Holds whatever releases the lock when dropped.
    pub fn new(held: impl Send + 'static) -> Self {
        Self(Box::new(held))
    }
}

/// A store could not do its work. The text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// Keeps sign-ins until the process ends.
#[derive(Default)]
pub struct MemoryStore {
    sessions: Mutex<HashMap<Issuer, Session>>,
    renewing: Arc<tokio::sync::Mutex<()>>,
}

impl MemoryStore {
    /// A store that holds one sign-in.
    pub fn with(session: Session) -> Self {
        let store = Self::default();
        store.put(session);
        store
    }

    fn put(&self, session: Session) {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(session.issuer.clone(), session);
    }
}

impl CredentialStore for MemoryStore {
    fn load<'a>(&'a self, issuer: &'a Issuer) -> BoxFuture<'a, Result<Option<Session>, StoreError>> {
        let found = self
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(issuer)
            .cloned();
        Box::pin(async move { Ok(found) })
    }

    fn save<'a>(&'a self, session: &'a Session) -> BoxFuture<'a, Result<(), StoreError>> {
        self.put(session.clone());
        Box::pin(async { Ok(()) })
    }

    fn remove<'a>(&'a self, issuer: &'a Issuer) -> BoxFuture<'a, Result<(), StoreError>> {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(issuer);
        Box::pin(async { Ok(()) })
    }

    fn lock<'a>(&'a self, _: &'a Issuer) -> BoxFuture<'a, Result<RenewalGuard, StoreError>> {
        let renewing = Arc::clone(&self.renewing);
        Box::pin(async move { Ok(RenewalGuard::new(renewing.lock_owned().await)) })
    }
}
