//! `lanyard migrate`
//!
//! Owns bringing a store to this release apart from a start, and saying what was done. Never goes back a step.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use lanyard_storage::Schema;
use serde_json::json;

use crate::compose;
use crate::config::{Config, StoreConfig};
use crate::runtime::private_file;
use crate::ui::Ui;

/// Bring the store to this release, and say what was done
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct MigrateArgs {
    /// The configuration file that names the store
    #[arg(long, short, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
    /// Only say what is missing; exit code 1 when something is
    #[arg(long)]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command. With `--check`, missing steps are exit code 1.
///
/// # Errors
/// When the configuration cannot be read, or the store cannot be reached or brought to this release.
pub(crate) async fn run(args: MigrateArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let config = Config::load(Some(&args.config))?;
    let settings = compose::store_config(&config);
    let check = args.check;
    if let (StoreConfig::Sqlite(_), false) = (&config.store, check) {
        private_file::ensure_directory(&config.state_dir)?;
    }
    let (schema, applied) = tokio::task::spawn_blocking(move || {
        let applied = if check {
            Vec::new()
        } else {
            lanyard_storage::migrate(&settings)?
        };
        lanyard_storage::schema(&settings).map(|schema| (schema, applied))
    })
    .await
    .context("the store could not be looked at")??;
    let name = match &config.store {
        StoreConfig::Sqlite(path) => format!("SQLite, {}", path.display()),
        StoreConfig::Postgres { .. } => "PostgreSQL".to_owned(),
    };
    if args.json {
        ui.json(&json!({
            "store": name,
            "applied": applied,
            "missing": schema.missing,
            "newer": schema.newer,
            "schema": schema.last(),
        }))?;
    } else {
        tell(&name, &schema, &applied, ui);
    }
    Ok(if schema.missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn tell(name: &str, schema: &Schema, applied: &[String], ui: &Ui) {
    ui.line(&format!("{name}: schema {}", schema.last()));
    for step in applied {
        ui.line(&format!("  {step} applied"));
    }
    for step in &schema.missing {
        ui.line(&format!("  {step} missing"));
    }
    for step in &schema.newer {
        ui.line(&format!("  {step} is of a newer release, which this one runs on"));
    }
    ui.line(if schema.missing.is_empty() {
        "The store is as this release needs it."
    } else {
        "Run `lanyard migrate` without --check to apply what is missing."
    });
}
