//! What the client commands know beforehand: `client.toml`, and where local state lies.
//!
//! Owns the file's keys and their checks. Never holds a secret: the file names where one rests (CF-03, CL-ST-01).

pub(crate) mod at;
pub(crate) mod mcp;
pub(crate) mod open;
pub(crate) mod outcome;
pub(crate) mod state;
pub(crate) mod step_up;
pub(crate) mod words;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use lanyard_client::credentials::{ClientAuth, ClientIdentity};
use lanyard_fetch::{AllowRule, Outbound};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::credentials::{Keep, Secrets, read_private_file};

/// Where the client commands keep things. The usual places follow the XDG base directories.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Places {
    /// The client's configuration file [default: $XDG_CONFIG_HOME/lanyard/client.toml]
    #[arg(
        long = "client-config",
        help_heading = "Client files",
        value_name = "FILE",
        env = "LANYARD_CLIENT_CONFIG"
    )]
    config: Option<PathBuf>,
    /// The directory for sign-ins and keys [default: $XDG_STATE_HOME/lanyard]
    #[arg(
        long = "client-state",
        help_heading = "Client files",
        value_name = "DIR",
        env = "LANYARD_CLIENT_STATE"
    )]
    state: Option<PathBuf>,
    #[arg(long, hide = true, env = "XDG_CONFIG_HOME")]
    xdg_config_home: Option<PathBuf>,
    #[arg(long, hide = true, env = "XDG_STATE_HOME")]
    xdg_state_home: Option<PathBuf>,
    #[arg(long, hide = true, env = "HOME")]
    home: Option<PathBuf>,
}

impl Places {
    /// The configuration file, and whether it was named explicitly (then it must exist).
    fn config_file(&self) -> anyhow::Result<(PathBuf, bool)> {
        if let Some(file) = &self.config {
            return Ok((file.clone(), true));
        }
        let base = base_directory(self.xdg_config_home.as_ref(), self.home.as_ref(), ".config")?;
        Ok((base.join("lanyard").join("client.toml"), false))
    }

    /// The directory for state.
    pub(crate) fn state_directory(&self) -> anyhow::Result<PathBuf> {
        if let Some(directory) = &self.state {
            return Ok(directory.clone());
        }
        Ok(base_directory(self.xdg_state_home.as_ref(), self.home.as_ref(), ".local/state")?.join("lanyard"))
    }
}

/// A relative XDG directory is to be ignored (XDG base directory specification).
fn base_directory(xdg: Option<&PathBuf>, home: Option<&PathBuf>, below: &str) -> anyhow::Result<PathBuf> {
    if let Some(xdg) = xdg.filter(|path| path.is_absolute()) {
        return Ok(xdg.clone());
    }
    let home = home.filter(|path| path.is_absolute());
    Ok(home
        .context("HOME is not set: name the places with --client-config and --client-state")?
        .join(below))
}

/// The content of `client.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientFile {
    /// Where tokens and keys rest: `auto` (the system's keyring, else a file), `keyring` or `file`.
    #[serde(default)]
    pub(crate) keep: Keep,
    /// A foreign IdP.
    #[serde(default)]
    pub(crate) issuer: Option<IssuerEntry>,
    /// Foreign authorization servers.
    #[serde(default)]
    pub(crate) ras: Vec<RasEntry>,
    /// MCP servers by name.
    #[serde(default)]
    pub(crate) connector: Vec<ConnectorEntry>,
    /// What else may be reached.
    #[serde(default)]
    pub(crate) outbound: OutboundEntry,
}

/// `[issuer]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerEntry {
    pub(crate) url: Issuer,
    pub(crate) client_id: ClientId,
    #[serde(default)]
    pub(crate) auth: Auth,
    #[serde(default)]
    pub(crate) method: Method,
    /// The registered id of the private key, when it is not its thumbprint.
    pub(crate) kid: Option<String>,
    /// Only for an IdP that publishes no metadata.
    pub(crate) token_endpoint: Option<String>,
    /// Scopes of the sign-in.
    pub(crate) scopes: Option<String>,
}

/// `[[ras]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RasEntry {
    pub(crate) issuer: Issuer,
    pub(crate) client_id: ClientId,
    #[serde(default)]
    pub(crate) auth: Auth,
    #[serde(default)]
    pub(crate) method: Method,
    pub(crate) kid: Option<String>,
}

