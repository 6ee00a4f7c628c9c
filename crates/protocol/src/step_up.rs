//! What a resource server asks of the sign-in behind a token (RFC 9470).
//!
//! Owns the comparison with the claims of a token. Never decides which operation asks for it.

use serde::{Deserialize, Serialize};

use crate::claims::time::NumericDate;

/// The authentication that an operation asks for. What is not said is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthenticationNeed {
    /// Authentication context classes; any of them will do. A token without `acr` has none (SU-07).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// The oldest acceptable sign-in, in seconds. A token without `auth_time` is too old (SU-07).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
}

impl AuthenticationNeed {
    /// Whether a sign-in does, at an instant and with a skew of clocks, both in seconds.
    pub fn is_met(&self, acr: Option<&str>, auth_time: Option<NumericDate>, now: i64, leeway: i64) -> bool {
        let context = self.acr_values.is_empty() || acr.is_some_and(|acr| self.acr_values.iter().any(|own| own == acr));
        let recent = self.max_age.is_none_or(|most| {
            let most = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(leeway);
            auth_time.is_some_and(|at| now.saturating_sub(at.seconds()) <= most)
        });
        context && recent
    }

    /// Whether nothing is asked for.
    pub const fn is_nothing(&self) -> bool {
        self.acr_values.is_empty() && self.max_age.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need() -> AuthenticationNeed {
        AuthenticationNeed {
            acr_values: vec!["mfa".to_owned(), "phr".to_owned()],
            max_age: Some(300),
        }
    }

    #[test]
    fn any_named_context_does_when_it_is_recent_enough_su_05() {
        let at = |seconds| Some(NumericDate::from_seconds(seconds));
        assert!(need().is_met(Some("phr"), at(1000), 1300, 0));
        assert!(!need().is_met(Some("pwd"), at(1000), 1000, 0));
        assert!(!need().is_met(Some("phr"), at(1000), 1301, 0));
        assert!(need().is_met(Some("phr"), at(1000), 1301, 30), "clocks differ");
    }

    #[test]
    fn what_a_token_does_not_say_does_not_do_su_07() {
        assert!(!need().is_met(None, Some(NumericDate::from_seconds(1000)), 1000, 0));
        assert!(!need().is_met(Some("mfa"), None, 1000, 0));
        assert!(AuthenticationNeed::default().is_met(None, None, 1000, 0));
        assert!(AuthenticationNeed::default().is_nothing() && !need().is_nothing());
    }
}
