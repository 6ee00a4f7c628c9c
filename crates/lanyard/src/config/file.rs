//! The keys of the configuration file as they are written. Unknown keys are refused.

use std::net::SocketAddr;
use std::path::PathBuf;

use lanyard_core::session::strength::Strength;
use serde::Deserialize;

use super::duration::Span;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FileConfig {
    /// Allows plain http on loopback. Default: true when nothing else is configured, else false.
    pub development: Option<bool>,
    /// The organisation's name on the sign-in page. Default: the host of the issuer.
    pub organisation: Option<String>,
    /// Directory of the database, the key-encryption key and one-time tokens.
    pub state_dir: Option<PathBuf>,
    /// Which roles run: `idp`, `ras`, `gateway`. Default: those that have a section.
    pub roles: Option<Vec<Role>>,
    /// The IdP role.
    pub idp: Option<IdpSection>,
    /// People of the built-in directory.
    pub people: PeopleSection,
    /// The RAS role.
    pub ras: Option<RasSection>,
    /// The gateway role.
    pub gateway: Option<GatewaySection>,
    /// The admin API.
    pub admin: Option<AdminSection>,
    /// Prometheus metrics.
    pub metrics: Option<MetricsSection>,
    /// The store.
    pub store: StoreSection,
    /// The key-encryption key.
    pub kek: KekSection,
    /// Outbound requests.
    pub outbound: OutboundSection,
    /// A terminating proxy.
    pub proxy: ProxySection,
    /// TLS of every listener that names no files of its own.
    pub tls: Option<TlsSection>,
    /// Limits.
    pub limits: LimitsSection,
    /// Log lines.
    pub log: LogSection,
}

/// A role of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Issuer.
    Idp,
    /// Authorization server.
    Ras,
    /// Gateway.
    Gateway,
}

/// `[idp]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdpSection {
    /// The issuer identifier: the URL under which clients reach it.
    pub issuer: String,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// ES256 (default), EdDSA or RS256.
    pub signing_algorithm: Option<String>,
    /// Default 1h.
    pub id_token_ttl: Option<Span>,
    /// Default 8h.
    pub session_idle: Option<Span>,
    /// Default 24h.
    pub session_absolute: Option<Span>,
    /// Default 14d.
    pub refresh_idle: Option<Span>,
    /// Default 30d.
    pub refresh_absolute: Option<Span>,
    /// TLS files of this listener.
    pub tls: Option<TlsSection>,
}

/// `[people]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PeopleSection {
    /// Characters that a new password has at least: 8 to 64. Default 12.
    pub password_min_length: Option<usize>,
    /// Who must have a second factor: `optional`, `administrators` (default), `everyone`.
    pub second_factor: Option<String>,
    /// Whether people may change their own name and address. Default false.
    pub profile_editable: Option<bool>,
}

/// `[ras]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RasSection {
    /// The issuer identifier, different from the IdP's.
    pub issuer: String,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// ES256 (default), EdDSA or RS256.
    pub signing_algorithm: Option<String>,
    /// TLS files of this listener.
    pub tls: Option<TlsSection>,
}

/// `[gateway]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GatewaySection {
    /// The origin under which clients call it.
    pub public_url: String,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The admin API of another process, when this one has no store of its own.
    pub control_url: Option<String>,
    /// A file with an administrator token of role `gateway`, with `control_url`.
    pub control_token_file: Option<PathBuf>,
    /// Routes from a file, instead of a control URL or the store.
    pub routes_file: Option<PathBuf>,
    /// A view of revocations older than this refuses. Default 5s.
    pub stale_after: Option<Span>,
    /// `refuse` (default) or `allow`.
    pub on_stale: Option<OnStale>,
    /// TLS files of this listener.
    pub tls: Option<TlsSection>,
}

/// What a stale view of revocations means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnStale {
    /// 503.
    Refuse,
    /// Calls go on.
    Allow,
}

/// `[admin]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminSection {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Host names by which it is reached, besides loopback and the address.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How strongly administrators who are people must have signed in: `password` (default), `multi_factor`,
    /// `phishing_resistant`.
    pub strength: Option<Strength>,
    /// TLS files of this listener.
    pub tls: Option<TlsSection>,
}

/// `[metrics]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricsSection {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Host names by which it is reached, besides loopback and the address.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// `[store]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StoreSection {
    /// The SQLite file. Default: `lanyard.db` in the state directory.
    pub path: Option<PathBuf>,
    /// A PostgreSQL URL, instead of a path.
    pub url: Option<String>,
    /// A file with the PostgreSQL URL, instead of `url`.
    pub url_file: Option<PathBuf>,
    /// PostgreSQL connections. Default 8.
    pub connections: Option<usize>,
    /// Whether a start brings a PostgreSQL store to this release. Default true.
    pub migrate: Option<bool>,
}

/// `[kek]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KekSection {
    /// A file with 32 random bytes, as they are or in hexadecimal or base64.
    pub file: Option<PathBuf>,
}

/// `[outbound]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OutboundSection {
    /// Private hosts and networks that may be reached: `host`, `host:port` or CIDR.
    pub allow: Vec<String>,
    /// Extra certificate authorities, PEM files.
    pub ca_files: Vec<PathBuf>,
}

/// `[proxy]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ProxySection {
    /// Networks of proxies that terminate TLS before us; their `X-Forwarded-For` is believed.
    pub trusted: Vec<String>,
}

/// `[tls]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsSection {
    /// Certificate chain, PEM.
    pub certificate_file: PathBuf,
    /// Private key, PEM.
    pub key_file: PathBuf,
}

/// `[limits]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsSection {
    /// How long a stop waits for requests under way. Default 30s.
    pub drain: Option<Span>,
    /// Connections of one listener at once. Default 16384.
    pub connections: Option<usize>,
    /// Time for the TLS handshake, and for the headers of a request. Default 10s.
    pub headers_within: Option<Span>,
    /// The largest document that the admin API reads. Default 64 MiB.
    pub document_bytes: Option<usize>,
    /// The largest request body of a call at the gateway. Default 1 MiB.
    pub call_bytes: Option<usize>,
    /// Failed authentications at once, per source and account. Default 8.
    pub failures_at_once: Option<u32>,
    /// How many of them come back in a minute. Default 5.
    pub failures_per_minute: Option<u32>,
    /// Failed authentications in a minute per source, whatever account it names. Default 200.
    pub failures_of_source: Option<u32>,
    /// Refusals of a source that are written down one by one in a minute. Default 10.
    pub refusals_recorded: Option<u32>,
    /// Passwords hashed or checked at once. Default: the number of cores.
    pub password_hashes: Option<usize>,
    /// Passwords that wait for that. Default 512.
    pub passwords_waiting: Option<usize>,
    /// Tokens whose signature is known to be good, kept in memory by issuer and gateway each. Default 100000.
    pub signatures_remembered: Option<u64>,
}

/// `[log]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogSection {
    /// `info` by default; any filter of the syntax `info,lanyard_server=debug`.
    pub level: Option<String>,
    /// `text` (default) or `json`.
    pub format: Option<LogFormat>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For collectors.
    Json,
}
