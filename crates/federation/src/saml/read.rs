//! Reading an assertion from the canonical form of what was signed (SAML Core, section 2).
//!
//! Owns which parts must be there and in which form. Never sees the message that the assertion came in.

use lanyard_core::clock::Timestamp;
use lanyard_core::saml::assertion::{
    Assertion, Attribute, AuthnStatement, Conditions, Confirmation, NameId, UNSPECIFIED,
};
use lanyard_core::saml::defect::Defect;

use super::names::ASSERTION;
use super::tree::{self, Node};

/// The longest name, entity id or address that is read, in bytes.
const MAX_VALUE: usize = 1024;
/// The most attributes, values of one attribute and statements that are read.
const MAX_MANY: usize = 2048;
/// The longest value of an attribute that is read, in bytes.
const MAX_ATTRIBUTE: usize = 16 * 1024;

/// Reads what was signed.
pub(super) fn assertion(canonical: &str) -> Result<Assertion, Defect> {
    let document = tree::parse(canonical)?;
    let root = Node::root(&document)?;
    if !root.is(ASSERTION, "Assertion") {
        return Err(Defect::Shape("what is signed is no assertion"));
    }
    if root.attribute("Version") != Some("2.0") {
        return Err(Defect::Value("Version"));
    }
    let issuer = root.one(ASSERTION, "Issuer")?.ok_or(Defect::Value("Issuer"))?;
    let subject = root.one(ASSERTION, "Subject")?.ok_or(Defect::Value("Subject"))?;
    if subject.one(ASSERTION, "EncryptedID")?.is_some() {
        return Err(Defect::Encryption("encrypted names are not supported"));
    }
    let name_id = subject.one(ASSERTION, "NameID")?.ok_or(Defect::Value("NameID"))?;
    let statements = many(root.named(ASSERTION, "AuthnStatement"), statement)?;
    let mut attributes = Vec::new();
    for statement in root.named(ASSERTION, "AttributeStatement") {
        attributes.extend(many(statement.named(ASSERTION, "Attribute"), attribute)?);
    }
    Ok(Assertion {
        id: root.attribute("ID").ok_or(Defect::Value("ID"))?.to_owned(),
        issuer: value(issuer, "Issuer")?,
        issued_at: instant(root, "IssueInstant")?.ok_or(Defect::Value("IssueInstant"))?,
        name_id: name(name_id)?,
        confirmations: many(subject.named(ASSERTION, "SubjectConfirmation"), confirmation)?,
        conditions: match root.one(ASSERTION, "Conditions")? {
            Some(found) => conditions(found)?,
            None => Conditions::default(),
        },
        statements,
        attributes,
    })
}

/// The issuer of a message that is not verified yet: only to find the connection.
pub(super) fn issuer(node: Node<'_, '_>) -> Result<Option<String>, Defect> {
    match node.one(ASSERTION, "Issuer")? {
        None => Ok(None),
        Some(issuer) => value(issuer, "Issuer").map(Some),
    }
}

pub(super) fn name(node: Node<'_, '_>) -> Result<NameId, Defect> {
    let optional = |name| optional(node, name);
    Ok(NameId {
        value: value(node, "NameID")?,
        format: optional("Format")?.unwrap_or_else(|| UNSPECIFIED.to_owned()),
        name_qualifier: optional("NameQualifier")?,
        sp_name_qualifier: optional("SPNameQualifier")?,
    })
}

fn confirmation(node: Node<'_, '_>) -> Result<Confirmation, Defect> {
    let method = optional(node, "Method")?.ok_or(Defect::Value("Method"))?;
    let mut confirmation = Confirmation {
        method,
        recipient: None,
        not_before: None,
        not_on_or_after: None,
        in_response_to: None,
    };
    if let Some(data) = node.one(ASSERTION, "SubjectConfirmationData")? {
        confirmation.recipient = optional(data, "Recipient")?;
        confirmation.not_before = instant(data, "NotBefore")?;
        confirmation.not_on_or_after = instant(data, "NotOnOrAfter")?;
        confirmation.in_response_to = optional(data, "InResponseTo")?;
    }
    Ok(confirmation)
}

