//! The compiled policy that is current in a unit of work.
//!
//! Owns "reload when the version differs". Never decides.

use std::sync::{Arc, PoisonError, RwLock};

use crate::policy::evaluate::CompiledPolicy;
use crate::store::StoreError;
use crate::store::rule::RuleStore;

/// Holds one compiled policy per process; its version is checked in every unit that asks.
#[derive(Debug, Default)]
pub struct PolicyCache {
    held: RwLock<Option<Arc<CompiledPolicy>>>,
}

impl PolicyCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// The policy as this unit sees it.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when a stored rule does not compile: then nothing is decided.
    pub fn current(&self, tx: &mut (impl RuleStore + ?Sized)) -> Result<Arc<CompiledPolicy>, StoreError> {
        let version = tx.policy_version()?;
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(policy) = held.filter(|policy| policy.version() == version) {
            return Ok(policy);
        }
        let rules = tx.list_rules()?;
        let policy =
            CompiledPolicy::compile(version, &rules).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let policy = Arc::new(policy);
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&policy));
        Ok(policy)
    }
}
