//! "The act answers only after the views have it": ending access in this process at once (RV-03).
//!
//! Owns running the jobs of a cut-off and waiting for the views. Never decides that somebody is cut off.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use lanyard_core::cx::Cx;
use lanyard_core::jobs::outbox::Job;
use lanyard_core::jobs::run;
use lanyard_core::ras::settings::RasSettings;
use lanyard_core::store::{StoreError, StoreExt};
use tokio::sync::Mutex;

use crate::feed::Feed;
use crate::metrics;
use crate::oauth::basis::Basis;
use crate::oauth::refusal::Chain;

/// Jobs claimed at once.
const BATCH: u32 = 50;
/// How long an act waits for its effect before it answers that the effect is still on its way.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the outbox and pushes what it revoked. One per process, shared by the worker and the admin acts.
pub struct CutOff {
    basis: Basis,
    ras: Option<Arc<RasSettings>>,
    feed: Arc<Feed>,
    routes: Option<Arc<dyn RouteSink>>,
    /// One round at a time: whoever waits for the turn finds the jobs of the other done.
    turn: Mutex<()>,
}

/// How far the effect of an act has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Every view of this process has it.
    Complete,
    /// It is written and will follow; something did not work or took too long.
    Pending,
}

/// The routes of the gateway in this process, which follow the connectors.
pub trait RouteSink: Send + Sync {
    /// Brings the routes to what is committed; the next call already sees it.
    fn refresh(&self) -> BoxFuture<'_, Result<(), StoreError>>;
}

impl CutOff {
    /// For a process with this RAS, these views and this gateway, each if any.
    pub fn new(
        basis: Basis,
        ras: Option<Arc<RasSettings>>,
        feed: Arc<Feed>,
        routes: Option<Arc<dyn RouteSink>>,
    ) -> Self {
        Self {
            basis,
            ras,
            feed,
            routes,
            turn: Mutex::new(()),
        }
    }

    /// To be called after the unit of an act that ends access: revokes at the RAS, pushes to the views, and reads the
    /// keys again. The act itself stands whatever this answers.
    pub async fn complete(&self) -> Effect {
        match tokio::time::timeout(PATIENCE, self.round()).await {
            Ok(Ok(true)) => Effect::Complete,
            Ok(Ok(false)) => Effect::Pending,
            Ok(Err(error)) => {
                tracing::error!(error = %Chain(&error), "a cut-off is written and not yet in effect here");
                self.basis.jobs.notify_one();
                Effect::Pending
            }
            Err(_) => {
                tracing::error!("a cut-off is written and takes long to come into effect here");
                self.basis.jobs.notify_one();
                Effect::Pending
            }
        }
    }

    /// To be called after connectors changed: a connector that was switched off refuses its next call here.
    pub async fn routes_changed(&self) -> Effect {
        let Some(routes) = &self.routes else {
            return Effect::Complete;
        };
        match tokio::time::timeout(PATIENCE, routes.refresh()).await {
            Ok(Ok(())) => Effect::Complete,
            Ok(Err(error)) => {
                tracing::error!(error = %Chain(&error), "a change of connectors is written and not yet in effect here");
                Effect::Pending
            }
            Err(_) => Effect::Pending,
        }
    }

    /// Performs every job that is due, then pushes; `false` when one has to be tried again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn round(&self) -> Result<bool, StoreError> {
        let _turn = self.turn.lock().await;
        let mut all = true;
        if let Some(ras) = &self.ras {
            loop {
                let now = self.basis.now();
                let jobs = self
                    .basis
                    .store
                    .write_reserved(move |tx| run::claim(tx, now, BATCH))
                    .await?;
                if jobs.is_empty() {
                    break;
                }
                for job in jobs {
                    all &= self.perform(ras, job).await?;
                }
            }
        }
        self.basis.rings.refresh(&*self.basis.store).await?;
        self.feed.deliver().await?;
        Ok(all)
    }

    async fn perform(&self, ras: &Arc<RasSettings>, job: Job) -> Result<bool, StoreError> {
        let (settings, cx, own) = (Arc::clone(ras), self.basis.own_cx(), job.clone());
        let done = self
            .basis
            .store
            .write_reserved(move |tx| run::perform(&cx, tx, &settings, &own))
            .await;
        match done {
            Ok(_) => {
                metrics::job("done");
                Ok(true)
            }
            Err(error) => {
                metrics::job("failed");
                tracing::error!(job.id = job.id.as_str(), error = %Chain(&error), "a job failed and is tried again");
                let cx: Cx = self.basis.own_cx();
                self.basis
                    .store
                    .write_reserved(move |tx| run::retry(&cx, tx, &job))
                    .await?;
                Ok(false)
            }
        }
    }
}
