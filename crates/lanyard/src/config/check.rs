//! The rules between keys: what may not be started, and what would mend it.
//!
//! Owns turning [`FileConfig`] into [`Config`]. Reads no file but for its mode.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use lanyard_core::directory::password_rules::{DEFAULT_MIN_LENGTH, PasswordRules};
use lanyard_core::directory::settings::{PeopleSettings, SecondFactorRule};
use lanyard_jose::algorithm::Algorithm;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;

use super::duration::Span;
use super::file::{
    FileConfig, GatewaySection, IdpSection, LogFormat, OnStale, PeopleSection, RasSection, Role, TlsSection,
};
use super::{
    Config, GatewayConfig, GatewayControl, IdpConfig, KekSource, Listener, LogConfig, OutboundConfig, PrivateListener,
    RasConfig, StoreConfig, TlsFiles, default_state_dir, is_loopback, limits, secret,
};

/// One thing that is wrong, and what mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The key, as in `idp.issuer`.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}", self.field, self.problem, self.remedy)
    }
}

/// Collects what is wrong.
pub(super) struct Checker {
    development: bool,
    problems: Vec<Problem>,
}

impl Checker {
    pub(super) const fn new(development: bool) -> Self {
        Self {
            development,
            problems: Vec::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    pub(super) fn refuse(&mut self, field: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(Problem {
            field: field.to_owned(),
            problem: problem.into(),
            remedy: remedy.into(),
        });
    }
}

/// Checks a file.
///
/// # Errors
/// Every problem found.
pub(crate) fn check(file: &FileConfig) -> Result<Config, Vec<Problem>> {
    let mut checker = Checker::new(file.development.unwrap_or(false));
    let roles = roles(file, &mut checker);
    let wants = |role| roles.contains(&role);
    let idp = section(&mut checker, wants(Role::Idp), "idp", file.idp.as_ref())
        .and_then(|section| idp(file, section, &mut checker));
    let ras = section(&mut checker, wants(Role::Ras), "ras", file.ras.as_ref())
        .and_then(|section| ras(file, section, &mut checker));
    let gateway = section(&mut checker, wants(Role::Gateway), "gateway", file.gateway.as_ref())
        .and_then(|section| gateway(file, section, &mut checker));
    if let (Some(idp), Some(ras)) = (&idp, &ras)
        && idp.issuer == ras.issuer
    {
        checker.refuse(
            "ras.issuer",
            format!("it equals idp.issuer ({})", idp.issuer),
            "The two roles are two parties: give each its own host name, or its own path below one",
        );
    }
    let admin = file.admin.as_ref().map(|section| PrivateListener {
        listener: Listener {
            address: section.listen,
            tls: tls_files(section.tls.as_ref().or(file.tls.as_ref())),
        },
        hosts: hosts(&mut checker, "admin", &section.hosts),
    });
    let metrics = file.metrics.as_ref().map(|section| PrivateListener {
        listener: Listener {
            address: section.listen,
            tls: None,
        },
        hosts: hosts(&mut checker, "metrics", &section.hosts),
    });
    let Some(state_dir) = file.state_dir.clone().or_else(default_state_dir) else {
        checker.refuse(
            "state_dir",
            "there is no home directory to put it in",
            "Name a directory that only this program reads",
        );
        return Err(checker.problems);
    };
    let host = |issuer: &Issuer| issuer.origin().split("://").nth(1).unwrap_or_default().to_owned();
    let organisation = file.organisation.clone();
    let organisation = organisation
        .or_else(|| idp.as_ref().map(|role| host(&role.issuer)))
        .unwrap_or_default();
    let people = people(&file.people, &organisation, &mut checker);
    let store = store(file, &state_dir, &mut checker);
    let kek = match &file.kek.file {
        Some(path) => KekSource::File(path.clone()),
        None => KekSource::StateDirectory,
    };
    let listeners = listeners(file, idp.as_ref(), ras.as_ref(), gateway.as_ref(), admin.as_ref());
    let limits = limits::check(&file.limits, &mut checker);
    exposure(&mut checker, &listeners, &store, &kek);
    let trusted_proxies = networks(file, &mut checker);
    for (n, rule) in file.outbound.allow.iter().enumerate() {
        if rule.parse::<lanyard_fetch::AllowRule>().is_err() {
            let field = format!("outbound.allow[{n}]");
            checker.refuse(
                &field,
                format!("{rule:?} is no host and no network"),
                "Write host, host:port or a CIDR such as 10.1.0.0/16",
            );
        }
    }
    if !checker.problems.is_empty() {
        return Err(checker.problems);
    }
    Ok(Config {
        development: checker.development,
        organisation,
        people,
        state_dir,
        idp,
        ras,
        gateway,
        admin,
        admin_strength: file.admin.as_ref().and_then(|section| section.strength),
        metrics,
        store,
        kek,
        outbound: OutboundConfig {
            allow: file.outbound.allow.clone(),
            ca_files: file.outbound.ca_files.clone(),
        },
        trusted_proxies,
        limits,
        log: LogConfig {
            level: file.log.level.clone().unwrap_or_else(|| "info".to_owned()),
            json: file.log.format == Some(LogFormat::Json),
        },
    })
}

fn span(value: Option<Span>, default_seconds: u64) -> Duration {
    value.map_or(Duration::from_secs(default_seconds), |span| span.0)
}

fn roles(file: &FileConfig, checker: &mut Checker) -> Vec<Role> {
    if let Some(roles) = &file.roles {
        if roles.is_empty() {
            checker.refuse(
                "roles",
                "the list is empty",
                "Name at least one of \"idp\", \"ras\", \"gateway\"",
            );
        }
        return roles.clone();
    }
    let configured = [
        (file.idp.is_some(), Role::Idp),
        (file.ras.is_some(), Role::Ras),
        (file.gateway.is_some(), Role::Gateway),
    ];
    let roles: Vec<Role> = configured
        .into_iter()
        .filter(|(present, _)| *present)
        .map(|(_, role)| role)
        .collect();
    if roles.is_empty() {
        checker.refuse(
            "roles",
            "nothing is configured to run",
            "Add an [idp], [ras] or [gateway] section, or try `lanyard lab` for an evaluation on this machine",
        );
    }
    roles
}

fn section<'a, T>(checker: &mut Checker, wanted: bool, name: &str, section: Option<&'a T>) -> Option<&'a T> {
    if wanted && section.is_none() {
        checker.refuse(
            name,
            format!("roles names {name}, but there is no [{name}] section"),
            "Add the section, or take the role out",
        );
    }
    section.filter(|_| wanted)
}

