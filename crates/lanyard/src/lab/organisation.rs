//! The organisation of a lab: people, groups, clients, connectors, rules, trusts.
//!
//! Owns the documents and the plain credentials that the facts file tells. Applied like any other organisation.

use std::collections::BTreeMap;

use lanyard_core::admin::spec::{
    AllOr, AudienceSpec, ClientSpec, ConnectorSpec, GroupSpec, Organisation, RuleSpec, ScopeSpec, TrustSpec, UserSpec,
};
use lanyard_core::client::registration::{ClientAuthMethod, Side, SubjectMode};
use lanyard_core::connector::record::{ConnectorStatus, Upstream};
use lanyard_core::directory::group::GroupKind;
use lanyard_core::policy::rule::Effect;
use lanyard_core::trust::issuer::ScopeRule;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::sha256_hex;
use lanyard_jose::key::SigningKey;
use lanyard_jose::random::{Random, token};
use secrecy::ExposeSecret;

use crate::lab::addresses::Addresses;
use crate::lab::catalogue::{SAMPLES, Sample};

/// The scopes of the issuer that every client may ask for.
const OPENID_SCOPES: &str = "openid profile email offline_access connectors";
/// The client of `lanyard login`.
pub(crate) const CLI_CLIENT: &str = "lanyard-cli";

/// A client with its plain credentials on both sides.
#[derive(Clone)]
pub(crate) struct LabClient {
    /// For people and facts.
    pub name: String,
    /// Where its sign-ins return to.
    pub redirect_uris: Vec<String>,
    /// At the IdP.
    pub idp: LabCredential,
    /// At the RAS.
    pub ras: LabCredential,
}

/// One registration of a client.
#[derive(Clone)]
pub(crate) struct LabCredential {
    /// The OAuth identifier.
    pub client_id: String,
    /// The generated secret, for a client with a secret.
    pub secret: Option<String>,
    /// The private key as a JWK, for a client with a key.
    pub private_jwk: Option<serde_json::Value>,
}

/// A person with the plain password.
#[derive(Clone)]
pub(crate) struct LabUser {
    /// The record.
    pub spec: UserSpec,
    /// The password.
    pub password: String,
}

/// A connector with what serves it.
#[derive(Debug, Clone)]
pub(crate) struct LabConnector {
    /// The record.
    pub spec: ConnectorSpec,
    /// Groups that a rule admits.
    pub allowed_groups: Vec<String>,
}

/// Makes a client with a generated secret on each side.
pub(crate) fn secret_client(name: &str, redirect_uris: &[&str], random: &dyn Random) -> LabClient {
    let side = |suffix: &str| LabCredential {
        client_id: format!("{name}-{suffix}"),
        secret: Some(token(random).expose_secret().to_owned()),
        private_jwk: None,
    };
    LabClient {
        name: name.to_owned(),
        redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
        idp: side("at-idp"),
        ras: side("at-ras"),
    }
}

/// Makes a client with an ES256 key on each side.
///
/// # Errors
/// When no key can be made.
pub(crate) fn key_client(name: &str, redirect_uris: &[&str]) -> anyhow::Result<LabClient> {
    let side = |suffix: &str| -> anyhow::Result<LabCredential> {
        let key = SigningKey::generate(Algorithm::Es256)?;
        Ok(LabCredential {
            client_id: format!("{name}-{suffix}"),
            secret: None,
            private_jwk: Some(key.to_private_jwk()?),
        })
    };
    Ok(LabClient {
        name: name.to_owned(),
        redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
        idp: side("at-idp")?,
        ras: side("at-ras")?,
    })
}

