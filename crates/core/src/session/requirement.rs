//! What a rule or a scope asks of a sign-in (RFC 9470; IDP-PL-03, SU-01), and what a sign-in has to show for it.
//!
//! Owns the comparison. Never decides who is asked for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::{Timestamp, duration_text};
use crate::session::record::Authentication;
use crate::session::strength::Strength;

/// How strong and how recent a sign-in has to be. What is not said is not asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// At least this strong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<Strength>,
    /// At most so many seconds old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
}

impl Requirement {
    /// Whether a sign-in is strong and recent enough. More strength or less age never changes a yes into a no.
    pub fn is_met(&self, by: Evidence) -> bool {
        self.strength.is_none_or(|least| by.strength >= least) && self.max_age.is_none_or(|most| by.age <= most)
    }

    /// Both at once: the greater strength and the smaller age.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            strength: self.strength.max(other.strength),
            max_age: match (self.max_age, other.max_age) {
                (Some(one), Some(two)) => Some(one.min(two)),
                (one, two) => one.or(two),
            },
        }
    }

    /// Whether nothing is asked for.
    pub const fn is_nothing(&self) -> bool {
        self.strength.is_none() && self.max_age.is_none()
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.strength {
            None | Some(Strength::Password) => "a sign-in",
            Some(Strength::MultiFactor) => "a sign-in with two factors",
            Some(Strength::PhishingResistant) => "a phishing-resistant sign-in",
        })?;
        match self.max_age {
            Some(seconds) => write!(f, " at most {} old", duration_text(seconds)),
            None => Ok(()),
        }
    }
}

/// What a sign-in is worth at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// How strong it was.
    pub strength: Strength,
    /// How long ago, in whole seconds; [`Evidence::UNKNOWN_AGE`] where nobody told.
    pub age: u64,
}

impl Evidence {
    /// Older than any age that can be asked for.
    pub const UNKNOWN_AGE: u64 = u64::MAX;

    /// The best there can be: what a person could reach at most by signing in again.
    pub const BEST: Self = Self {
        strength: Strength::PhishingResistant,
        age: 0,
    };
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.age {
            Self::UNKNOWN_AGE => write!(
                f,
                "{}, at a time that the identity provider did not tell",
                self.strength.as_str()
            ),
            age => write!(f, "{}, {} ago", self.strength.as_str(), duration_text(age)),
        }
    }
}

impl Authentication {
    /// What this sign-in is worth now. Refreshing a token never makes it worth more (SU-04).
    pub fn evidence(&self, now: Timestamp) -> Evidence {
        Evidence {
            strength: self.strength,
            age: self
                .known_time()
                .map_or(Evidence::UNKNOWN_AGE, |at| now.since(at).as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Requirement = Requirement {
        strength: Some(Strength::MultiFactor),
        max_age: Some(900),
    };

    const fn evidence(strength: Strength, age: u64) -> Evidence {
        Evidence { strength, age }
    }

    #[test]
    fn both_strength_and_age_must_do_su_01() {
        assert!(STRICT.is_met(evidence(Strength::MultiFactor, 900)));
        assert!(STRICT.is_met(evidence(Strength::PhishingResistant, 0)));
        assert!(!STRICT.is_met(evidence(Strength::Password, 0)));
        assert!(!STRICT.is_met(evidence(Strength::MultiFactor, 901)));
        assert!(Requirement::default().is_met(evidence(Strength::Password, u64::MAX)));
    }

    #[test]
    fn two_requirements_together_are_the_stricter_of_each_part() {
        let fresh = Requirement {
            strength: None,
            max_age: Some(300),
        };
        let both = STRICT.and(fresh);
        assert_eq!((both.strength, both.max_age), (Some(Strength::MultiFactor), Some(300)));
        assert_eq!(Requirement::default().and(STRICT), STRICT);
        assert!(Requirement::default().is_nothing() && !fresh.is_nothing());
    }

    #[test]
    fn a_requirement_reads_as_words() {
        assert_eq!(STRICT.to_string(), "a sign-in with two factors at most 15m old");
        assert_eq!(evidence(Strength::Password, 7200).to_string(), "password, 2h ago");
    }
}
