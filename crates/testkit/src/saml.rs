//! A SAML identity provider that signs what it is told, also nonsense.
//!
//! Owns an independent signer: it writes every element in exclusive canonical form to begin with, so that no XML library
//! is needed to sign, and none can hide a fault of the one under test. Attributes stand sorted, elements are never
//! closed in one tag, and each prefix is declared where it is first used.

use lanyard_core::clock::Timestamp;
use lanyard_core::saml::assertion::PERSISTENT;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::{from_base64url, sha256};
use lanyard_jose::key::SigningKey;

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SAMLP: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";

/// An identity provider with its key.
pub struct IdentityProvider {
    /// Its entity id.
    pub entity_id: String,
    /// What it signs with.
    pub key: SigningKey,
    /// The certificate of that key.
    pub certificate: Certificate,
}

impl IdentityProvider {
    /// One with a fresh key for this algorithm: RS256 or ES256.
    pub fn new(entity_id: &str, algorithm: Algorithm) -> Self {
        let key = SigningKey::generate(algorithm).unwrap();
        Self {
            entity_id: entity_id.to_owned(),
            certificate: Certificate::self_signed(&key, Timestamp::from_seconds(1_700_000_000)).unwrap(),
            key,
        }
    }

    /// What it would say of a person at this instant; each test changes one thing.
    pub fn draft(&self, now: Timestamp, audience: &str, recipient: &str) -> Draft {
        let at = |seconds: i64| Some(Timestamp::from_seconds(now.seconds() + seconds));
        Draft {
            id: "_a1".to_owned(),
            issuer: self.entity_id.clone(),
            issued_at: now,
            name: "alice-1f0a".to_owned(),
            format: Some(PERSISTENT.to_owned()),
            audiences: vec![audience.to_owned()],
            recipient: Some(recipient.to_owned()),
            in_response_to: None,
            confirmed_until: at(300),
            not_before: at(-30),
            not_on_or_after: at(300),
            authn_instant: at(-5),
            session_index: Some("s-1".to_owned()),
            session_not_on_or_after: None,
            class_ref: Some("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport".to_owned()),
            attributes: Vec::new(),
            conditions: String::new(),
        }
    }

    /// An enveloped signature over an element in canonical form, which stands in `around` where the signature goes.
    pub fn signature(&self, id: &str, around: (&str, &str)) -> String {
        let digest = base64(&sha256(format!("{}{}", around.0, around.1).as_bytes()));
        self.signature_with_digest(id, &digest)
    }

    /// A signature over a reference with this digest.
    pub fn signature_with_digest(&self, id: &str, digest: &str) -> String {
        let method = match self.key.algorithm() {
            Algorithm::Rs256 => "rsa-sha256",
            Algorithm::Es256 => "ecdsa-sha256",
            other => panic!("{other} signs no XML"),
        };
        let info = |namespace: &str| {
            format!(
                "<ds:SignedInfo{namespace}>\
                 <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
                 </ds:CanonicalizationMethod>\
                 <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#{method}\"></ds:SignatureMethod>\
                 <ds:Reference URI=\"#{id}\"><ds:Transforms>\
                 <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
                 <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>\
                 </ds:Transforms>\
                 <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
                 <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
            )
        };
        let signed = info(&format!(" xmlns:ds=\"{DS}\""));
        let value = base64(&self.key.sign_detached(signed.as_bytes()).unwrap());
        format!(
            "<ds:Signature xmlns:ds=\"{DS}\">{}<ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
             <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
            info(""),
            self.certificate.to_base64()
        )
    }

    /// A signed assertion.
    pub fn sign(&self, draft: &Draft) -> String {
        let (before, after) = draft.parts();
        let signature = self.signature(&draft.id, (&before, &after));
        format!("{before}{signature}{after}")
    }

    /// A response around an assertion, not signed itself.
    pub fn respond(&self, draft: &Draft, assertion: &str) -> String {
        let (before, after) = self.response_parts(draft, assertion);
        format!("{before}{after}")
    }

    /// A response around an assertion, signed itself.
    pub fn respond_signed(&self, draft: &Draft, assertion: &str) -> String {
        let (before, after) = self.response_parts(draft, assertion);
        let signature = self.signature("_r1", (&before, &after));
        format!("{before}{signature}{after}")
    }

    fn response_parts(&self, draft: &Draft, assertion: &str) -> (String, String) {
        let before = format!(
            "<samlp:Response xmlns:samlp=\"{SAMLP}\"{} ID=\"_r1\"{} IssueInstant=\"{}\" Version=\"2.0\">\
             <saml:Issuer xmlns:saml=\"{SAML}\">{}</saml:Issuer>",
            attribute("Destination", draft.recipient.as_deref()),
            attribute("InResponseTo", draft.in_response_to.as_deref()),
            draft.issued_at,
            escape(&self.entity_id),
        );
        let after = format!(
            "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\">\
             </samlp:StatusCode></samlp:Status>{assertion}</samlp:Response>"
        );
        (before, after)
    }
}

