//! Registered clients, their secrets and keys.
//!
//! Owns the tables `clients`, `client_secrets` and `client_keys`. Never compares a secret.

use lanyard_core::agent::record::AgentStatus;
use lanyard_core::client::registration::{
    BackchannelLogout, Client, ClientAuthMethod, ClientSecret, KeyHolder, RegisteredKey, SecretDigest, Side,
    SubjectMode,
};
use lanyard_core::clock::Timestamp;
use lanyard_core::id::{ClientKey, SecretId, UserId};
use lanyard_core::saml::provider::ServiceProvider;
use lanyard_core::store::StoreError;
use lanyard_core::store::client::ClientStore;
use lanyard_core::store::page::{Page, PageRequest};
use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::grant_type::GrantType;

use crate::paging::{after, fetch, page};
use crate::row::{Row, corrupt, doc};
use crate::sql::{SqlTx, Value};

const SIDES: [Side; 2] = [Side::Idp, Side::Ras];
const AUTH: [ClientAuthMethod; 3] = [
    ClientAuthMethod::Secret,
    ClientAuthMethod::PrivateKeyJwt,
    ClientAuthMethod::Native,
];
/// Every subject mode.
pub(crate) const SUBJECT_MODES: [SubjectMode; 2] = [SubjectMode::Public, SubjectMode::Pairwise];

/// A query of clients, with the columns that [`client`] reads, in its order.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, side, client_id, name, auth, legacy_assertion_audience, grants, redirect_uris,
             post_logout_redirect_uris, backchannel_logout_uri, backchannel_logout_session_required,
             scopes, subject_mode, introspects, enabled, agent_status, not_before, version, created_at, updated_at
             FROM clients ",
            $which
        )
    };
}

