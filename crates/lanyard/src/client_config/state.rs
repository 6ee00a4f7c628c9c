//! What the client commands remember between runs, apart from secrets: issuers, keys enrolled, who signed in.
//!
//! Owns `client.json` in the state directory. Never holds a token or a private key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::connectors::EnrolledAt;
use lanyard_protocol::issuer::Issuer;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::credentials::{make_private_directory, read_private_file, write_private_file};

/// The content of `client.json`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ClientState {
    /// The issuer that commands use when none is named: the one of the last sign-in.
    #[serde(default)]
    pub(crate) current: Option<Issuer>,
    /// Per issuer.
    #[serde(default)]
    pub(crate) issuers: BTreeMap<Issuer, IssuerRecord>,
}

/// What is remembered of one issuer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct IssuerRecord {
    /// This program's client id there.
    pub(crate) client_id: ClientId,
    /// The key of this machine, at a Lanyard issuer.
    #[serde(default)]
    pub(crate) key: Option<KeyRecord>,
    /// Where the secrets of this sign-in were put, for people.
    #[serde(default)]
    pub(crate) kept_in: String,
}

/// A key of this machine that the issuer accepts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyRecord {
    /// Its id at the issuer and at the authorization servers.
    pub(crate) kid: String,
    /// The client it belongs to.
    pub(crate) client_id: ClientId,
    /// The authorization servers that accept it too.
    pub(crate) ras: Vec<EnrolledAt>,
    /// Seconds since the epoch.
    pub(crate) expires_at: i64,
}

impl ClientState {
    /// Reads the state of `directory`; empty when there is none.
    pub(crate) fn load(directory: &Path) -> anyhow::Result<Self> {
        let path = path(directory);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = read_private_file(&path)?;
        serde_json::from_str(text.expose_secret())
            .with_context(|| format!("{} is damaged. Remove it and sign in again", path.display()))
    }

    /// Writes the state.
    pub(crate) fn save(&self, directory: &Path) -> anyhow::Result<()> {
        make_private_directory(directory)?;
        let text = serde_json::to_string_pretty(self).context("the client's state cannot be written")?;
        write_private_file(&path(directory), &SecretString::from(text))
    }
}

/// The name under which the private key for `issuer` is kept.
pub(crate) fn key_name(issuer: &Issuer) -> String {
    format!("key {issuer}")
}

fn path(directory: &Path) -> PathBuf {
    directory.join("client.json")
}
