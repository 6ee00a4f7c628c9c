//! The compiled policy that is current in a unit of work.
//!
//! Owns "reload when the version differs", and keeping the work of compiling away from units that hold up others. Never
//! decides.

use std::sync::{Arc, PoisonError, RwLock};

use crate::policy::evaluate::CompiledPolicy;
use crate::policy::rule::Rule;
use crate::store::StoreError;
use crate::store::rule::RuleStore;

/// Holds one compiled policy per process; its version is checked in every unit that asks.
#[derive(Debug, Default)]
pub struct PolicyCache {
    held: RwLock<Option<Arc<CompiledPolicy>>>,
}

/// The rules of a version, read and not compiled yet.
#[derive(Debug)]
pub struct Uncompiled {
    version: i64,
    rules: Vec<Rule>,
}

impl PolicyCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// The policy as this unit sees it, compiled here when need be: tens of milliseconds at a thousand rules.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when a stored rule does not compile: then nothing is decided.
    pub fn current(&self, tx: &mut (impl RuleStore + ?Sized)) -> Result<Arc<CompiledPolicy>, StoreError> {
        match self.look(tx)? {
            Ok(policy) => Ok(policy),
            Err(version) => {
                let rules = tx.list_rules()?;
                self.compile(Uncompiled { version, rules })
            }
        }
    }

    /// The policy as this unit sees it, if it is compiled already. A unit that writes asks so, because others wait
    /// behind it: without an answer it ends, its caller has [`PolicyCache::compile`] done elsewhere and runs it again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn at_hand(&self, tx: &mut (impl RuleStore + ?Sized)) -> Result<Option<Arc<CompiledPolicy>>, StoreError> {
        self.look(tx).map(Result::ok)
    }

    /// What has to be compiled; `None` when everything is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn uncompiled(&self, tx: &mut (impl RuleStore + ?Sized)) -> Result<Option<Uncompiled>, StoreError> {
        match self.look(tx)? {
            Ok(_) => Ok(None),
            Err(version) => {
                let rules = tx.list_rules()?;
                Ok(Some(Uncompiled { version, rules }))
            }
        }
    }

    /// Compiles rules and holds them, outside of any unit. Which of two versions is newer is not asked: what was compiled
    /// in a unit that was never committed would stand in the way (decision 0007). A wrong one is compiled over.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when a stored rule does not compile.
    pub fn compile(&self, Uncompiled { version, rules }: Uncompiled) -> Result<Arc<CompiledPolicy>, StoreError> {
        let policy =
            CompiledPolicy::compile(version, &rules).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let policy = Arc::new(policy);
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&policy));
        Ok(policy)
    }

    /// The version that is held, whatever the store has by now.
    pub fn version(&self) -> Option<i64> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(|policy| policy.version())
    }

    /// What is held, or the version that is needed.
    fn look(&self, tx: &mut (impl RuleStore + ?Sized)) -> Result<Result<Arc<CompiledPolicy>, i64>, StoreError> {
        let version = tx.policy_version()?;
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(held.filter(|policy| policy.version() == version).ok_or(version))
    }
}
