//! What a person proves to be themselves with, besides a password: codes from an app, recovery codes, passkeys.
//!
//! Owns the records and what a person has. Never verifies a code or a signature (`federation` does) and never decides a
//! sign-in (`idp/second_factor.rs`).

pub mod recovery;
pub mod reset;

use crate::clock::Timestamp;
use crate::directory::settings::{PeopleSettings, SecondFactorRule};
use crate::id::{PasskeyId, UserId};
use crate::store::{StoreError, Tx};

/// The secret that an app and this directory share, sealed. It counts from its confirmation on.
#[derive(Clone, PartialEq, Eq)]
pub struct AppSecret {
    /// The secret, sealed by the vault for this person.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the person typed the first code.
    pub confirmed_at: Option<Timestamp>,
}

/// A passkey of a person. Holds a public key, no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Server-made.
    pub id: PasskeyId,
    /// Whose.
    pub user: UserId,
    /// The authenticator's name for it, in base64url; unique.
    pub credential: String,
    /// What the person calls it.
    pub name: String,
    /// Public key, counter and flags, as the verifier wrote them.
    pub record: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last signed in.
    pub last_used_at: Option<Timestamp>,
}

/// Everything that a person has besides a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factors {
    /// Since when codes from an app are asked for.
    pub app_since: Option<Timestamp>,
    /// Passkeys, oldest first.
    pub passkeys: Vec<Passkey>,
    /// Recovery codes that are left.
    pub recovery_codes: u64,
}

impl Factors {
    /// What the person has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn of(tx: &mut dyn Tx, user: &UserId) -> Result<Self, StoreError> {
        Ok(Self {
            app_since: tx.find_app_secret(user)?.and_then(|secret| secret.confirmed_at),
            passkeys: tx.list_passkeys(user)?,
            recovery_codes: tx.count_recovery_codes(user)?,
        })
    }

    /// Whether a password alone does not sign the person in. Recovery codes are no factor of their own.
    pub fn has_second(&self) -> bool {
        self.app_since.is_some() || !self.passkeys.is_empty()
    }
}

/// Whether the rule of this deployment asks a second factor of a person who signs in with a password.
///
/// # Errors
/// [`StoreError`].
pub fn is_required(tx: &mut dyn Tx, settings: &PeopleSettings, user: &UserId) -> Result<bool, StoreError> {
    match settings.second_factor {
        SecondFactorRule::Optional => Ok(false),
        SecondFactorRule::Administrators => is_administrator(tx, user),
        SecondFactorRule::Everyone => Ok(true),
    }
}

/// Whether a person has a role as administrator.
fn is_administrator(tx: &mut dyn Tx, user: &UserId) -> Result<bool, StoreError> {
    Ok(!tx.list_roles_of(user)?.is_empty())
}

/// Whether a name for a factor can be shown in a list.
pub(crate) fn is_name(name: &str) -> bool {
    let characters = name.chars().count();
    (1..=64).contains(&characters) && !name.chars().any(char::is_control)
}
