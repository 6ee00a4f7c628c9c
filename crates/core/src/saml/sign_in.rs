//! The answer to a sign-in at a SAML identity provider (SAML Profiles, section 4.1).
//!
//! Owns the unit in which an answer arrives: the attempt it belongs to, the conditions, single use. Never reads XML, and
//! never lets anybody in: the browser has to come back first (`waiting.rs`, `upstream/sign_in.rs`).

use std::time::Duration;

use lanyard_jose::digest::sha256;
use lanyard_protocol::issuer::Issuer;

use crate::cx::Cx;
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::saml::accept::{Accepted, Expected, Request, accept};
use crate::saml::asserted::asserted;
use crate::saml::assertion::Assertion;
use crate::saml::denial::SamlDenial;
use crate::saml::waiting::{self, TurnedAway, Waiting};
use crate::store::replay::ReplayKind;
use crate::store::{StoreError, Tx};
use crate::upstream::attempt::{Purpose, SignInAttempt};
use crate::upstream::connection::{Connection, Kind};
use crate::upstream::resolve::Asserted;
use crate::upstream::saml::{self, SamlSettings};
use crate::upstream::sign_in::record_failure;

/// How far the clock of an identity provider may differ (SAML-06).
const SKEW: Duration = Duration::from_secs(60);

/// An answer whose signatures fit the certificates of its connection, with what it says around the assertion.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The connection as it was then.
    pub connection: Connection,
    /// Who the response says made it.
    pub issuer: Option<String>,
    /// Where the response says it belongs.
    pub destination: Option<String>,
    /// What was signed.
    pub assertion: Assertion,
}

/// An answer that led to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub denial: SamlDenial,
    /// Whether the browser that began the sign-in is told when it comes back.
    pub waits: bool,
}

/// Takes an answer in for the attempt of `handle`, the RelayState that came with it: it waits for the browser from then
/// on. Recorded when it is refused.
///
/// # Errors
/// [`StoreError`].
pub fn arrive(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    issuer: &Issuer,
    answer: &Answer,
    handle: &str,
) -> Result<Outcome<(), Refused>, StoreError> {
    let decided = match find_open(cx, tx, vault, &answer.connection, handle)? {
        None => Err(SamlDenial::Unsolicited),
        Some(attempt) => judge(cx, issuer, answer, Request::Ours(&attempt.nonce)).map(|judged| (attempt, judged)),
    };
    let denial = match decided {
        Ok((attempt, (asserted, accepted))) => {
            if consume(tx, answer, &accepted)? {
                wait(tx, vault, &attempt, &Waiting::Asserted(asserted))?;
                return Ok(Outcome::Granted(()));
            }
            SamlDenial::Replayed
        }
        Err(denial) => denial,
    };
    turn_away(cx, tx, vault, &answer.connection, (Some(handle), denial), true).map(Outcome::Denied)
}

/// Refuses an answer. The attempt of its handle, when there is one, is not used up: the browser is told when it comes
/// back, unless a better answer came first. Recorded when it is worth it.
///
/// # Errors
/// [`StoreError`].
pub fn turn_away(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    connection: &Connection,
    (handle, denial): (Option<&str>, SamlDenial),
    recorded: bool,
) -> Result<Refused, StoreError> {
    if recorded {
        record_failure(cx, tx, &connection.name, denial.code(), &denial.to_string())?;
    }
    let attempt = match handle {
        Some(handle) => find_open(cx, tx, vault, connection, handle)?,
        None => None,
    };
    if let Some(attempt) = &attempt {
        let refused = TurnedAway::of(denial, &cx.request_id);
        wait(tx, vault, attempt, &Waiting::Refused(refused))?;
    }
    let waits = attempt.is_some();
    Ok(Refused { denial, waits })
}

/// Takes an answer in that nobody asked for, where the connection allows that (off by default): a sign-in that began at
/// the identity provider.
///
/// # Errors
/// [`StoreError`].
pub fn arrive_unasked(
    cx: &Cx,
    tx: &mut dyn Tx,
    issuer: &Issuer,
    answer: &Answer,
) -> Result<Outcome<Asserted, SamlDenial>, StoreError> {
    let allowed =
        answer.connection.enabled && matches!(&answer.connection.kind, Kind::Saml(settings) if settings.idp_initiated);
    let decided = if allowed {
        judge(cx, issuer, answer, Request::Unsolicited)
    } else {
        Err(SamlDenial::Unsolicited)
    };
    let denial = match decided {
        Ok((asserted, accepted)) if consume(tx, answer, &accepted)? => return Ok(Outcome::Granted(asserted)),
        Ok(_) => SamlDenial::Replayed,
        Err(denial) => denial,
    };
    record_failure(cx, tx, &answer.connection.name, denial.code(), &denial.to_string())?;
    Ok(Outcome::Denied(denial))
}

/// The attempt of a handle, while an acceptable answer may come for it.
fn find_open(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    connection: &Connection,
    handle: &str,
) -> Result<Option<SignInAttempt>, StoreError> {
    if handle.len() > 128 {
        return Ok(None);
    }
    let found = tx.find_attempt(&sha256(handle.as_bytes()))?;
    Ok(found.filter(|attempt| {
        // One that is switched off may be tried out: nobody gets a session by that.
        let usable = connection.enabled || attempt.purpose == Purpose::Test;
        let answered = matches!(waiting::open(vault, attempt), Some(Waiting::Asserted(_)));
        usable
            && !answered
            && !attempt.is_ticket()
            && attempt.used_at.is_none()
            && cx.now < attempt.expires_at
            && attempt.connection == connection.id
            && attempt.connection_version == connection.version
    }))
}

fn wait(tx: &mut dyn Tx, vault: &Vault, attempt: &SignInAttempt, waiting: &Waiting) -> Result<(), StoreError> {
    let sealed = waiting::seal(vault, &attempt.handle_hash, waiting)
        .ok_or_else(|| StoreError::Corrupt("an answer has no JSON form".to_owned()))?;
    tx.report_attempt(&attempt.handle_hash, &sealed)
}

fn judge(cx: &Cx, issuer: &Issuer, answer: &Answer, request: Request<'_>) -> Result<(Asserted, Accepted), SamlDenial> {
    let settings = settings(&answer.connection)?;
    let named = answer.issuer.as_deref().unwrap_or(&settings.entity_id);
    if named != settings.entity_id || answer.assertion.issuer != settings.entity_id {
        return Err(SamlDenial::OtherIssuer);
    }
    let own = saml::entity_id(issuer, &answer.connection.name);
    let acs = saml::acs_url(issuer, &answer.connection.name);
    if answer
        .destination
        .as_ref()
        .is_some_and(|destination| *destination != acs)
    {
        return Err(SamlDenial::Destination);
    }
    let recipients = [acs];
    let accepted = accept(
        &answer.assertion,
        &Expected {
            audience: &own,
            recipients: &recipients,
            request,
            now: cx.now,
            skew: SKEW,
        },
    )?;
    Ok((asserted(settings, &answer.assertion, &accepted, &own, &own)?, accepted))
}

fn settings(connection: &Connection) -> Result<&SamlSettings, SamlDenial> {
    match &connection.kind {
        Kind::Saml(settings) => Ok(settings),
        Kind::Oidc(_) => Err(SamlDenial::OtherIssuer),
    }
}

fn consume(tx: &mut dyn Tx, answer: &Answer, accepted: &Accepted) -> Result<bool, StoreError> {
    let assertion = &answer.assertion;
    tx.record_use(
        "idp",
        ReplayKind::SamlAssertion,
        &assertion.issuer,
        &assertion.id,
        accepted.keep_until,
    )
}
