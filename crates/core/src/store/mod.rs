//! What the rules ask of the store: one unit of work, many small traits.
//!
//! Owns the traits, the unit of work and its failures. Never knows an engine.

pub mod account;
pub mod admin;
pub mod agent;
pub mod audience;
pub mod audit;
pub mod client;
pub mod connector;
pub mod directory;
pub mod factor;
pub mod grant;
pub mod job;
pub mod key;
pub mod page;
pub mod replay;
pub mod resource;
pub mod revocation;
pub mod rule;
pub mod scim;
pub mod session;
pub mod setting;
pub mod trust;
pub mod upstream;

use std::future::Future;

use futures_channel::oneshot;

/// Everything one unit of work may do. Committed by the engine when the unit returns `Ok`.
pub trait Tx:
    account::AccountStore
    + admin::AdminStore
    + agent::AgentStore
    + audience::AudienceStore
    + audit::AuditStore
    + client::ClientStore
    + connector::ConnectorStore
    + directory::DirectoryStore
    + factor::FactorStore
    + grant::GrantStore
    + job::JobStore
    + key::KeyStore
    + replay::ReplayStore
    + resource::ResourceStore
    + revocation::RevocationStore
    + rule::RuleStore
    + scim::DirectoryAccessStore
    + scim::ScimStore
    + session::SessionStore
    + setting::SettingStore
    + trust::TrustStore
    + upstream::UpstreamStore
{
}

/// What the engine does with a unit once it has run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// Commit it (a denial is committed as well).
    Commit,
    /// Roll it back alone.
    RollBack,
}

/// Whether a unit writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A consistent snapshot; writes are refused by the engine.
    Read,
    /// A transaction, durable before `done` is called.
    Write,
    /// Like `Write`, and allowed to use the disk space kept in reserve: deactivation, revocation and their audit.
    WriteReserved,
}

/// The work of a unit.
pub type Work = Box<dyn FnOnce(&mut dyn Tx) -> Ran + Send>;

/// One unit of work. `run` is called once, on a thread of the engine; `done` after the commit is durable, or with
/// the failure that prevented it. A unit never waits, hashes passwords or signs.
pub struct Unit {
    /// Whether it writes.
    pub mode: Mode,
    /// The work.
    pub run: Work,
    /// Told about the end: `Ok` when what `run` decided (commit or roll back) has happened.
    pub done: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

/// The object-safe seam between the rules and an engine.
pub trait Store: Send + Sync {
    /// Queues a unit. When the queue is full or the engine is down, `done` is called with [`StoreError::Unavailable`].
    fn submit(&self, unit: Unit);

    /// Which engine this is, for people: `sqlite` or `postgres`.
    fn engine(&self) -> &'static str;
}

/// Typed units on any store.
pub trait StoreExt: Store {
    /// Runs `unit` in one write transaction and answers after the commit is durable; `Err` or a panic rolls back.
    fn write<T, F>(&self, unit: F) -> impl Future<Output = Result<T, StoreError>> + Send + use<Self, T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    {
        answer(submit(self, Mode::Write, unit))
    }

    /// As [`StoreExt::write`], with the reserve: only for acts that cut access off.
    fn write_reserved<T, F>(&self, unit: F) -> impl Future<Output = Result<T, StoreError>> + Send + use<Self, T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    {
        answer(submit(self, Mode::WriteReserved, unit))
    }

    /// Runs `unit` on a consistent snapshot.
    fn read<T, F>(&self, unit: F) -> impl Future<Output = Result<T, StoreError>> + Send + use<Self, T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    {
        answer(submit(self, Mode::Read, unit))
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

fn submit<S, T, F>(store: &S, mode: Mode, unit: F) -> Answer<T>
where
    S: Store + ?Sized,
    T: Send + 'static,
    F: FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let slot = std::sync::Arc::new(std::sync::Mutex::new(None));
    let filled = std::sync::Arc::clone(&slot);
    store.submit(Unit {
        mode,
        run: Box::new(move |tx| {
            let result = unit(tx);
            let ran = if result.is_ok() { Ran::Commit } else { Ran::RollBack };
            if let Ok(mut place) = filled.lock() {
                *place = Some(result);
            }
            ran
        }),
        done: Box::new(move |end| {
            let result = slot.lock().ok().and_then(|mut place| place.take());
            let answer = match (end, result) {
                (Ok(()), Some(result)) => result,
                // The unit's own failure says more than the engine's.
                (Err(_), Some(Err(error))) => Err(error),
                (Err(error), _) => Err(error),
                (Ok(()), None) => Err(StoreError::Panicked),
            };
            // Nobody listens any more when the request was dropped; the commit stands.
            let _ = sender.send(answer);
        }),
    });
    receiver
}

async fn answer<T>(receiver: Answer<T>) -> Result<T, StoreError> {
    receiver.await.unwrap_or(Err(StoreError::Unavailable))
}

/// Why a unit of work failed. A failure is ours: rolled back, logged once, answered 5xx.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A row contradicts an invariant.
    #[error("the store holds a record that cannot be right: {0}")]
    Corrupt(String),
    /// A unique key is taken, or the record changed meanwhile.
    #[error("the record was changed or taken by somebody else: {0}")]
    Conflict(&'static str),
    /// The engine cannot be reached, its queue is full, or it is shutting down.
    #[error("the store is not available")]
    Unavailable,
    /// No space is left; only the reserve remains for acts that cut access off.
    #[error("the store is full")]
    Full,
    /// The unit panicked and was rolled back alone.
    #[error("the unit of work panicked")]
    Panicked,
    /// What the engine said.
    #[error("the store failed")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
}
