//! Access tokens in memory, one slot per (issuer, resource, subject), each filled by one caller at a time.
//!
//! Owns freshness and single flight. Never obtains a token.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use lanyard_protocol::scope::ScopeSet;
use secrecy::{ExposeSecret as _, SecretString};

/// A token for one MCP server.
#[derive(Clone)]
pub struct AccessToken {
    /// The token.
    pub token: SecretString,
    /// When it was received, seconds since the epoch.
    pub issued_at: i64,
    /// When it expires; unknown when the server did not say.
    pub expires_at: Option<i64>,
    /// What was granted, when the server says so.
    pub scope: Option<ScopeSet>,
}

impl AccessToken {
    /// Whether it may still be sent. A tenth of its life, at most 30 seconds, is left unused, so that it does not
    /// expire on its way.
    pub fn is_fresh(&self, now: i64) -> bool {
        let Some(expires_at) = self.expires_at else { return true };
        let margin = (expires_at.saturating_sub(self.issued_at) / 10).clamp(0, 30);
        now < expires_at.saturating_sub(margin)
    }

    /// Whether it is this very token.
    pub fn is(&self, token: &SecretString) -> bool {
        self.token.expose_secret() == token.expose_secret()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_at", &self.expires_at)
            .field("scope", &self.scope)
            .finish()
    }
}

/// What a token is kept under (CL-ST-01).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenKey {
    /// The authorization server that issued it.
    pub issuer: String,
    /// The resource it is for.
    pub resource: String,
    /// The person, as the enterprise IdP names them; empty for the code flow.
    pub subject: String,
}

/// What is known under one key.
#[derive(Default)]
pub struct Slot {
    /// The current token.
    pub token: Option<AccessToken>,
    /// Every scope asked for so far: step-up unions with it (CL-SC-02).
    pub requested: ScopeSet,
}

/// All slots. Whoever fills one holds its lock, so that callers waiting for the same token get the one just fetched.
#[derive(Default)]
pub struct TokenCache(Mutex<HashMap<TokenKey, Arc<tokio::sync::Mutex<Slot>>>>);

impl TokenCache {
    /// The slot of `key`, made when there is none.
    pub fn slot(&self, key: &TokenKey) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key.clone()).or_default())
    }

    /// Forgets every token, for a sign-out or another person.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(issued_at: i64, expires_at: Option<i64>) -> AccessToken {
        AccessToken {
            token: SecretString::from("t"),
            issued_at,
            expires_at,
            scope: None,
        }
    }

    #[test]
    fn a_token_is_renewed_before_it_expires() {
        let ten_minutes = token(1000, Some(1600));
        assert!(ten_minutes.is_fresh(1569));
        assert!(!ten_minutes.is_fresh(1570));
        assert!(token(1000, None).is_fresh(i64::MAX));
    }

    proptest! {
        #[test]
        fn an_expired_token_is_never_fresh(issued in 0i64..1_000_000, life in 0i64..100_000, late in 0i64..1000) {
            prop_assert!(!token(issued, Some(issued + life)).is_fresh(issued + life + late));
        }

        #[test]
        fn a_new_token_is_fresh_for_most_of_its_life(issued in 0i64..1_000_000, life in 1i64..100_000) {
            prop_assert!(token(issued, Some(issued + life)).is_fresh(issued + life * 8 / 10));
        }
    }

    #[test]
    fn tokens_are_not_printed_cl_st_01() {
        let text = format!(
            "{:?}",
            AccessToken {
                token: SecretString::from("hunter2"),
                ..token(0, None)
            }
        );
        assert!(!text.contains("hunter2"));
    }
}