/// `[[connector]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectorEntry {
    pub(crate) name: String,
    pub(crate) url: ResourceId,
}

/// `[outbound]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutboundEntry {
    /// Private destinations that may be reached: host or network, with or without a port.
    #[serde(default)]
    pub(crate) allow: Vec<String>,
    /// Further certificate authorities.
    #[serde(default)]
    pub(crate) ca_files: Vec<PathBuf>,
}

/// How a secret is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Method {
    #[default]
    #[serde(rename = "client_secret_basic")]
    Basic,
    #[serde(rename = "client_secret_post")]
    Post,
}

/// Where a credential rests: `none`, `keyring:NAME`, `secret_file:PATH` or `private_key_file:PATH`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Auth {
    #[default]
    None,
    Keyring(String),
    SecretFile(PathBuf),
    PrivateKeyFile(PathBuf),
}

impl TryFrom<String> for Auth {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            Some(("keyring", name)) if !name.is_empty() => Ok(Self::Keyring(name.to_owned())),
            Some(("secret_file", path)) if !path.is_empty() => Ok(Self::SecretFile(path.into())),
            Some(("private_key_file", path)) if !path.is_empty() => Ok(Self::PrivateKeyFile(path.into())),
            _ => Err("auth must be `none`, `keyring:NAME`, `secret_file:PATH` or `private_key_file:PATH`".to_owned()),
        }
    }
}

impl ClientFile {
    /// Reads the file; a missing one is empty unless it was named explicitly.
    pub(crate) fn load(places: &Places) -> anyhow::Result<Self> {
        let (path, named) = places.config_file()?;
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        Self::parse(&text, &path)
    }

    fn parse(text: &str, path: &Path) -> anyhow::Result<Self> {
        let file: Self = toml::from_str(text).map_err(|error| {
            anyhow::anyhow!(
                "{} is not accepted:\n{error}Correct or remove this entry.",
                path.display()
            )
        })?;
        for (n, connector) in file.connector.iter().enumerate() {
            if connector.name.is_empty() || connector.name.contains("://") {
                bail!(
                    "{}: connector.{n}.name must be a short name such as `wiki`",
                    path.display()
                );
            }
            if file
                .connector
                .iter()
                .filter(|other| other.name == connector.name)
                .count()
                > 1
            {
                bail!(
                    "{}: two [[connector]] entries are named `{}`; rename one",
                    path.display(),
                    connector.name
                );
            }
        }
        for ras in &file.ras {
            if file.ras.iter().filter(|other| other.issuer == ras.issuer).count() > 1 {
                bail!(
                    "{}: two [[ras]] entries have the issuer {}; remove one",
                    path.display(),
                    ras.issuer
                );
            }
        }
        for rule in &file.outbound.allow {
            if AllowRule::from_str(rule).is_err() {
                bail!(
                    "{}: outbound.allow: `{rule}` is neither a host nor a network such as 10.0.0.0/8",
                    path.display()
                );
            }
        }
        Ok(file)
    }

    /// What may be reached. Plain http on loopback is allowed when the issuer itself is served so (SEC-09).
    pub(crate) fn outbound(&self, development: bool) -> anyhow::Result<Outbound> {
        let allow = self.outbound.allow.iter().map(|rule| AllowRule::from_str(rule));
        Ok(Outbound {
            development,
            allow: allow
                .collect::<Result<_, _>>()
                .map_err(|error| anyhow::anyhow!("outbound.allow: {error}"))?,
            ca_files: self.outbound.ca_files.clone(),
        })
    }
}

impl IssuerEntry {
    /// The client at this IdP.
    pub(crate) fn identity(&self) -> anyhow::Result<ClientIdentity> {
        let auth = credential(&self.auth, self.method, self.kid.clone())
            .with_context(|| format!("the client's credential for {} cannot be used", self.url))?;
        Ok(ClientIdentity {
            client_id: self.client_id.clone(),
            auth,
        })
    }
}

