//! Identifiers that may be used once.

use crate::clock::Timestamp;
use crate::store::StoreError;

/// Which name space an identifier belongs to (SEC-05).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplayKind {
    /// ID-JAGs; scope = RAS tenant.
    IdJag,
    /// Client assertions at the IdP; scope = `idp`.
    ClientAssertionIdp,
    /// Client assertions at the RAS; scope = `ras`.
    ClientAssertionRas,
    /// Codes from an app, by their step; scope = `idp`.
    OneTimeCode,
    /// Challenges that a passkey answered; scope = `idp`.
    PasskeyChallenge,
    /// SAML assertions, at sign-in and in token exchange; scope = `idp`.
    SamlAssertion,
    /// Logout tokens of upstream providers; scope = `idp`.
    LogoutToken,
}

impl ReplayKind {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdJag => "id_jag",
            Self::ClientAssertionIdp => "client_assertion_idp",
            Self::ClientAssertionRas => "client_assertion_ras",
            Self::OneTimeCode => "one_time_code",
            Self::PasskeyChallenge => "passkey_challenge",
            Self::SamlAssertion => "saml_assertion",
            Self::LogoutToken => "logout_token",
        }
    }
}

/// One use, whoever asks and from whichever replica.
pub trait ReplayStore {
    /// Records the use of `jti`; `false` when it was used before.
    ///
    /// Atomic across replicas. `scope` is the tenant or side, `issuer` who made the identifier. `keep_until` is the
    /// expiry **plus the leeway** that verification allows: a row removed earlier opens the door for that long.
    fn record_use(
        &mut self,
        scope: &str,
        kind: ReplayKind,
        issuer: &str,
        jti: &str,
        keep_until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Removes uses whose `keep_until` is before `before`, at most `limit`; how many.
    fn purge_uses(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
