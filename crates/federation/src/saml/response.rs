//! A response to a sign-in, as a browser posts it (SAML Core, section 3.3.3; SAML Profiles, section 4.1).
//!
//! Owns the order of the checks. The assertion must be signed itself; a signature over the response is checked as
//! well when there is one. What the response says around the assertion is only ever used to refuse.

use lanyard_core::saml::assertion::Assertion;
use lanyard_core::saml::defect::Defect;

use super::assertion::UnverifiedAssertion;
use super::certificate::Certificate;
use super::encrypted::{self, DecryptionKey};
use super::names::{ASSERTION, DSIG, PROTOCOL, SUCCESS};
use super::tree::{self, Node};
use super::{guard, read, shape, signature, text};

/// A response of which nothing is known but what it claims about itself.
#[derive(Debug, Clone)]
pub struct UnverifiedResponse {
    text: String,
    issuer: Option<String>,
    destination: Option<String>,
    in_response_to: Option<String>,
}

impl UnverifiedResponse {
    /// Looks at the bytes of one `samlp:Response`.
    ///
    /// # Errors
    /// [`Defect`]; [`Defect::Status`] when the identity provider did not authenticate the person.
    pub fn parse(bytes: &[u8]) -> Result<Self, Defect> {
        let text = text::check(bytes)?;
        let document = tree::parse(text)?;
        let root = Node::root(&document)?;
        if !root.is(PROTOCOL, "Response") {
            return Err(Defect::Shape("the message is not a response"));
        }
        if root.attribute("Version") != Some("2.0") {
            return Err(Defect::Value("Version"));
        }
        check_status(root)?;
        guard::check(root)?;
        let plain = root.one(ASSERTION, "Assertion")?.is_some();
        let encrypted = root.one(ASSERTION, "EncryptedAssertion")?.is_some();
        if plain == encrypted {
            return Err(Defect::Shape("there is not exactly one assertion"));
        }
        Ok(Self {
            issuer: read::issuer(root)?,
            destination: read::optional(root, "Destination")?,
            in_response_to: read::optional(root, "InResponseTo")?,
            text: text.to_owned(),
        })
    }

    /// Who claims to have made it.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Where it claims to be meant for.
    pub fn destination(&self) -> Option<&str> {
        self.destination.as_deref()
    }

    /// Which request it claims to answer: only to find it. The assertion has to say the same.
    pub fn in_response_to(&self) -> Option<&str> {
        self.in_response_to.as_deref()
    }

    /// Checks every signature against pinned certificates, decrypts, and reads what the signature over the assertion
    /// covers.
    ///
    /// # Errors
    /// [`Defect`].
    pub fn verify(&self, certificates: &[Certificate], keys: &[DecryptionKey]) -> Result<Assertion, Defect> {
        let document = tree::parse(&self.text)?;
        let root = Node::root(&document)?;
        let around = match root.one(DSIG, "Signature")? {
            None => None,
            Some(_) => Some(shape::inspect(root, "response")?),
        };
        let mut signatures = Vec::new();
        signatures.extend(around.as_ref().map(|signed| (signed, "response")));
        if let Some(assertion) = root.one(ASSERTION, "Assertion")? {
            let signed = shape::inspect(assertion, "assertion")?;
            signatures.push((&signed, "assertion"));
            signature::verify(&document, &signatures, certificates)?;
            return read::assertion(&signature::canonical(&document, &signed)?);
        }
        let encrypted = root
            .one(ASSERTION, "EncryptedAssertion")?
            .ok_or(Defect::Shape("there is not exactly one assertion"))?;
        signature::verify(&document, &signatures, certificates)?;
        UnverifiedAssertion::parse(&encrypted::decrypt(encrypted, keys)?)?.verify(certificates)
    }
}

fn check_status(root: Node<'_, '_>) -> Result<(), Defect> {
    let status = root.one(PROTOCOL, "Status")?.ok_or(Defect::Value("Status"))?;
    let code = status.one(PROTOCOL, "StatusCode")?.ok_or(Defect::Value("StatusCode"))?;
    if code.attribute("Value") == Some(SUCCESS) {
        return Ok(());
    }
    let detail = code
        .one(PROTOCOL, "StatusCode")?
        .and_then(|inner| inner.attribute("Value"));
    Err(Defect::Status(known_status(detail.or(code.attribute("Value")))))
}

/// The status in words, when it is one that SAML has (SAML Core, section 3.2.2.2).
fn known_status(value: Option<&str>) -> &'static str {
    const KNOWN: [&str; 8] = [
        "AuthnFailed",
        "InvalidNameIDPolicy",
        "NoAuthnContext",
        "NoPassive",
        "RequestDenied",
        "Requester",
        "Responder",
        "UnknownPrincipal",
    ];
    let name = value.and_then(|value| value.strip_prefix("urn:oasis:names:tc:SAML:2.0:status:"));
    KNOWN
        .into_iter()
        .find(|known| Some(*known) == name)
        .unwrap_or("another")
}
