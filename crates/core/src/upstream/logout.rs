//! A logout that an OpenID provider tells us of (OpenID Connect Back-Channel Logout, sections 2.6 and 2.7; RV-06).
//!
//! Owns which sessions end, and that a logout token is taken once. Never verifies what the provider signed: the caller
//! did. A provider ends sessions that it began, and no others.

use std::time::Duration;

use lanyard_protocol::claims::logout_token::LogoutTokenClaims;
use lanyard_protocol::issuer::Issuer;

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::UserId;
use crate::idp::logout::end_everywhere;
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::session::record::Session;
use crate::store::page::PageRequest;
use crate::store::replay::ReplayKind;
use crate::store::{StoreError, Tx};
use crate::upstream::connection::{Connection, Kind};
use crate::upstream::sign_in::refused;

/// How old a logout token may be, whatever end it names: the specification advises two minutes.
pub const MAX_AGE: Duration = Duration::from_secs(600);

/// Why a verified logout token ends nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogoutDenial {
    /// The connection was changed, switched off or removed while the token was being verified.
    #[error("the identity provider was changed or switched off meanwhile")]
    ConnectionChanged,
    /// Issued too long ago.
    #[error("the logout token was issued more than ten minutes ago")]
    TooOld,
    /// It names a person only, and this product's people are known here by other claims than `sub`.
    #[error("the logout token names no session, and people of this provider are not known here by sub")]
    SessionMissing,
    /// It was taken before.
    #[error("the logout token was used before")]
    Replayed,
}

impl LogoutDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ConnectionChanged => "connection_changed",
            Self::TooOld => "logout_token_too_old",
            Self::SessionMissing => "logout_token_without_session",
            Self::Replayed => "logout_token_replayed",
        }
    }
}

/// Ends the sessions that a verified logout token names, with everything issued in them; how many. None is no failure:
/// they may have ended before (section 2.7). Written with the reserve.
///
/// # Errors
/// [`StoreError`].
pub fn end_sessions(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    issuer: &Issuer,
    connection: &Connection,
    token: &LogoutTokenClaims,
    leeway: Duration,
) -> Result<Outcome<u64, LogoutDenial>, StoreError> {
    let named = match named(cx, tx, connection, token, leeway)? {
        Ok(named) => named,
        Err(denial) => {
            record_refusal(cx, tx, &connection.name, denial.code(), &denial.to_string())?;
            return Ok(Outcome::Denied(denial));
        }
    };
    let by = Actor::System(format!("connection {}", connection.name));
    let mut ended = 0;
    for session in named {
        ended += u64::from(end_everywhere(cx, tx, vault, issuer, &session, by.clone())?);
    }
    let event = NewEvent::granted("idp.upstream_logout.accepted")
        .actor(by)
        .target(connection.id.as_str())
        .detail("connection", connection.name.as_str())
        .detail("named", if token.sid.is_some() { "session" } else { "person" })
        .detail("sessions", ended);
    record(cx, tx, event)?;
    Ok(Outcome::Granted(ended))
}

/// Records a logout token that was refused before there was anything to decide. `check` is the exact check that failed.
///
/// # Errors
/// [`StoreError`].
pub fn record_refusal(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &str,
    check: &'static str,
    why: &str,
) -> Result<(), StoreError> {
    refused(cx, tx, "idp.upstream_logout.refused", connection, (check, why))
}

fn named(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &Connection,
    token: &LogoutTokenClaims,
    leeway: Duration,
) -> Result<Result<Vec<Session>, LogoutDenial>, StoreError> {
    let current = tx.find_connection(&connection.id)?;
    if current.is_none_or(|current| !current.enabled || current.version != connection.version) {
        return Ok(Err(LogoutDenial::ConnectionChanged));
    }
    let old_at = Timestamp::from_seconds(token.iat.seconds()).plus(MAX_AGE).plus(leeway);
    if cx.now >= old_at {
        return Ok(Err(LogoutDenial::TooOld));
    }
    let known_by_sub = connection.preset.quirks().subject.is_empty();
    if token.sid.is_none() && !known_by_sub {
        return Ok(Err(LogoutDenial::SessionMissing));
    }
    let over_at = Timestamp::from_seconds(token.exp.seconds()).plus(leeway).min(old_at);
    let by = match &connection.kind {
        Kind::Oidc(settings) => settings.issuer.as_str(),
        Kind::Saml(settings) => settings.entity_id.as_str(),
    };
    if !tx.record_use("idp", ReplayKind::LogoutToken, by, token.jti.as_str(), over_at)? {
        return Ok(Err(LogoutDenial::Replayed));
    }
    // A session identifier says exactly which; the person beside it adds nothing.
    if let Some(sid) = &token.sid {
        return tx.list_sessions_of_upstream(&connection.id, sid).map(Ok);
    }
    let link = match &token.sub {
        Some(subject) => tx.find_person_link(&connection.id, subject.as_str())?,
        None => None,
    };
    match link {
        Some(link) => begun_there(tx, connection, &link.user).map(Ok),
        None => Ok(Ok(Vec::new())),
    }
}

/// A person's open sessions that began at this provider.
fn begun_there(tx: &mut dyn Tx, connection: &Connection, user: &UserId) -> Result<Vec<Session>, StoreError> {
    let mut found = Vec::new();
    let mut page = PageRequest::new(None, PageRequest::MAX);
    loop {
        let sessions = tx.list_sessions_of(user, &page)?;
        found.extend(
            sessions
                .items
                .into_iter()
                .filter(|session| session.ended_at.is_none() && session.connection.as_ref() == Some(&connection.id)),
        );
        match sessions.next {
            Some(next) => page.after = Some(next),
            None => return Ok(found),
        }
    }
}
