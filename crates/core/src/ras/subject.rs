//! Whose account an ID-JAG is about (RAS-JB-19; AL-01, AL-04 to AL-07).
//!
//! Owns the lookup by (issuer, tenant claim, subject) and nothing else: e-mail and names are never looked at.

use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::AccountId;
use crate::ras::account::{Account, AccountLink, AccountOrigin};
use crate::ras::denial::Denial;
use crate::store::account::AccountStore;
use crate::store::{StoreError, Tx};
use crate::trust::issuer::Trust;
use lanyard_protocol::claims::id_jag::IdJagClaims;

/// Who was found, or may be made.
pub(super) enum Resolved {
    Known(Account),
    /// The first redemption of this subject; written only once every check has passed.
    New,
}

pub(super) fn resolve(
    tx: &mut dyn AccountStore,
    trust: &Trust,
    id_jag: &IdJagClaims,
) -> Result<Result<Resolved, Denial>, StoreError> {
    let tenant_claim = trust.tenant_claim.as_deref();
    let found = tx.find_linked_account(&trust.tenant, &trust.issuer, tenant_claim, &id_jag.sub)?;
    let Some(account) = found else {
        return Ok(if trust.just_in_time {
            Ok(Resolved::New)
        } else {
            Err(Denial::UnknownSubject)
        });
    };
    if !account.enabled {
        return Ok(Err(Denial::AccountDisabled));
    }
    if account
        .not_before
        .is_some_and(|not_before| id_jag.iat.seconds() <= not_before.seconds())
    {
        return Ok(Err(Denial::CutOff));
    }
    Ok(Ok(Resolved::Known(account)))
}

/// Writes an account and its link. Two first redemptions at once: one of them fails with a conflict and is rolled
/// back whole, its `jti` unused.
pub(super) fn provision(
    cx: &Cx,
    tx: &mut dyn Tx,
    trust: &Trust,
    subject: &lanyard_protocol::claims::time::Subject,
    not_before: Option<Timestamp>,
) -> Result<AccountId, StoreError> {
    let account = Account {
        id: cx.new_id(),
        tenant: trust.tenant.clone(),
        origin: AccountOrigin::JustInTime,
        enabled: true,
        not_before,
        created_at: cx.now,
    };
    tx.insert_account(&account)?;
    tx.insert_link(&AccountLink {
        tenant: trust.tenant.clone(),
        issuer: trust.issuer.clone(),
        issuer_tenant: trust.tenant_claim.clone(),
        subject: subject.clone(),
        account: account.id.clone(),
        linked_at: cx.now,
    })?;
    Ok(account.id)
}
