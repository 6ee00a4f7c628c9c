//! An issuer that the RAS trusts, for one tenant (MT-07).

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::JwkSet;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{TenantId, TrustId};

/// A customer of the RAS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Server-made.
    pub id: TenantId,
    /// Unique, for people.
    pub name: String,
    /// Whether the interactive fallback is closed (RAS-AC-02); always true at this stage.
    pub managed_only: bool,
    /// When the record was made.
    pub created_at: Timestamp,
}

/// The trust record. An issuer is trusted by at most one record per tenant claim.
#[derive(Debug, Clone, PartialEq)]
pub struct Trust {
    /// Server-made.
    pub id: TrustId,
    /// The tenant whose accounts the issuer asserts. From this row, never from a claim.
    pub tenant: TenantId,
    /// The issuer.
    pub issuer: Issuer,
    /// The `tenant` claim it must carry when the issuer is shared (MT-03).
    pub tenant_claim: Option<String>,
    /// Where its keys are.
    pub keys: TrustKeys,
    /// Algorithms accepted (RAS-JB-05).
    pub algorithms: Vec<Algorithm>,
    /// Clients that may redeem its grants.
    pub clients: Allowed<ClientId>,
    /// Resources its grants may name.
    pub resources: Allowed<ResourceId>,
    /// A ceiling on scopes; `None` is no ceiling beyond the resource's own.
    pub scopes: Option<ScopeSet>,
    /// Longest accepted `exp - iat` in seconds; 600 by default (D-18).
    pub max_id_jag_ttl_seconds: i64,
    /// Lifetime of access tokens in seconds; 600 by default (RAS-AT-04).
    pub access_token_ttl_seconds: i64,
    /// What a narrower request means (D-04).
    pub scope_rule: ScopeRule,
    /// Whether unknown subjects get an account (AL-05).
    pub just_in_time: bool,
    /// The `aud_tenant` that must not disagree (MT-06).
    pub aud_tenant: Option<String>,
    /// Switched off: nothing is redeemed.
    pub enabled: bool,
    /// Grows with every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Where the keys of a trusted issuer are (MD-KEY-03).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrustKeys {
    /// Fetched from here.
    JwksUri(String),
    /// Written into the record.
    Static(JwkSet),
}

/// Everything, or a list. An empty list allows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed<T> {
    /// No limit from this record.
    All,
    /// Only these.
    Only(Vec<T>),
}

impl<T: PartialEq> Allowed<T> {
    /// Whether `value` is allowed.
    pub fn allows(&self, value: &T) -> bool {
        match self {
            Self::All => true,
            Self::Only(values) => values.contains(value),
        }
    }
}

/// What happens when the redemption asks for fewer scopes than the ID-JAG holds (D-04).
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeRule {
    /// `invalid_grant`.
    #[default]
    Strict,
    /// The intersection is issued.
    Downscope,
}
