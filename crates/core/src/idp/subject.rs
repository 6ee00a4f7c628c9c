//! Which identifier of a person each party sees.
//!
//! Owns the sectors (OpenID Connect Core, section 8.1; IDP-MN-03). Never finds a person by an identifier.

use lanyard_protocol::claims::time::Subject;

use crate::client::registration::{Client, SubjectMode};
use crate::id::UserId;
use crate::keys::vault::Vault;
use crate::store::StoreError;
use crate::trust::audience::Audience;

/// The `sub` of a person's ID tokens for this client.
///
/// # Errors
/// [`StoreError::Corrupt`] when the stored id is not a subject.
pub fn for_client(vault: &Vault, client: &Client, user: &UserId) -> Result<Subject, StoreError> {
    of(vault, client.subject_mode, client.client_id.as_str(), user)
}

/// The `sub` of a person's ID-JAGs for this RAS: what an ID token for the RAS would carry.
///
/// # Errors
/// [`StoreError::Corrupt`] when the stored id is not a subject.
pub fn for_audience(vault: &Vault, audience: &Audience, user: &UserId) -> Result<Subject, StoreError> {
    of(vault, audience.subject_mode, audience.issuer.as_str(), user)
}

fn of(vault: &Vault, mode: SubjectMode, sector: &str, user: &UserId) -> Result<Subject, StoreError> {
    match mode {
        SubjectMode::Pairwise => Ok(vault.pairwise(sector, user)),
        SubjectMode::Public => {
            Subject::parse(user.as_str()).map_err(|_| StoreError::Corrupt(format!("the user id {user}")))
        }
    }
}
