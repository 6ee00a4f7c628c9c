//! Claims of an Identity Assertion JWT Authorization Grant (ID-JAG draft, section 3.1).
//!
//! Owns their JSON types. Never checks their values against a context.

use serde::{Deserialize, Serialize};

use crate::audience::OneOrMany;
use crate::claims::present;
use crate::claims::time::{NumericDate, Subject, TokenId};
use crate::client_id::ClientId;
use crate::issuer::Issuer;
use crate::scope::ScopeSet;

/// The `typ` of an ID-JAG (ID-JAG draft, section 3.1; TOK-JG-01).
pub const TYP: &str = "oauth-id-jag+jwt";

/// What an ID-JAG says. Absent and malformed are different: a member of a wrong type, also
/// `null`, refuses the whole token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdJagClaims {
    /// The IdP that issued the grant.
    pub iss: Issuer,
    /// The user, as this IdP would name them in an ID token for the RAS (IDP-MN-03).
    pub sub: Subject,
    /// The RAS; exactly one (RAS-JB-08).
    pub aud: OneOrMany<String>,
    /// The client's id **at the RAS** (IDP-MN-02).
    pub client_id: ClientId,
    /// Unique per issuer; redeemed once (D-03).
    pub jti: TokenId,
    /// Expiry.
    pub exp: NumericDate,
    /// Time of issue.
    pub iat: NumericDate,
    /// Not valid before, when present.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub nbf: Option<NumericDate>,
    /// The resource or resources the grant is for (RFC 8707).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub resource: Option<OneOrMany<String>>,
    /// The scopes granted, one space-separated string, never an array.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeSet>,
    /// Rich authorization details; refused by this RAS until it supports them.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<serde_json::Value>,
    /// Tenant of a shared IdP issuer (MT-03).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Tenant at the RAS (MT-06).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub aud_tenant: Option<String>,
    /// The user's id at the RAS (AL-02).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub aud_sub: Option<String>,
    /// When the user signed in.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<NumericDate>,
    /// Authentication context class reached.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Authentication methods used (RFC 8176).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub amr: Option<Vec<String>>,
    /// Only for linking, off by default (D-13).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Proof-of-possession key (RFC 7800).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub cnf: Option<serde_json::Value>,
    /// Session handle for session-level revocation, different per RAS.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn claims() -> Value {
        json!({
            "iss": "https://idp.example", "sub": "alice", "aud": "https://ras.example", "client_id": "agent",
            "jti": "j1", "exp": 1_789_387_500, "iat": 1_789_387_200,
        })
    }

    #[test]
    fn an_absent_claim_is_absent_and_null_is_malformed_ras_jb_09() {
        let read = |claims: Value| serde_json::from_value::<IdJagClaims>(claims);
        let least = read(claims()).unwrap();
        assert_eq!((&least.resource, &least.scope, &least.cnf), (&None, &None, &None));
        for optional in [
            "nbf",
            "resource",
            "scope",
            "authorization_details",
            "tenant",
            "aud_tenant",
            "aud_sub",
            "auth_time",
            "acr",
            "amr",
            "email",
            "cnf",
            "sid",
        ] {
            let mut with_null = claims();
            with_null[optional] = Value::Null;
            assert!(read(with_null).is_err(), "{optional}");
        }
    }
}