impl RasEntry {
    /// The client at this authorization server.
    pub(crate) fn identity(&self) -> anyhow::Result<ClientIdentity> {
        let auth = credential(&self.auth, self.method, self.kid.clone())
            .with_context(|| format!("the client's credential for {} cannot be used", self.issuer))?;
        Ok(ClientIdentity {
            client_id: self.client_id.clone(),
            auth,
        })
    }
}

fn credential(auth: &Auth, method: Method, kid: Option<String>) -> anyhow::Result<ClientAuth> {
    let secret = |secret: SecretString| match method {
        Method::Basic => ClientAuth::SecretBasic(secret),
        Method::Post => ClientAuth::SecretPost(secret),
    };
    Ok(match auth {
        Auth::None => ClientAuth::None,
        Auth::Keyring(name) => {
            let found = Secrets::read_named(name)?;
            secret(found.with_context(|| format!("the keyring has no entry `{name}` of the service `lanyard`"))?)
        }
        Auth::SecretFile(path) => {
            let text = read_private_file(path)?;
            secret(SecretString::from(
                text.expose_secret().trim_end_matches(['\n', '\r']).to_owned(),
            ))
        }
        Auth::PrivateKeyFile(path) => ClientAuth::PrivateKeyJwt {
            key: Arc::new(private_key(path)?),
            kid,
        },
    })
}

/// A private JWK, or PKCS #8 in PEM for ES256.
fn private_key(path: &Path) -> anyhow::Result<SigningKey> {
    let text = read_private_file(path)?;
    let text = text.expose_secret();
    if text.trim_start().starts_with('{') {
        let jwk = serde_json::from_str(text).map_err(|_| anyhow::anyhow!("{} is not a JWK", path.display()))?;
        return SigningKey::from_private_jwk(&jwk).with_context(|| format!("{} is not a private key", path.display()));
    }
    let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes())
        .map_err(|_| anyhow::anyhow!("{} is neither a JWK nor PKCS #8 in PEM", path.display()))?;
    SigningKey::from_pkcs8(Algorithm::Es256, der.secret_pkcs8_der())
        .with_context(|| format!("{} is not a P-256 key", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> anyhow::Result<ClientFile> {
        ClientFile::parse(text, Path::new("client.toml"))
    }

    #[test]
    fn a_whole_file_is_read_cf_03() {
        let file = parse(
            r#"
            keep = "file"
            [issuer]
            url = "https://idp.example"
            client_id = "agent"
            auth = "none"
            [[ras]]
            issuer = "https://as.example"
            client_id = "agent-at-as"
            auth = "secret_file:/etc/agent.secret"
            method = "client_secret_post"
            [[connector]]
            name = "wiki"
            url = "https://wiki.example/mcp"
            [outbound]
            allow = ["10.0.0.0/8"]
            "#,
        )
        .unwrap();
        assert_eq!(file.issuer.unwrap().auth, Auth::None);
        assert_eq!(file.ras[0].auth, Auth::SecretFile("/etc/agent.secret".into()));
    }

    #[test]
    fn an_unknown_key_is_refused_with_file_and_field() {
        let error =
            parse("[issuer]\nurl = \"https://idp.example\"\nclient_id = \"a\"\nsecret = \"hunter2\"").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("client.toml") && text.contains("secret"), "{text}");
    }

    #[test]
    fn a_secret_in_place_of_a_reference_is_refused_cl_st_03() {
        assert!(parse("[issuer]\nurl = \"https://idp.example\"\nclient_id = \"a\"\nauth = \"hunter2\"").is_err());
    }

    #[test]
    fn the_manual_shows_a_file_with_every_key() {
        let manual = include_str!("../../../docs/client.md");
        let shown = manual.split("```toml").nth(1).unwrap().split("```").next().unwrap();
        parse(shown).unwrap();
        for key in [
            "keep",
            "url",
            "client_id",
            "auth",
            "method",
            "kid",
            "token_endpoint",
            "scopes",
            "issuer",
            "name",
            "allow",
            "ca_files",
        ] {
            assert!(shown.contains(&format!("{key} = ")), "{key}");
        }
    }

    #[test]
    fn two_connectors_of_one_name_are_refused() {
        let one = "[[connector]]\nname = \"a\"\nurl = \"https://a.example/mcp\"\n";
        assert!(parse(&one.repeat(2)).is_err());
    }
}
