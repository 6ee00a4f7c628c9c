//! A configured upstream identity provider.
//!
//! Owns what an operator decided about it. Never holds what the provider says.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::ConnectionId;
use crate::upstream::mapping::Mapping;
use crate::upstream::oidc::OidcSettings;
use crate::upstream::saml::SamlSettings;

/// An identity provider whose sign-ins are accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Server-made.
    pub id: ConnectionId,
    /// Short and unique; stands in addresses.
    pub name: String,
    /// For people: on the button of the sign-in page.
    pub title: String,
    /// The protocol with its settings.
    pub kind: Kind,
    /// Whose product it is, for the quirks of it.
    pub preset: Preset,
    /// E-mail domains whose people sign in there, in lower case; no other connection has them. The connection is
    /// authoritative for addresses in them.
    pub domains: Vec<String>,
    /// Whether a sign-in that nothing else decides goes straight there. At most one connection.
    pub is_default: bool,
    /// Switched off: no sign-in begins or ends there.
    pub enabled: bool,
    /// Whether a person nobody linked is made on their first sign-in (AL-05).
    pub just_in_time: bool,
    /// Whether a person who exists already may be linked by what the provider says.
    pub link_by: LinkBy,
    /// What its claims mean here.
    pub mapping: Mapping,
    /// The credential we present there: a client secret, or a private key in PKCS #8 form. Sealed; bound to table
    /// `connections`, row = id, column `secret`.
    pub sealed_secret: Option<Vec<u8>>,
    /// Grows with every change. A sign-in that began under another version is refused.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The protocol of a connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// OpenID Connect.
    Oidc(OidcSettings),
    /// SAML 2.0.
    Saml(SamlSettings),
}

impl Kind {
    /// The stored and shown name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Oidc(_) => "oidc",
            Self::Saml(_) => "saml",
        }
    }
}

/// Whose product an identity provider is.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// None of the others: what the specifications say.
    #[default]
    Plain,
    /// Okta.
    Okta,
    /// Microsoft Entra ID.
    Entra,
    /// Google Workspace.
    Google,
    /// Ping Identity.
    Ping,
    /// Keycloak.
    Keycloak,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 6] = [
        Self::Plain,
        Self::Okta,
        Self::Entra,
        Self::Google,
        Self::Ping,
        Self::Keycloak,
    ];

    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Okta => "okta",
            Self::Entra => "entra",
            Self::Google => "google",
            Self::Ping => "ping",
            Self::Keycloak => "keycloak",
        }
    }
}

/// By what, besides an administrator's word, a person who exists already is linked on their first sign-in. An operator
/// says here that the connection is authoritative for that name: it is never guessed, and never an e-mail address alone
/// (AL-03, AL-07). A person with a local password is not linked this way.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkBy {
    /// By nothing.
    #[default]
    Nothing,
    /// By the user name.
    Username,
}

impl LinkBy {
    /// Every way.
    pub const ALL: [Self; 2] = [Self::Nothing, Self::Username];

    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Username => "username",
        }
    }
}

impl Connection {
    /// Whether addresses in this domain (lower case) are the connection's to speak for.
    pub fn owns_domain(&self, domain: &str) -> bool {
        self.domains.iter().any(|own| own == domain)
    }
}
