//! What the log says about one person, under every name they have in it.
//!
//! Owns the names. Never reads more of the log than a page asks for.

use lanyard_protocol::issuer::Issuer;

use crate::directory::user::User;
use crate::keys::vault::Vault;
use crate::store::audit::{AuditFilter, StoredEvent};
use crate::store::page::PageRequest;
use crate::store::{StoreError, Tx};

/// The subjects under which a person stands in the log: the id at the IdP, `issuer|sub` at each RAS, and the accounts at
/// our own RAS, as gateways know them.
///
/// # Errors
/// [`StoreError`].
pub fn subjects(
    tx: &mut dyn Tx,
    vault: &Vault,
    idp: Option<&Issuer>,
    ras: Option<&Issuer>,
    user: &User,
) -> Result<Vec<String>, StoreError> {
    let mut names = vec![user.id.to_string()];
    let Some(idp) = idp else { return Ok(names) };
    for audience in tx.list_audiences()? {
        let subject = vault.subject_for_audience(&audience, &user.id);
        names.push(format!("{idp}|{subject}"));
        if ras == Some(&audience.issuer) {
            for account in tx.list_accounts_of_subject(idp, &subject)? {
                names.push(format!("{}|{}", audience.issuer, account.id));
            }
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// One page of the events of any of these subjects, newest first.
///
/// # Errors
/// [`StoreError`].
pub fn events(
    tx: &mut dyn Tx,
    subjects: &[String],
    filter: &AuditFilter,
    page: &PageRequest,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut found = Vec::new();
    for subject in subjects {
        let own = AuditFilter {
            subject: Some(subject.clone()),
            ..filter.clone()
        };
        found.extend(tx.list_events(&own, page)?);
    }
    found.sort_by_key(|event| std::cmp::Reverse(event.position));
    found.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
    Ok(found)
}