fn issuer(checker: &mut Checker, field: &str, text: &str) -> Option<Issuer> {
    match Issuer::parse(text) {
        Ok(issuer) if issuer.is_plain_http() && !checker.development => {
            checker.refuse(
                field,
                format!("{issuer} is plain http"),
                "Use https, or set development = true for an evaluation on loopback",
            );
            None
        }
        Ok(issuer) => Some(issuer),
        Err(error) => {
            checker.refuse(
                field,
                format!("{text:?} is {error}"),
                "Write the URL clients use, such as https://login.example.com",
            );
            None
        }
    }
}

fn algorithm(checker: &mut Checker, field: &str, name: Option<&str>) -> Algorithm {
    match name.map(Algorithm::parse) {
        None => Algorithm::Es256,
        Some(Some(algorithm @ (Algorithm::Es256 | Algorithm::EdDsa | Algorithm::Rs256))) => algorithm,
        Some(_) => {
            checker.refuse(
                field,
                "we do not sign with that algorithm",
                "Use \"ES256\", \"EdDSA\" or \"RS256\"",
            );
            Algorithm::Es256
        }
    }
}

fn tls_files(section: Option<&TlsSection>) -> Option<TlsFiles> {
    section.map(|section| TlsFiles {
        certificate_file: section.certificate_file.clone(),
        key_file: section.key_file.clone(),
    })
}

