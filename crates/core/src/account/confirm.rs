//! Proving again who one is, before an act that a stranger at an open screen must not do.
//!
//! Owns how long a proof counts. Never moves the time of the sign-in: tokens tell that one.

use std::time::Duration;

use crate::account::{Own, OwnDenial};
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::idp::second_factor::{self, StepDenial, VerifiedPasskey};
use crate::outcome::Outcome;
use crate::session::record::Session;
use crate::store::{StoreError, Tx};

/// How long a proof counts.
pub const FRESH_FOR: Duration = Duration::from_secs(300);

/// Whether the person of a session proved within the last minutes who they are.
///
/// # Errors
/// [`StoreError`].
pub fn is_fresh(cx: &Cx, tx: &mut dyn Tx, session: &Session) -> Result<bool, StoreError> {
    // Where the provider does not tell the time, what it vouched for is the arrival.
    let signed_in = session.authentication.known_time().unwrap_or(session.created_at);
    let proved = tx.find_confirmation(&session.id)?.unwrap_or(signed_in).max(signed_in);
    Ok(cx.now.since(proved) < FRESH_FOR)
}

/// Decides a password that was typed again; `checked` is the hash against which it was checked.
///
/// # Errors
/// [`StoreError`].
pub fn with_password(
    cx: &Cx,
    tx: &mut dyn Tx,
    own: &Own,
    session: &Session,
    checked: &str,
    fits: bool,
) -> Result<Outcome<(), OwnDenial>, StoreError> {
    let same = tx
        .find_credential(&own.user.id)?
        .is_some_and(|current| current.password_hash == checked);
    if fits && same && own.local {
        return confirmed(cx, tx, own, session, "password");
    }
    refuse(cx, tx, own, OwnDenial::WrongPassword)
}

/// Decides a passkey that was used again, after its signature was verified.
///
/// # Errors
/// [`StoreError`].
pub fn with_passkey(
    cx: &Cx,
    tx: &mut dyn Tx,
    own: &Own,
    session: &Session,
    verified: &VerifiedPasskey,
) -> Result<Outcome<(), OwnDenial>, StoreError> {
    if verified.passkey.user != own.user.id || !own.local {
        return refuse(cx, tx, own, OwnDenial::Step(StepDenial::OtherPasskey));
    }
    match second_factor::take_passkey(cx, tx, verified)? {
        None => confirmed(cx, tx, own, session, "passkey"),
        Some(denial) => refuse(cx, tx, own, OwnDenial::Step(denial)),
    }
}

fn confirmed(
    cx: &Cx,
    tx: &mut dyn Tx,
    own: &Own,
    session: &Session,
    by: &'static str,
) -> Result<Outcome<(), OwnDenial>, StoreError> {
    tx.confirm_session(&session.id, cx.now)?;
    let event = own.about(NewEvent::granted("idp.session.confirmed"));
    record(cx, tx, event.target(session.id.as_str()).detail("by", by))?;
    Ok(Outcome::Granted(()))
}

fn refuse(cx: &Cx, tx: &mut dyn Tx, own: &Own, denial: OwnDenial) -> Result<Outcome<(), OwnDenial>, StoreError> {
    own.refuse(cx, tx, "idp.session.confirmation_refused", denial)
        .map(Outcome::Denied)
}
