//! The background worker: seals the audit log, signs checkpoints, runs jobs, moves keys on, removes what has expired.
//!
//! Owns when each step runs. Never decides what a step does, and never runs by itself: the supervisor drives it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lanyard_core::audit::event::Actor;
use lanyard_core::audit::record::{NewEvent, record};
use lanyard_core::audit::seal::{SealSettings, checkpoint_due, seal_batch, store_checkpoint};
use lanyard_core::jobs::schedule;
use lanyard_core::keys::record::Ring;
use lanyard_core::keys::rotation::{RotationSettings, next_due, tend};
use lanyard_core::store::{StoreError, StoreExt};
use tokio::time::{MissedTickBehavior, interval};

use crate::cut_off::CutOff;
use crate::feed::Feed;
use crate::idp::logout_tokens::LogoutTokens;
use crate::metrics;
use crate::oauth::basis::Basis;
use crate::oauth::refusal::Chain;

/// How often unsealed events are looked for: an event is sealed within a second.
const SEAL_EVERY: Duration = Duration::from_millis(250);
/// Events sealed in one unit; bounded, so that requests do not wait behind it.
const SEAL_BATCH: u32 = 1000;
/// How long a replica keeps the right to seal.
const SEAL_LEASE: Duration = Duration::from_secs(5);
/// Records removed in one unit, of each kind.
const PURGE_BATCH: u32 = 500;

/// The worker of one process.
pub struct Worker {
    /// The shared parts.
    pub basis: Basis,
    /// Jobs and their effect.
    pub cut_off: Arc<CutOff>,
    /// The views of this process.
    pub feed: Arc<Feed>,
    /// When checkpoints are due.
    pub seal: SealSettings,
    /// Times of a key rotation.
    pub rotation: RotationSettings,
    /// Who tells clients of ended sessions, where the IdP runs.
    pub logout_tokens: Option<Arc<LogoutTokens>>,
    /// The name of this process among replicas.
    pub holder: String,
}

impl Worker {
    /// Runs until `stop` ends, then seals what is left.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let mut stop = std::pin::pin!(stop);
        let mut tick = interval(SEAL_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ticks: u64 = 0;
        loop {
            tokio::select! {
                () = &mut stop => break,
                () = self.basis.jobs.notified() => {
                    if let Some(logout_tokens) = &self.logout_tokens {
                        logout_tokens.ring();
                    }
                    told("jobs", self.cut_off.round().await.map(|_| ()));
                }
                _ = tick.tick() => {
                    self.tick(ticks).await;
                    ticks = ticks.wrapping_add(1);
                }
            }
        }
        told("sealing", self.seal_all().await);
        told("checkpoints", self.checkpoint(true).await);
    }

    async fn tick(&self, ticks: u64) {
        told("sealing", self.seal_all().await);
        if ticks.is_multiple_of(4) {
            // Views refuse when they hear nothing for some seconds.
            told("revocations", self.feed.deliver().await);
            told("keys", self.basis.rings.refresh(&*self.basis.store).await);
            told("checkpoints", self.checkpoint(false).await);
        }
        if ticks.is_multiple_of(8) {
            told("jobs", self.cut_off.round().await.map(|_| ()));
            told("summaries", self.summarise().await);
        }
        if ticks.is_multiple_of(20) {
            told("rotation", self.rotate().await);
        }
        if ticks.is_multiple_of(240) {
            told("purge", self.purge().await);
        }
    }

    /// Seals everything that waits; for tests and for the end of a process.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn seal_all(&self) -> Result<(), StoreError> {
        let waiting = self.basis.store.read(|tx| tx.list_unsealed(1)).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        loop {
            let (now, holder) = (self.basis.now(), self.holder.clone());
            let sealed = self.basis.store.write(move |tx| {
                if tx.take_lease("audit.seal", &holder, now, now.plus(SEAL_LEASE))? {
                    seal_batch(tx, SEAL_BATCH)
                } else {
                    Ok(0)
                }
            });
            let sealed = match sealed.await {
                // Another replica was faster.
                Err(StoreError::Conflict(_)) => 0,
                sealed => sealed?,
            };
            metrics::sealed(u64::try_from(sealed).unwrap_or(u64::MAX));
            if sealed < usize::try_from(SEAL_BATCH).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    /// Signs a checkpoint when one is due, or with `forced` whenever something is not covered.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn checkpoint(&self, forced: bool) -> Result<(), StoreError> {
        let rings = self.basis.rings.snapshot();
        let Some(ring) = rings.get(Ring::Audit) else {
            return Ok(());
        };
        let (now, settings) = (self.basis.now(), self.seal.clone());
        let due = self
            .basis
            .store
            .read(move |tx| checkpoint_due(tx, now, &settings, forced))
            .await?;
        let Some(statement) = due else { return Ok(()) };
        match statement.sign(&ring.active) {
            Ok(checkpoint) => {
                self.basis
                    .store
                    .write(move |tx| store_checkpoint(tx, &checkpoint))
                    .await?;
            }
            Err(error) => tracing::error!(error = %error, "a checkpoint could not be signed"),
        }
        Ok(())
    }

    async fn rotate(&self) -> Result<(), StoreError> {
        let now = self.basis.now();
        let due = self.basis.store.read(|tx| next_due(tx)).await?;
        if due.is_none_or(|due| due > now) {
            return Ok(());
        }
        let (cx, settings) = (self.basis.own_cx(), self.rotation.clone());
        match self.basis.store.write(move |tx| tend(&cx, tx, &settings)).await {
            Ok(_) | Err(StoreError::Conflict(_)) => self.basis.rings.refresh(&*self.basis.store).await,
            Err(error) => Err(error),
        }
    }

    /// Tells how many refusals of anonymous callers were counted and not written down one by one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn summarise(&self) -> Result<(), StoreError> {
        for sum in self.basis.guard.end_minutes(self.basis.now()) {
            let mut cx = self.basis.own_cx();
            cx.peer = sum.source;
            let event = NewEvent::denied("server.refusals.counted", "too_many_to_list")
                .actor(Actor::System("worker".to_owned()))
                .detail("count", sum.unrecorded)
                .detail("since", sum.since.to_string());
            self.basis
                .store
                .write(move |tx| record(&cx, tx, event).map(|_| ()))
                .await?;
        }
        Ok(())
    }

    async fn purge(&self) -> Result<(), StoreError> {
        loop {
            let now = self.basis.now();
            let removed = self
                .basis
                .store
                .write(move |tx| schedule::purge(tx, now, PURGE_BATCH))
                .await?;
            if removed < u64::from(PURGE_BATCH) {
                return Ok(());
            }
        }
    }
}

/// A step that failed is tried again with the next tick; it is logged here and nowhere else.
fn told(step: &'static str, done: Result<(), StoreError>) {
    if let Err(error) = done {
        tracing::warn!(step, error = %Chain(&error), "a step of the worker failed and is tried again");
    }
}
