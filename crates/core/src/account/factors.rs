//! Setting up and removing one's own second factors.
//!
//! Owns what a person may have, and that nobody is left without what the deployment asks for. Never shows a secret
//! twice: recovery codes are answered once, when they are made.

use secrecy::SecretString;

use crate::account::{Own, OwnDenial};
use crate::audit::record::{NewEvent, record};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::directory::factor::{self, AppSecret, Factors, Passkey, is_name, recovery};
use crate::directory::settings::PeopleSettings;
use crate::id::PasskeyId;
use crate::idp::second_factor::{self, CheckCode, StepDenial};
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};

/// Passkeys of one person.
const MAX_PASSKEYS: usize = 20;
/// Every refused act here.
const REFUSED: &str = "directory.factor.refused";

/// How acts here end.
pub type Act<T> = Result<Outcome<T, OwnDenial>, StoreError>;

/// A passkey that a browser made, after the verifier accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadePasskey {
    /// The authenticator's name for it.
    pub credential: String,
    /// Public key, counter and flags.
    pub record: String,
    /// The challenge that was answered: taken once.
    pub challenge: [u8; 32],
    /// When the challenge is over.
    pub challenge_ends_at: Timestamp,
}

/// The secret of an app that waits for its first code; made from `fresh` when none waits. Opening the page twice shows
/// the same one.
///
/// # Errors
/// [`StoreError`].
pub fn begin_app(cx: &Cx, tx: &mut dyn Tx, vault: &Vault, own: &Own, fresh: &[u8]) -> Act<Vec<u8>> {
    if let Err(denial) = own.may_change() {
        return own.refuse(cx, tx, REFUSED, denial).map(Outcome::Denied);
    }
    match tx.find_app_secret(&own.user.id)? {
        Some(secret) if secret.confirmed_at.is_some() => {
            own.refuse(cx, tx, REFUSED, OwnDenial::AlreadySet).map(Outcome::Denied)
        }
        Some(secret) => Ok(Outcome::Granted(
            vault.open_app_secret(&own.user.id, &secret.sealed)?.to_vec(),
        )),
        None => {
            let secret = AppSecret {
                sealed: vault.seal_app_secret(&own.user.id, fresh),
                created_at: cx.now,
                confirmed_at: None,
            };
            tx.put_app_secret(&own.user.id, &secret)?;
            Ok(Outcome::Granted(fresh.to_vec()))
        }
    }
}

/// Takes the first code of an app. From now on a password alone does not sign in. The recovery codes, when these are
/// the first.
///
/// # Errors
/// [`StoreError`].
pub fn confirm_app(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    own: &Own,
    typed: &str,
    check: CheckCode,
) -> Act<Vec<SecretString>> {
    let refuse = |tx: &mut dyn Tx, denial| own.refuse(cx, tx, REFUSED, denial).map(Outcome::Denied);
    if let Err(denial) = own.may_change() {
        return refuse(tx, denial);
    }
    let Some(mut secret) = tx.find_app_secret(&own.user.id)? else {
        return refuse(tx, OwnDenial::Gone);
    };
    if secret.confirmed_at.is_some() {
        return refuse(tx, OwnDenial::AlreadySet);
    }
    let opened = vault.open_app_secret(&own.user.id, &secret.sealed)?;
    let Some(step) = check(&opened, typed, cx.now.seconds()) else {
        return refuse(tx, OwnDenial::Step(StepDenial::WrongCode));
    };
    if !second_factor::take_code(cx, tx, &own.user, step)? {
        return refuse(tx, OwnDenial::Step(StepDenial::CodeReplayed));
    }
    secret.confirmed_at = Some(cx.now);
    tx.put_app_secret(&own.user.id, &secret)?;
    record(cx, tx, own.about(NewEvent::granted("directory.app.added")))?;
    first_codes(cx, tx, vault, own).map(Outcome::Granted)
}

/// Removes the app, or gives up setting one up.
///
/// # Errors
/// [`StoreError`].
pub fn remove_app(cx: &Cx, tx: &mut dyn Tx, settings: &PeopleSettings, own: &Own) -> Act<()> {
    let refuse = |tx: &mut dyn Tx, denial| own.refuse(cx, tx, REFUSED, denial).map(Outcome::Denied);
    if let Err(denial) = own.may_change() {
        return refuse(tx, denial);
    }
    let factors = Factors::of(tx, &own.user.id)?;
    if factors.app_since.is_none() {
        tx.remove_app_secret(&own.user.id)?;
        return Ok(Outcome::Granted(()));
    }
    if factors.passkeys.is_empty() && factor::is_required(tx, settings, &own.user.id)? {
        return refuse(tx, OwnDenial::LastFactor);
    }
    tx.remove_app_secret(&own.user.id)?;
    record(cx, tx, own.about(NewEvent::granted("directory.app.removed")))?;
    Ok(Outcome::Granted(()))
}

