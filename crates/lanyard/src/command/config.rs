//! `lanyard config check`
//!
//! Owns saying what a configuration would run and what is wrong with it. Never starts anything.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lanyard_core::connector::record::Connector;
use lanyard_core::store::StoreExt as _;
use lanyard_core::store::page::PageRequest;
use lanyard_protocol::url_rules;
use serde_json::{Value, json};

use crate::client_config::outcome::plain;
use crate::compose;
use crate::config::{Config, ConfigError, GatewayControl, KekSource, Listener, StoreConfig};
use crate::ui::Ui;

/// Check a configuration file
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum ConfigCommand {
    /// Say what would run, or everything that is wrong
    Check {
        /// The configuration file
        #[arg(long, short, value_name = "FILE", env = "LANYARD_CONFIG")]
        config: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command. A configuration that cannot be started is exit code 1.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) async fn run(args: ConfigArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let ConfigCommand::Check { config, json } = args.command;
    let file = config.as_deref();
    match Config::load(file) {
        Ok(config) => {
            let warnings = warnings(&config).await;
            if json {
                ui.json(&json!({ "ok": true, "runs": runs(&config), "warnings": warnings }))?;
            } else {
                tell(&config, &warnings, ui);
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            if json {
                ui.json(&json!({ "ok": false, "problems": problems(&error, file) }))?;
            } else {
                for line in error.to_string().lines() {
                    ui.note(&format!("error: {}", plain(line)));
                }
            }
            Ok(ExitCode::from(1))
        }
    }
}

fn problems(error: &ConfigError, file: Option<&Path>) -> Vec<Value> {
    match error {
        ConfigError::Refused { file, problems } => problems
            .iter()
            .map(|p| json!({ "file": file, "field": p.field, "problem": p.problem, "remedy": p.remedy }))
            .collect(),
        ConfigError::Unreadable { .. } | ConfigError::Syntax { .. } => {
            let remedy = "Correct the file; docs/configuration.md lists every key.";
            vec![json!({ "file": file, "field": null, "problem": error.to_string(), "remedy": remedy })]
        }
    }
}

/// What would run, as (name, text).
fn runs(config: &Config) -> Vec<(&'static str, String)> {
    let at = |listener: &Listener| {
        let tls = if listener.tls.is_some() { "https" } else { "http" };
        format!("{tls} on {}", listener.address)
    };
    let mut lines = Vec::new();
    if let Some(idp) = &config.idp {
        lines.push((
            "issuer",
            format!(
                "{}, {}, signs with {}",
                idp.issuer,
                at(&idp.listener),
                idp.signing_algorithm.as_str()
            ),
        ));
    }
    if let Some(ras) = &config.ras {
        let text = format!(
            "{}, {}, signs with {}",
            ras.issuer,
            at(&ras.listener),
            ras.signing_algorithm.as_str()
        );
        lines.push(("authorization server", text));
    }
    if let Some(gateway) = &config.gateway {
        let routes = match &gateway.control {
            GatewayControl::InProcess => "routes of this process".to_owned(),
            GatewayControl::Remote { url, .. } => format!("routes from {url}"),
            GatewayControl::File(path) => format!("routes from {}", path.display()),
        };
        lines.push((
            "gateway",
            format!("{}, {}, {routes}", gateway.public_url, at(&gateway.listener)),
        ));
    }
    for (name, own) in [("admin API", &config.admin), ("metrics", &config.metrics)] {
        if let Some(own) = own {
            let names: String = own.hosts.iter().map(|host| format!(", also as {host}")).collect();
            lines.push((name, format!("{}{names}", at(&own.listener))));
        }
    }
    lines.push((
        "store",
        match &config.store {
            StoreConfig::Sqlite(path) => format!("SQLite, {}", path.display()),
            StoreConfig::Postgres { connections, .. } => format!("PostgreSQL, {connections} connections"),
        },
    ));
    lines.push((
        "key-encryption key",
        match &config.kek {
            KekSource::StateDirectory => format!("made at first start in {}", config.state_dir.display()),
            KekSource::File(path) => path.display().to_string(),
        },
    ));
    lines
}

/// What may be started and is worth a second look.
async fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    if config.development {
        warnings.push("development = true: plain http on loopback is taken. Not for people's data.".to_owned());
    }
    if config.gateway.as_ref().is_some_and(|gateway| gateway.allow_stale) {
        warnings.push(
            "gateway.on_stale = \"allow\": calls go on when revocations cannot be heard. Somebody cut off keeps access."
                .to_owned(),
        );
    }
    if config.admin.is_none() && (config.idp.is_some() || config.ras.is_some()) {
        warnings.push("there is no [admin] section: nothing can be changed while this runs.".to_owned());
    }
    let mut named: Vec<(&str, &Path)> = config
        .outbound
        .ca_files
        .iter()
        .map(|file| ("outbound.ca_files", file.as_path()))
        .collect();
    if let KekSource::File(path) = &config.kek {
        named.push(("kek.file", path));
    }
    let roles = [
        config.idp.as_ref().map(|role| &role.listener),
        config.ras.as_ref().map(|role| &role.listener),
        config.gateway.as_ref().map(|role| &role.listener),
        config.admin.as_ref().map(|own| &own.listener),
    ];
    for tls in roles.into_iter().flatten().filter_map(|listener| listener.tls.as_ref()) {
        named.push(("tls.certificate_file", &tls.certificate_file));
        named.push(("tls.key_file", &tls.key_file));
    }
    named.dedup();
    for (field, path) in named {
        if std::fs::File::open(path).is_err() {
            warnings.push(format!("{field}: {} cannot be read by this user.", path.display()));
        }
    }
    warnings.extend(insecure_upstreams(config).await);
    warnings
}

/// Connectors whose server is reached over plain http off this machine, when there is a store to ask.
async fn insecure_upstreams(config: &Config) -> Vec<String> {
    // A check makes no database.
    if let StoreConfig::Sqlite(path) = &config.store
        && !path.exists()
    {
        return Vec::new();
    }
    let Ok(opened) = compose::open_store(config).await else {
        return vec!["the store cannot be opened from here: connectors were not looked at.".to_owned()];
    };
    let found = opened
        .store
        .read(|tx| {
            let mut found: Vec<Connector> = Vec::new();
            let mut page = PageRequest::new(None, PageRequest::MAX);
            loop {
                let part = tx.list_connectors(&page)?;
                found.extend(part.items);
                match part.next {
                    Some(after) => page.after = Some(after),
                    None => return Ok(found),
                }
            }
        })
        .await;
    opened.handle.shutdown();
    let Ok(connectors) = found else {
        return vec!["the store cannot be read from here: connectors were not looked at.".to_owned()];
    };
    let plain_http = |connector: &Connector| {
        let upstream = connector.upstream.as_ref()?;
        let url = url::Url::parse(&upstream.url).ok()?;
        let open = !url_rules::is_protected(&url);
        open.then(|| {
            format!(
                "connector {}: {} is plain http to another machine (insecure_upstream); whoever is on the way reads the calls.",
                connector.name, upstream.url
            )
        })
    };
    connectors.iter().filter_map(plain_http).collect()
}

fn tell(config: &Config, warnings: &[String], ui: &Ui) {
    ui.line("This configuration may be started. It runs:");
    for (name, text) in runs(config) {
        ui.line(&format!("  {name:<20} {}", plain(&text)));
    }
    for warning in warnings {
        ui.line(&format!("{} {}", ui.strong("warning:"), plain(warning)));
    }
}
