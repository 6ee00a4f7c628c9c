//! Second factors, and sign-ins that wait for one.

use crate::clock::Timestamp;
use crate::directory::factor::{AppSecret, Passkey};
use crate::id::{PasskeyId, SessionId, UserId};
use crate::idp::second_factor::{Failures, Step};
use crate::store::StoreError;

/// What people have besides passwords, and what becomes of attempts with it.
pub trait FactorStore {
    /// The secret of a person's app, confirmed or not.
    fn find_app_secret(&mut self, user: &UserId) -> Result<Option<AppSecret>, StoreError>;
    /// Writes or replaces the secret of a person's app.
    fn put_app_secret(&mut self, user: &UserId, secret: &AppSecret) -> Result<(), StoreError>;
    /// Removes the secret; `false` when there was none.
    fn remove_app_secret(&mut self, user: &UserId) -> Result<bool, StoreError>;

    /// Replaces every recovery code of a person.
    fn replace_recovery_codes(&mut self, user: &UserId, hashes: &[[u8; 32]], at: Timestamp) -> Result<(), StoreError>;
    /// Uses an unused code up; `false` when there was none.
    fn use_recovery_code(&mut self, user: &UserId, hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError>;
    /// How many unused codes a person has.
    fn count_recovery_codes(&mut self, user: &UserId) -> Result<u64, StoreError>;

    /// A person's passkeys, oldest first.
    fn list_passkeys(&mut self, user: &UserId) -> Result<Vec<Passkey>, StoreError>;
    /// The passkey that an authenticator calls by this name.
    fn find_passkey_by_credential(&mut self, credential: &str) -> Result<Option<Passkey>, StoreError>;
    /// Writes a new passkey. [`StoreError::Conflict`] when the authenticator's name is taken.
    fn insert_passkey(&mut self, passkey: &Passkey) -> Result<(), StoreError>;
    /// Renames a passkey of a person; `false` when there was none.
    fn rename_passkey(&mut self, user: &UserId, id: &PasskeyId, name: &str) -> Result<bool, StoreError>;
    /// Notes a use of a passkey whose record is still `before`; `false` when it changed meanwhile.
    fn use_passkey(&mut self, id: &PasskeyId, before: &str, after: &str, at: Timestamp) -> Result<bool, StoreError>;
    /// Removes a passkey of a person; `false` when there was none.
    fn remove_passkey(&mut self, user: &UserId, id: &PasskeyId) -> Result<bool, StoreError>;

    /// Writes a sign-in that waits for a second factor.
    fn insert_step(&mut self, step: &Step) -> Result<(), StoreError>;
    /// The waiting sign-in whose secret has this hash.
    fn find_step(&mut self, hash: &[u8; 32]) -> Result<Option<Step>, StoreError>;
    /// Counts a failed attempt at a waiting sign-in; how many there were with it.
    fn count_step(&mut self, hash: &[u8; 32]) -> Result<i64, StoreError>;
    /// Ends a waiting sign-in; `false` when it was ended before.
    fn remove_step(&mut self, hash: &[u8; 32]) -> Result<bool, StoreError>;
    /// Ends every waiting sign-in of a person.
    fn remove_steps_of(&mut self, user: &UserId) -> Result<u64, StoreError>;

    /// Failed attempts at a person's second factor from one known browser, or from all others together.
    fn find_failures(&mut self, user: &UserId, browser: &str) -> Result<Option<Failures>, StoreError>;
    /// Writes or replaces them.
    fn put_failures(&mut self, user: &UserId, browser: &str, failures: &Failures) -> Result<(), StoreError>;
    /// Forgets them.
    fn remove_failures(&mut self, user: &UserId, browser: &str) -> Result<(), StoreError>;

    /// Notes that the person of a session proved again who they are.
    fn confirm_session(&mut self, id: &SessionId, at: Timestamp) -> Result<(), StoreError>;
    /// When the person of a session last proved it again.
    fn find_confirmation(&mut self, id: &SessionId) -> Result<Option<Timestamp>, StoreError>;

    /// Removes waiting sign-ins and failures whose time is over, at most `limit` of each; how many.
    fn purge_steps(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
