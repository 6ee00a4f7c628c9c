//! The documents an administrator writes: the same in the admin API and in `lanyard apply -f org.toml`.
//!
//! Owns their shape: plain text fields, unknown fields refused. The services parse each field and name it when it is wrong.

pub mod connection;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::admin::requirement::RequirementSpec;
use crate::admin::spec::connection::ConnectionSpec;
use crate::admin::token::AdminRole;
use crate::agent::record::AgentStatus;
use crate::client::registration::{ClientAuthMethod, Side, SubjectMode};
use crate::clock::Timestamp;
use crate::connector::record::{ConnectorStatus, Upstream};
use crate::directory::group::GroupKind;
use crate::policy::rule::Effect;
use crate::saml::provider::ServiceProvider;
use crate::trust::issuer::ScopeRule;

/// A whole organisation, or a part of one. What is not named is left as it is.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Organisation {
    /// Groups and roles.
    pub groups: Vec<GroupSpec>,
    /// People.
    pub users: Vec<UserSpec>,
    /// Roles of administrators, given to people and groups.
    pub administrators: Vec<AdministratorSpec>,
    /// OAuth clients, one entry per side.
    pub clients: Vec<ClientSpec>,
    /// RASs that the IdP issues for.
    pub audiences: Vec<AudienceSpec>,
    /// Approved MCP servers.
    pub connectors: Vec<ConnectorSpec>,
    /// Resources of our RAS that are no connectors here.
    pub resources: Vec<ResourceSpec>,
    /// Issuers that our RAS trusts.
    pub trusts: Vec<TrustSpec>,
    /// Agents, after their clients and audiences.
    pub agents: Vec<AgentSpec>,
    /// Policy rules.
    pub rules: Vec<RuleSpec>,
    /// Upstream identity providers.
    pub identity_providers: Vec<ConnectionSpec>,
}

/// A group or role.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    /// Unique name.
    pub name: String,
    /// Group or role.
    #[serde(default = "group")]
    pub kind: GroupKind,
}

const fn group() -> GroupKind {
    GroupKind::Group
}

/// A person.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSpec {
    /// What the person types to sign in; kept in lower case.
    pub username: String,
    /// The name for people; the user name when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// E-mail address, for people only: never an identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Exactly these groups and roles, by name. Left out: unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Whether the person may sign in. Left out: unchanged, and true for a new person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// A new password. Written only, never shown.
    #[serde(default, skip_serializing)]
    pub password: Option<String>,
}

impl std::fmt::Debug for UserSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserSpec")
            .field("username", &self.username)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

/// A role given to a person or to everybody in a group.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdministratorSpec {
    /// The person, by user name. Either this or `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The group or role of the directory, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `owner`, `operator`, `approver` or `auditor`.
    pub role: AdminRole,
    /// For a group: whether directories (SCIM) and identity providers may change who is in it.
    #[serde(default)]
    pub provisioned: bool,
}

/// An agent: a program that acts for people.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSpec {
    /// Short and unique: lower-case letters, digits and `-`.
    pub name: String,
    /// For people; the name when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is for. Needed for a new agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Who makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Which program it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// Exactly these people answer for it, by user name: at least one, two are advised. Needed for a new agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owners: Option<Vec<String>>,
    /// Its client id at the issuer. Once set it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Issuer of an authorization server → its client id there: exactly these. Left out: unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ids: Option<BTreeMap<String, String>>,
    /// `staged`, `active`, `inactive` or `suspended`. Left out: unchanged, and `staged` for a new agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AgentStatus>,
}

/// A public key for an agent.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentKeySpec {
    /// The public key as a JWK.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub jwk: serde_json::Value,
    /// Where it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its end, RFC 3339; in a year when left out, at most in two.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The other keys stop being accepted after this many seconds; without it they stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retire_others_after_seconds: Option<u64>,
}

/// A client on one side.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSpec {
    /// At the IdP or at the RAS.
    pub side: Side,
    /// The OAuth client identifier, unique on its side.
    pub client_id: String,
    /// For people; the identifier when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How it authenticates.
    pub auth: ClientAuthMethod,
    /// SHA-256 of a generated secret of at least 256 bits, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_sha256: Option<String>,
    /// A chosen secret of at least 32 characters. Written only, never shown. In a file write `secret_file`.
    #[serde(default, skip_serializing)]
    pub secret: Option<String>,
    /// The client's public keys as a JWK set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// Exact redirect URIs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// Exact targets after logout.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it hears that a session ended: back-channel logout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether it needs `sid` in a logout token; every one of ours has it.
    #[serde(default)]
    pub backchannel_logout_session_required: bool,
    /// Grant types; the usual ones of its side when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<String>>,
    /// At the IdP the OpenID scopes it may ask for; at the RAS a ceiling. Space-separated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<String>,
    /// Which `sub` its ID tokens carry.
    #[serde(default)]
    pub subject: SubjectMode,
    /// Resources whose tokens it may introspect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub introspects: Vec<String>,
    /// SAML service providers that the client is: whose assertions it may exchange. At the IdP only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub saml_service_providers: Vec<ServiceProvider>,
    /// Accepts the token endpoint as `aud` of a client assertion (legacy).
    #[serde(default)]
    pub legacy_assertion_audience: bool,
    /// Whether it is switched on.
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl std::fmt::Debug for ClientSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSpec")
            .field("side", &self.side)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

const fn yes() -> bool {
    true
}