fn client(row: &mut Row<'_>) -> Result<Client, StoreError> {
    Ok(Client {
        key: row.id()?,
        side: row.one_of(&SIDES, Side::as_str)?,
        client_id: row.parsed()?,
        name: row.text()?,
        auth: row.one_of(&AUTH, ClientAuthMethod::as_str)?,
        legacy_assertion_audience: row.flag()?,
        grants: grants(row.str()?)?,
        redirect_uris: list(row)?,
        post_logout_redirect_uris: list(row)?,
        backchannel_logout: backchannel_logout(row)?,
        scopes: row.scopes()?,
        subject_mode: row.one_of(&SUBJECT_MODES, SubjectMode::as_str)?,
        introspects: list(row)?,
        enabled: row.flag()?,
        agent: agent_status(row)?,
        not_before: row.maybe_time()?,
        version: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

/// The status of the agent that the client belongs to.
fn agent_status(row: &mut Row<'_>) -> Result<Option<AgentStatus>, StoreError> {
    let Some(name) = row.maybe_str()? else { return Ok(None) };
    let known = AgentStatus::ALL.into_iter().find(|status| status.as_str() == name);
    known
        .map(Some)
        .ok_or_else(|| corrupt("a client belongs to an agent of unknown status"))
}

fn backchannel_logout(row: &mut Row<'_>) -> Result<Option<BackchannelLogout>, StoreError> {
    let (uri, session_required) = (row.maybe_text()?, row.flag()?);
    Ok(uri.map(|uri| BackchannelLogout { uri, session_required }))
}

/// A list of texts; most are empty, and that is told without a parser.
fn list(row: &mut Row<'_>) -> Result<Vec<String>, StoreError> {
    match row.str()? {
        "[]" => Ok(Vec::new()),
        text => serde_json::from_str(text).map_err(|_| corrupt("a list of a client does not parse")),
    }
}

fn grants(text: &str) -> Result<Vec<GrantType>, StoreError> {
    text.split(' ')
        .filter(|name| !name.is_empty())
        .map(|name| GrantType::parse(name).ok_or_else(|| corrupt("a client has an unknown grant type")))
        .collect()
}

fn grants_text(grants: &[GrantType]) -> String {
    grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>().join(" ")
}

fn secret(row: &mut Row<'_>) -> Result<ClientSecret, StoreError> {
    Ok(ClientSecret {
        id: row.id()?,
        client: row.id()?,
        digest: match row.str()? {
            "sha256" => SecretDigest::Sha256(row.hash()?),
            "hmac" => SecretDigest::Hmac(row.hash()?),
            _ => return Err(corrupt("a client secret has an unknown kind")),
        },
        created_at: row.time()?,
        expires_at: row.maybe_time()?,
    })
}

fn key(row: &mut Row<'_>) -> Result<RegisteredKey, StoreError> {
    Ok(RegisteredKey {
        kid: row.text()?,
        client: row.id()?,
        jwk: row.doc()?,
        holder: holder(row.maybe_text()?, row.maybe_text()?, row.maybe_text()?)?,
        label: row.text()?,
        created_at: row.time()?,
        expires_at: row.maybe_time()?,
    })
}

fn holder(
    user: Option<String>,
    issuer: Option<String>,
    subject: Option<String>,
) -> Result<Option<KeyHolder>, StoreError> {
    use lanyard_core::id::Id as _;
    match (user, issuer, subject) {
        (None, None, None) => Ok(None),
        (Some(user), None, None) => Ok(Some(KeyHolder::User(UserId::from_stored(user)))),
        (None, Some(issuer), Some(subject)) => Ok(Some(KeyHolder::Subject {
            issuer: Issuer::parse(issuer).map_err(corrupt)?,
            subject: Subject::parse(subject).map_err(corrupt)?,
        })),
        _ => Err(corrupt("a client key has two holders")),
    }
}

impl ClientStore for SqlTx<'_> {
    fn find_client(&mut self, side: Side, client_id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.find_held(
            select!("WHERE side = $1 AND client_id = $2"),
            &[side.as_str().into(), client_id.into()],
            client,
        )
    }

    fn find_client_by_key(&mut self, key: &ClientKey) -> Result<Option<Client>, StoreError> {
        self.find_held(select!("WHERE id = $1"), &[key.into()], client)
    }

    fn list_clients(&mut self, side: Option<Side>, request: &PageRequest) -> Result<Page<Client>, StoreError> {
        let items = match side {
            None => self.list(
                select!("WHERE id > $1 ORDER BY id LIMIT $2"),
                &[after(request).into(), fetch(request).into()],
                client,
            )?,
            Some(side) => self.list(
                select!("WHERE side = $1 AND id > $2 ORDER BY id LIMIT $3"),
                &[side.as_str().into(), after(request).into(), fetch(request).into()],
                client,
            )?,
        };
        Ok(page(items, request, |client| client.key.as_str()))
    }

    fn list_unregistered_clients(&mut self, request: &PageRequest) -> Result<Page<Client>, StoreError> {
        let items = self.list(
            select!("WHERE side = $1 AND agent_status IS NULL AND id > $2 ORDER BY id LIMIT $3"),
            &[Side::Idp.as_str().into(), after(request).into(), fetch(request).into()],
            client,
        )?;
        Ok(page(items, request, |client| client.key.as_str()))
    }

    fn insert_client(&mut self, client: &Client) -> Result<(), StoreError> {
        self.add(
            "client identifier",
            "INSERT INTO clients (id, side, client_id, name, auth, legacy_assertion_audience, grants, redirect_uris,
             post_logout_redirect_uris, backchannel_logout_uri, backchannel_logout_session_required,
             scopes, subject_mode, introspects, enabled, agent_status, not_before, version,
             created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
             ON CONFLICT DO NOTHING",
            &[
                (&client.key).into(),
                client.side.as_str().into(),
                (&client.client_id).into(),
                (&client.name).into(),
                client.auth.as_str().into(),
                client.legacy_assertion_audience.into(),
                (&grants_text(&client.grants)).into(),
                (&doc(&client.redirect_uris)?).into(),
                (&doc(&client.post_logout_redirect_uris)?).into(),
                client.backchannel_logout.as_ref().map(|logout| &logout.uri).into(),
                client
                    .backchannel_logout
                    .as_ref()
                    .is_some_and(|logout| logout.session_required)
                    .into(),
                (&client.scopes.to_string()).into(),
                client.subject_mode.as_str().into(),
                (&doc(&client.introspects)?).into(),
                client.enabled.into(),
                client.agent.map(AgentStatus::as_str).into(),
                client.not_before.into(),
                client.version.into(),
                client.created_at.into(),
                client.updated_at.into(),
            ],
        )
    }

    fn update_client(&mut self, client: &Client) -> Result<(), StoreError> {
        self.change(
            "client",
            "UPDATE clients SET client_id = $1, name = $2, auth = $3, legacy_assertion_audience = $4, grants = $5,
             redirect_uris = $6, post_logout_redirect_uris = $7, backchannel_logout_uri = $8,
             backchannel_logout_session_required = $9, scopes = $10, subject_mode = $11, introspects = $12,
             enabled = $13, agent_status = $14, version = $15, updated_at = $16 WHERE id = $17 AND version = $18",
            &[
                (&client.client_id).into(),
                (&client.name).into(),
                client.auth.as_str().into(),
                client.legacy_assertion_audience.into(),
                (&grants_text(&client.grants)).into(),
                (&doc(&client.redirect_uris)?).into(),
                (&doc(&client.post_logout_redirect_uris)?).into(),
                client.backchannel_logout.as_ref().map(|logout| &logout.uri).into(),
                client
                    .backchannel_logout
                    .as_ref()
                    .is_some_and(|logout| logout.session_required)
                    .into(),
                (&client.scopes.to_string()).into(),
                client.subject_mode.as_str().into(),
                (&doc(&client.introspects)?).into(),
                client.enabled.into(),
                client.agent.map(AgentStatus::as_str).into(),
                client.version.into(),
                client.updated_at.into(),
                (&client.key).into(),
                client.version.saturating_sub(1).into(),
            ],
        )
    }

    fn raise_client_not_before(&mut self, side: Side, client_id: &ClientId, at: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "UPDATE clients SET not_before = $1
             WHERE side = $2 AND client_id = $3 AND (not_before IS NULL OR not_before < $4)",
            &[at.into(), side.as_str().into(), client_id.into(), at.into()],
        )?;
        Ok(())
    }

    fn list_client_secrets(&mut self, client: &ClientKey) -> Result<Vec<ClientSecret>, StoreError> {
        self.list_held(
            "SELECT id, client, kind, digest, created_at, expires_at FROM client_secrets WHERE client = $1
             ORDER BY created_at, id",
            &[client.into()],
            secret,
        )
    }

    fn insert_client_secret(&mut self, secret: &ClientSecret) -> Result<(), StoreError> {
        let (kind, digest) = match &secret.digest {
            SecretDigest::Sha256(digest) => ("sha256", digest),
            SecretDigest::Hmac(digest) => ("hmac", digest),
        };
        self.add(
            "client secret",
            "INSERT INTO client_secrets (id, client, kind, digest, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            &[
                (&secret.id).into(),
                (&secret.client).into(),
                kind.into(),
                digest.into(),
                secret.created_at.into(),
                secret.expires_at.into(),
            ],
        )
    }

    fn remove_client_secret(&mut self, id: &SecretId) -> Result<bool, StoreError> {
        self.touched("DELETE FROM client_secrets WHERE id = $1", &[id.into()])
    }

    fn find_client_key(&mut self, client: &ClientKey, kid: &str) -> Result<Option<RegisteredKey>, StoreError> {
        self.find(
            "SELECT kid, client, jwk, holder_user, holder_issuer, holder_subject, label, created_at, expires_at
             FROM client_keys WHERE client = $1 AND kid = $2",
            &[client.into(), kid.into()],
            key,
        )
    }

    fn list_client_keys(&mut self, client: &ClientKey) -> Result<Vec<RegisteredKey>, StoreError> {
        self.list(
            "SELECT kid, client, jwk, holder_user, holder_issuer, holder_subject, label, created_at, expires_at
             FROM client_keys WHERE client = $1 AND holder_user IS NULL AND holder_issuer IS NULL
             ORDER BY created_at, kid",
            &[client.into()],
            key,
        )
    }

    fn insert_client_key(&mut self, key: &RegisteredKey) -> Result<(), StoreError> {
        let (user, issuer, subject) = match &key.holder {
            None => (Value::Null, Value::Null, Value::Null),
            Some(KeyHolder::User(user)) => (user.into(), Value::Null, Value::Null),
            Some(KeyHolder::Subject { issuer, subject }) => (Value::Null, issuer.into(), subject.into()),
        };
        self.add(
            "key identifier",
            "INSERT INTO client_keys (client, kid, jwk, holder_user, holder_issuer, holder_subject, label,
             created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
            &[
                (&key.client).into(),
                (&key.kid).into(),
                (&doc(&key.jwk)?).into(),
                user,
                issuer,
                subject,
                (&key.label).into(),
                key.created_at.into(),
                key.expires_at.into(),
            ],
        )
    }

    fn remove_client_key(&mut self, client: &ClientKey, kid: &str) -> Result<bool, StoreError> {
        self.touched(
            "DELETE FROM client_keys WHERE client = $1 AND kid = $2",
            &[client.into(), kid.into()],
        )
    }

    fn list_service_providers(&mut self, client: &ClientKey) -> Result<Vec<ServiceProvider>, StoreError> {
        self.list(
            "SELECT entity_id, acs_urls FROM saml_service_providers WHERE client = $1 ORDER BY entity_id",
            &[client.into()],
            |row| {
                Ok(ServiceProvider {
                    entity_id: row.text()?,
                    acs_urls: row.doc()?,
                })
            },
        )
    }

    fn find_client_of_service_provider(&mut self, entity_id: &str) -> Result<Option<ClientKey>, StoreError> {
        self.find(
            "SELECT client FROM saml_service_providers WHERE entity_id = $1",
            &[entity_id.into()],
            |row| row.id(),
        )
    }

    fn insert_service_provider(&mut self, client: &ClientKey, provider: &ServiceProvider) -> Result<(), StoreError> {
        self.add(
            "service provider",
            "INSERT INTO saml_service_providers (entity_id, client, acs_urls) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            &[
                (&provider.entity_id).into(),
                client.into(),
                (&doc(&provider.acs_urls)?).into(),
            ],
        )
    }

    fn remove_service_providers(&mut self, client: &ClientKey) -> Result<(), StoreError> {
        self.execute("DELETE FROM saml_service_providers WHERE client = $1", &[client.into()])
            .map(|_| ())
    }

    fn list_keys_held_by_user(&mut self, user: &UserId) -> Result<Vec<RegisteredKey>, StoreError> {
        self.list(
            "SELECT kid, client, jwk, holder_user, holder_issuer, holder_subject, label, created_at, expires_at
             FROM client_keys WHERE holder_user = $1 ORDER BY created_at, kid",
            &[user.into()],
            key,
        )
    }

    fn list_keys_held_by_subject(&mut self, issuer: &Issuer, subject: &str) -> Result<Vec<RegisteredKey>, StoreError> {
        self.list(
            "SELECT kid, client, jwk, holder_user, holder_issuer, holder_subject, label, created_at, expires_at
             FROM client_keys WHERE holder_issuer = $1 AND holder_subject = $2 ORDER BY created_at, kid",
            &[issuer.into(), subject.into()],
            key,
        )
    }
}
