//! Keys that persons enrol for a native client, at the RAS (CL-ST-03).
//!
//! Owns the binding of a key to (issuer, subject). The IdP authenticates the person and checks possession; both halves
//! are composed in one unit by the caller.

use lanyard_jose::jwk::Jwk;
use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::registration::{ClientAuthMethod, KeyHolder, RegisteredKey, Side};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::outcome::Outcome;
use crate::store::client::ClientStore;
use crate::store::{StoreError, Tx};

/// More keys of one person are not enrolled.
pub const MAX_KEYS: usize = 20;

/// A key to enrol.
#[derive(Debug, Clone, PartialEq)]
pub struct NewKey {
    /// Its identifier, the same as at the IdP.
    pub kid: String,
    /// The public key.
    pub jwk: Jwk,
    /// A name the person recognises.
    pub label: String,
    /// When it stops being accepted.
    pub expires_at: Option<Timestamp>,
}

/// Why a key was not enrolled here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// No such client here, or it is switched off.
    #[error("the client is not registered here, or is switched off")]
    UnknownClient,
    /// The client is not a native one.
    #[error("the client does not take keys of persons")]
    NotNative,
    /// No enabled trust record admits the issuer with this client.
    #[error("no trust record admits the issuer with this client")]
    NotTrusted,
    /// [`MAX_KEYS`] are enrolled.
    #[error("this person has enrolled the largest number of keys; remove one first")]
    TooMany,
    /// The key is enrolled for somebody.
    #[error("a key of this identifier is enrolled already")]
    Taken,
}

impl Denial {
    /// The stable name. Never renamed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownClient => "unknown_client",
            Self::NotNative => "not_native",
            Self::NotTrusted => "not_trusted",
            Self::TooMany => "too_many_keys",
            Self::Taken => "key_taken",
        }
    }
}

/// Enrols a key of (issuer, subject) for a native client of this RAS.
///
/// # Errors
/// [`StoreError`].
pub fn enrol(
    cx: &Cx,
    tx: &mut dyn Tx,
    client_id: &ClientId,
    issuer: &Issuer,
    subject: &Subject,
    new: NewKey,
) -> Result<Outcome<RegisteredKey, Denial>, StoreError> {
    let event = |event: NewEvent| {
        event
            .actor(Actor::System("enrolment".to_owned()))
            .subject(format!("{issuer}|{subject}"))
            .client(client_id)
    };
    let denial = match check(tx, client_id, issuer, subject, &new)? {
        Ok(client) => {
            let key = RegisteredKey {
                kid: new.kid,
                client,
                jwk: new.jwk,
                holder: Some(KeyHolder::Subject {
                    issuer: issuer.clone(),
                    subject: subject.clone(),
                }),
                label: new.label,
                created_at: cx.now,
                expires_at: new.expires_at,
            };
            tx.insert_client_key(&key)?;
            record(
                cx,
                tx,
                event(NewEvent::granted("ras.client_key.enrolled")).target(&key.kid),
            )?;
            return Ok(Outcome::Granted(key));
        }
        Err(denial) => denial,
    };
    record(
        cx,
        tx,
        event(NewEvent::denied("ras.client_key.refused", denial.code())).target(&new.kid),
    )?;
    Ok(Outcome::Denied(denial))
}

fn check(
    tx: &mut dyn Tx,
    client_id: &ClientId,
    issuer: &Issuer,
    subject: &Subject,
    new: &NewKey,
) -> Result<Result<crate::id::ClientKey, Denial>, StoreError> {
    let Some(client) = tx.find_client(Side::Ras, client_id)?.filter(|client| client.enabled) else {
        return Ok(Err(Denial::UnknownClient));
    };
    if client.auth != ClientAuthMethod::Native {
        return Ok(Err(Denial::NotNative));
    }
    let trusts = tx.list_trusts_of_issuer(issuer)?;
    if !trusts
        .iter()
        .any(|trust| trust.enabled && trust.clients.allows(client_id))
    {
        return Ok(Err(Denial::NotTrusted));
    }
    if tx.find_client_key(&client.key, &new.kid)?.is_some() {
        return Ok(Err(Denial::Taken));
    }
    if tx.list_keys_held_by_subject(issuer, subject.as_str())?.len() >= MAX_KEYS {
        return Ok(Err(Denial::TooMany));
    }
    Ok(Ok(client.key))
}

/// Removes one key of a person; `false` when there was none of that identifier.
///
/// # Errors
/// [`StoreError`].
pub fn remove(
    cx: &Cx,
    tx: &mut dyn Tx,
    actor: Actor,
    issuer: &Issuer,
    subject: &Subject,
    kid: &str,
) -> Result<bool, StoreError> {
    let keys = tx.list_keys_held_by_subject(issuer, subject.as_str())?;
    let Some(key) = keys.into_iter().find(|key| key.kid == kid) else {
        return Ok(false);
    };
    let removed = tx.remove_client_key(&key.client, kid)?;
    let event = NewEvent::granted("ras.client_key.removed")
        .actor(actor)
        .subject(format!("{issuer}|{subject}"));
    record(cx, tx, event.target(kid))?;
    Ok(removed)
}

/// Removes every key of a person: they die with the person. Recorded by the cut-off that calls this.
pub(super) fn remove_for_subject(
    tx: &mut (impl ClientStore + ?Sized),
    issuer: &Issuer,
    subject: &Subject,
) -> Result<u64, StoreError> {
    let mut removed = 0;
    for key in tx.list_keys_held_by_subject(issuer, subject.as_str())? {
        removed += u64::from(tx.remove_client_key(&key.client, &key.kid)?);
    }
    Ok(removed)
}
