//! A bare assertion, as a client presents it in a token exchange (SAML-02).
//!
//! Owns the order of the checks: bytes, parse, guard, signature, canonical form, reading.

use lanyard_core::saml::assertion::Assertion;
use lanyard_core::saml::defect::Defect;

use super::certificate::Certificate;
use super::names::ASSERTION;
use super::tree::{self, Node};
use super::{guard, read, shape, signature, text};

/// An assertion of which nothing is known but who claims to have made it.
#[derive(Debug, Clone)]
pub struct UnverifiedAssertion {
    text: String,
    issuer: String,
}

impl UnverifiedAssertion {
    /// Looks at the bytes of one `saml2:Assertion` and finds who claims to have made it.
    ///
    /// # Errors
    /// [`Defect`]; nothing was compared with any key yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, Defect> {
        let text = text::check(bytes)?;
        let document = tree::parse(text)?;
        let root = Node::root(&document)?;
        if !root.is(ASSERTION, "Assertion") {
            return Err(Defect::Shape("the message is not one assertion"));
        }
        guard::check(root)?;
        let issuer = read::issuer(root)?.ok_or(Defect::Value("Issuer"))?;
        Ok(Self {
            issuer,
            text: text.to_owned(),
        })
    }

    /// Who claims to have made it: only to find the connection, whose certificates then decide.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Checks the signature against pinned certificates and reads what it covers.
    ///
    /// # Errors
    /// [`Defect`].
    pub fn verify(&self, certificates: &[Certificate]) -> Result<Assertion, Defect> {
        let document = tree::parse(&self.text)?;
        let signed = shape::inspect(Node::root(&document)?, "assertion")?;
        signature::verify(&document, &[(&signed, "assertion")], certificates)?;
        let assertion = read::assertion(&signature::canonical(&document, &signed)?)?;
        // One tree, one reading: what was found before must be what is signed.
        if assertion.issuer == self.issuer {
            Ok(assertion)
        } else {
            Err(Defect::Shape("two issuers"))
        }
    }
}
