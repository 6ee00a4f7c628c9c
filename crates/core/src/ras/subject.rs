//! Whose account an ID-JAG is about (RAS-JB-19; AL-01, AL-02, AL-04 to AL-07).
//!
//! Owns the lookup by (issuer, tenant claim, subject) or by our own id; e-mail and names are never looked at.

use lanyard_protocol::claims::id_jag::IdJagClaims;
use lanyard_protocol::claims::time::Subject;

use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::AccountId;
use crate::ras::account::{Account, AccountLink, AccountOrigin};
use crate::ras::denial::Denial;
use crate::store::account::AccountStore;
use crate::store::{StoreError, Tx};
use crate::trust::issuer::Trust;

/// Who was found, or may be made.
pub(super) enum Resolved {
    Known(Account),
    /// An account that the IdP named by our own id and that nobody is linked to yet (AL-02).
    Named(Account),
    /// The first redemption of this subject; written only once every check has passed.
    New,
}

pub(super) fn resolve(
    tx: &mut dyn AccountStore,
    trust: &Trust,
    id_jag: &IdJagClaims,
) -> Result<Result<Resolved, Denial>, StoreError> {
    let tenant_claim = trust.tenant_claim.as_deref();
    let linked = tx.find_linked_account(&trust.tenant, &trust.issuer, tenant_claim, &id_jag.sub)?;
    let resolved = match (linked, &id_jag.aud_sub) {
        (Some(account), Some(named)) if account.id.as_str() != named => return Ok(Err(Denial::LinkConflict)),
        (Some(account), _) => Resolved::Known(account),
        (None, Some(named)) => match find_named(tx, trust, named)? {
            Ok(account) => Resolved::Named(account),
            Err(denial) => return Ok(Err(denial)),
        },
        (None, None) if trust.just_in_time => return Ok(Ok(Resolved::New)),
        (None, None) => return Ok(Err(Denial::UnknownSubject)),
    };
    let (Resolved::Known(account) | Resolved::Named(account)) = &resolved else {
        return Ok(Ok(resolved));
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
    if id_jag
        .sid
        .as_ref()
        .is_some_and(|sid| account.ended_sessions.iter().any(|ended| ended.handle == *sid))
    {
        return Ok(Err(Denial::SessionEnded));
    }
    Ok(Ok(resolved))
}

/// The account of that id in the tenant of the trust record, if it is nobody's yet: an issuer cannot take over the
/// account of another one's person.
fn find_named(tx: &mut dyn AccountStore, trust: &Trust, named: &str) -> Result<Result<Account, Denial>, StoreError> {
    let Ok(id) = AccountId::parse(named) else {
        return Ok(Err(Denial::UnknownSubject));
    };
    let Some(account) = tx.find_account(&trust.tenant, &id)? else {
        return Ok(Err(Denial::UnknownSubject));
    };
    let free = tx.list_links(&trust.tenant, &id)?.is_empty();
    Ok(if free { Ok(account) } else { Err(Denial::LinkConflict) })
}

/// Writes an account and its link. Two first redemptions at once: one of them fails with a conflict and is rolled
/// back whole, its `jti` unused.
pub(super) fn provision(
    cx: &Cx,
    tx: &mut dyn Tx,
    trust: &Trust,
    subject: &Subject,
    not_before: Option<Timestamp>,
) -> Result<AccountId, StoreError> {
    let account = Account {
        id: cx.new_id(),
        tenant: trust.tenant.clone(),
        origin: AccountOrigin::JustInTime,
        enabled: true,
        not_before,
        ended_sessions: Vec::new(),
        created_at: cx.now,
    };
    tx.insert_account(&account)?;
    link(cx, tx, trust, subject, &account.id)?;
    Ok(account.id)
}

/// Links a subject to an account for good (AL-04).
pub(super) fn link(
    cx: &Cx,
    tx: &mut dyn Tx,
    trust: &Trust,
    subject: &Subject,
    account: &AccountId,
) -> Result<(), StoreError> {
    tx.insert_link(&AccountLink {
        tenant: trust.tenant.clone(),
        issuer: trust.issuer.clone(),
        issuer_tenant: trust.tenant_claim.clone(),
        subject: subject.clone(),
        account: account.clone(),
        linked_at: cx.now,
    })
}
