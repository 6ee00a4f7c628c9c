//! Secrets that are derived from the key-encryption key, one key per purpose.
//!
//! Owns the labels and what is derived from each. Never stores a derived secret and never prints one.

use std::fmt;

use lanyard_jose::digest::{HmacKey, base64url, constant_time_eq, sha256};
use lanyard_jose::seal::{Kek, Place};
use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::issuer::Issuer;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::client::registration::{Client, SecretDigest, SubjectMode};
use crate::id::{SessionId, UserId};
use crate::outcome::Outcome;
use crate::store::StoreError;
use crate::store::setting::SettingStore;
use crate::trust::audience::Audience;

/// The name of the setting that recognises the key-encryption key.
const CHECK_SETTING: &str = "kek_check";

/// The key-encryption key and the keys derived from it, prepared once.
pub struct Vault {
    kek: Kek,
    client_secret: HmacKey,
    refresh: HmacKey,
    pairwise: HmacKey,
    session: HmacKey,
    recovery_code: HmacKey,
    known_browser: HmacKey,
    challenge: HmacKey,
}

/// The store was written under another key-encryption key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this store was made with another key-encryption key; configure the key it was made with")]
pub struct WrongKek;

impl Vault {
    /// Derives every key.
    pub fn new(kek: Kek) -> Self {
        let client_secret = kek.derive("client-secret/v1");
        let refresh = kek.derive("refresh-token/v1");
        let pairwise = kek.derive("pairwise-subject/v1");
        let session = kek.derive("session-handle/v1");
        let recovery_code = kek.derive("recovery-code/v1");
        let known_browser = kek.derive("known-browser/v1");
        let challenge = kek.derive("passkey-challenge/v1");
        Self {
            kek,
            client_secret,
            refresh,
            pairwise,
            session,
            recovery_code,
            known_browser,
            challenge,
        }
    }

    /// The key that seals private keys at rest.
    pub const fn kek(&self) -> &Kek {
        &self.kek
    }

    /// What is stored of a client secret that somebody chose: useless without the key-encryption key.
    pub fn digest_chosen_secret(&self, secret: &str) -> SecretDigest {
        SecretDigest::Hmac(self.client_secret.sign(secret.as_bytes()))
    }

    /// Whether `presented` is the secret behind `digest`, in constant time.
    pub fn matches(&self, digest: &SecretDigest, presented: &str) -> bool {
        match digest {
            SecretDigest::Sha256(stored) => constant_time_eq(stored, &sha256(presented.as_bytes())),
            SecretDigest::Hmac(stored) => constant_time_eq(stored, &self.client_secret.sign(presented.as_bytes())),
        }
    }

    /// The successor of a refresh token. Derived, so that a lost answer can be repeated without storing the token.
    pub fn refresh_successor(&self, predecessor: &str) -> SecretString {
        SecretString::from(base64url(&self.refresh.sign(predecessor.as_bytes())))
    }

    /// The `sub` that one sector sees of a person (OpenID Connect Core, section 8.1; SEC-19).
    pub fn pairwise(&self, sector: &str, user: &UserId) -> Subject {
        let code = self.pairwise.sign(&joined(sector, user.as_str()));
        #[expect(clippy::expect_used, reason = "43 letters of base64url are a subject")]
        Subject::parse(base64url(&code)).expect("base64url of 32 bytes is a subject")
    }

    /// The `sub` of ID-JAGs for one RAS (IDP-MN-03). Issuing and cutting off go through here, so that they agree.
    pub fn subject_for_audience(&self, audience: &Audience, user: &UserId) -> Subject {
        self.subject(audience.subject_mode, audience.issuer.as_str(), user)
    }

    /// The `sub` of ID tokens for one client.
    pub fn subject_for_client(&self, client: &Client, user: &UserId) -> Subject {
        self.subject(client.subject_mode, client.key.as_str(), user)
    }

    fn subject(&self, mode: SubjectMode, sector: &str, user: &UserId) -> Subject {
        match mode {
            // An identifier that is no subject cannot be made; the pairwise form always can.
            SubjectMode::Public => Subject::parse(user.as_str()).unwrap_or_else(|_| self.pairwise(sector, user)),
            SubjectMode::Pairwise => self.pairwise(sector, user),
        }
    }

    /// The session handle that one RAS sees (TOK-JG-02: never the client's own `sid`).
    pub fn session_handle(&self, audience: &Issuer, sid: &SessionId) -> String {
        let code = self.session.sign(&joined(audience.as_str(), sid.as_str()));
        let (half, _) = code.split_at(16);
        base64url(half)
    }

    /// What is stored of a person's recovery code: 50 bits are safe under a key only.
    pub fn digest_recovery_code(&self, user: &UserId, code: &str) -> [u8; 32] {
        self.recovery_code.sign(&joined(user.as_str(), code))
    }