/// A RAS that the IdP issues for.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudienceSpec {
    /// Its issuer identifier, byte for byte.
    pub issuer: String,
    /// For people; the issuer when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which `sub` it sees.
    #[serde(default)]
    pub subject: SubjectMode,
    /// Our tenant there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud_tenant: Option<String>,
    /// Whether an ID-JAG without a resource may be issued.
    #[serde(default)]
    pub allow_missing_resource: bool,
    /// Lifetime of ID-JAGs, 30 to 600 seconds.
    #[serde(default = "five_minutes")]
    pub id_jag_ttl_seconds: i64,
    /// Whether anything is issued for it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Client id at the IdP → client id at this RAS. Left out: unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<BTreeMap<String, String>>,
}

const fn five_minutes() -> i64 {
    300
}

/// An approved MCP server.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorSpec {
    /// Short and unique: lower-case letters, digits and `-`.
    pub name: String,
    /// For people; the name when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where clients call it.
    pub mcp_url: String,
    /// Its resource identifier; the MCP URL when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The issuer of the RAS that governs it; our own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Every scope that exists for it.
    pub scopes: Vec<ScopeSpec>,
    /// Granted when a client asks for none, space-separated; every scope that is not of high impact when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_scopes: Option<String>,
    /// Tool → scopes needed, space-separated; `"*"` for every tool not named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, String>,
    /// The server behind our gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// Active, staged or off.
    #[serde(default = "active")]
    pub status: ConnectorStatus,
}

const fn active() -> ConnectorStatus {
    ConnectorStatus::Active
}

/// One scope of a connector.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeSpec {
    /// The scope token.
    pub scope: String,
    /// What it permits, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether it is of high impact.
    #[serde(default)]
    pub high_impact: bool,
    /// The sign-in it asks for, whatever rule grants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires: Option<RequirementSpec>,
}

/// A resource of our RAS.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceSpec {
    /// The resource identifier.
    pub id: String,
    /// For people; the identifier when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Every scope, space-separated.
    pub scopes: String,
    /// Granted when an ID-JAG carries no scope; none when left out.
    #[serde(default)]
    pub default_scopes: String,
    /// Active, staged or off.
    #[serde(default = "active")]
    pub status: ConnectorStatus,
}

/// An issuer that our RAS trusts for one tenant.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustSpec {
    /// The issuer, byte for byte.
    pub issuer: String,
    /// The tenant by name; made when it does not exist.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// The `tenant` claim that a shared issuer must send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_claim: Option<String>,
    /// Where its keys are fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Its keys, instead of `jwks_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// Accepted signature algorithms.
    #[serde(default = "default_algorithms")]
    pub algorithms: Vec<String>,
    /// RAS client ids that may redeem its grants: `"all"` or a list.
    pub clients: AllOr,
    /// Resource identifiers its grants may name: `"all"` or a list.
    pub resources: AllOr,
    /// A ceiling on scopes, space-separated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<String>,
    /// Longest accepted lifetime of an ID-JAG, 30 to 3600 seconds.
    #[serde(default = "ten_minutes")]
    pub max_id_jag_ttl_seconds: i64,
    /// Lifetime of access tokens, 60 to 86400 seconds.
    #[serde(default = "ten_minutes")]
    pub access_token_ttl_seconds: i64,
    /// What a narrower request means.
    #[serde(default)]
    pub scope_rule: ScopeRule,
    /// Whether unknown subjects get an account.
    #[serde(default)]
    pub just_in_time: bool,
    /// The `aud_tenant` that must not disagree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud_tenant: Option<String>,
    /// Whether it is trusted now.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn default_tenant() -> String {
    "default".to_owned()
}

fn default_algorithms() -> Vec<String> {
    ["ES256", "EdDSA", "RS256", "PS256", "ES384"]
        .map(str::to_owned)
        .to_vec()
}

const fn ten_minutes() -> i64 {
    600
}

/// A policy rule, by names.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Unique; shown to the people it admits.
    pub title: String,
    /// Allow or deny.
    #[serde(default = "allow")]
    pub effect: Effect,
    /// Whether it concerns every active person.
    #[serde(default)]
    pub everyone: bool,
    /// Groups and roles by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// People by user name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Client ids at the IdP: `"all"` or a list.
    pub clients: AllOr,
    /// Connectors by name: `"all"` or a list.
    pub connectors: AllOr,
    /// `"all"`, or scopes as a list.
    pub scopes: AllOr,
    /// The sign-in it asks for: an allow rule allows who has it, a deny rule denies who has it not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires: Option<RequirementSpec>,
    /// Whether it takes part.
    #[serde(default = "yes")]
    pub enabled: bool,
}

const fn allow() -> Effect {
    Effect::Allow
}

/// The word `"all"`, or a list of names. An empty list selects nothing.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AllOr {
    /// Everything.
    All(All),
    /// Only these.
    Only(Vec<String>),
}

impl AllOr {
    /// The value that selects everything.
    pub const ALL: Self = Self::All(All::All);

    /// A list.
    pub fn only<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        Self::Only(names.into_iter().map(Into::into).collect())
    }
}

/// The word `all`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum All {
    /// `"all"`.
    All,
}

/// A provisioning client (SCIM).
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectorySpec {
    /// Unique name, for people.
    pub name: String,
    /// Whether it may take over people and groups of the administrator that have the name it sends. People and groups
    /// of another directory it never may.
    #[serde(default)]
    pub adopt_by_user_name: bool,
    /// Whether a PATCH path whose filter meets no element is refused with `noTarget`, as RFC 7644 has it. Leave it off
    /// for Entra ID.
    #[serde(default)]
    pub strict_paths: bool,
    /// Whether its tokens are accepted.
    #[serde(default = "yes")]
    pub enabled: bool,
}