fn idp(file: &FileConfig, section: &IdpSection, checker: &mut Checker) -> Option<IdpConfig> {
    let issuer = issuer(checker, "idp.issuer", &section.issuer)?;
    Some(IdpConfig {
        issuer,
        listener: Listener {
            address: section.listen,
            tls: tls_files(section.tls.as_ref().or(file.tls.as_ref())),
        },
        signing_algorithm: algorithm(checker, "idp.signing_algorithm", section.signing_algorithm.as_deref()),
        id_token_ttl: span(section.id_token_ttl, 3600),
        session_idle: span(section.session_idle, 8 * 3600),
        session_absolute: span(section.session_absolute, 24 * 3600),
        refresh_idle: span(section.refresh_idle, 14 * 86_400),
        refresh_absolute: span(section.refresh_absolute, 30 * 86_400),
    })
}

fn people(section: &PeopleSection, organisation: &str, checker: &mut Checker) -> PeopleSettings {
    let min_length = section.password_min_length.unwrap_or(DEFAULT_MIN_LENGTH);
    if !(8..=64).contains(&min_length) {
        checker.refuse(
            "people.password_min_length",
            format!("{min_length} is not between 8 and 64"),
            "12 is the default; use at least 15 where a password is all that people sign in with",
        );
    }
    let named = |name: &str| SecondFactorRule::ALL.into_iter().find(|rule| rule.as_str() == name);
    let second_factor = match section.second_factor.as_deref() {
        None => SecondFactorRule::Administrators,
        Some(name) => named(name).unwrap_or_else(|| {
            checker.refuse(
                "people.second_factor",
                format!("{name:?} is no rule"),
                "Use \"optional\", \"administrators\" or \"everyone\"",
            );
            SecondFactorRule::default()
        }),
    };
    PeopleSettings {
        passwords: PasswordRules {
            min_length,
            house_words: vec![organisation.to_owned()],
        },
        second_factor,
        profile_editable: section.profile_editable.unwrap_or(false),
    }
}

fn ras(file: &FileConfig, section: &RasSection, checker: &mut Checker) -> Option<RasConfig> {
    let issuer = issuer(checker, "ras.issuer", &section.issuer)?;
    Some(RasConfig {
        issuer,
        listener: Listener {
            address: section.listen,
            tls: tls_files(section.tls.as_ref().or(file.tls.as_ref())),
        },
        signing_algorithm: algorithm(checker, "ras.signing_algorithm", section.signing_algorithm.as_deref()),
    })
}

fn gateway(file: &FileConfig, section: &GatewaySection, checker: &mut Checker) -> Option<GatewayConfig> {
    match ResourceId::parse(section.public_url.as_str()) {
        Err(error) => checker.refuse(
            "gateway.public_url",
            error.to_string(),
            "Write the origin clients use, such as https://mcp.example.com",
        ),
        Ok(url) if url.as_str().starts_with("http:") && !checker.development => checker.refuse(
            "gateway.public_url",
            "it is plain http",
            "Use https, or set development = true for an evaluation on loopback",
        ),
        Ok(_) => {}
    }
    let control = match (&section.control_url, &section.control_token_file, &section.routes_file) {
        (None, None, None) => GatewayControl::InProcess,
        (None, None, Some(path)) => GatewayControl::File(path.clone()),
        (Some(url), Some(token_file), None) => GatewayControl::Remote {
            url: url.clone(),
            token_file: token_file.clone(),
        },
        _ => {
            checker.refuse(
                "gateway.control_url",
                "the source of routes is ambiguous",
                "Give control_url and control_token_file together, or routes_file alone, or none of them",
            );
            return None;
        }
    };
    Some(GatewayConfig {
        public_url: section.public_url.trim_end_matches('/').to_owned(),
        listener: Listener {
            address: section.listen,
            tls: tls_files(section.tls.as_ref().or(file.tls.as_ref())),
        },
        control,
        stale_after: span(section.stale_after, 5),
        allow_stale: section.on_stale == Some(OnStale::Allow),
    })
}

