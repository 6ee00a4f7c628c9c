//! The settings of an OpenID Connect connection.
//!
//! Owns what an operator may choose about the protocol, and each product's quirks. Never fetches anything.

use lanyard_jose::algorithm::Algorithm;
use lanyard_protocol::issuer::Issuer;
use serde::{Deserialize, Serialize};

use crate::upstream::connection::Preset;

/// How we sign people in at an OpenID provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcSettings {
    /// Its issuer, byte for byte as its metadata and tokens name it.
    pub issuer: Issuer,
    /// Our client id there.
    pub client_id: String,
    /// How we prove ourselves at its token endpoint.
    pub client_auth: UpstreamAuth,
    /// What we ask for, `openid` among it.
    pub scopes: Vec<String>,
    /// Accepted signature algorithms of its ID tokens.
    pub algorithms: Vec<Algorithm>,
    /// Whether claims are also taken from its userinfo endpoint.
    pub userinfo: bool,
    /// Whether it is known to take PKCE with S256 although its metadata does not say so (CL-SS-01).
    pub pkce_unannounced: bool,
    /// What happens when it leaves a person's groups out because there are too many.
    pub groups_overage: Overage,
    /// The key of `private_key_jwt`, public half as a JWK.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<serde_json::Value>,
}

/// How we authenticate at an upstream's token endpoint.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamAuth {
    /// A secret in the `Authorization` header.
    #[default]
    ClientSecretBasic,
    /// A secret in the body.
    ClientSecretPost,
    /// An assertion signed with a key of ours.
    PrivateKeyJwt,
}

impl UpstreamAuth {
    /// The registered name (RFC 7591, section 2).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

/// What happens to a sign-in whose token names no groups because there are too many for it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overage {
    /// It is refused: a person with unknown groups is let in nowhere.
    #[default]
    Refuse,
    /// The person keeps the groups of the last sign-in, and the audit log says so.
    Keep,
}

/// What a product does its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// The scopes asked for when the operator names none.
    pub scopes: &'static [&'static str],
    /// The claim with the user name when the operator names none.
    pub username: &'static str,
    /// Takes PKCE without announcing it.
    pub pkce_unannounced: bool,
    /// The subject is made of these claims instead of `sub`.
    pub subject: &'static [&'static str],
    /// The organisation must be named by the `hd` claim.
    pub hosted_domain: bool,
    /// An `email` is the person's own text, whatever `email_verified` says (nOAuth).
    pub email_untrusted: bool,
    /// The `prompt` values it takes, the one that asks most of the person first; any other may be an error there.
    pub prompts: &'static [&'static str],
}

impl Quirks {
    /// What to send for a `prompt` that is wished for: the same, or what comes nearest.
    pub fn prompt(&self, wished: &str) -> Option<&'static str> {
        let same = self.prompts.iter().find(|known| **known == wished);
        same.or_else(|| self.prompts.first()).copied()
    }
}

impl Preset {
    /// The quirks of the product.
    pub const fn quirks(self) -> Quirks {
        const PLAIN: Quirks = Quirks {
            scopes: &["openid", "profile", "email"],
            username: "preferred_username",
            pkce_unannounced: false,
            subject: &[],
            hosted_domain: false,
            email_untrusted: false,
            prompts: &["login"],
        };
        match self {
            Self::Plain | Self::Keycloak | Self::Ping | Self::Okta => PLAIN,
            // The discovery document of Entra names no challenge methods, and `sub` differs per application; the
            // manual names `oid` with `tid` as the identifier that stays.
            Self::Entra => Quirks {
                pkce_unannounced: true,
                subject: &["tid", "oid"],
                email_untrusted: true,
                prompts: &["login", "select_account"],
                ..PLAIN
            },
            Self::Google => Quirks {
                username: "email",
                hosted_domain: true,
                prompts: &["select_account"],
                ..PLAIN
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_is_asked_only_for_what_it_takes() {
        for (preset, login, choice) in [
            (Preset::Plain, "login", "login"),
            (Preset::Entra, "login", "select_account"),
            (Preset::Google, "select_account", "select_account"),
        ] {
            let quirks = preset.quirks();
            assert_eq!(quirks.prompt("login"), Some(login));
            assert_eq!(quirks.prompt("select_account"), Some(choice));
        }
    }
}