    /// Seals the secret that an app of this person shares.
    pub fn seal_app_secret(&self, user: &UserId, secret: &[u8]) -> Vec<u8> {
        self.kek.seal(&app_secret_place(user), secret)
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it was sealed for somebody else or under another key.
    pub fn open_app_secret(&self, user: &UserId, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let opened = self.kek.open(&app_secret_place(user), sealed);
        opened.map_err(|_| StoreError::Corrupt("the secret of an app does not open".to_owned()))
    }

    /// What tells that a browser was used by a person before, without naming the person.
    pub fn known_browser(&self, browser: &str, user: &UserId) -> String {
        let code = self.known_browser.sign(&joined(browser, user.as_str()));
        let (half, _) = code.split_at(16);
        base64url(half)
    }

    /// Vouches for a text that a browser keeps for us: who else keeps it, or changes it, cannot vouch.
    pub fn vouch(&self, bound: &SecretString, text: &str) -> String {
        base64url(&self.challenge.sign(&joined(bound.expose_secret(), text)))
    }

    /// Whether the store belongs to this key-encryption key; a fresh store is marked with it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn check(&self, tx: &mut dyn SettingStore) -> Result<Outcome<(), WrongKek>, StoreError> {
        let own = self.kek.check_value();
        let stands = tx.insert_setting(CHECK_SETTING, &own)?;
        let same = constant_time_eq(own.as_bytes(), stands.as_bytes());
        Ok(if same {
            Outcome::Granted(())
        } else {
            Outcome::Denied(WrongKek)
        })
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault([redacted])")
    }
}

/// What is stored of a secret that we generated with 256 bits of entropy.
pub fn digest_generated_secret(secret: &SecretString) -> SecretDigest {
    SecretDigest::Sha256(sha256(secret.expose_secret().as_bytes()))
}

/// Whether two texts are the same, in constant time.
pub fn same(one: &str, other: &str) -> bool {
    constant_time_eq(one.as_bytes(), other.as_bytes())
}

/// SHA-256 of a text.
pub fn fingerprint(text: &str) -> [u8; 32] {
    sha256(text.as_bytes())
}

fn app_secret_place(user: &UserId) -> Place<'_> {
    Place {
        table: "app_secrets",
        row: user.as_str(),
        column: "sealed",
    }
}

/// Two texts that cannot run into each other: no identifier holds a zero byte.
fn joined(first: &str, second: &str) -> Vec<u8> {
    let mut message = Vec::with_capacity(first.len() + 1 + second.len());
    message.extend_from_slice(first.as_bytes());
    message.push(0);
    message.extend_from_slice(second.as_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    fn vault(byte: u8) -> Vault {
        Vault::new(Kek::from_bytes([byte; 32]))
    }

    #[test]
    fn a_chosen_secret_is_stored_under_the_key_sec_12() {
        let digest = vault(1).digest_chosen_secret("correct horse battery staple 000");
        assert!(vault(1).matches(&digest, "correct horse battery staple 000"));
        assert!(!vault(1).matches(&digest, "correct horse battery staple 001"));
        assert!(!vault(2).matches(&digest, "correct horse battery staple 000"));
    }

    #[test]
    fn a_generated_secret_is_stored_as_its_hash_sec_12() {
        let secret = SecretString::from("s3cret".to_owned());
        let digest = digest_generated_secret(&secret);
        assert!(vault(1).matches(&digest, "s3cret") && vault(2).matches(&digest, "s3cret"));
        assert!(!vault(1).matches(&digest, "s3cret "));
    }

    #[test]
    fn the_successor_of_a_refresh_token_is_always_the_same_and_nobody_elses() {
        let first = vault(1).refresh_successor("abc");
        assert_eq!(first.expose_secret(), vault(1).refresh_successor("abc").expose_secret());
        assert_ne!(first.expose_secret(), vault(1).refresh_successor("abd").expose_secret());
        assert_ne!(first.expose_secret(), vault(2).refresh_successor("abc").expose_secret());
    }

    #[test]
    fn two_sectors_cannot_compare_their_subjects_sec_19() {
        let user = UserId::from_stored("usr_1".to_owned());
        let other = UserId::from_stored("usr_2".to_owned());
        let vault = vault(1);
        assert_eq!(
            vault.pairwise("https://a.example", &user),
            vault.pairwise("https://a.example", &user)
        );
        assert_ne!(
            vault.pairwise("https://a.example", &user),
            vault.pairwise("https://b.example", &user)
        );
        assert_ne!(
            vault.pairwise("https://a.example", &user),
            vault.pairwise("https://a.example", &other)
        );
    }

    #[test]
    fn every_ras_sees_its_own_session_handle_tok_jg_02() {
        let sid = SessionId::from_stored("ses_1".to_owned());
        let (a, b) = (
            Issuer::parse("https://a.example").unwrap(),
            Issuer::parse("https://b.example").unwrap(),
        );
        let vault = vault(1);
        assert_ne!(vault.session_handle(&a, &sid), vault.session_handle(&b, &sid));
        assert!(!vault.session_handle(&a, &sid).contains("ses_"));
    }

    #[test]
    fn the_vault_is_not_printed() {
        assert_eq!(format!("{:?}", vault(7)), "Vault([redacted])");
    }
}
