//! Pushing revocations to the views of this process (architecture, rule 6).
//!
//! Owns "the view has everything that is committed". Never decides what is revoked.

use std::sync::Arc;

use lanyard_core::store::{Store, StoreError, StoreExt};
use lanyard_protocol::gateway::RevocationEntry;
use tokio::sync::Mutex;

/// Entries read at once.
const BATCH: u32 = 500;

/// A view in this process: the gateway's, or the one of a protected resource.
pub trait RevocationSink: Send + Sync {
    /// The sequence of the last entry it has; 0 for none.
    fn head(&self) -> i64;
    /// Takes entries in order. Afterwards the next call already sees them.
    fn push(&self, entries: &[RevocationEntry]);
    /// Everything committed up to now has been pushed: the view is fresh.
    fn confirm(&self);
}

/// The feed of revocations, read from the store and pushed to every view here.
pub struct Feed {
    store: Arc<dyn Store>,
    sinks: Vec<Arc<dyn RevocationSink>>,
    /// One push at a time, so that views see entries in order.
    turn: Mutex<()>,
}

impl Feed {
    /// A feed to these views; without views there is nothing to push.
    pub fn new(store: Arc<dyn Store>, sinks: Vec<Arc<dyn RevocationSink>>) -> Self {
        Self {
            store,
            sinks,
            turn: Mutex::new(()),
        }
    }

    /// Returns once every view has everything that was committed before the call.
    ///
    /// # Errors
    /// [`StoreError`]; the views then age and refuse by themselves.
    pub async fn deliver(&self) -> Result<(), StoreError> {
        if self.sinks.is_empty() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        loop {
            let after = self.sinks.iter().map(|sink| sink.head()).min().unwrap_or(0);
            let entries = self.store.read(move |tx| tx.list_revocations(after, BATCH)).await?;
            for sink in &self.sinks {
                let head = sink.head();
                let new: Vec<RevocationEntry> = entries.iter().filter(|entry| entry.sequence > head).cloned().collect();
                if !new.is_empty() {
                    sink.push(&new);
                }
            }
            if entries.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                break;
            }
        }
        for sink in &self.sinks {
            sink.confirm();
        }
        Ok(())
    }
}
