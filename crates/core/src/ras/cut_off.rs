//! Ending access that was granted before (RV-03, SEC-18, P7).
//!
//! Owns which tokens die and what gateways are told. Never decides that somebody is to be cut off.
//!
//! Every function is written with the reserve and answers with the position in the revocation feed: the act is done for
//! a process once its view has reached that position.

use std::time::Duration;

use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::gateway::Revoked;
use lanyard_protocol::issuer::Issuer;

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::registration::Side;
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::{AccountId, TenantId};
use crate::ras::account::EndedSession;
use crate::ras::native_key;
use crate::ras::settings::RasSettings;
use crate::ras::subject::provision;
use crate::store::page::PageRequest;
use crate::store::{StoreError, Tx};

/// The longest that a trust record lets an ID-JAG live.
const LONGEST_ID_JAG: Duration = Duration::from_secs(3600);

/// What a cut-off did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CutOff {
    /// Accounts found.
    pub accounts: u64,
    /// Live tokens revoked.
    pub tokens: u64,
    /// Keys of native clients removed.
    pub keys: u64,
    /// The position in the revocation feed to wait for; `None` when gateways need not hear of it.
    pub sequence: Option<i64>,
}

/// When an entry of the feed has no effect any more: every token it could hit is expired.
pub(crate) fn keep_until(settings: &RasSettings, issued_until: Timestamp) -> Timestamp {
    issued_until
        .plus(settings.max_access_token_ttl)
        .plus(settings.leeway)
        .plus(Duration::from_secs(60))
}

/// Ends everything that (issuer, subject) has at this RAS: every token issued until now, every ID-JAG minted up to
/// `not_after`, and the keys the person enrolled. May be repeated.
///
/// # Errors
/// [`StoreError`].
pub fn revoke_subject(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &RasSettings,
    issuer: &Issuer,
    subject: &Subject,
    not_after: Timestamp,
) -> Result<CutOff, StoreError> {
    let mut done = CutOff {
        keys: native_key::remove_for_subject(tx, issuer, subject)?,
        ..CutOff::default()
    };
    remember_unknown(cx, tx, issuer, subject, Some(not_after))?;
    for account in tx.list_accounts_of_subject(issuer, subject)? {
        tx.raise_account_not_before(&account.tenant, &account.id, not_after)?;
        done.tokens += tx.revoke_grants_of_account(&account.tenant, &account.id, cx.now)?;
        done.sequence = Some(announce(cx, tx, settings, &account.id)?);
        done.accounts += 1;
    }
    let event = NewEvent::granted("ras.subject.cut_off")
        .actor(Actor::System("worker".to_owned()))
        .subject(format!("{issuer}|{subject}"))
        .detail("accounts", done.accounts)
        .detail("tokens", done.tokens)
        .detail("keys", done.keys)
        .detail("not_after", not_after.to_string());
    record(cx, tx, event)?;
    Ok(done)
}

/// Ends what (issuer, subject) has at this RAS in one session: every live token of it, and what an ID-JAG of it could buy.
/// Everything else of the person stays. May be repeated.
///
/// # Errors
/// [`StoreError`].
pub fn revoke_session(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &RasSettings,
    issuer: &Issuer,
    subject: &Subject,
    session: &str,
) -> Result<CutOff, StoreError> {
    let mut done = CutOff::default();
    remember_unknown(cx, tx, issuer, subject, None)?;
    for mut account in tx.list_accounts_of_subject(issuer, subject)? {
        let ended = &mut account.ended_sessions;
        ended.retain(|own| own.keep_until >= cx.now.seconds() && own.handle != session);
        ended.push(EndedSession {
            handle: session.to_owned(),
            keep_until: cx.now.plus(LONGEST_ID_JAG).plus(settings.leeway).seconds(),
        });
        tx.put_ended_sessions(&account.tenant, &account.id, ended)?;
        for jti in tx.revoke_grants_of_session(&account.tenant, &account.id, session, cx.now)? {
            let revoked = Revoked::Token {
                issuer: settings.issuer.clone(),
                jti,
            };
            done.sequence = Some(tx.append_revocation(&revoked, cx.now, keep_until(settings, cx.now))?);
            done.tokens += 1;
        }
        done.accounts += 1;
    }
    let event = NewEvent::granted("ras.session.cut_off")
        .actor(Actor::System("worker".to_owned()))
        .subject(format!("{issuer}|{subject}"))
        .detail("accounts", done.accounts)
        .detail("tokens", done.tokens);
    record(cx, tx, event)?;
    Ok(done)
}

