//! The shape guard: what every message must look like before a signature in it is worth checking (SAML-04).
//!
//! Owns refusals over the whole document: identifiers, namespaces, how many of what there are and where. Wrapping
//! attacks need a second assertion, a second identifier or a signature in an unusual place. Only ever refuses.

use std::collections::HashSet;

use lanyard_core::saml::defect::Defect;

use super::names::{ASSERTION, DSIG, PROTOCOL};
use super::tree::Node;

/// Attributes that some program somewhere takes for an identifier.
const IDENTIFIERS: [&str; 5] = ["ID", "Id", "id", "iD", "AssertionID"];
/// The longest identifier that is read.
const MAX_IDENTIFIER: usize = 256;

/// Looks at a whole document with an assertion in it.
pub(super) fn check(root: Node<'_, '_>) -> Result<(), Defect> {
    check_all(root, 1)
}

/// Looks at a whole document that is a request: no assertion, and at most one signature.
pub(super) fn check_request(root: Node<'_, '_>) -> Result<(), Defect> {
    check_all(root, 0)
}

fn check_all(root: Node<'_, '_>, expected_assertions: u32) -> Result<(), Defect> {
    let mut seen = HashSet::new();
    let (mut assertions, mut signatures) = (0_u32, 0_u32);
    for node in root.and_descendants() {
        check_namespaces(node)?;
        if let Some(id) = identifier(node)?
            && !seen.insert(id)
        {
            return Err(Defect::Identifier("used twice"));
        }
        // By the local name, whatever the namespace: other programs find them like this.
        match &*node.element().name.local_name {
            "Assertion" | "EncryptedAssertion" => assertions += 1,
            "Signature" => signatures += 1,
            "Response" if node.id() != root.id() => return Err(Defect::Shape("a response within a message")),
            _ => {}
        }
    }
    if assertions != expected_assertions {
        return Err(Defect::Shape("there is not exactly one assertion"));
    }
    if signatures != expected_signatures(root) {
        return Err(Defect::Shape("a signature in an unusual place"));
    }
    Ok(())
}

/// The one identifier of an element, if it has one.
fn identifier<'t>(node: Node<'t, '_>) -> Result<Option<&'t str>, Defect> {
    let mut found = None;
    for attribute in &node.element().attributes {
        if !IDENTIFIERS.contains(&&*attribute.name.local_name) {
            continue;
        }
        if attribute.name.namespace_uri.is_some() {
            return Err(Defect::Identifier("in an unusual attribute"));
        }
        if found.replace(&*attribute.value).is_some() {
            return Err(Defect::Identifier("given twice for one element"));
        }
    }
    match found {
        Some(id) if !is_plain(id) => Err(Defect::Identifier("empty, too long or with unusual characters")),
        found => Ok(found),
    }
}

fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    !id.is_empty() && id.len() <= MAX_IDENTIFIER && id.bytes().all(plain)
}

/// Relative namespace names have no canonical form, and make libraries answer with an empty one.
fn check_namespaces(node: Node<'_, '_>) -> Result<(), Defect> {
    for (_, uri) in &node.element().namespace_declarations {
        let absolute = uri.split_once(':').is_some_and(|(scheme, rest)| {
            !rest.is_empty() && scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && !scheme.contains('/')
        });
        if !(absolute || uri.is_empty()) {
            return Err(Defect::Shape("a namespace that is no absolute URI"));
        }
    }
    Ok(())
}

/// Signatures that are direct children of the message or of its assertion.
fn expected_signatures(root: Node<'_, '_>) -> u32 {
    let of = |node: Node<'_, '_>| u32::from(node.named(DSIG, "Signature").next().is_some());
    let mut expected = of(root);
    if root.is(PROTOCOL, "Response")
        && let Some(assertion) = root.named(ASSERTION, "Assertion").next()
    {
        expected += of(assertion);
    }
    expected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::tree::parse;

    const SAML: &str = "xmlns='urn:oasis:names:tc:SAML:2.0:assertion'";
    const DS: &str = "xmlns:ds='http://www.w3.org/2000/09/xmldsig#'";

    fn looked_at(xml: &str) -> Result<(), Defect> {
        let document = parse(xml).unwrap();
        check(Node::root(&document).unwrap())
    }

    #[test]
    fn a_message_with_one_assertion_and_its_signature_passes() {
        let xml = format!("<Assertion {SAML} ID='_a'><Issuer/><ds:Signature {DS} Id='s'/></Assertion>");
        assert_eq!(looked_at(&xml), Ok(()));
    }

    #[test]
    fn no_identifier_is_used_twice_under_any_name_saml_04() {
        for (attribute, defect) in [
            ("ID='_a'", "used twice"),
            ("Id='_a'", "used twice"),
            ("id='_a'", "used twice"),
            ("AssertionID='_a'", "used twice"),
            ("xml:id='_b'", "in an unusual attribute"),
            ("x:ID='_b' xmlns:x='urn:x'", "in an unusual attribute"),
            ("ID='_b' Id='_c'", "given twice for one element"),
            ("ID=''", "empty, too long or with unusual characters"),
            ("ID='a b'", "empty, too long or with unusual characters"),
            ("ID='a&#39;)'", "empty, too long or with unusual characters"),
        ] {
            let xml = format!("<Assertion {SAML} ID='_a'><Issuer {attribute}/></Assertion>");
            assert_eq!(looked_at(&xml), Err(Defect::Identifier(defect)), "{attribute}");
        }
    }

    #[test]
    fn there_is_one_assertion_whatever_its_namespace_saml_04() {
        let wrong = Err(Defect::Shape("there is not exactly one assertion"));
        for inner in [
            "<Assertion/>",
            "<x:Assertion xmlns:x='urn:x'/>",
            "<Advice><Assertion/></Advice>",
            "<EncryptedAssertion/>",
        ] {
            assert_eq!(looked_at(&format!("<Assertion {SAML}>{inner}</Assertion>")), wrong);
        }
        assert_eq!(looked_at("<a/>"), wrong);
    }

    #[test]
    fn signatures_stand_where_they_belong_saml_04() {
        let wrong = Err(Defect::Shape("a signature in an unusual place"));
        for inner in [
            format!("<Issuer><ds:Signature {DS}/></Issuer>"),
            format!("<ds:Signature {DS}/><ds:Signature {DS}/>"),
            format!("<ds:Signature {DS}><ds:Object><ds:Signature/></ds:Object></ds:Signature>"),
            "<Signature/>".to_owned(),
        ] {
            assert_eq!(
                looked_at(&format!("<Assertion {SAML}>{inner}</Assertion>")),
                wrong,
                "{inner}"
            );
        }
    }

    #[test]
    fn relative_namespaces_are_refused_saml_04() {
        for uri in ["1", "../x", "a/b:c", ":x", "x:"] {
            let xml = format!("<Assertion {SAML}><x:Issuer xmlns:x='{uri}'/></Assertion>");
            assert_eq!(
                looked_at(&xml),
                Err(Defect::Shape("a namespace that is no absolute URI")),
                "{uri}"
            );
        }
    }
}
