//! The life of signing keys: first start, rotation with overlap, emergency removal (MD-KEY-01, SEC-17, P6).
//!
//! Owns when a key is published, signs and leaves. Never makes a key inside a unit: [`FreshKey`] is made before.

use std::time::Duration;

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::Jwk;
use lanyard_jose::key::{KeyError, SigningKey};
use lanyard_protocol::gateway::Revoked;
use lanyard_protocol::issuer::Issuer;
use serde_json::json;

use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::token::Admin;
use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::keys::record::{KeyState, Ring, StoredKey};
use crate::keys::ring::place;
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::store::key::KeyStore;
use crate::store::{StoreError, Tx};

/// Every ring.
pub const RINGS: [Ring; 4] = [Ring::Idp, Ring::Ras, Ring::Audit, Ring::Saml];

/// How long a key of the SAML service provider is published before it signs, and kept after: its certificate is pinned
/// by hand at identity providers that read metadata rarely or never.
const SAML_OVERLAP: Duration = Duration::from_secs(14 * 24 * 3600);

/// How long gateways keep the removal of a key in mind: far beyond any cached key set.
const REMOVAL_REMEMBERED: Duration = Duration::from_secs(90 * 24 * 3600);

/// The times of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationSettings {
    /// How long a new key is published before it signs: at least one lifetime of cached key sets (300 s).
    pub publish_before: Duration,
    /// How long an old key stays published after it signed last: the longest token life and the leeway.
    pub keep_after: Duration,
}

impl Default for RotationSettings {
    fn default() -> Self {
        Self {
            publish_before: Duration::from_secs(300),
            keep_after: Duration::from_secs(3600 + 60),
        }
    }
}

/// A key that no store holds yet, with its private half sealed already.
#[derive(Debug, Clone)]
pub struct FreshKey {
    kid: String,
    ring: Ring,
    algorithm: Algorithm,
    public: Jwk,
    sealed_private: Vec<u8>,
}

impl FreshKey {
    /// Makes a key; slow for RSA, so never inside a unit.
    ///
    /// # Errors
    /// [`KeyError`] when the backend cannot make one.
    pub fn generate(vault: &Vault, ring: Ring, algorithm: Algorithm) -> Result<Self, KeyError> {
        let key = SigningKey::generate(algorithm)?;
        let sealed_private = vault.kek().seal(&place(key.kid()), &key.to_pkcs8());
        Ok(Self {
            kid: key.kid().to_owned(),
            ring,
            algorithm,
            public: key.public_jwk(),
            sealed_private,
        })
    }

    /// Its identifier.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its ring.
    pub const fn ring(&self) -> Ring {
        self.ring
    }

    fn stored(&self, state: KeyState, now: Timestamp, activates_at: Timestamp) -> StoredKey {
        StoredKey {
            kid: self.kid.clone(),
            ring: self.ring,
            algorithm: self.algorithm,
            state,
            public: self.public.clone(),
            sealed_private: self.sealed_private.clone(),
            created_at: now,
            activates_at,
            retired_at: None,
            remove_after: None,
        }
    }
}

/// What a ring needs so that it signs with the selected algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// Its first key: [`ensure`].
    First,
    /// Another algorithm was selected: [`select`].
    OtherAlgorithm,
}

/// Looks what a ring needs.
///
/// # Errors
/// [`StoreError`].
pub fn need(tx: &mut dyn KeyStore, ring: Ring, algorithm: Algorithm) -> Result<Need, StoreError> {
    let keys = tx.list_keys(ring)?;
    let Some(active) = keys.iter().find(|key| key.state == KeyState::Active) else {
        return Ok(Need::First);
    };
    let coming = keys
        .iter()
        .any(|key| key.state == KeyState::Next && key.algorithm == algorithm);
    Ok(if active.algorithm == algorithm || coming {
        Need::Nothing
    } else {
        Need::OtherAlgorithm
    })
}

