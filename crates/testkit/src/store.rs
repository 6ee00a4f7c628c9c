//! A store for one test: SQLite in a directory that disappears with it.

use std::sync::Arc;

use lanyard_core::store::Store;
use lanyard_storage::{Opened, StoreConfig, open};
use tempfile::TempDir;

/// A fresh store. Real SQL, real transactions; gone when dropped.
pub struct TestStore {
    opened: Opened,
    _directory: TempDir,
}

impl TestStore {
    /// Opens an empty store.
    ///
    /// # Panics
    /// When the directory or the store cannot be made: the test cannot go on.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let opened = open(&StoreConfig::sqlite(directory.path().join("lanyard.db"))).expect("an empty store");
        Self {
            opened,
            _directory: directory,
        }
    }

    /// The store.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.opened.store)
    }

    /// Stops the engine: every further unit fails.
    pub fn stop(&self) {
        self.opened.handle.shutdown();
    }
}

impl Default for TestStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        // Before its directory goes.
        self.opened.handle.shutdown();
    }
}
