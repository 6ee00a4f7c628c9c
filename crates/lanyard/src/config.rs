//! The configuration file: read once, checked once, then passed in parts.
//!
//! Owns its keys, the overlay from the environment and the finished [`Config`]. The rules between keys are in
//! `config/check.rs`. The only module that reads environment variables for the server.

mod check;
mod duration;
mod file;
mod limits;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lanyard_core::directory::settings::PeopleSettings;
use lanyard_core::session::strength::Strength;
use lanyard_jose::algorithm::Algorithm;
use lanyard_protocol::issuer::Issuer;

pub(crate) use check::{Problem, check};
pub(crate) use duration::parse_duration;
pub(crate) use file::FileConfig;
pub(crate) use limits::LimitsConfig;

/// A configuration that may be started.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Allows plain http, on loopback only.
    pub development: bool,
    /// The organisation's name, as its people know it: on the sign-in page.
    pub organisation: String,
    /// Where the database, the key-encryption key and one-time tokens rest.
    pub state_dir: PathBuf,
    /// The IdP role.
    pub idp: Option<IdpConfig>,
    /// How people of the built-in directory are treated.
    pub people: PeopleSettings,
    /// The RAS role.
    pub ras: Option<RasConfig>,
    /// The gateway role.
    pub gateway: Option<GatewayConfig>,
    /// Where the admin API listens.
    pub admin: Option<PrivateListener>,
    /// How strongly administrators who are people must have signed in.
    pub admin_strength: Option<Strength>,
    /// Where health and metrics listen.
    pub metrics: Option<PrivateListener>,
    /// The store.
    pub store: StoreConfig,
    /// Where the key-encryption key comes from.
    pub kek: KekSource,
    /// What outbound requests may reach.
    pub outbound: OutboundConfig,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Limits of the process.
    pub limits: LimitsConfig,
    /// How log lines look.
    pub log: LogConfig,
}

/// A socket that answers HTTP, with TLS when files are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    /// The address.
    pub address: SocketAddr,
    /// Certificate chain and private key, PEM.
    pub tls: Option<TlsFiles>,
}

/// A listener of our own people: reached by names that the operator knows, not by whatever a resolver says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrivateListener {
    /// The socket.
    pub listener: Listener,
    /// Host names besides loopback and the address itself.
    pub hosts: Vec<String>,
}

/// PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// The certificate chain.
    pub certificate_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
}

/// The IdP role.
#[derive(Debug, Clone)]
pub(crate) struct IdpConfig {
    /// Its issuer.
    pub issuer: Issuer,
    /// Where it listens.
    pub listener: Listener,
    /// How its tokens are signed.
    pub signing_algorithm: Algorithm,
    /// Lifetime of ID tokens.
    pub id_token_ttl: Duration,
    /// A session ends without use for this long.
    pub session_idle: Duration,
    /// A session ends at this age.
    pub session_absolute: Duration,
    /// A refresh token ends without use for this long.
    pub refresh_idle: Duration,
    /// A refresh token family ends at this age.
    pub refresh_absolute: Duration,
}

/// The RAS role.
#[derive(Debug, Clone)]
pub(crate) struct RasConfig {
    /// Its issuer.
    pub issuer: Issuer,
    /// Where it listens.
    pub listener: Listener,
    /// How its tokens are signed.
    pub signing_algorithm: Algorithm,
}

/// The gateway role.
#[derive(Debug, Clone)]
pub(crate) struct GatewayConfig {
    /// The origin under which clients call it.
    pub public_url: String,
    /// Where it listens.
    pub listener: Listener,
    /// Where routes and revocations come from.
    pub control: GatewayControl,
    /// A view older than this refuses.
    pub stale_after: Duration,
    /// Whether a stale view still allows calls; a recorded choice.
    pub allow_stale: bool,
}

/// Where a gateway gets its routes and revocations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GatewayControl {
    /// From the store of this process.
    InProcess,
    /// From the admin API of another one.
    Remote {
        /// The admin API's base URL.
        url: String,
        /// An administrator token of role `gateway`.
        token_file: PathBuf,
    },
    /// Routes from a file; keys and revocations of the RASs they name.
    File(PathBuf),
}

/// The store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreConfig {
    /// The embedded database file.
    Sqlite(PathBuf),
    /// A PostgreSQL URL, never printed: it may carry a password.
    Postgres {
        /// The URL.
        url: secret::Url,
        /// Connections.
        connections: usize,
        /// Whether a start brings the store to this release.
        migrate: bool,
    },
}

/// Where the key-encryption key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KekSource {
    /// Made at first start in the state directory; SQLite on loopback only.
    StateDirectory,
    /// A file with 32 bytes, or 64 hexadecimal digits, or their base64.
    File(PathBuf),
}

