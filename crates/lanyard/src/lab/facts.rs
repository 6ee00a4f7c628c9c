//! The facts file: everything a foreign program needs to use a lab. Version 1.
//!
//! Owns its JSON. Holds plain secrets: written 0600, by rename.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::runtime::private_file;

/// The whole file.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Always 1.
    pub version: u32,
    /// The IdP.
    pub issuer: IssuerFacts,
    /// The RAS.
    pub ras: RasFacts,
    /// Clients with their credentials on both sides.
    pub clients: Vec<ClientFacts>,
    /// People with their passwords.
    pub users: Vec<UserFacts>,
    /// Connectors.
    pub connectors: Vec<ConnectorFacts>,
    /// The admin API.
    pub admin: AdminFacts,
    /// A client of the RAS that may introspect.
    pub introspection: IntrospectionFacts,
    /// `sqlite` or `postgres`.
    pub store: String,
    /// What only a lab has.
    pub lab: LabFacts,
}

/// What only a lab has.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct LabFacts {
    /// Where `lanyard lab id-token --all` asks.
    pub mint_url: String,
}

/// The IdP.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct IssuerFacts {
    /// Its issuer identifier.
    pub url: String,
    /// Token endpoint.
    pub token_endpoint: String,
    /// Authorization endpoint.
    pub authorization_endpoint: String,
    /// Published keys.
    pub jwks_uri: String,
}

/// The RAS.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RasFacts {
    /// Its issuer identifier.
    pub url: String,
    /// Token endpoint.
    pub token_endpoint: String,
    /// Introspection endpoint.
    pub introspection_endpoint: String,
    /// Revocation endpoint.
    pub revocation_endpoint: String,
    /// Published keys.
    pub jwks_uri: String,
}

/// A client.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ClientFacts {
    /// For `--client`.
    pub name: String,
    /// Registered redirect URIs.
    pub redirect_uris: Vec<String>,
    /// At the IdP.
    pub idp: CredentialFacts,
    /// At the RAS.
    pub ras: CredentialFacts,
}

/// One registration.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CredentialFacts {
    /// The OAuth identifier.
    pub client_id: String,
    /// The secret, for a client with a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// The private key, for a client with a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_jwk: Option<serde_json::Value>,
}

/// A person.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UserFacts {
    /// For the sign-in page.
    pub username: String,
    /// For the sign-in page.
    pub password: String,
    /// In ID tokens.
    pub sub: String,
    /// E-mail address.
    pub email: String,
    /// Groups by name.
    pub groups: Vec<String>,
    /// Whether the person may sign in.
    pub active: bool,
}

/// A connector.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ConnectorFacts {
    /// Short name.
    pub name: String,
    /// Where it is called; byte-equal to the resource.
    pub mcp_url: String,
    /// Resource identifier.
    pub resource: String,
    /// Issuer of the RAS.
    pub audience: String,
    /// Every scope.
    pub scopes: Vec<String>,
    /// Tools with the scope each needs.
    pub tools: Vec<ToolFacts>,
    /// `active`, `staged` or `off`.
    pub status: String,
    /// Groups that a rule admits.
    pub allowed_groups: Vec<String>,
}

/// A tool.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ToolFacts {
    /// Its name, or `*`.
    pub name: String,
    /// What it needs, space-separated.
    pub scope: String,
}

/// The admin API.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AdminFacts {
    /// Base URL.
    pub url: String,
    /// An owner's token.
    pub token: String,
}

/// A client that may introspect.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct IntrospectionFacts {
    /// The OAuth identifier.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
}

impl Facts {
    /// Writes the file, complete or not at all.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        private_file::write(path, &serde_json::to_vec_pretty(self)?)
    }

    /// Reads a file that a lab wrote.
    ///
    /// # Errors
    /// When it cannot be read or is no facts file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = private_file::read(path)?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} is no facts file of a lab", path.display()))
    }
}