/// The documents of a client on both sides.
///
/// # Errors
/// When a private key is no key.
pub(crate) fn client_specs(client: &LabClient) -> anyhow::Result<[ClientSpec; 2]> {
    let spec = |side: Side, credential: &LabCredential| -> anyhow::Result<ClientSpec> {
        let jwks = match &credential.private_jwk {
            Some(jwk) => {
                let public = SigningKey::from_private_jwk(jwk)?.public_jwk().to_value();
                Some(serde_json::json!({ "keys": [public] }))
            }
            None => None,
        };
        let idp = side == Side::Idp;
        Ok(ClientSpec {
            side,
            client_id: credential.client_id.clone(),
            name: Some(client.name.clone()),
            auth: if jwks.is_some() {
                ClientAuthMethod::PrivateKeyJwt
            } else {
                ClientAuthMethod::Secret
            },
            secret_sha256: credential.secret.as_ref().map(|secret| sha256_hex(secret.as_bytes())),
            secret: None,
            jwks,
            // At the RAS too: its authorization endpoint answers there that access is managed.
            redirect_uris: client.redirect_uris.clone(),
            post_logout_redirect_uris: if idp { client.redirect_uris.clone() } else { Vec::new() },
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
            grants: None,
            scopes: idp.then(|| OPENID_SCOPES.to_owned()),
            subject: SubjectMode::Public,
            introspects: Vec::new(),
            saml_service_providers: Vec::new(),
            legacy_assertion_audience: false,
            enabled: true,
        })
    };
    Ok([spec(Side::Idp, &client.idp)?, spec(Side::Ras, &client.ras)?])
}

/// The native client of `lanyard login` on both sides.
pub(crate) fn cli_client_specs() -> [ClientSpec; 2] {
    let spec = |side: Side| ClientSpec {
        side,
        client_id: CLI_CLIENT.to_owned(),
        name: Some("Lanyard command line".to_owned()),
        auth: ClientAuthMethod::Native,
        secret_sha256: None,
        secret: None,
        jwks: None,
        redirect_uris: if side == Side::Idp {
            vec!["http://127.0.0.1/callback".to_owned()]
        } else {
            Vec::new()
        },
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout_uri: None,
        backchannel_logout_session_required: false,
        grants: None,
        scopes: (side == Side::Idp).then(|| OPENID_SCOPES.to_owned()),
        subject: SubjectMode::Public,
        introspects: Vec::new(),
        saml_service_providers: Vec::new(),
        legacy_assertion_audience: false,
        enabled: true,
    };
    [spec(Side::Idp), spec(Side::Ras)]
}

/// The document of a sample connector behind the gateway of a lab; the n-th sample server serves it.
pub(crate) fn sample_connector(addresses: Addresses, n: usize, sample: &Sample) -> ConnectorSpec {
    ConnectorSpec {
        name: sample.name.to_owned(),
        title: Some(sample.title.to_owned()),
        mcp_url: addresses.mcp_url(sample.name),
        resource: None,
        audience: None,
        scopes: sample
            .scopes
            .iter()
            .map(|(scope, description, high_impact)| ScopeSpec {
                scope: (*scope).to_owned(),
                description: (*description).to_owned(),
                high_impact: *high_impact,
                requires: None,
            })
            .collect(),
        default_scopes: Some(sample.all_scopes()),
        tools: sample
            .tools
            .iter()
            .map(|tool| (tool.name.to_owned(), tool.scope.to_owned()))
            .collect(),
        upstream: Some(Upstream {
            url: format!("http://{}/mcp", addresses.sample(n)),
            insecure: false,
            durable: false,
        }),
        status: if sample.staged {
            ConnectorStatus::Staged
        } else {
            ConnectorStatus::Active
        },
    }
}

/// A connector for a foreign MCP server: one scope for every tool.
pub(crate) fn upstream_connector(addresses: Addresses, name: &str, url: &str) -> ConnectorSpec {
    let scope = format!("{name}.use");
    ConnectorSpec {
        name: name.to_owned(),
        title: Some(format!("{name} (upstream of this lab)")),
        mcp_url: addresses.mcp_url(name),
        resource: None,
        audience: None,
        scopes: vec![ScopeSpec {
            scope: scope.clone(),
            description: "Use every tool".to_owned(),
            high_impact: false,
            requires: None,
        }],
        default_scopes: Some(scope.clone()),
        tools: BTreeMap::from([("*".to_owned(), scope)]),
        upstream: Some(Upstream {
            url: url.to_owned(),
            insecure: false,
            durable: false,
        }),
        status: ConnectorStatus::Active,
    }
}

