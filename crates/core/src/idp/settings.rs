//! The numbers and names by which an IdP decides.
//!
//! Owns the defaults. Never reads a configuration file.

use std::time::Duration;

use lanyard_protocol::issuer::Issuer;

use crate::directory::settings::PeopleSettings;

/// How this IdP decides; the same for every request of a process.
#[derive(Debug, Clone)]
pub struct IdpSettings {
    /// Its issuer identifier.
    pub issuer: Issuer,
    /// Life of an authorization code, at most 60 seconds (IDP-AU-06).
    pub code_ttl: Duration,
    /// Life of an ID token.
    pub id_token_ttl: Duration,
    /// Life of the issuer's own access tokens.
    pub access_token_ttl: Duration,
    /// A browser session ends after this long without use.
    pub session_idle: Duration,
    /// A browser session ends after this long in any case.
    pub session_absolute: Duration,
    /// A refresh token dies after this long without use.
    pub refresh_idle: Duration,
    /// A refresh token family dies after this long in any case.
    pub refresh_absolute: Duration,
    /// How long the immediate predecessor of a refresh token still gets its successor: for an answer that was lost.
    pub refresh_grace: Duration,
    /// Life of a key that a person enrols for a native client.
    pub native_key_ttl: Duration,
    /// How many such keys one person may have for one client.
    pub native_keys_per_person: usize,
    /// The people of the built-in directory.
    pub people: PeopleSettings,
}

impl IdpSettings {
    /// The defaults for an issuer.
    pub fn new(issuer: Issuer) -> Self {
        const HOUR: u64 = 3600;
        const DAY: u64 = 24 * HOUR;
        Self {
            issuer,
            code_ttl: Duration::from_secs(60),
            id_token_ttl: Duration::from_secs(HOUR),
            access_token_ttl: Duration::from_secs(600),
            session_idle: Duration::from_secs(4 * HOUR),
            session_absolute: Duration::from_secs(12 * HOUR),
            refresh_idle: Duration::from_secs(14 * DAY),
            refresh_absolute: Duration::from_secs(30 * DAY),
            refresh_grace: Duration::from_secs(10),
            native_key_ttl: Duration::from_secs(30 * DAY),
            native_keys_per_person: 20,
            people: PeopleSettings::default(),
        }
    }
}