fn store(file: &FileConfig, state_dir: &std::path::Path, checker: &mut Checker) -> StoreConfig {
    let section = &file.store;
    let given = [
        section.path.is_some(),
        section.url.is_some(),
        section.url_file.is_some(),
    ];
    if given.into_iter().filter(|present| *present).count() > 1 {
        checker.refuse("store", "it names more than one of path, url and url_file", "Keep one");
    }
    let url = match (&section.url, &section.url_file) {
        (Some(url), _) => Some(url.clone()),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => Some(text.trim().to_owned()),
            Err(error) => {
                checker.refuse(
                    "store.url_file",
                    format!("{}: {error}", path.display()),
                    "Name a file this user can read",
                );
                None
            }
        },
        (None, None) => None,
    };
    match url {
        Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => StoreConfig::Postgres {
            url: secret::Url(url),
            connections: section.connections.unwrap_or(8).clamp(1, 64),
            migrate: section.migrate.unwrap_or(true),
        },
        Some(_) => {
            checker.refuse(
                "store.url",
                "it is no PostgreSQL URL",
                "Write postgres://user:password@host/database, or use store.path for SQLite",
            );
            StoreConfig::Sqlite(PathBuf::new())
        }
        None if section.migrate == Some(false) => {
            checker.refuse(
                "store.migrate",
                "an SQLite store is always brought to this release at the start",
                "Take the key out; `lanyard migrate --check` says beforehand what a start would do",
            );
            StoreConfig::Sqlite(PathBuf::new())
        }
        None => StoreConfig::Sqlite(section.path.clone().unwrap_or_else(|| state_dir.join("lanyard.db"))),
    }
}

fn listeners(
    file: &FileConfig,
    idp: Option<&IdpConfig>,
    ras: Option<&RasConfig>,
    gateway: Option<&GatewayConfig>,
    admin: Option<&PrivateListener>,
) -> Vec<(&'static str, SocketAddr, bool)> {
    let roles = [
        ("idp.listen", idp.map(|role| &role.listener)),
        ("ras.listen", ras.map(|role| &role.listener)),
        ("gateway.listen", gateway.map(|role| &role.listener)),
        ("admin.listen", admin.map(|own| &own.listener)),
    ];
    let mut all: Vec<_> = roles
        .into_iter()
        .filter_map(|(field, listener)| listener.map(|l| (field, l.address, l.tls.is_some())))
        .collect();
    all.extend(
        file.metrics
            .as_ref()
            .map(|section| ("metrics.listen", section.listen, true)),
    );
    all
}

/// Public addresses ask for TLS or a named proxy, an own key-encryption key, and no development mode (SEC-09, HT-01).
fn exposure(checker: &mut Checker, listeners: &[(&str, SocketAddr, bool)], store: &StoreConfig, kek: &KekSource) {
    let mut public = false;
    for (field, address, tls) in listeners {
        if is_loopback(address.ip()) {
            continue;
        }
        public = true;
        if checker.development {
            let problem = format!("{address} is reachable from other machines while development = true");
            checker.refuse(
                field,
                problem,
                "Listen on 127.0.0.1, or take development out and use https",
            );
        }
        if !tls {
            let problem = format!("{address} would answer plain http to other machines");
            checker.refuse(
                field,
                problem,
                "Add a [tls] section, or listen on 127.0.0.1 behind a proxy on this machine",
            );
        }
    }
    let needs_own_key = public || matches!(store, StoreConfig::Postgres { .. });
    if needs_own_key && *kek == KekSource::StateDirectory && !checker.development {
        checker.refuse(
            "kek.file",
            "a public listener or PostgreSQL needs a key-encryption key of your own",
            "Make one with `openssl rand -out /etc/lanyard/kek 32`, mode 0600, keep a copy apart from backups, and name it here",
        );
    }
}