/// What an assertion is to say.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its identifier.
    pub id: String,
    /// Who made it.
    pub issuer: String,
    /// When.
    pub issued_at: Timestamp,
    /// The name of the person.
    pub name: String,
    /// The format of the name.
    pub format: Option<String>,
    /// One restriction for all of them; none when empty.
    pub audiences: Vec<String>,
    /// Where it may be delivered.
    pub recipient: Option<String>,
    /// What it answers.
    pub in_response_to: Option<String>,
    /// By when it must be delivered.
    pub confirmed_until: Option<Timestamp>,
    /// Not before.
    pub not_before: Option<Timestamp>,
    /// Not at this instant or later.
    pub not_on_or_after: Option<Timestamp>,
    /// When the person was authenticated; without it there is no statement.
    pub authn_instant: Option<Timestamp>,
    /// The session there.
    pub session_index: Option<String>,
    /// Its end.
    pub session_not_on_or_after: Option<Timestamp>,
    /// How the person was authenticated.
    pub class_ref: Option<String>,
    /// Attributes with their values.
    pub attributes: Vec<(String, Vec<String>)>,
    /// Further conditions, in canonical form.
    pub conditions: String,
}

impl Draft {
    /// The assertion in canonical form, without a signature: what stands before its place, and after.
    pub fn parts(&self) -> (String, String) {
        let before = format!(
            "<saml:Assertion xmlns:saml=\"{SAML}\" ID=\"{}\" IssueInstant=\"{}\" Version=\"2.0\">\
             <saml:Issuer>{}</saml:Issuer>",
            escape(&self.id),
            self.issued_at,
            escape(&self.issuer),
        );
        let mut after = format!(
            "<saml:Subject><saml:NameID{}>{}</saml:NameID>\
             <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
             <saml:SubjectConfirmationData{}{}{}></saml:SubjectConfirmationData></saml:SubjectConfirmation>\
             </saml:Subject><saml:Conditions{}{}>",
            attribute("Format", self.format.as_deref()),
            escape(&self.name),
            attribute("InResponseTo", self.in_response_to.as_deref()),
            instant("NotOnOrAfter", self.confirmed_until),
            attribute("Recipient", self.recipient.as_deref()),
            instant("NotBefore", self.not_before),
            instant("NotOnOrAfter", self.not_on_or_after),
        );
        if !self.audiences.is_empty() {
            after.push_str("<saml:AudienceRestriction>");
            for audience in &self.audiences {
                after.push_str(&format!("<saml:Audience>{}</saml:Audience>", escape(audience)));
            }
            after.push_str("</saml:AudienceRestriction>");
        }
        after.push_str(&self.conditions);
        after.push_str("</saml:Conditions>");
        if let Some(at) = self.authn_instant {
            after.push_str(&format!(
                "<saml:AuthnStatement AuthnInstant=\"{at}\"{}{}><saml:AuthnContext>",
                attribute("SessionIndex", self.session_index.as_deref()),
                instant("SessionNotOnOrAfter", self.session_not_on_or_after),
            ));
            if let Some(class) = &self.class_ref {
                after.push_str(&format!(
                    "<saml:AuthnContextClassRef>{}</saml:AuthnContextClassRef>",
                    escape(class)
                ));
            }
            after.push_str("</saml:AuthnContext></saml:AuthnStatement>");
        }
        if !self.attributes.is_empty() {
            after.push_str("<saml:AttributeStatement>");
            for (name, values) in &self.attributes {
                after.push_str(&format!("<saml:Attribute Name=\"{}\">", escape(name)));
                for value in values {
                    after.push_str(&format!("<saml:AttributeValue>{}</saml:AttributeValue>", escape(value)));
                }
                after.push_str("</saml:Attribute>");
            }
            after.push_str("</saml:AttributeStatement>");
        }
        after.push_str("</saml:Assertion>");
        (before, after)
    }
}

fn attribute(name: &str, value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| format!(" {name}=\"{}\"", escape(value)))
}

fn instant(name: &str, at: Option<Timestamp>) -> String {
    attribute(name, at.map(|at| at.to_string()).as_deref())
}

/// As canonical form writes it; no test needs a quotation mark or a line break in an attribute.
fn escape(text: &str) -> String {
    assert!(!text.contains(['"', '\r', '\n', '\t']), "{text}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Padded base64, as XML has it.
pub fn base64(bytes: &[u8]) -> String {
    let text = lanyard_jose::digest::base64url(bytes)
        .replace('-', "+")
        .replace('_', "/");
    let padding = (4 - text.len() % 4) % 4;
    format!("{text}{}", "=".repeat(padding))
}

/// Reads what [`base64`] writes.
pub fn from_base64(text: &str) -> Vec<u8> {
    from_base64url(text.replace('+', "-").replace('/', "_").trim_end_matches('=')).unwrap()
}
