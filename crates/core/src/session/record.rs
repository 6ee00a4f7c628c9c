//! A browser session at the IdP.

use lanyard_protocol::claims::time::NumericDate;

use crate::clock::Timestamp;
use crate::id::{ConnectionId, SessionId, UserId};
use crate::session::strength::Strength;

/// How and when a person signed in; copied into tokens (IDP-MN-05, SU-04).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentication {
    /// The instant of the sign-in; [`Authentication::UNKNOWN_TIME`] where the identity provider did not tell it.
    pub auth_time: Timestamp,
    /// Authentication context class reached, as whoever authenticated the person named it.
    pub acr: String,
    /// Methods used (RFC 8176).
    pub amr: Vec<String>,
    /// What it counts as for step-up.
    pub strength: Strength,
}

impl Authentication {
    /// Stands for an instant that nobody told: older than any age that is asked for, so that it satisfies none.
    pub const UNKNOWN_TIME: Timestamp = Timestamp::from_seconds(0);

    /// The instant of the sign-in, where it is known: what tokens and people are told.
    pub fn known_time(&self) -> Option<Timestamp> {
        (self.auth_time > Self::UNKNOWN_TIME).then_some(self.auth_time)
    }

    /// The `auth_time` of our tokens; absent where it is not known.
    pub fn auth_time_claim(&self) -> Option<NumericDate> {
        self.known_time().map(|at| NumericDate::from_seconds(at.seconds()))
    }

    /// The `acr` of our tokens. What an identity provider calls a strength is told in our words, by which clients and
    /// resource servers ask for it; what counts as no more than one factor is passed on as it was named.
    pub fn acr_claim(&self) -> &str {
        match Strength::of_acr(&self.acr) {
            Some(own) if own == self.strength => &self.acr,
            None if self.strength == Strength::Password => &self.acr,
            _ => self.strength.acr(),
        }
    }
}

/// A signed-in browser. The cookie's secret is stored as SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The `sid` of ID tokens.
    pub id: SessionId,
    /// Who.
    pub user: UserId,
    /// SHA-256 of the cookie's secret.
    pub secret_hash: [u8; 32],
    /// The sign-in.
    pub authentication: Authentication,
    /// The identity provider that authenticated the person; `None` for the built-in directory.
    pub connection: Option<ConnectionId>,
    /// What that identity provider calls its session (`sid`, `SessionIndex`): for logout from there.
    pub upstream_session: Option<String>,
    /// The browser in words, for the person's list of sessions.
    pub agent: Option<String>,
    /// The address it began from, for the same list.
    pub peer: Option<String>,
    /// When the session began.
    pub created_at: Timestamp,
    /// Last use, written at most once a minute.
    pub last_used_at: Timestamp,
    /// The absolute end.
    pub expires_at: Timestamp,
    /// Ended by logout, deactivation or an administrator.
    pub ended_at: Option<Timestamp>,
    /// Whether the person ended it, or somebody else did (RV-07).
    pub ended_by_admin: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_no_strength_that_the_sign_in_does_not_have_su_07() {
        let claim = |acr: &str, strength| {
            let authentication = Authentication {
                auth_time: Timestamp::from_seconds(0),
                acr: acr.to_owned(),
                amr: Vec::new(),
                strength,
            };
            authentication.acr_claim().to_owned()
        };
        assert_eq!(claim("phrh", Strength::PhishingResistant), "phrh");
        assert_eq!(claim("gold", Strength::MultiFactor), "urn:lanyard:acr:mfa");
        assert_eq!(claim("gold", Strength::Password), "gold");
        // The identity provider says more than it is believed.
        assert_eq!(claim("phr", Strength::Password), "urn:lanyard:acr:pwd");
    }
}