/// Names only: the port of a request is not compared, because a rebound name is what an attacker has.
fn hosts(checker: &mut Checker, section: &str, names: &[String]) -> Vec<String> {
    for (n, name) in names.iter().enumerate() {
        let good = match url::Host::parse(name) {
            Ok(url::Host::Domain(_)) => name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')),
            Ok(_) => true,
            Err(_) => false,
        };
        if !good {
            checker.refuse(
                &format!("{section}.hosts[{n}]"),
                format!("{name:?} is no host name"),
                "Write the name alone, such as admin.example.com, without scheme, port or path",
            );
        }
    }
    names.to_vec()
}

fn networks(file: &FileConfig, checker: &mut Checker) -> Vec<ipnet::IpNet> {
    let mut networks = Vec::new();
    for (n, text) in file.proxy.trusted.iter().enumerate() {
        match text
            .parse()
            .or_else(|_| text.parse().map(|ip: std::net::IpAddr| ip.into()))
        {
            Ok(network) => networks.push(network),
            Err(_) => {
                let field = format!("proxy.trusted[{n}]");
                checker.refuse(
                    &field,
                    format!("{text:?} is no address and no network"),
                    "Write 127.0.0.1 or 10.0.0.0/8",
                );
            }
        }
    }
    networks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        match check(&toml::from_str(text).unwrap()) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.into_iter().map(|problem| problem.field).collect(),
        }
    }

    const HEALTHY: &str = r#"
        state_dir = "/var/lib/lanyard"
        [idp]
        issuer = "https://login.example.com"
        listen = "127.0.0.1:8001"
        [ras]
        issuer = "https://auth.example.com"
        listen = "127.0.0.1:8002"
    "#;

    #[test]
    fn two_roles_behind_a_local_proxy_may_start() {
        assert_eq!(problems(HEALTHY), Vec::<String>::new());
    }

    #[test]
    fn the_same_issuer_for_both_roles_is_refused() {
        assert_eq!(
            problems(&HEALTHY.replace("auth.example.com", "login.example.com")),
            ["ras.issuer"]
        );
    }

    #[test]
    fn development_on_a_public_address_is_refused_sec_09() {
        let text = format!(
            "development = true\n{}",
            HEALTHY.replace("127.0.0.1:8001", "0.0.0.0:8001")
        );
        assert!(problems(&text).contains(&"idp.listen".to_owned()));
    }

    #[test]
    fn plain_http_without_the_development_flag_is_refused_ht_01() {
        assert_eq!(
            problems(&HEALTHY.replace("https://login.example.com", "http://127.0.0.1:8001")),
            ["idp.issuer"]
        );
    }

    #[test]
    fn a_public_listener_needs_tls_and_its_own_key_encryption_key() {
        assert_eq!(
            problems(&HEALTHY.replace("127.0.0.1:8001", "0.0.0.0:8001")),
            ["idp.listen", "kek.file"]
        );
    }

    #[test]
    fn a_host_is_a_name_without_scheme_and_port() {
        let with = |hosts: &str| format!("{HEALTHY}\n[admin]\nlisten = \"127.0.0.1:8003\"\nhosts = [{hosts}]");
        assert_eq!(
            problems(&with("\"admin.example.com\", \"[::1]\"")),
            Vec::<String>::new()
        );
        for bad in ["https://admin.example.com", "admin.example.com:443", "", "a/b", "*"] {
            assert_eq!(problems(&with(&format!("{bad:?}"))), ["admin.hosts[0]"], "{bad}");
        }
    }

    #[test]
    fn nothing_configured_is_refused_with_the_lab_as_remedy() {
        let refused = check(&FileConfig {
            state_dir: Some("/tmp".into()),
            ..FileConfig::default()
        })
        .unwrap_err();
        assert!(refused[0].remedy.contains("lanyard lab"));
    }
}
