//! What a rule or a scope asks of a sign-in, as an administrator writes it.
//!
//! Owns the text form and its bounds. Never judges a sign-in (`session/requirement.rs`).

use serde::{Deserialize, Serialize};

use crate::admin::denial::AdminDenial;
use crate::clock::{duration_text, parse_duration};
use crate::session::requirement::Requirement;
use crate::session::strength::Strength;

/// The shortest age that makes sense: a sign-in takes two requests more before it is shown to anybody.
const SHORTEST: u64 = 60;
/// No session lives longer.
const LONGEST: u64 = 30 * 86_400;

/// The sign-in that is asked for: strength, age, or both.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequirementSpec {
    /// `multi_factor` or `phishing_resistant`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<Strength>,
    /// How old it may be at most, as in `15m`; one minute to 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<String>,
}

impl RequirementSpec {
    /// The document of a requirement.
    pub fn of(requirement: &Requirement) -> Self {
        Self {
            strength: requirement.strength,
            max_age: requirement.max_age.map(duration_text),
        }
    }

    /// Reads it; `field` is the one that a denial names.
    ///
    /// # Errors
    /// [`AdminDenial::Invalid`] for a requirement that asks for nothing, or for an age that cannot be.
    pub fn parse(&self, field: &str) -> Result<Requirement, AdminDenial> {
        if self.strength == Some(Strength::Password) {
            let problem = "every sign-in is at least as strong as a password; use multi_factor or phishing_resistant";
            return Err(AdminDenial::invalid(format!("{field}.strength"), problem));
        }
        let invalid = |problem: String| AdminDenial::invalid(format!("{field}.max_age"), problem);
        let max_age = match &self.max_age {
            None => None,
            Some(text) => match parse_duration(text).map_err(invalid)?.as_secs() {
                seconds @ SHORTEST..=LONGEST => Some(seconds),
                _ => return Err(invalid("1m to 30d are possible".to_owned())),
            },
        };
        let requirement = Requirement {
            strength: self.strength,
            max_age,
        };
        if requirement.is_nothing() {
            return Err(AdminDenial::invalid(
                field,
                "say strength, max_age or both, or leave it out",
            ));
        }
        Ok(requirement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(strength: Option<Strength>, max_age: Option<&str>) -> RequirementSpec {
        RequirementSpec {
            strength,
            max_age: max_age.map(str::to_owned),
        }
    }

    #[test]
    fn a_requirement_reads_back_as_it_was_written_su_01() {
        for good in [
            spec(Some(Strength::MultiFactor), None),
            spec(None, Some("15m")),
            spec(Some(Strength::PhishingResistant), Some("1h")),
        ] {
            assert_eq!(RequirementSpec::of(&good.parse("requires").unwrap()), good);
        }
    }

    #[test]
    fn what_asks_for_nothing_or_the_impossible_is_refused() {
        for bad in [
            spec(None, None),
            spec(Some(Strength::Password), None),
            spec(None, Some("15")),
            spec(None, Some("59s")),
            spec(None, Some("31d")),
        ] {
            let denial = bad.parse("requires").unwrap_err();
            assert!(denial.to_string().starts_with("requires"), "{denial}");
        }
    }
}