/// An allow rule.
pub(crate) fn allow(title: &str, groups: &[&str], connectors: AllOr, scopes: AllOr) -> RuleSpec {
    RuleSpec {
        title: title.to_owned(),
        effect: Effect::Allow,
        everyone: false,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        users: Vec::new(),
        clients: AllOr::ALL,
        connectors,
        scopes,
        requires: None,
        enabled: true,
    }
}

/// A group.
pub(crate) fn group(name: &str) -> GroupSpec {
    GroupSpec {
        name: name.to_owned(),
        kind: GroupKind::Group,
    }
}

/// A person with a fresh password.
pub(crate) fn person(
    username: &str,
    display_name: &str,
    groups: &[&str],
    active: bool,
    random: &dyn Random,
) -> LabUser {
    let password = token(random).expose_secret().chars().take(20).collect::<String>();
    LabUser {
        spec: UserSpec {
            username: username.to_owned(),
            display_name: Some(display_name.to_owned()),
            email: Some(format!("{username}@northwind.example")),
            groups: Some(groups.iter().map(|group| (*group).to_owned()).collect()),
            active: Some(active),
            password: None,
        },
        password,
    }
}

/// The trust record for our own issuer: it asserts the people of the default tenant.
pub(crate) fn own_trust(addresses: Addresses, ras_clients: AllOr) -> TrustSpec {
    trust(
        &format!("http://{}", addresses.issuer()),
        &format!("http://{}/oauth2/jwks", addresses.issuer()),
        "default",
        ras_clients,
        AllOr::ALL,
    )
}

/// A trust record with just-in-time accounts.
pub(crate) fn trust(issuer: &str, jwks_uri: &str, tenant: &str, clients: AllOr, resources: AllOr) -> TrustSpec {
    TrustSpec {
        issuer: issuer.to_owned(),
        tenant: tenant.to_owned(),
        tenant_claim: None,
        jwks_uri: Some(jwks_uri.to_owned()),
        jwks: None,
        algorithms: ["ES256", "EdDSA", "RS256", "PS256", "ES384"]
            .map(str::to_owned)
            .to_vec(),
        clients,
        resources,
        scopes: None,
        max_id_jag_ttl_seconds: 600,
        access_token_ttl_seconds: 600,
        scope_rule: ScopeRule::Strict,
        just_in_time: true,
        aud_tenant: None,
        enabled: true,
    }
}

/// The audience for our own RAS with the mapping of these clients.
pub(crate) fn own_audience(addresses: Addresses, clients: &[LabClient]) -> AudienceSpec {
    let mut mapping: BTreeMap<String, String> = clients
        .iter()
        .map(|client| (client.idp.client_id.clone(), client.ras.client_id.clone()))
        .collect();
    mapping.insert(CLI_CLIENT.to_owned(), CLI_CLIENT.to_owned());
    AudienceSpec {
        issuer: format!("http://{}", addresses.ras()),
        name: Some("Authorization server of this lab".to_owned()),
        subject: SubjectMode::Public,
        aud_tenant: None,
        allow_missing_resource: false,
        id_jag_ttl_seconds: 300,
        enabled: true,
        clients: Some(mapping),
    }
}

/// The names of the open samples.
pub(crate) fn open_samples() -> Vec<&'static str> {
    SAMPLES
        .iter()
        .filter(|sample| !sample.staged)
        .map(|sample| sample.name)
        .collect()
}

/// Puts people, clients and connectors into one document; passwords are hashed apart.
///
/// # Errors
/// When a client's key is no key.
pub(crate) fn document(
    groups: Vec<GroupSpec>,
    users: &[LabUser],
    clients: &[LabClient],
    connectors: &[LabConnector],
    rules: Vec<RuleSpec>,
) -> anyhow::Result<Organisation> {
    let mut client_documents: Vec<ClientSpec> = cli_client_specs().into();
    for client in clients {
        client_documents.extend(client_specs(client)?);
    }
    Ok(Organisation {
        groups,
        users: users.iter().map(|user| user.spec.clone()).collect(),
        administrators: Vec::new(),
        clients: client_documents,
        audiences: Vec::new(),
        connectors: connectors.iter().map(|connector| connector.spec.clone()).collect(),
        resources: Vec::new(),
        trusts: Vec::new(),
        agents: Vec::new(),
        rules,
        identity_providers: Vec::new(),
    })
}