/// What outbound requests may reach beyond public addresses.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutboundConfig {
    /// Hosts and networks, `host`, `host:port` or CIDR.
    pub allow: Vec<String>,
    /// Extra certificate authorities, PEM.
    pub ca_files: Vec<PathBuf>,
}

/// How log lines look.
#[derive(Debug, Clone)]
pub(crate) struct LogConfig {
    /// A filter in the syntax of `RUST_LOG`.
    pub level: String,
    /// JSON lines instead of text.
    pub json: bool,
}

/// Secrets that configuration carries.
pub(crate) mod secret {
    /// A URL that may hold a password.
    #[derive(Clone, PartialEq, Eq)]
    pub(crate) struct Url(pub String);

    impl std::fmt::Debug for Url {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("[redacted]")
        }
    }
}

/// Why a configuration cannot be started. Written for the operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no TOML, or has a key that does not exist or a value of a wrong type.
    #[error("{file}: {problem}")]
    Syntax {
        /// The file.
        file: String,
        /// Where and what.
        problem: String,
    },
    /// Values that cannot be, or not together.
    #[error("{}", listed(.file, .problems))]
    Refused {
        /// The file.
        file: String,
        /// Every problem found.
        problems: Vec<Problem>,
    },
}

fn listed(file: &str, problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(|p| format!("{file}: {p}")).collect();
    lines.join("\n")
}

impl Config {
    /// Reads the file (or nothing: the local evaluation), lays the environment over it, and checks it.
    ///
    /// # Errors
    /// [`ConfigError`] names the file, the key and the remedy.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let name = path.map_or_else(|| "(no file)".to_owned(), |path| path.display().to_string());
        let text = match path {
            Some(path) => std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
                file: name.clone(),
                source,
            })?,
            None => String::new(),
        };
        let syntax = |problem: String| ConfigError::Syntax {
            file: name.clone(),
            problem,
        };
        let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| syntax(e.to_string()))?;
        // First without the overlay, so that an error keeps its line in the file.
        toml::from_str::<FileConfig>(&text).map_err(|e| syntax(e.to_string().trim_end().to_owned()))?;
        overlay(&mut table, environment()).map_err(syntax)?;
        let file: FileConfig = toml::Value::Table(table)
            .try_into()
            .map_err(|e: toml::de::Error| syntax(e.message().to_owned()))?;
        check(&file).map_err(|problems| ConfigError::Refused { file: name, problems })
    }
}

/// The variables that lay over the file: `LANYARD__SECTION__KEY`.
fn environment() -> Vec<(String, String)> {
    std::env::vars()
        .filter(|(name, _)| name.starts_with("LANYARD__"))
        .collect()
}

/// The state directory when the file names none: systemd's, else below the XDG state home.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment for the server"
)]
pub(crate) fn default_state_dir() -> Option<PathBuf> {
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(directory) = of("STATE_DIRECTORY") {
        return Some(PathBuf::from(directory.split(':').next().unwrap_or_default()));
    }
    let state = of("XDG_STATE_HOME").map(PathBuf::from);
    state
        .or_else(|| of("HOME").map(|home| PathBuf::from(home).join(".local/state")))
        .map(|home| home.join("lanyard"))
}

fn overlay(table: &mut toml::Table, variables: Vec<(String, String)>) -> Result<(), String> {
    for (name, text) in variables {
        let path: Vec<String> = name
            .trim_start_matches("LANYARD__")
            .split("__")
            .map(str::to_lowercase)
            .collect();
        // A TOML value where it reads as one, else plain text.
        let value = format!("v = {text}")
            .parse::<toml::Table>()
            .ok()
            .and_then(|mut parsed| parsed.remove("v"))
            .unwrap_or(toml::Value::String(text));
        let Some((last, sections)) = path.split_last() else {
            continue;
        };
        let mut place = &mut *table;
        for section in sections {
            let entry = place
                .entry(section.clone())
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            place = entry
                .as_table_mut()
                .ok_or_else(|| format!("{name}: {section} is not a section"))?;
        }
        place.insert(last.clone(), value);
    }
    Ok(())
}

/// Whether an address is reachable from this machine only.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_lays_over_the_file_by_section_and_key() {
        let mut table: toml::Table = "[idp]\nissuer = \"https://a.example\"".parse().unwrap();
        let variables = vec![
            ("LANYARD__IDP__ISSUER".to_owned(), "https://b.example".to_owned()),
            ("LANYARD__DEVELOPMENT".to_owned(), "true".to_owned()),
        ];
        overlay(&mut table, variables).unwrap();
        assert_eq!(table["idp"]["issuer"].as_str(), Some("https://b.example"));
        assert_eq!(table["development"].as_bool(), Some(true));
    }
}
