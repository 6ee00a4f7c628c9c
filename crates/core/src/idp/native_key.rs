//! Keys that a person enrols for a native client, and removes again (CL-ST-03).
//!
//! Owns the key at the IdP. The same key at a RAS is the RAS's (`ras/native_key.rs`), enrolled in the same unit.

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::Jwk;
use lanyard_jose::token::{ClientAssertion, Verified};
use serde_json::json;

use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::token::Admin;
use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::registration::{ClientAuthMethod, KeyHolder, RegisteredKey, Side};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::{ClientKey, UserId};
use crate::idp::own_token::OwnBearer;
use crate::idp::settings::IdpSettings;
use crate::outcome::Outcome;
use crate::store::replay::ReplayKind;
use crate::store::{StoreError, Tx};

/// The longest label, in characters.
const MAX_LABEL: usize = 100;
/// How long after its expiry a proof is remembered (SEC-07).
const LEEWAY: std::time::Duration = std::time::Duration::from_secs(60);

/// Why a key was not enrolled. The comment names the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnrolDenial {
    /// 403: the client is not a native program.
    #[error("people enrol keys for native clients only")]
    NotNative,
    /// 400: not an ES256 key.
    #[error("only ES256 keys are enrolled")]
    KeyType,
    /// 400.
    #[error("the label must have 1 to 100 characters without controls")]
    Label,
    /// 400: the proof names another client.
    #[error("the proof was made for another client")]
    ProofOfOtherClient,
    /// 400.
    #[error("the proof was used before")]
    ProofReplayed,
    /// 409: enrolled by another person.
    #[error("the key is enrolled already")]
    Taken,
    /// 409.
    #[error("the person has enrolled too many keys; remove one first")]
    TooMany,
}

impl EnrolDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotNative => "client_not_native",
            Self::KeyType => "key_type",
            Self::Label => "label",
            Self::ProofOfOtherClient => "proof_of_other_client",
            Self::ProofReplayed => "proof_replayed",
            Self::Taken => "key_taken",
            Self::TooMany => "too_many_keys",
        }
    }
}

/// Decides whether the bearer's key is enrolled. `proof` is a client assertion that was verified with this key and
/// with our issuer as its audience. Its `kid` is the thumbprint. A key that this person enrolled before is renewed.
///
/// # Errors
/// [`StoreError`].
pub fn enrol(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    bearer: &OwnBearer,
    jwk: &Jwk,
    label: &str,
    proof: &Verified<ClientAssertion>,
) -> Result<Outcome<RegisteredKey, EnrolDenial>, StoreError> {
    let kid = jwk.thumbprint();
    let event = |event: NewEvent| {
        event
            .actor(Actor::User(bearer.user.id.to_string()))
            .subject(bearer.user.id.as_str())
            .client(&bearer.client.client_id)
            .target(kid.as_str())
    };
    match check(cx, tx, settings, bearer, jwk, &kid, label, proof)? {
        Ok(()) => {}
        Err(denial) => {
            record(cx, tx, event(NewEvent::denied("idp.key.enrolled", denial.code())))?;
            return Ok(Outcome::Denied(denial));
        }
    }
    let key = RegisteredKey {
        jwk: jwk.clone().with_kid(&kid),
        kid: kid.clone(),
        client: bearer.client.key.clone(),
        holder: Some(KeyHolder::User(bearer.user.id.clone())),
        label: label.to_owned(),
        created_at: cx.now,
        expires_at: Some(cx.now.plus(settings.native_key_ttl)),
    };
    // Only this person's own: `check` saw to it.
    tx.remove_client_key(&key.client, &kid)?;
    tx.insert_client_key(&key)?;
    record(
        cx,
        tx,
        event(NewEvent::granted("idp.key.enrolled")).detail("label", label),
    )?;
    Ok(Outcome::Granted(key))
}