/// An ID-JAG minted before the cut-off must not make the account that the person never had: where accounts are made at
/// the first redemption, the moment is remembered in one.
fn remember_unknown(
    cx: &Cx,
    tx: &mut dyn Tx,
    issuer: &Issuer,
    subject: &Subject,
    not_after: Option<Timestamp>,
) -> Result<(), StoreError> {
    for trust in tx.list_trusts_of_issuer(issuer)? {
        let claim = trust.tenant_claim.as_deref();
        if trust.just_in_time && tx.find_linked_account(&trust.tenant, issuer, claim, subject)?.is_none() {
            provision(cx, tx, &trust, subject, not_after)?;
        }
    }
    Ok(())
}

/// Ends one account's tokens, by an administrator of the RAS (SEC-18).
///
/// # Errors
/// [`StoreError`].
pub fn revoke_account(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &RasSettings,
    actor: Actor,
    tenant: &TenantId,
    account: &AccountId,
) -> Result<CutOff, StoreError> {
    tx.raise_account_not_before(tenant, account, cx.now)?;
    let tokens = tx.revoke_grants_of_account(tenant, account, cx.now)?;
    let sequence = Some(announce(cx, tx, settings, account)?);
    let event = NewEvent::granted("ras.account.cut_off")
        .actor(actor)
        .target(account.as_str())
        .tenant(tenant);
    record(cx, tx, event.detail("tokens", tokens))?;
    Ok(CutOff {
        accounts: 1,
        tokens,
        keys: 0,
        sequence,
    })
}

/// Ends a client's tokens: when it is switched off, its agent is stopped, or its credentials are lost. An ID-JAG that is
/// on its way buys nothing either.
///
/// # Errors
/// [`StoreError`].
pub fn revoke_client(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &RasSettings,
    actor: Actor,
    client_id: &ClientId,
) -> Result<CutOff, StoreError> {
    tx.raise_client_not_before(Side::Ras, client_id, cx.now)?;
    let tokens = tx.revoke_grants_of_client(client_id, cx.now)?;
    let revoked = Revoked::Client {
        issuer: settings.issuer.clone(),
        client_id: client_id.as_str().to_owned(),
        not_after: cx.now.seconds(),
    };
    let sequence = tx.append_revocation(&revoked, cx.now, keep_until(settings, cx.now))?;
    let event = NewEvent::granted("ras.client.cut_off")
        .actor(actor)
        .client(client_id)
        .target(client_id.as_str());
    record(cx, tx, event.detail("tokens", tokens))?;
    Ok(CutOff {
        accounts: 0,
        tokens,
        keys: 0,
        sequence: Some(sequence),
    })
}

/// Ends every live token that stands on an issuer's word: when its trust is withdrawn (SEC-18). Reads the live tokens
/// page by page; for an incident, not for every day.
///
/// # Errors
/// [`StoreError`].
pub fn revoke_issuer(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &RasSettings,
    actor: Actor,
    issuer: &Issuer,
) -> Result<CutOff, StoreError> {
    let mut done = CutOff::default();
    let mut hit: Vec<(TenantId, AccountId)> = Vec::new();
    let mut page = PageRequest::new(None, PageRequest::MAX);
    loop {
        let live = tx.list_live_grants(cx.now, &page)?;
        for grant in live.items {
            let account = (grant.tenant, grant.account);
            if grant.issuer == *issuer && !hit.contains(&account) {
                hit.push(account);
            }
        }
        match live.next {
            Some(next) => page = PageRequest::new(Some(next), PageRequest::MAX),
            None => break,
        }
    }
    for (tenant, account) in hit {
        tx.raise_account_not_before(&tenant, &account, cx.now)?;
        done.tokens += tx.revoke_grants_of_account(&tenant, &account, cx.now)?;
        done.sequence = Some(announce(cx, tx, settings, &account)?);
        done.accounts += 1;
    }
    let event = NewEvent::granted("ras.issuer.cut_off")
        .actor(actor)
        .target(issuer.as_str());
    record(
        cx,
        tx,
        event.detail("accounts", done.accounts).detail("tokens", done.tokens),
    )?;
    Ok(done)
}

/// Up to now, not up to the moment at the IdP: between the two an older ID-JAG may have bought another token.
fn announce(cx: &Cx, tx: &mut dyn Tx, settings: &RasSettings, account: &AccountId) -> Result<i64, StoreError> {
    let revoked = Revoked::Subject {
        issuer: settings.issuer.clone(),
        subject: account.as_str().to_owned(),
        not_after: cx.now.seconds(),
    };
    tx.append_revocation(&revoked, cx.now, keep_until(settings, cx.now))
}
