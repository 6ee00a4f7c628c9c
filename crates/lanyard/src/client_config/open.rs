//! One client command's view of the world: configuration, state, secrets and the flow over them.
//!
//! Owns putting them together. Never decides what a command does.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use lanyard_client::connectors::{list_request, list_response};
use lanyard_client::credentials::{ClientAuth, ClientIdentity};
use lanyard_client::flow::Flow;
use lanyard_client::step_up::Reauthentication;
use lanyard_client::subject::Enterprise;
use lanyard_fetch::{Fetch, HttpFetch, MetadataCache};
use lanyard_jose::key::SigningKey;
use lanyard_protocol::connectors::{ReachableConnector, ReachableConnectors};
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use lanyard_protocol::scope::ScopeSet;
use secrecy::ExposeSecret as _;

use crate::client_config::outcome::Ending;
use crate::client_config::state::{ClientState, IssuerRecord, key_name};
use crate::client_config::step_up::AtTerminal;
use crate::client_config::{ClientFile, Places};
use crate::command::login::SCOPES_OF_FILE;
use crate::credentials::{Secrets, SessionStore};

/// Everything a client command works with.
pub(crate) struct Client {
    pub(crate) file: ClientFile,
    pub(crate) state: ClientState,
    pub(crate) issuer: Issuer,
    pub(crate) fetch: Arc<dyn Fetch>,
    pub(crate) flow: Arc<Flow>,
    /// This program at the issuer, as it authenticates now.
    pub(crate) identity: ClientIdentity,
}

/// An MCP server that a command can name.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    pub(crate) name: String,
    pub(crate) mcp_url: String,
    /// What the issuer says of it; nothing of one from `client.toml`.
    pub(crate) reachable: Option<ReachableConnector>,
}

/// What is needed before it is known who the issuer is.
pub(crate) struct Ground {
    pub(crate) file: ClientFile,
    pub(crate) directory: PathBuf,
    pub(crate) state: ClientState,
    pub(crate) secrets: Arc<Secrets>,
}

impl Ground {
    pub(crate) fn open(places: &Places) -> anyhow::Result<Self> {
        let file = ClientFile::load(places)?;
        let directory = places.state_directory()?;
        let state = ClientState::load(&directory)?;
        let secrets = Arc::new(Secrets::new(file.keep, &directory));
        Ok(Self {
            file,
            directory,
            state,
            secrets,
        })
    }

    /// The issuer named, else the last one signed in at, else the configured one.
    pub(crate) fn issuer(&self, named: Option<&Issuer>) -> Option<Issuer> {
        let configured = || self.file.issuer.as_ref().map(|entry| entry.url.clone());
        named
            .cloned()
            .or_else(|| self.state.current.clone())
            .or_else(configured)
    }

    /// The door to the outside, for a command about `issuer`.
    pub(crate) fn fetch(&self, issuer: &Issuer) -> anyhow::Result<Arc<dyn Fetch>> {
        let outbound = self.file.outbound(issuer.is_plain_http())?;
        Ok(Arc::new(
            HttpFetch::new(&outbound).context("the HTTP client cannot be made")?,
        ))
    }

    /// This program at `issuer`: with the key of this machine, else as configured, else without a credential.
    fn identity(&self, issuer: &Issuer) -> anyhow::Result<ClientIdentity> {
        let record = self.state.issuers.get(issuer);
        if let Some(key) = record.and_then(|record| record.key.as_ref()) {
            return Ok(ClientIdentity {
                client_id: key.client_id.clone(),
                auth: machine_key(&self.secrets, issuer, &key.kid)?,
            });
        }
        if let Some(entry) = self.file.issuer.as_ref().filter(|entry| entry.url == *issuer) {
            return entry.identity();
        }
        let client_id = record
            .map(|record| record.client_id.clone())
            .context("nobody is signed in")?;
        Ok(ClientIdentity::public(client_id))
    }

    /// Builds the flow for `issuer`; `person` can be asked to sign in again. `None` when nobody ever signed in there.
    pub(crate) fn client(self, issuer: Issuer, person: Option<AtTerminal>) -> anyhow::Result<Option<Client>> {
        let record = self.state.issuers.get(&issuer).cloned();
        let configured = self.file.issuer.as_ref().is_some_and(|entry| entry.url == issuer);
        if record.is_none() && !configured {
            return Ok(None);
        }
        let identity = self.identity(&issuer)?;
        let fetch = self.fetch(&issuer)?;
        let mut enterprise = Enterprise::new(issuer.clone(), identity.clone());
        enterprise.token_endpoint = self
            .file
            .issuer
            .as_ref()
            .filter(|_| configured)
            .and_then(|e| e.token_endpoint.clone());
        let mut builder = Flow::builder(Arc::clone(&fetch))
            .enterprise(enterprise)
            .store(Arc::new(SessionStore::new(Arc::clone(&self.secrets))));
        for (ras, identity) in enrolled_at(record.as_ref(), &identity.auth) {
            builder = builder.credentials(ras, identity);
        }
        for entry in &self.file.ras {
            builder = builder.credentials(entry.issuer.clone(), entry.identity()?);
        }
        if let Some(person) = person {
            let mut reauthentication = Reauthentication::new(Arc::new(person));
            let entry = self.file.issuer.as_ref().filter(|_| configured);
            if let Some(scopes) = entry.and_then(|entry| entry.scopes.as_deref()) {
                reauthentication = reauthentication.with_scope(ScopeSet::parse(scopes).context(SCOPES_OF_FILE)?);
            }
            builder = builder.reauthentication(reauthentication);
        }
        Ok(Some(Client {
            flow: Arc::new(builder.build()),
            file: self.file,
            state: self.state,
            issuer,
            fetch,
            identity,
        }))
    }
}