/// Makes the fresh key the signing key of a ring that has none; `false` when it has one already, also when another
/// replica was first.
///
/// # Errors
/// [`StoreError`].
pub fn ensure(cx: &Cx, tx: &mut dyn Tx, fresh: &FreshKey) -> Result<bool, StoreError> {
    if find_active(tx, fresh.ring)?.is_some() {
        return Ok(false);
    }
    // One winner among replicas that start together.
    let name = format!("first_key_{}", fresh.ring.as_str());
    if tx.insert_setting(&name, &fresh.kid)? != fresh.kid {
        return Ok(false);
    }
    tx.insert_key(&fresh.stored(KeyState::Active, cx.now, cx.now))?;
    record(cx, tx, about_key("keys.key.created", fresh).actor(system()))?;
    Ok(true)
}

/// Begins a rotation because the configuration selects another algorithm; `false` when one is under way.
///
/// # Errors
/// [`StoreError`].
pub fn select(cx: &Cx, tx: &mut dyn Tx, settings: &RotationSettings, fresh: &FreshKey) -> Result<bool, StoreError> {
    match begin(cx, tx, settings, fresh, system())? {
        Outcome::Granted(_) => Ok(true),
        Outcome::Denied(_) => Ok(false),
    }
}

/// Publishes the fresh key as the ring's next signing key; it signs after [`RotationSettings::publish_before`]. The
/// result is that instant.
///
/// # Errors
/// [`StoreError`].
pub fn rotate(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &RotationSettings,
    admin: &Admin,
    fresh: &FreshKey,
) -> Result<Outcome<Timestamp, AdminDenial>, StoreError> {
    let actor = admin.actor();
    let denial = match require(admin, Permission::Administer) {
        Err(denial) => denial,
        Ok(()) => match begin(cx, tx, settings, fresh, actor.clone())? {
            Outcome::Granted(at) => return Ok(Outcome::Granted(at)),
            Outcome::Denied(denial) => denial,
        },
    };
    let event = NewEvent::denied("keys.rotation.refused", denial.code())
        .actor(actor)
        .target(fresh.ring.as_str());
    record(cx, tx, event.detail("why", denial.to_string()))?;
    Ok(Outcome::Denied(denial))
}

fn begin(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &RotationSettings,
    fresh: &FreshKey,
    actor: Actor,
) -> Result<Outcome<Timestamp, AdminDenial>, StoreError> {
    let keys = tx.list_keys(fresh.ring)?;
    if let Some(next) = keys.iter().find(|key| key.state == KeyState::Next) {
        let problem = format!(
            "the key {} is published and signs from {}; wait for it",
            next.kid, next.activates_at
        );
        return Ok(Outcome::Denied(AdminDenial::invalid("ring", problem)));
    }
    let publish_before = match fresh.ring {
        Ring::Saml => SAML_OVERLAP,
        Ring::Idp | Ring::Ras | Ring::Audit => settings.publish_before,
    };
    let activates_at = cx.now.plus(publish_before);
    tx.insert_key(&fresh.stored(KeyState::Next, cx.now, activates_at))?;
    let event = about_key("keys.rotation.begun", fresh)
        .actor(actor)
        .detail("after", json!({"state": KeyState::Next.as_str()}))
        .detail("signs_from", activates_at.to_string());
    record(cx, tx, event)?;
    Ok(Outcome::Granted(activates_at))
}