fn conditions(node: Node<'_, '_>) -> Result<Conditions, Defect> {
    let mut conditions = Conditions {
        not_before: instant(node, "NotBefore")?,
        not_on_or_after: instant(node, "NotOnOrAfter")?,
        ..Conditions::default()
    };
    for child in node.children() {
        if child.is(ASSERTION, "AudienceRestriction") {
            let audience = |node| value(node, "Audience");
            conditions
                .audiences
                .push(many(child.named(ASSERTION, "Audience"), audience)?);
        } else if child.is(ASSERTION, "OneTimeUse") {
            conditions.one_time_use = true;
        } else if child.is(ASSERTION, "ProxyRestriction") {
            // About issuing further assertions from this one, which is not done here (SAML Core, section 2.5.1.6).
        } else {
            conditions
                .unknown
                .get_or_insert_with(|| child.element().name.local_name.chars().take(64).collect());
        }
    }
    Ok(conditions)
}

fn statement(node: Node<'_, '_>) -> Result<AuthnStatement, Defect> {
    let class_ref = match node.one(ASSERTION, "AuthnContext")? {
        None => None,
        Some(context) => match context.one(ASSERTION, "AuthnContextClassRef")? {
            None => None,
            Some(class) => Some(value(class, "AuthnContextClassRef")?),
        },
    };
    Ok(AuthnStatement {
        authn_instant: instant(node, "AuthnInstant")?.ok_or(Defect::Value("AuthnInstant"))?,
        session_index: optional(node, "SessionIndex")?,
        session_not_on_or_after: instant(node, "SessionNotOnOrAfter")?,
        class_ref,
    })
}

fn attribute(node: Node<'_, '_>) -> Result<Attribute, Defect> {
    let mut values = Vec::new();
    for (found, count) in node.named(ASSERTION, "AttributeValue").zip(0_usize..) {
        if count >= MAX_MANY {
            return Err(Defect::Value("the number of AttributeValue elements"));
        }
        // A structured value has no text of its own.
        if let Ok(text) = found.text() {
            if text.len() > MAX_ATTRIBUTE {
                return Err(Defect::Value("AttributeValue"));
            }
            values.push(text);
        }
    }
    Ok(Attribute {
        name: optional(node, "Name")?.ok_or(Defect::Value("the Name of an attribute"))?,
        friendly_name: optional(node, "FriendlyName")?,
        values,
    })
}

fn many<'t, 'a: 't, T>(
    nodes: impl Iterator<Item = Node<'t, 'a>>,
    read: impl Fn(Node<'t, 'a>) -> Result<T, Defect>,
) -> Result<Vec<T>, Defect> {
    let mut all = Vec::new();
    for node in nodes {
        if all.len() >= MAX_MANY {
            return Err(Defect::Value("the number of elements of one kind"));
        }
        all.push(read(node)?);
    }
    Ok(all)
}

/// The text of an element: not empty, without controls, of a sane length. Taken byte for byte: never trimmed.
pub(super) fn value(node: Node<'_, '_>, what: &'static str) -> Result<String, Defect> {
    sane(node.text()?, what)
}

/// An attribute of an element, when it is there.
pub(super) fn optional(node: Node<'_, '_>, name: &'static str) -> Result<Option<String>, Defect> {
    node.attribute(name)
        .map(|value| sane(value.to_owned(), name))
        .transpose()
}

fn sane(text: String, what: &'static str) -> Result<String, Defect> {
    if text.is_empty() || text.len() > MAX_VALUE || text.chars().any(char::is_control) {
        return Err(Defect::Value(what));
    }
    Ok(text)
}

/// An instant in its one allowed form: UTC, with `Z` (SAML Core, section 1.3.3).
pub(super) fn instant(node: Node<'_, '_>, name: &'static str) -> Result<Option<Timestamp>, Defect> {
    let parse = |text: &str| Timestamp::parse_utc(text).ok_or(Defect::Value(name));
    node.attribute(name).map(parse).transpose()
}
