//! What an identity provider's claims mean here: names, groups, strength. Rules without patterns: a claim by its path,
//! a prefix, a table.
//!
//! Owns reading claims that somebody verified. Never decides who somebody is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::GroupId;
use crate::session::strength::Strength;

/// Claims as a JSON object: of an ID token and userinfo, or SAML attributes by name, each an array of texts.
pub type Claims = Map<String, Value>;

/// The longest text that is taken from a claim, in characters.
const MAX_TEXT: usize = 256;
/// Group names that are looked at for one person.
const MAX_GROUPS: usize = 2000;

/// The whole mapping of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The claim with the user name.
    pub username: String,
    /// The claim with the e-mail address: for people, never an identity (AL-07).
    pub email: String,
    /// The claim with the name for people.
    pub display_name: String,
    /// Groups; `None` leaves memberships alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupMapping>,
    /// What counts as how strong a sign-in.
    #[serde(default)]
    pub strengths: Vec<StrengthRule>,
    /// What every sign-in counts as at least: what the provider itself asks of everybody, without saying so.
    #[serde(default)]
    pub at_least: Strength,
}

/// Which of a person's groups at the provider are groups here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMapping {
    /// The claim with the groups: a name, or a path with dots (`realm_access.roles`).
    pub claim: String,
    /// Only values that begin like this are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_prefix: Option<String>,
    /// Taken off the front of a value that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strip_prefix: Option<String>,
    /// Value (after the prefix is off) → group or role here.
    #[serde(default)]
    pub names: BTreeMap<String, GroupId>,
    /// What a value means that `names` does not have.
    pub unlisted: Unlisted,
}

/// What a group of the provider means that the table does not name.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// Nothing.
    #[default]
    Ignore,
    /// The group of that name here, if there is one. Roles must be named in the table.
    Match,
    /// The group of that name here, made when there is none.
    Create,
}

/// One rule about strength: a value of `acr` or of `amr`, and what it counts as.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrengthRule {
    /// The value, exactly.
    pub value: String,
    /// Where it stands.
    pub claim: StrengthClaim,
    /// What a sign-in with it counts as.
    pub strength: Strength,
}

/// Where a provider says how somebody signed in.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrengthClaim {
    /// The authentication context class; also what is asked for when a stronger sign-in is needed.
    Acr,
    /// One of the authentication methods.
    Amr,
}

/// What the mapping found in a person's claims.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapped {
    /// The user name, in lower case.
    pub username: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// The name for people.
    pub display_name: Option<String>,
    /// Group values that are looked at, prefix off; `None` when the connection does not map groups.
    pub groups: Option<BTreeSet<String>>,
}

impl Mapping {
    /// Reads a person's claims.
    pub fn read(&self, claims: &Claims) -> Mapped {
        Mapped {
            username: text(claims, &self.username).map(|name| name.to_lowercase()),
            email: text(claims, &self.email),
            display_name: text(claims, &self.display_name),
            groups: self.groups.as_ref().map(|groups| groups.read(claims)),
        }
    }

    /// What a sign-in with these values counts as; where nothing is said, what every sign-in there counts as.
    pub fn strength(&self, acr: Option<&str>, amr: &[String]) -> Strength {
        self.strengths
            .iter()
            .filter(|rule| match rule.claim {
                StrengthClaim::Acr => acr == Some(rule.value.as_str()),
                StrengthClaim::Amr => amr.contains(&rule.value),
            })
            .map(|rule| rule.strength)
            .fold(self.at_least, Strength::max)
    }

    /// The `acr` values by which this provider can be asked for at least this strength, strongest first.
    pub fn acr_values(&self, at_least: Strength) -> Vec<&str> {
        let mut fitting: Vec<&StrengthRule> = self
            .strengths
            .iter()
            .filter(|rule| rule.claim == StrengthClaim::Acr && rule.strength >= at_least)
            .collect();
        fitting.sort_by_key(|rule| std::cmp::Reverse(rule.strength));
        fitting.into_iter().map(|rule| rule.value.as_str()).collect()
    }

    /// What is understood when an operator writes no rules: the registered names (RFC 8176, section 2; OpenID Connect
    /// Extended Authentication Profile).
    pub fn usual_strengths() -> Vec<StrengthRule> {
        let rule = |claim, value: &str, strength| StrengthRule {
            value: value.to_owned(),
            claim,
            strength,
        };
        vec![
            rule(StrengthClaim::Amr, "mfa", Strength::MultiFactor),
            rule(StrengthClaim::Acr, "phr", Strength::PhishingResistant),
            rule(StrengthClaim::Acr, "phrh", Strength::PhishingResistant),
        ]
    }
}