/// Makes new recovery codes; the old ones are worth nothing any more.
///
/// # Errors
/// [`StoreError`].
pub fn new_codes(cx: &Cx, tx: &mut dyn Tx, vault: &Vault, own: &Own) -> Act<Vec<SecretString>> {
    if let Err(denial) = own.may_change() {
        return own.refuse(cx, tx, REFUSED, denial).map(Outcome::Denied);
    }
    if !Factors::of(tx, &own.user.id)?.has_second() {
        return own.refuse(cx, tx, REFUSED, OwnDenial::Gone).map(Outcome::Denied);
    }
    make_codes(cx, tx, vault, own).map(Outcome::Granted)
}

/// Adds a passkey. The recovery codes, when these are the first.
///
/// # Errors
/// [`StoreError`].
pub fn add_passkey(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    own: &Own,
    name: &str,
    made: &MadePasskey,
) -> Act<Vec<SecretString>> {
    let name = name.trim();
    let checked = match own.may_change() {
        Err(denial) => Some(denial),
        Ok(()) if !is_name(name) => Some(OwnDenial::Name),
        Ok(()) if tx.list_passkeys(&own.user.id)?.len() >= MAX_PASSKEYS => Some(OwnDenial::TooMany),
        Ok(()) if !second_factor::take_challenge(tx, &made.challenge, made.challenge_ends_at)? => {
            Some(OwnDenial::Step(StepDenial::ChallengeReplayed))
        }
        Ok(()) if tx.find_passkey_by_credential(&made.credential)?.is_some() => Some(OwnDenial::AlreadySet),
        Ok(()) => None,
    };
    if let Some(denial) = checked {
        return own.refuse(cx, tx, REFUSED, denial).map(Outcome::Denied);
    }
    let passkey = Passkey {
        id: cx.new_id(),
        user: own.user.id.clone(),
        credential: made.credential.clone(),
        name: name.to_owned(),
        record: made.record.clone(),
        created_at: cx.now,
        last_used_at: None,
    };
    tx.insert_passkey(&passkey)?;
    let event = own.about(NewEvent::granted("directory.passkey.added"));
    record(cx, tx, event.target(passkey.id.as_str()).detail("name", name))?;
    first_codes(cx, tx, vault, own).map(Outcome::Granted)
}

/// Calls a passkey otherwise.
///
/// # Errors
/// [`StoreError`].
pub fn rename_passkey(cx: &Cx, tx: &mut dyn Tx, own: &Own, id: &PasskeyId, name: &str) -> Act<()> {
    let name = name.trim();
    let denial = if !own.local {
        Some(OwnDenial::NotLocal)
    } else if !is_name(name) {
        Some(OwnDenial::Name)
    } else if !tx.rename_passkey(&own.user.id, id, name)? {
        Some(OwnDenial::Gone)
    } else {
        None
    };
    if let Some(denial) = denial {
        return own.refuse(cx, tx, REFUSED, denial).map(Outcome::Denied);
    }
    let event = own.about(NewEvent::granted("directory.passkey.renamed"));
    record(cx, tx, event.target(id.as_str()).detail("name", name))?;
    Ok(Outcome::Granted(()))
}

/// Removes a passkey.
///
/// # Errors
/// [`StoreError`].
pub fn remove_passkey(cx: &Cx, tx: &mut dyn Tx, settings: &PeopleSettings, own: &Own, id: &PasskeyId) -> Act<()> {
    let refuse = |tx: &mut dyn Tx, denial| own.refuse(cx, tx, REFUSED, denial).map(Outcome::Denied);
    if let Err(denial) = own.may_change() {
        return refuse(tx, denial);
    }
    let factors = Factors::of(tx, &own.user.id)?;
    if !factors.passkeys.iter().any(|passkey| passkey.id == *id) {
        return refuse(tx, OwnDenial::Gone);
    }
    if factors.passkeys.len() == 1 {
        let nothing_left = tx.find_credential(&own.user.id)?.is_none();
        let asked = factors.app_since.is_none() && factor::is_required(tx, settings, &own.user.id)?;
        if nothing_left || asked {
            return refuse(tx, OwnDenial::LastFactor);
        }
    }
    tx.remove_passkey(&own.user.id, id)?;
    let event = own.about(NewEvent::granted("directory.passkey.removed"));
    record(cx, tx, event.target(id.as_str()))?;
    Ok(Outcome::Granted(()))
}

/// Records that a browser's answer was refused by the verifier.
///
/// # Errors
/// [`StoreError`].
pub fn record_unverified(cx: &Cx, tx: &mut dyn Tx, own: &Own, reason: &'static str) -> Result<(), StoreError> {
    record(cx, tx, own.about(NewEvent::denied(REFUSED, reason))).map(|_| ())
}

/// Recovery codes for whoever sets up a first factor.
fn first_codes(cx: &Cx, tx: &mut dyn Tx, vault: &Vault, own: &Own) -> Result<Vec<SecretString>, StoreError> {
    if tx.count_recovery_codes(&own.user.id)? > 0 {
        return Ok(Vec::new());
    }
    make_codes(cx, tx, vault, own)
}

fn make_codes(cx: &Cx, tx: &mut dyn Tx, vault: &Vault, own: &Own) -> Result<Vec<SecretString>, StoreError> {
    let codes = recovery::replace(cx, tx, vault, &own.user.id)?;
    record(cx, tx, own.about(NewEvent::granted("directory.recovery_codes.made")))?;
    Ok(codes)
}
