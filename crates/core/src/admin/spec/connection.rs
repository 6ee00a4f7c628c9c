//! The document of an identity provider.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::session::strength::Strength;
use crate::upstream::connection::{LinkBy, Preset};
use crate::upstream::mapping::{StrengthRule, Unlisted};
use crate::upstream::oidc::{Overage, UpstreamAuth};
use crate::upstream::saml::SamlSettings;

/// An identity provider: exactly one of `oidc` and `saml`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionSpec {
    /// Short and unique: lower-case letters, digits and `-`. Stands in the redirect URI.
    pub name: String,
    /// For people, on the sign-in page; the product's name when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whose product it is.
    #[serde(default)]
    pub preset: Preset,
    /// E-mail domains whose people sign in there, and whose addresses it may speak for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Whether a sign-in that nothing else decides goes straight there.
    #[serde(default)]
    pub default: bool,
    /// Whether it is switched on.
    #[serde(default = "super::yes")]
    pub enabled: bool,
    /// Whether people are made on their first sign-in.
    #[serde(default)]
    pub just_in_time: bool,
    /// By what people who exist already are linked on their first sign-in.
    #[serde(default)]
    pub link_by: LinkBy,
    /// Which claims hold names and address.
    #[serde(default)]
    pub claims: ClaimsSpec,
    /// Which groups it gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupsSpec>,
    /// What counts as how strong a sign-in; the registered values when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strengths: Option<Vec<StrengthRule>>,
    /// What every sign-in there counts as at least. More than `password` is a promise of yours: that the provider lets
    /// nobody in with less, though its answers do not say so.
    #[serde(default)]
    pub strength: Strength,
    /// OpenID Connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcSpec>,
    /// SAML 2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saml: Option<SamlSettings>,
}

/// Which claims hold a person's names and address. A name, or a path with dots.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimsSpec {
    /// The user name; `preferred_username` when left out (`email` for Google).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The e-mail address; `email` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name for people; `name` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// Which of a person's groups there are groups here.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupsSpec {
    /// The claim: a name, or a path with dots.
    #[serde(default = "groups_claim")]
    pub claim: String,
    /// Only values that begin like this are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_prefix: Option<String>,
    /// Taken off the front of a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strip_prefix: Option<String>,
    /// Value (prefix off) → group or role here, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// What a value means that `names` does not have.
    #[serde(default)]
    pub unlisted: Unlisted,
}

fn groups_claim() -> String {
    "groups".to_owned()
}

/// How people are signed in by OpenID Connect.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSpec {
    /// The provider's issuer, byte for byte as it names itself.
    pub issuer: String,
    /// Our client id there.
    pub client_id: String,
    /// How we prove ourselves there.
    #[serde(default)]
    pub client_auth: UpstreamAuth,
    /// Our client secret there; left out, it stays as it is. Written only, never shown. In a file write
    /// `client_secret_file`.
    #[serde(default, skip_serializing)]
    pub client_secret: Option<String>,
    /// What we ask for, space-separated; `openid profile email` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<String>,
    /// Accepted signature algorithms of its ID tokens.
    #[serde(default = "super::default_algorithms")]
    pub algorithms: Vec<String>,
    /// Whether claims are also taken from its userinfo endpoint.
    #[serde(default)]
    pub userinfo: bool,
    /// Whether it takes PKCE with S256 without announcing it; the product's way when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pkce_unannounced: Option<bool>,
    /// What happens when it leaves the groups out because there are too many.
    #[serde(default)]
    pub groups_overage: Overage,
    /// The public half of our key there (`private_key_jwt`). Made by us and shown; what is written here is not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<serde_json::Value>,
}

impl std::fmt::Debug for OidcSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcSpec")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