/// Moves on every key whose time has come: next keys sign, retired keys leave. The worker's step; `true` when
/// something changed and rings must be read again.
///
/// # Errors
/// [`StoreError`]; [`StoreError::Conflict`] when another replica does the same now.
pub fn tend(cx: &Cx, tx: &mut dyn Tx, settings: &RotationSettings) -> Result<bool, StoreError> {
    let mut changed = false;
    for ring in RINGS {
        let keys = tx.list_keys(ring)?;
        let due = |key: &&StoredKey| key.state == KeyState::Next && key.activates_at <= cx.now;
        if let Some(next) = keys.iter().find(due) {
            if let Some(active) = keys.iter().find(|key| key.state == KeyState::Active) {
                // Checkpoints are verified for as long as somebody keeps an export: audit keys never leave.
                let remove_after = match ring {
                    Ring::Audit => None,
                    Ring::Saml => Some(cx.now.plus(SAML_OVERLAP)),
                    Ring::Idp | Ring::Ras => Some(cx.now.plus(settings.keep_after)),
                };
                advance(cx, tx, active, KeyState::Retired, remove_after)?;
                record(cx, tx, moved("keys.key.retired", active).actor(system()))?;
            }
            advance(cx, tx, next, KeyState::Active, None)?;
            record(cx, tx, moved("keys.key.activated", next).actor(system()))?;
            changed = true;
        }
        for old in keys.iter().filter(|key| key.state == KeyState::Retired) {
            if old.remove_after.is_some_and(|at| at <= cx.now) {
                advance(cx, tx, old, KeyState::Removed, None)?;
                record(
                    cx,
                    tx,
                    moved("keys.key.removed", old)
                        .actor(system())
                        .detail("emergency", false),
                )?;
                changed = true;
            }
        }
    }
    Ok(changed)
}

/// When [`tend`] has something to do next.
///
/// # Errors
/// [`StoreError`].
pub fn next_due(tx: &mut dyn KeyStore) -> Result<Option<Timestamp>, StoreError> {
    let mut due = None;
    for ring in RINGS {
        for key in tx.list_keys(ring)? {
            let at = match key.state {
                KeyState::Next => Some(key.activates_at),
                KeyState::Retired => key.remove_after,
                KeyState::Active | KeyState::Removed => None,
            };
            due = due.into_iter().chain(at).min();
        }
    }
    Ok(due)
}

/// What an emergency removal did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The ring.
    pub ring: Ring,
    /// The key that signs now, when the removed one did.
    pub signs_now: Option<String>,
    /// The position in the revocation feed that gateways must reach; `None` for keys that gateways never use.
    pub sequence: Option<i64>,
}

/// Takes a key out of use at once, published or not, and puts another in its place if it signed: the next key when
/// there is one, else `fresh`. `ras` is the issuer whose tokens the key signed, for keys of the RAS. Written with the
/// reserve, since it cuts access off.
///
/// # Errors
/// [`StoreError`].
pub fn remove_now(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    ras: Option<&Issuer>,
    kid: &str,
    fresh: &FreshKey,
) -> Result<Outcome<Removal, AdminDenial>, StoreError> {
    let actor = admin.actor();
    let denial = match require(admin, Permission::Administer) {
        Err(denial) => denial,
        Ok(()) => match find_removable(tx, fresh.ring, kid)? {
            Ok(key) => return remove(cx, tx, actor, ras, &key, fresh).map(Outcome::Granted),
            Err(denial) => denial,
        },
    };
    let event = NewEvent::denied("keys.removal.refused", denial.code())
        .actor(actor)
        .target(kid);
    record(cx, tx, event.detail("why", denial.to_string()))?;
    Ok(Outcome::Denied(denial))
}

fn find_removable(tx: &mut dyn Tx, ring: Ring, kid: &str) -> Result<Result<StoredKey, AdminDenial>, StoreError> {
    let key = tx.list_keys(ring)?.into_iter().find(|key| key.kid == kid);
    Ok(match key {
        None => Err(AdminDenial::NotFound {
            what: "signing key of this ring",
            name: kid.to_owned(),
        }),
        Some(key) if key.state == KeyState::Removed => Err(AdminDenial::invalid(
            "kid",
            "this key was removed before and is not in use",
        )),
        Some(key) => Ok(key),
    })
}

