//! What was authorised by a redemption: the record behind one access token (RAS-AT-05).

use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;

use crate::clock::Timestamp;
use crate::id::{AccountId, TenantId};

/// The record of an issued access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessGrant {
    /// The token's `jti`; unique.
    pub jti: String,
    /// Tenant.
    pub tenant: TenantId,
    /// Account.
    pub account: AccountId,
    /// Redeeming client.
    pub client_id: ClientId,
    /// Resource granted.
    pub resource: ResourceId,
    /// Scopes granted.
    pub scope: ScopeSet,
    /// The IdP that asserted the subject.
    pub issuer: Issuer,
    /// Its `sub`.
    pub subject: Subject,
    /// The ID-JAG's `jti`.
    pub id_jag_jti: String,
    /// Session handle of the ID-JAG, if any.
    pub sid: Option<String>,
    /// When the user signed in.
    pub auth_time: Option<i64>,
    /// Authentication context class, copied (SU-07).
    pub acr: Option<String>,
    /// Methods, copied.
    pub amr: Option<Vec<String>>,
    /// When the token was issued.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}
