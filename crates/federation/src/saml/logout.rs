//! A request of an identity provider to end sessions here (SAML Core, section 3.7.1; SAML Profiles, section 4.4).
//!
//! Owns reading it from what was signed: the query of a redirect, or the document of a form.

use lanyard_core::clock::Timestamp;
use lanyard_core::saml::assertion::NameId;
use lanyard_core::saml::defect::Defect;

use super::certificate::Certificate;
use super::names::{ASSERTION, PROTOCOL};
use super::redirect::Received;
use super::tree::{self, Node};
use super::{guard, read, shape, signature, text};

/// A request to end sessions, whose bytes a pinned key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutRequest {
    /// Its identifier, which the answer names.
    pub id: String,
    /// Who asks.
    pub issuer: String,
    /// Where it was sent to.
    pub destination: Option<String>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Until when it counts.
    pub not_on_or_after: Option<Timestamp>,
    /// Whose sessions.
    pub name_id: NameId,
    /// Which of them; all of the person's when empty.
    pub session_indexes: Vec<String>,
}

impl LogoutRequest {
    /// Reads a request whose query is signed.
    ///
    /// # Errors
    /// [`Defect`].
    pub fn redirected(received: &Received, certificates: &[Certificate]) -> Result<Self, Defect> {
        received.verify(certificates)?;
        let text = text::check(&received.message)?;
        let document = tree::parse(text)?;
        let root = Node::root(&document)?;
        guard::check_request(root)?;
        request(root)
    }

    /// Reads a request whose document is signed.
    ///
    /// # Errors
    /// [`Defect`].
    pub fn posted(bytes: &[u8], certificates: &[Certificate]) -> Result<Self, Defect> {
        let text = text::check(bytes)?;
        let document = tree::parse(text)?;
        let root = Node::root(&document)?;
        guard::check_request(root)?;
        let signed = shape::inspect(root, "message")?;
        signature::verify(&document, &[(&signed, "message")], certificates)?;
        let canonical = signature::canonical(&document, &signed)?;
        let document = tree::parse(&canonical)?;
        request(Node::root(&document)?)
    }
}

fn request(root: Node<'_, '_>) -> Result<LogoutRequest, Defect> {
    if !root.is(PROTOCOL, "LogoutRequest") {
        return Err(Defect::Shape("the message is no request for a logout"));
    }
    if root.attribute("Version") != Some("2.0") {
        return Err(Defect::Value("Version"));
    }
    let name = root.one(ASSERTION, "NameID")?.ok_or(Defect::Value("NameID"))?;
    let mut session_indexes = Vec::new();
    for index in root.named(PROTOCOL, "SessionIndex") {
        if session_indexes.len() >= 64 {
            return Err(Defect::Value("the number of SessionIndex elements"));
        }
        session_indexes.push(read::value(index, "SessionIndex")?);
    }
    Ok(LogoutRequest {
        id: read::optional(root, "ID")?.ok_or(Defect::Value("ID"))?,
        issuer: read::issuer(root)?.ok_or(Defect::Value("Issuer"))?,
        destination: read::optional(root, "Destination")?,
        issued_at: read::instant(root, "IssueInstant")?.ok_or(Defect::Value("IssueInstant"))?,
        not_on_or_after: read::instant(root, "NotOnOrAfter")?,
        name_id: read::name(name)?,
        session_indexes,
    })
}
