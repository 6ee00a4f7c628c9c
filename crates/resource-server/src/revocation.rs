//! What is known to be revoked (architecture, section 10, rule 6; RS-TK-01; RV-02, RV-03).
//!
//! Owns the question and its answer in memory. Never decides what to revoke, and never asks over the network.

mod list;

use lanyard_jose::token::{AccessToken, Verified};
use tokio::sync::watch;

pub use self::list::{OnStale, RevocationList};

/// Answers, on every call and after every cache, whether a token is revoked.
pub trait RevocationView: Send + Sync {
    /// How the token stands at `now` (seconds since the epoch).
    fn standing(&self, token: &TokenFacts<'_>, now: i64) -> Standing;

    /// A counter that moves with every change, for long streams that wait for one (RS-W26-08).
    fn changes(&self) -> watch::Receiver<u64>;
}

/// What a revocation can hit.
#[derive(Debug, Clone, Copy)]
pub struct TokenFacts<'a> {
    /// The authorization server.
    pub issuer: &'a str,
    /// The token.
    pub jti: &'a str,
    /// The account.
    pub subject: &'a str,
    /// The client.
    pub client_id: &'a str,
    /// Time of issue, in seconds.
    pub issued_at: i64,
    /// The key that signed it.
    pub kid: &'a str,
}

impl<'a> TokenFacts<'a> {
    /// The facts of a verified token.
    pub fn of(token: &'a Verified<AccessToken>) -> Self {
        Self {
            issuer: token.iss.as_str(),
            jti: token.jti.as_str(),
            subject: token.sub.as_str(),
            client_id: token.client_id.as_str(),
            issued_at: token.iat.seconds(),
            kid: token.kid(),
        }
    }
}

/// How a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing revokes it.
    Live,
    /// It is revoked.
    Revoked,
    /// The view is too old to say; the call is refused with 503.
    Unknown,
}
