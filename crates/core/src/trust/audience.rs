//! A RAS as the IdP knows it, and the client-id mapping towards it (MT-09).

use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;

use crate::client::registration::SubjectMode;
use crate::clock::Timestamp;
use crate::id::{AudienceId, ClientKey};

/// A RAS for which the IdP issues ID-JAGs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Server-made.
    pub id: AudienceId,
    /// The canonical issuer identifier; always stamped into `aud` (D-07).
    pub issuer: Issuer,
    /// For people.
    pub name: String,
    /// Which `sub` it sees (IDP-MN-03).
    pub subject_mode: SubjectMode,
    /// Its tenant for us, put into `aud_tenant` (MT-06).
    pub aud_tenant: Option<String>,
    /// Whether an ID-JAG without `resource` may be issued when several resources exist (IDP-TX-07).
    pub allow_missing_resource: bool,
    /// Lifetime of ID-JAGs in seconds; 300 by default (D-18).
    pub id_jag_ttl_seconds: i64,
    /// Switched off: nothing is issued for it.
    pub enabled: bool,
    /// Grows with every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A client of the IdP and its id at a RAS. Operator-set only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientMapping {
    /// The client at the IdP.
    pub client: ClientKey,
    /// The RAS.
    pub audience: AudienceId,
    /// Its id there, stamped into the ID-JAG (IDP-MN-02).
    pub ras_client_id: ClientId,
}