#[expect(clippy::too_many_arguments, reason = "the parts of one request")]
fn check(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    bearer: &OwnBearer,
    jwk: &Jwk,
    kid: &str,
    label: &str,
    proof: &Verified<ClientAssertion>,
) -> Result<Result<(), EnrolDenial>, StoreError> {
    if bearer.client.auth != ClientAuthMethod::Native {
        return Ok(Err(EnrolDenial::NotNative));
    }
    if jwk.algorithms() != [Algorithm::Es256] {
        return Ok(Err(EnrolDenial::KeyType));
    }
    let characters = label.chars().count();
    if characters == 0 || characters > MAX_LABEL || label.chars().any(char::is_control) {
        return Ok(Err(EnrolDenial::Label));
    }
    if proof.iss != bearer.client.client_id {
        return Ok(Err(EnrolDenial::ProofOfOtherClient));
    }
    let keep_until = Timestamp::from_seconds(proof.exp.seconds()).plus(LEEWAY);
    let client_id = bearer.client.client_id.as_str();
    let scope = Side::Idp.as_str();
    if !tx.record_use(
        scope,
        ReplayKind::ClientAssertionIdp,
        client_id,
        proof.jti.as_str(),
        keep_until,
    )? {
        return Ok(Err(EnrolDenial::ProofReplayed));
    }
    let holder = KeyHolder::User(bearer.user.id.clone());
    match tx.find_client_key(&bearer.client.key, kid)? {
        Some(existing) if existing.holder != Some(holder) => return Ok(Err(EnrolDenial::Taken)),
        Some(_) => return Ok(Ok(())),
        None => {}
    }
    let own = list(cx, tx, &bearer.user.id, &bearer.client.key)?;
    Ok(if own.len() < settings.native_keys_per_person {
        Ok(())
    } else {
        Err(EnrolDenial::TooMany)
    })
}

/// The keys that a person enrolled for a client and that are still accepted.
///
/// # Errors
/// [`StoreError`].
pub fn list(cx: &Cx, tx: &mut dyn Tx, user: &UserId, client: &ClientKey) -> Result<Vec<RegisteredKey>, StoreError> {
    let mut keys = tx.list_keys_held_by_user(user)?;
    keys.retain(|key| key.client == *client && key.expires_at.is_none_or(|end| cx.now < end));
    Ok(keys)
}

/// Removes one of the bearer's own keys and ends what was bound to it; `false` when there was none.
///
/// # Errors
/// [`StoreError`].
pub fn remove(cx: &Cx, tx: &mut dyn Tx, bearer: &OwnBearer, kid: &str) -> Result<bool, StoreError> {
    let own = KeyHolder::User(bearer.user.id.clone());
    let key = tx
        .find_client_key(&bearer.client.key, kid)?
        .filter(|key| key.holder == Some(own));
    if key.is_none() || !tx.remove_client_key(&bearer.client.key, kid)? {
        return Ok(false);
    }
    let families = tx.end_families_of_key(&bearer.client.key, kid, cx.now)?;
    let event = NewEvent::granted("idp.key.removed")
        .actor(Actor::User(bearer.user.id.to_string()))
        .subject(bearer.user.id.as_str())
        .client(&bearer.client.client_id)
        .target(kid)
        .detail("refresh_families", families);
    record(cx, tx, event)?;
    Ok(true)
}

/// Removes a key that a person enrolled, for an administrator, and ends what was bound to it.
///
/// # Errors
/// [`StoreError`].
pub fn remove_by_admin(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    user: &UserId,
    kid: &str,
) -> Result<Outcome<(), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Write) {
        return Ok(Outcome::Denied(denial));
    }
    let held = tx.list_keys_held_by_user(user)?;
    let Some(key) = held.into_iter().find(|key| key.kid == kid) else {
        let name = kid.to_owned();
        return Ok(Outcome::Denied(AdminDenial::NotFound {
            what: "key of this person",
            name,
        }));
    };
    tx.remove_client_key(&key.client, kid)?;
    let families = tx.end_families_of_key(&key.client, kid, cx.now)?;
    let event = NewEvent::granted("idp.key.removed")
        .actor(admin.actor())
        .subject(user.as_str())
        .target(kid)
        .detail(
            "before",
            json!({"label": key.label, "created_at": key.created_at, "expires_at": key.expires_at}),
        )
        .detail("refresh_families", families);
    record(cx, tx, event)?;
    Ok(Outcome::Granted(()))
}
