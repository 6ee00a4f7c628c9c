//! From an acceptable assertion to what the rest of the house reads: subject, claims, how the person signed in.
//!
//! Owns which part of an assertion identifies a person (SAML-11). Never finds the person (`upstream/resolve.rs`).

use serde_json::Value;

use crate::saml::accept::Accepted;
use crate::saml::assertion::{Assertion, NameId, PERSISTENT, TRANSIENT};
use crate::saml::denial::SamlDenial;
use crate::upstream::mapping::Claims;
use crate::upstream::resolve::Asserted;
use crate::upstream::saml::SamlSettings;

/// The claims that hold the name itself, for mappings.
const NAME_ID: &str = "NameID";

/// What the provider vouches for. `own` is the entity id that we have there, `audience` the one the assertion is for.
///
/// # Errors
/// [`SamlDenial::TransientName`], [`SamlDenial::SubjectAttribute`].
pub fn asserted(
    settings: &SamlSettings,
    assertion: &Assertion,
    accepted: &Accepted,
    own: &str,
    audience: &str,
) -> Result<Asserted, SamlDenial> {
    let authentication = &accepted.authentication;
    let mut asserted = Asserted::new(subject(settings, assertion, own, audience)?, claims(assertion));
    asserted.auth_time = Some(authentication.authn_instant.seconds());
    asserted.acr.clone_from(&authentication.class_ref);
    asserted.session.clone_from(&authentication.session_index);
    asserted.ends_by = authentication.session_not_on_or_after;
    Ok(asserted)
}

fn subject(settings: &SamlSettings, assertion: &Assertion, own: &str, audience: &str) -> Result<String, SamlDenial> {
    if let Some(name) = &settings.subject_attribute {
        let mut values = assertion
            .attributes
            .iter()
            .filter(|attribute| attribute.name == *name)
            .flat_map(|attribute| &attribute.values);
        return match (values.next(), values.next()) {
            (Some(value), None) if !value.is_empty() => Ok(format!("attribute:{value}")),
            _ => Err(SamlDenial::SubjectAttribute),
        };
    }
    if assertion.name_id.is_transient() {
        return Err(SamlDenial::TransientName);
    }
    Ok(subject_of(&assertion.name_id, &assertion.issuer, own, audience))
}

/// One text per name, short for the usual ones so that people can read it: `persistent:1f0a`, `emailAddress:a@b.example`.
/// Qualifiers stand in it when they are not the ones that go without saying.
fn subject_of(name: &NameId, issuer: &str, own: &str, audience: &str) -> String {
    // Persistent names differ for each service provider (SAML Core, section 8.3.7); the others are the provider's own.
    let pairwise = name.format == PERSISTENT;
    let usual = if pairwise { own } else { audience };
    let for_whom = name.sp_name_qualifier.as_deref().unwrap_or(audience);
    let by_whom = name.name_qualifier.as_deref().unwrap_or(issuer);
    let known = name
        .format
        .strip_prefix("urn:oasis:names:tc:SAML:")
        .and_then(|rest| rest.split_once("nameid-format:"))
        .map(|(_, format)| format)
        .filter(|format| format.bytes().all(|b| b.is_ascii_alphanumeric()));
    match known {
        Some(format) if by_whom == issuer && for_whom == usual => format!("{format}:{}", name.value),
        _ => format!("name {}", name.key(issuer, for_whom)),
    }
}

fn claims(assertion: &Assertion) -> Claims {
    let mut claims = Claims::new();
    for attribute in &assertion.attributes {
        let values: Vec<Value> = attribute
            .values
            .iter()
            .map(|value| Value::from(value.as_str()))
            .collect();
        for name in std::iter::once(&attribute.name).chain(&attribute.friendly_name) {
            match claims.get_mut(name).and_then(Value::as_array_mut) {
                // The name counts, not what people call it.
                Some(_) if *name != attribute.name => {}
                Some(known) => known.extend(values.iter().cloned()),
                None => {
                    claims.insert(name.clone(), Value::from(values.clone()));
                }
            }
        }
    }
    let name = &assertion.name_id;
    if name.format != TRANSIENT {
        claims.insert(NAME_ID.to_owned(), Value::from(vec![name.value.as_str()]));
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::assertion::UNSPECIFIED;

    const EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";

    fn subject(value: &str, format: &str, by: Option<&str>, sp: Option<&str>, audience: &str) -> String {
        let name = NameId {
            value: value.to_owned(),
            format: format.to_owned(),
            name_qualifier: by.map(str::to_owned),
            sp_name_qualifier: sp.map(str::to_owned),
        };
        subject_of(&name, "https://idp", "https://own", audience)
    }

    #[test]
    fn a_persistent_name_of_another_service_provider_is_another_name_saml_11() {
        let own = subject("1f", PERSISTENT, None, None, "https://own");
        assert_eq!(own, "persistent:1f");
        assert_eq!(own, subject("1f", PERSISTENT, None, Some("https://own"), "https://own"));
        assert_eq!(own, subject("1f", PERSISTENT, Some("https://idp"), None, "https://own"));
        let others = [
            subject("1f", PERSISTENT, None, None, "https://app"),
            subject("1f", PERSISTENT, None, Some("https://group"), "https://own"),
            subject("1f", PERSISTENT, Some("https://other"), None, "https://own"),
        ];
        for (index, one) in others.iter().enumerate() {
            assert_ne!(*one, own);
            assert!(others.iter().skip(index + 1).all(|other| other != one));
        }
    }

    #[test]
    fn names_that_are_not_pairwise_are_the_same_for_every_service_provider_saml_11() {
        assert_eq!(subject("a@b", EMAIL, None, None, "https://own"), "emailAddress:a@b");
        assert_eq!(subject("a@b", EMAIL, None, None, "https://app"), "emailAddress:a@b");
        assert_ne!(
            subject("a@b", EMAIL, None, None, "https://own"),
            subject("a@b", UNSPECIFIED, None, None, "https://own")
        );
        assert!(subject("a", "urn:x", None, None, "https://own").starts_with("name "));
    }
}
