//! What an identity provider says of a person in a SAML assertion (SAML Core, section 2).
//!
//! Owns the facts, all of them read from signed bytes. Never says whether they are acceptable (`accept.rs`).

use crate::clock::Timestamp;

/// The method of a confirmation by possession of the assertion (SAML Profiles, section 3.3).
pub const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// The name that is kept between sessions (SAML Core, section 8.3.7).
pub const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";

/// The name that is made for one session (SAML Core, section 8.3.8).
pub const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

/// The format that says nothing; what an absent one means (SAML Core, section 8.3.1).
pub const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";

/// An assertion whose bytes a pinned key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Its identifier; used once (SAML-09).
    pub id: String,
    /// The entity id of the identity provider.
    pub issuer: String,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Whom it is about.
    pub name_id: NameId,
    /// How the presenter is confirmed to be the subject.
    pub confirmations: Vec<Confirmation>,
    /// When and for whom it is valid.
    pub conditions: Conditions,
    /// How and when the person was authenticated.
    pub statements: Vec<AuthnStatement>,
    /// What else is said of the person.
    pub attributes: Vec<Attribute>,
}

/// The name of a person at an identity provider. Two are equal when value, format and both qualifiers are (SAML-11).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameId {
    /// The name itself, byte for byte.
    pub value: String,
    /// What kind of name; never empty ([`UNSPECIFIED`] when absent).
    pub format: String,
    /// Who qualifies the name: an entity id.
    pub name_qualifier: Option<String>,
    /// For whom the name is qualified: an entity id.
    pub sp_name_qualifier: Option<String>,
}

impl NameId {
    /// Whether the name is made for one session only and must never be kept.
    pub fn is_transient(&self) -> bool {
        self.format == TRANSIENT
    }

    /// One text per name, for links and look-ups: no two names share it. Parts that the identity provider left out
    /// are filled with what they stand for (SAML Core, section 8.3.7).
    pub fn key(&self, issuer: &str, service_provider: &str) -> String {
        let qualifier = self.name_qualifier.as_deref().unwrap_or(issuer);
        let for_whom = self.sp_name_qualifier.as_deref().unwrap_or(service_provider);
        let mut key = String::with_capacity(self.value.len() + 200);
        for part in [self.format.as_str(), qualifier, for_whom] {
            key.push_str(&part.len().to_string());
            key.push(':');
            key.push_str(part);
        }
        key.push_str(&self.value);
        key
    }
}

/// One `SubjectConfirmation` (SAML Core, section 2.4.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The method; only [`BEARER`] is understood.
    pub method: String,
    /// To which address it may be delivered.
    pub recipient: Option<String>,
    /// Not allowed for bearers (SAML Profiles, section 4.1.4.2).
    pub not_before: Option<Timestamp>,
    /// By when it must be delivered.
    pub not_on_or_after: Option<Timestamp>,
    /// Which request it answers.
    pub in_response_to: Option<String>,
}

/// When and for whom an assertion is valid (SAML Core, section 2.5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Not before.
    pub not_before: Option<Timestamp>,
    /// Not at this instant or later.
    pub not_on_or_after: Option<Timestamp>,
    /// One list for each `AudienceRestriction`: each must hold the audience.
    pub audiences: Vec<Vec<String>>,
    /// Whether it may be used once only; every assertion is used once here.
    pub one_time_use: bool,
    /// The first condition that is not understood: an assertion with one is never valid (SAML Core, section 2.5.1).
    pub unknown: Option<String>,
}

/// How and when the person was authenticated (SAML Core, section 2.7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthnStatement {
    /// When.
    pub authn_instant: Timestamp,
    /// What the identity provider calls its session: for logout.
    pub session_index: Option<String>,
    /// When the session must end here.
    pub session_not_on_or_after: Option<Timestamp>,
    /// How, as a class.
    pub class_ref: Option<String>,
}

/// An attribute with its plain values; structured values are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// The name for people.
    pub friendly_name: Option<String>,
    /// Its values, in their order.
    pub values: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(value: &str, format: &str, name_qualifier: Option<&str>, sp: Option<&str>) -> String {
        let name = NameId {
            value: value.to_owned(),
            format: format.to_owned(),
            name_qualifier: name_qualifier.map(str::to_owned),
            sp_name_qualifier: sp.map(str::to_owned),
        };
        name.key("https://idp.example", "https://sp.example")
    }

    #[test]
    fn two_names_share_a_key_only_when_every_part_is_equal_saml_11() {
        let plain = name("a", PERSISTENT, None, None);
        assert_eq!(plain, name("a", PERSISTENT, Some("https://idp.example"), None));
        assert_eq!(plain, name("a", PERSISTENT, None, Some("https://sp.example")));
        for other in [
            name("A", PERSISTENT, None, None),
            name("a ", PERSISTENT, None, None),
            name("a", TRANSIENT, None, None),
            name("a", PERSISTENT, Some("https://other.example"), None),
            name("a", PERSISTENT, None, Some("https://other.example")),
            name("a", PERSISTENT, Some("https://sp.example"), Some("https://idp.example")),
        ] {
            assert_ne!(plain, other);
        }
    }

    #[test]
    fn parts_of_a_name_cannot_run_into_each_other_saml_11() {
        assert_ne!(
            name("c", "f", Some("ab"), Some("")),
            name("c", "f", Some("a"), Some("b"))
        );
        assert_ne!(name("1:b", "f", Some("a"), None), name("b", "f1", Some("a"), None));
    }
}
