//! The facts file of a lab, and whom and what a driver takes from it.
//!
//! Owns the choice of people, clients and connectors. Never talks to a server but through `lanyard lab id-token`.

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use tokio::process::Command;

/// What this driver reads of the file.
#[derive(Deserialize)]
pub(crate) struct Facts {
    version: u32,
    pub(crate) issuer: Server,
    pub(crate) ras: Server,
    clients: Vec<Client>,
    users: Vec<User>,
    connectors: Vec<Connector>,
    #[serde(skip)]
    file: String,
}

/// An authorization server.
#[derive(Deserialize)]
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) token_endpoint: String,
}

/// One client at both servers.
#[derive(Deserialize, Clone)]
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) idp: Credentials,
    pub(crate) ras: Credentials,
}

/// A registration at one server.
#[derive(Deserialize, Clone)]
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
}

impl Credentials {
    /// The same client with another secret.
    pub(crate) fn with_secret(&self, secret: &str) -> Self {
        Self {
            client_id: self.client_id.clone(),
            client_secret: Some(secret.to_owned()),
        }
    }
}

/// A person of the organisation.
#[derive(Deserialize)]
pub(crate) struct User {
    pub(crate) username: String,
    groups: Vec<String>,
    active: bool,
}

/// An MCP server behind the gateway.
#[derive(Deserialize)]
pub(crate) struct Connector {
    pub(crate) name: String,
    pub(crate) mcp_url: String,
    pub(crate) resource: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) tools: Vec<Tool>,
    status: String,
    #[serde(default)]
    allowed_groups: Vec<String>,
}

/// A tool of a connector.
#[derive(Deserialize)]
pub(crate) struct Tool {
    pub(crate) name: String,
}

impl Facts {
    pub(crate) fn read(file: &str) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("facts: {file}"))?;
        let facts: Self = serde_json::from_str(&text).with_context(|| format!("facts: {file}"))?;
        ensure!(
            facts.version == 1,
            "facts: {file}: version {}, this driver reads 1",
            facts.version
        );
        Ok(Self {
            file: file.to_owned(),
            ..facts
        })
    }

    /// The first connector in use.
    pub(crate) fn connector(&self) -> anyhow::Result<&Connector> {
        let usable = |connector: &&Connector| connector.status == "active" && !connector.tools.is_empty();
        let found = self.connectors.iter().find(usable);
        found.context("facts: no active connector with tools")
    }

    /// A client with a secret at both servers.
    pub(crate) fn secret_client(&self) -> anyhow::Result<&Client> {
        let secret = |client: &&Client| client.idp.client_secret.is_some() && client.ras.client_secret.is_some();
        let found = self.clients.iter().find(secret);
        found.context("facts: no client with a secret at both servers")
    }

    /// Whether the person is in a group of the connector.
    pub(crate) fn may(&self, user: &User, connector: &Connector) -> bool {
        weight(user, connector) > 0
    }

    /// The active person in most groups of the connector.
    pub(crate) fn employee(&self, connector: &Connector) -> anyhow::Result<&User> {
        let allowed = self
            .users
            .iter()
            .filter(|user| user.active && self.may(user, connector));
        let found = allowed.max_by_key(|user| weight(user, connector));
        found.with_context(|| format!("facts: nobody may use {}", connector.name))
    }

    /// An active person, and an active connector that is not theirs.
    pub(crate) fn stranger(&self) -> Option<(&User, &Connector)> {
        let active = self.connectors.iter().filter(|connector| connector.status == "active");
        active
            .filter(|connector| !connector.allowed_groups.is_empty())
            .find_map(|connector| {
                let outside = |user: &&User| user.active && !self.may(user, connector);
                self.users.iter().find(outside).map(|user| (user, connector))
            })
    }

    /// A fresh ID token got through the real sign-in.
    pub(crate) async fn id_token(&self, user: &User, client: &Client) -> anyhow::Result<String> {
        let program = std::env::var_os("LANYARD_BIN").context("LANYARD_BIN is not set: the lanyard binary")?;
        let output = Command::new(program)
            .args(["lab", "id-token", "--facts", &self.file])
            .args(["--user", &user.username, "--client", &client.name])
            .output()
            .await
            .context("lanyard lab id-token")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "lanyard lab id-token: {}", said.trim());
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

fn weight(user: &User, connector: &Connector) -> usize {
    let shared = user
        .groups
        .iter()
        .filter(|group| connector.allowed_groups.contains(group));
    shared.count()
}