impl GroupMapping {
    fn read(&self, claims: &Claims) -> BTreeSet<String> {
        texts(claims, &self.claim)
            .filter(|value| self.only_prefix.as_ref().is_none_or(|prefix| value.starts_with(prefix)))
            .map(|value| match &self.strip_prefix {
                Some(prefix) => value.strip_prefix(prefix.as_str()).unwrap_or(value),
                None => value,
            })
            .filter(|value| usable(value))
            .take(MAX_GROUPS)
            .map(str::to_owned)
            .collect()
    }
}

/// The value at a path: a member of that whole name, or member by member where the name has dots.
pub fn find<'a>(claims: &'a Claims, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

/// The text at a path; of several, the first.
fn text(claims: &Claims, path: &str) -> Option<String> {
    texts(claims, path)
        .map(str::trim)
        .find(|value| usable(value))
        .map(str::to_owned)
}

/// The texts at a path: one, or an array of them. Anything else is no text.
fn texts<'a>(claims: &'a Claims, path: &str) -> impl Iterator<Item = &'a str> {
    let value = find(claims, path);
    let one = value.and_then(Value::as_str);
    let many = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    one.into_iter().chain(many.iter().filter_map(Value::as_str))
}

fn usable(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        value.as_object().cloned().unwrap()
    }

    fn mapping() -> Mapping {
        Mapping {
            username: "preferred_username".to_owned(),
            email: "email".to_owned(),
            display_name: "name".to_owned(),
            groups: Some(GroupMapping {
                claim: "realm_access.roles".to_owned(),
                only_prefix: Some("mcp-".to_owned()),
                strip_prefix: Some("mcp-".to_owned()),
                names: BTreeMap::new(),
                unlisted: Unlisted::Match,
            }),
            strengths: Mapping::usual_strengths(),
            at_least: Strength::Password,
        }
    }

    #[test]
    fn groups_are_found_by_path_and_prefix() {
        let mapped = mapping().read(&claims(json!({
            "preferred_username": " Ada ",
            "realm_access": {"roles": ["mcp-eng", "offline_access", "mcp-", 7, "mcp-ops\n"]},
        })));
        assert_eq!(mapped.username.as_deref(), Some("ada"));
        assert_eq!(mapped.groups, Some(["eng".to_owned()].into()));
    }

    #[test]
    fn a_member_whose_name_has_dots_is_found_whole() {
        let given = claims(json!({"https://acme.example/groups": ["eng"], "a.b": "whole", "a": {"b": "parts"}}));
        assert_eq!(find(&given, "https://acme.example/groups"), Some(&json!(["eng"])));
        assert_eq!(find(&given, "a.b"), Some(&json!("whole")));
        assert_eq!(find(&given, "a.c"), None);
    }

    #[test]
    fn a_claim_that_is_no_text_names_nobody() {
        for value in [
            json!(7),
            json!({"a": 1}),
            json!(""),
            json!(null),
            json!("x".repeat(300)),
            json!([[]]),
        ] {
            let mapped = mapping().read(&claims(json!({"preferred_username": value})));
            assert_eq!(mapped.username, None);
        }
        let many = mapping().read(&claims(json!({"preferred_username": ["", "ada", "eve"]})));
        assert_eq!(many.username.as_deref(), Some("ada"));
    }

    #[test]
    fn strength_is_the_strongest_that_a_rule_names_idp_mn_05() {
        let mapping = mapping();
        let amr = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        assert_eq!(mapping.strength(None, &[]), Strength::Password);
        assert_eq!(mapping.strength(Some("1"), &amr(&["pwd", "otp"])), Strength::Password);
        assert_eq!(mapping.strength(None, &amr(&["pwd", "mfa"])), Strength::MultiFactor);
        assert_eq!(
            mapping.strength(Some("phr"), &amr(&["mfa"])),
            Strength::PhishingResistant
        );
        assert_eq!(mapping.acr_values(Strength::MultiFactor), ["phr", "phrh"]);
    }

    #[test]
    fn a_provider_that_always_asks_for_two_factors_need_not_say_so_and_never_counts_for_less_idp_mn_05() {
        let mapping = Mapping {
            at_least: Strength::MultiFactor,
            ..mapping()
        };
        assert_eq!(mapping.strength(None, &[]), Strength::MultiFactor);
        assert_eq!(mapping.strength(Some("1"), &["pwd".to_owned()]), Strength::MultiFactor);
        assert_eq!(mapping.strength(Some("phr"), &[]), Strength::PhishingResistant);
    }
}