/// The key of this machine at `issuer`, as it rests among `secrets`.
pub(crate) fn machine_key(secrets: &Secrets, issuer: &Issuer, kid: &str) -> anyhow::Result<ClientAuth> {
    let stored = secrets.read(&key_name(issuer))?;
    let stored = stored.context("the key of this machine is missing. Sign in again")?;
    let jwk = serde_json::from_str(stored.expose_secret()).context("the key of this machine is damaged")?;
    let key = SigningKey::from_private_jwk(&jwk).context("the key of this machine is damaged")?;
    Ok(ClientAuth::PrivateKeyJwt {
        key: Arc::new(key),
        kid: Some(kid.to_owned()),
    })
}

fn enrolled_at(record: Option<&IssuerRecord>, auth: &ClientAuth) -> Vec<(Issuer, ClientIdentity)> {
    let key = record.and_then(|record| record.key.as_ref());
    let at = key.map(|key| key.ras.as_slice()).unwrap_or_default();
    at.iter()
        .map(|at| {
            (
                at.issuer.clone(),
                ClientIdentity {
                    client_id: at.client_id.clone(),
                    auth: auth.clone(),
                },
            )
        })
        .collect()
}

impl Client {
    /// The metadata of the issuer.
    pub(crate) async fn metadata(&self) -> anyhow::Result<Arc<AuthorizationServerMetadata>> {
        let metadata = MetadataCache::new(Arc::clone(&self.fetch))
            .authorization_server(&self.issuer)
            .await;
        metadata.with_context(|| format!("the metadata of {} cannot be used", self.issuer))
    }

    /// What this person can name: the issuer's list, then those of `client.toml`.
    pub(crate) async fn connectors(&self) -> anyhow::Result<Vec<Connector>> {
        let mut found: Vec<Connector> = Vec::new();
        let endpoint = match self.metadata().await {
            Ok(metadata) => metadata.lanyard_connectors_endpoint.clone(),
            // A foreign IdP without usable metadata is fine as long as its connectors are configured.
            Err(error) if self.file.connector.is_empty() => return Err(error),
            Err(_) => None,
        };
        if let Some(endpoint) = endpoint {
            let list = self.reachable(&endpoint).await?;
            found.extend(list.connectors.into_iter().map(|connector| Connector {
                name: connector.name.clone(),
                mcp_url: connector.mcp_url.clone(),
                reachable: Some(connector),
            }));
        }
        let configured = self
            .file
            .connector
            .iter()
            .filter(|entry| !found.iter().any(|own| own.name == entry.name));
        let configured: Vec<Connector> = configured
            .map(|entry| Connector {
                name: entry.name.clone(),
                mcp_url: entry.url.as_str().to_owned(),
                reachable: None,
            })
            .collect();
        found.extend(configured);
        Ok(found)
    }

    /// The issuer's list. A token that it refuses although it looks fresh is renewed once.
    async fn reachable(&self, endpoint: &str) -> anyhow::Result<ReachableConnectors> {
        let subject = self.flow.subject().context("no issuer is configured")?;
        let token = subject.issuer_access_token(&self.flow).await?;
        let mut answer = self.fetch.fetch(list_request(endpoint, &token)?).await?;
        if answer.status.as_u16() == 401 {
            let renewed = subject.renew_now(&self.flow).await?;
            let token = renewed
                .access_token
                .ok_or_else(|| Ending::not_signed_in(Some(&self.issuer)))?;
            answer = self.fetch.fetch(list_request(endpoint, &token)?).await?;
        }
        if answer.status.as_u16() == 401 {
            return Err(Ending::not_signed_in(Some(&self.issuer)).into());
        }
        list_response(&answer).context("the issuer did not list the connectors")
    }

    /// The connector called `name`, or the MCP server at that URL.
    pub(crate) async fn connector(&self, name: &str) -> anyhow::Result<Option<Connector>> {
        if name.contains("://") {
            return Ok(Some(Connector {
                name: name.to_owned(),
                mcp_url: name.to_owned(),
                reachable: None,
            }));
        }
        Ok(self
            .connectors()
            .await?
            .into_iter()
            .find(|connector| connector.name == name))
    }
}
