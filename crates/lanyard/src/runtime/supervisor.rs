//! Tasks by name: started here, stopped by one token, and their death is visible.
//!
//! Owns every spawned task of the program. Never restarts one silently.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of a process.
#[derive(Clone)]
pub(crate) struct Supervisor {
    stop: CancellationToken,
    tracker: TaskTracker,
    dead: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl Default for Supervisor {
    fn default() -> Self {
        Self {
            stop: CancellationToken::new(),
            tracker: TaskTracker::new(),
            dead: Arc::default(),
        }
    }
}

impl Supervisor {
    /// The token that stops every task.
    pub(crate) fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task that should run until the stop. Ending before it, or panicking, is remembered and makes the
    /// process unhealthy.
    pub(crate) fn start<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let dead = Arc::clone(&self.dead);
        let stop = self.stop.clone();
        let watched = self.tracker.spawn(task);
        self.tracker.spawn(async move {
            let words = match watched.await {
                Ok(Ok(())) if stop.is_cancelled() => return,
                Ok(Ok(())) => "it ended".to_owned(),
                Ok(Err(error)) => format!("{error:#}"),
                Err(error) if error.is_panic() => "it panicked".to_owned(),
                Err(_) => return,
            };
            tracing::error!(task.name = name, reason = %words, "a task of the process died");
            if let Ok(mut dead) = dead.lock() {
                dead.insert(name, words);
            }
        });
    }

    /// Tasks that died, with the reason.
    pub(crate) fn dead(&self) -> Vec<(&'static str, String)> {
        self.dead
            .lock()
            .map(|dead| dead.iter().map(|(name, why)| (*name, why.clone())).collect())
            .unwrap_or_default()
    }

    /// Stops every task and waits until they have ended.
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}