fn remove(
    cx: &Cx,
    tx: &mut dyn Tx,
    actor: Actor,
    ras: Option<&Issuer>,
    key: &StoredKey,
    fresh: &FreshKey,
) -> Result<Removal, StoreError> {
    advance(cx, tx, key, KeyState::Removed, None)?;
    let signs_now = match key.state {
        KeyState::Active => Some(replace(cx, tx, fresh)?),
        KeyState::Next | KeyState::Retired | KeyState::Removed => None,
    };
    let sequence = match (key.ring, ras) {
        (Ring::Ras, Some(issuer)) => {
            let revoked = Revoked::Key {
                issuer: issuer.clone(),
                kid: key.kid.clone(),
            };
            Some(tx.append_revocation(&revoked, cx.now, cx.now.plus(REMOVAL_REMEMBERED))?)
        }
        (Ring::Idp | Ring::Audit | Ring::Ras | Ring::Saml, _) => None,
    };
    let event = moved("keys.key.removed", key)
        .actor(actor)
        .detail("before", json!({"state": key.state.as_str()}))
        .detail("after", json!({"state": KeyState::Removed.as_str()}))
        .detail("emergency", true);
    record(cx, tx, event.detail_if("signs_now", signs_now.clone()))?;
    Ok(Removal {
        ring: key.ring,
        signs_now,
        sequence,
    })
}

/// Gives a ring without a signing key another one.
fn replace(cx: &Cx, tx: &mut dyn Tx, fresh: &FreshKey) -> Result<String, StoreError> {
    let published = tx
        .list_keys(fresh.ring)?
        .into_iter()
        .find(|key| key.state == KeyState::Next);
    match published {
        // Verifiers may know it already.
        Some(next) => {
            advance(cx, tx, &next, KeyState::Active, None)?;
            Ok(next.kid)
        }
        None => {
            tx.insert_key(&fresh.stored(KeyState::Active, cx.now, cx.now))?;
            Ok(fresh.kid.clone())
        }
    }
}

/// A key as it is shown: without its private half.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyView {
    /// Thumbprint.
    pub kid: String,
    /// Its ring.
    pub ring: Ring,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it begins, or began, to sign.
    pub activates_at: Timestamp,
    /// When it stopped signing.
    pub retired_at: Option<Timestamp>,
    /// When it leaves the published set.
    pub remove_after: Option<Timestamp>,
}

/// Every key of every ring, oldest first within a ring.
///
/// # Errors
/// [`StoreError`].
pub fn list(tx: &mut dyn KeyStore, admin: &Admin) -> Result<Outcome<Vec<KeyView>, AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Read) {
        return Ok(Outcome::Denied(denial));
    }
    let mut views = Vec::new();
    for ring in RINGS {
        views.extend(tx.list_keys(ring)?.into_iter().map(|key| KeyView {
            kid: key.kid,
            ring: key.ring,
            algorithm: key.algorithm,
            state: key.state,
            created_at: key.created_at,
            activates_at: key.activates_at,
            retired_at: key.retired_at,
            remove_after: key.remove_after,
        }));
    }
    Ok(Outcome::Granted(views))
}

fn find_active(tx: &mut dyn Tx, ring: Ring) -> Result<Option<StoredKey>, StoreError> {
    Ok(tx
        .list_keys(ring)?
        .into_iter()
        .find(|key| key.state == KeyState::Active))
}

fn advance(
    cx: &Cx,
    tx: &mut dyn Tx,
    key: &StoredKey,
    to: KeyState,
    remove_after: Option<Timestamp>,
) -> Result<(), StoreError> {
    if tx.move_key(&key.kid, key.state, to, cx.now, remove_after)? {
        Ok(())
    } else {
        Err(StoreError::Conflict("a signing key changed meanwhile"))
    }
}

fn system() -> Actor {
    Actor::System("keys".to_owned())
}

fn about_key(kind: &'static str, key: &FreshKey) -> NewEvent {
    let algorithm = json!(key.algorithm);
    NewEvent::granted(kind)
        .target(&key.kid)
        .detail("ring", key.ring.as_str())
        .detail("algorithm", algorithm)
}

fn moved(kind: &'static str, key: &StoredKey) -> NewEvent {
    let event = NewEvent::granted(kind)
        .target(&key.kid)
        .detail("ring", key.ring.as_str());
    event
        .detail("algorithm", json!(key.algorithm))
        .detail("was", key.state.as_str())
}
