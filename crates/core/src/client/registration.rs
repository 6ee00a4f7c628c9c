//! The record of a registered client.
//!
//! Owns what a client is and may do. Never authenticates one (`client/auth.rs`).

use lanyard_jose::jwk::Jwk;
use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::scope::ScopeSet;
use serde::{Deserialize, Serialize};

use crate::agent::record::AgentStatus;
use crate::clock::Timestamp;
use crate::id::{ClientKey, SecretId, UserId};

/// Where a client is registered. The same program has a record on each side.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// At the IdP.
    Idp,
    /// At the RAS.
    Ras,
}

impl Side {
    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idp => "idp",
            Self::Ras => "ras",
        }
    }
}

/// A registered client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Server-made key of the record.
    pub key: ClientKey,
    /// Where it is registered.
    pub side: Side,
    /// The OAuth identifier, unique on its side.
    pub client_id: ClientId,
    /// For people.
    pub name: String,
    /// How it authenticates.
    pub auth: ClientAuthMethod,
    /// Accepts the token endpoint URL as `aud` of a client assertion (D-09, legacy; off by default).
    pub legacy_assertion_audience: bool,
    /// Grant types it may use (RAS-JB-03).
    pub grants: Vec<GrantType>,
    /// Exact redirect URIs; loopback literals may vary in port (IDP-AU-03).
    pub redirect_uris: Vec<String>,
    /// Exact targets of logout (RV-04).
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it hears that a session ended (RV-05).
    pub backchannel_logout: Option<BackchannelLogout>,
    /// At the IdP: the OpenID scopes it may ask for. At the RAS: a ceiling on granted scopes, empty = no ceiling.
    pub scopes: ScopeSet,
    /// Which `sub` its ID tokens carry.
    pub subject_mode: SubjectMode,
    /// May introspect tokens of these resources (RAS side; RAS-IN-01).
    pub introspects: Vec<String>,
    /// Switched off: nothing is issued, nothing is accepted.
    pub enabled: bool,
    /// At the IdP: the status of the agent that it belongs to, kept here so that no decision reads another row. `None`
    /// for a client that is not registered as an agent.
    pub agent: Option<AgentStatus>,
    /// At the RAS: grants minted for it up to this instant buy nothing (RV-03).
    pub not_before: Option<Timestamp>,
    /// Grows with every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Client {
    /// Whether anything may be issued to it: switched on, and its agent, if it belongs to one, is active.
    pub fn may_act(&self) -> bool {
        self.enabled && self.agent.is_none_or(|status| status == AgentStatus::Active)
    }
}

/// Where and how a client hears that a session ended (OpenID Connect Back-Channel Logout, section 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackchannelLogout {
    /// Where logout tokens go.
    pub uri: String,
    /// Whether it can make nothing of a token without `sid`. Ours always have one.
    pub session_required: bool,
}

/// How a client proves itself at the token endpoint.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// `client_secret_basic` or `client_secret_post`.
    Secret,
    /// `private_key_jwt` with the client's own keys.
    PrivateKeyJwt,
    /// A native program without a shared secret: `none` for the code grant only, and keys that each person
    /// enrols (`private_key_jwt`) for everything else (CL-ST-03).
    Native,
}

impl ClientAuthMethod {
    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::Native => "native",
        }
    }
}

/// Which identifier of a person a relying party sees.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectMode {
    /// The same for every party.
    #[default]
    Public,
    /// Different per party (OpenID Connect Core, section 8.1).
    Pairwise,
}

impl SubjectMode {
    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Pairwise => "pairwise",
        }
    }
}

/// A client secret as it rests.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// Server-made.
    pub id: SecretId,
    /// Whose it is.
    pub client: ClientKey,
    /// What is stored of it.
    pub digest: SecretDigest,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops being accepted.
    pub expires_at: Option<Timestamp>,
}

/// What is stored of a client secret.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretDigest {
    /// SHA-256 of a secret that we generated with 256 bits of entropy.
    Sha256([u8; 32]),
    /// HMAC-SHA-256 of a chosen secret under a key derived from the key-encryption key.
    Hmac([u8; 32]),
}

/// A public key of a client.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredKey {
    /// Unique within the client.
    pub kid: String,
    /// Whose it is.
    pub client: ClientKey,
    /// The public key.
    pub jwk: Jwk,
    /// For a native client: the only person it may act for.
    pub holder: Option<KeyHolder>,
    /// A name that people recognise.
    pub label: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it stops being accepted.
    pub expires_at: Option<Timestamp>,
}

/// The person a native client's key acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyHolder {
    /// At the IdP: a person of the directory.
    User(UserId),
    /// At the RAS: a subject of an issuer.
    Subject {
        /// The IdP.
        issuer: Issuer,
        /// The `sub` of its ID-JAGs for this RAS.
        subject: Subject,
    },
}
