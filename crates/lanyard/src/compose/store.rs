//! Opening the store that the configuration names.

use anyhow::Context;
use lanyard_storage::{Location, Opened, StoreConfig};

use crate::config;

/// The store's own settings.
pub(crate) fn store_config(config: &config::Config) -> StoreConfig {
    match &config.store {
        config::StoreConfig::Sqlite(path) => StoreConfig::sqlite(path),
        config::StoreConfig::Postgres {
            url,
            connections,
            migrate,
        } => StoreConfig {
            connections: *connections,
            migrate: *migrate,
            ..StoreConfig::new(Location::Postgres(url.0.clone()))
        },
    }
}

/// Opens the store, with its migrations.
///
/// # Errors
/// Written for the operator.
pub(crate) async fn open_store(config: &config::Config) -> anyhow::Result<Opened> {
    let settings = store_config(config);
    tokio::task::spawn_blocking(move || lanyard_storage::open(&settings))
        .await
        .context("the store could not be opened")?
        .map_err(anyhow::Error::from)
}
