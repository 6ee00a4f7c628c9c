//! Typed identifiers: a prefix that tells the kind, and a time-ordered UUID (RFC 9562, version 7).
//!
//! Owns their syntax. Never makes one without a context (`Cx::new_id`).

use std::fmt;

use serde::{Deserialize, Serialize};

/// An identifier with a fixed prefix.
pub trait Id: Sized {
    /// The prefix with its underscore, `usr_`.
    const PREFIX: &'static str;

    /// Wraps a text that is known to be an identifier of this kind (from the store).
    fn from_stored(text: String) -> Self;
}

/// The text is not an identifier of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier that starts with {0}")]
pub struct InvalidId(&'static str);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses an identifier.
            ///
            /// # Errors
            /// [`InvalidId`] when the prefix differs or the rest is not 1 to 64 letters, digits, `-` or `_`.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                Self::try_from(text.into())
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Id for $name {
            const PREFIX: &'static str = $prefix;

            fn from_stored(text: String) -> Self {
                Self(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                let rest = text.strip_prefix($prefix).ok_or(InvalidId($prefix))?;
                let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
                if rest.is_empty() || rest.len() > 64 || !rest.bytes().all(good) {
                    return Err(InvalidId($prefix));
                }
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A person in the directory of the IdP.
    UserId = "usr_";
    /// A group or role.
    GroupId = "grp_";
    /// A client record; its OAuth `client_id` is a different thing.
    ClientKey = "cli_";
    /// A client secret.
    SecretId = "sec_";
    /// An approved MCP server.
    ConnectorId = "con_";
    /// A RAS as the IdP knows it.
    AudienceId = "aud_";
    /// A trusted issuer of the RAS.
    TrustId = "tru_";
    /// A customer of the RAS.
    TenantId = "ten_";
    /// A policy rule of the IdP.
    RuleId = "rul_";
    /// A browser session at the IdP.
    SessionId = "ses_";
    /// A passkey.
    PasskeyId = "pky_";
    /// A refresh token family.
    FamilyId = "fam_";
    /// A local account of the RAS; the `sub` of its access tokens.
    AccountId = "acct_";
    /// A configured upstream identity provider.
    ConnectionId = "conn_";
    /// A provisioning client (SCIM) and what it provisioned.
    DirectoryId = "dir_";
    /// A bearer token of a directory.
    DirectoryTokenId = "dtk_";
    /// A registered agent.
    AgentId = "agt_";
    /// An administrator token.
    AdminTokenId = "adm_";
    /// An audit event.
    EventId = "evt_";
    /// A background job.
    JobId = "job_";
    /// One request, as told to the caller.
    RequestId = "req_";
}
