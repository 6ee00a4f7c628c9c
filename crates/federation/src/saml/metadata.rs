//! Metadata of both sides (SAML Metadata, section 2.4).
//!
//! Owns reading an identity provider's document, which an operator vouches for, and writing ours. Signatures over
//! metadata are not looked at: what is pinned is what the operator imported.

use lanyard_core::clock::Timestamp;
use lanyard_core::saml::defect::Defect;
use uppsala::Parser;

use super::certificate::Certificate;
use super::names::{CIPHERS, DSIG, PROTOCOL};
use super::read;
use super::tree::Node;
use super::write::Writer;

const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const ENC11: &str = "http://www.w3.org/2009/xmlenc11#";
const OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
const OAEP_MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const MGF1_SHA256: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha256";
/// The largest document that is read, in bytes: federations have larger ones and are not imported whole.
const MAX_BYTES: usize = 1024 * 1024;

/// What an identity provider says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityProviderMetadata {
    /// Its entity id.
    pub entity_id: String,
    /// Until when the document is good.
    pub valid_until: Option<Timestamp>,
    /// Where sign-ins begin by a redirect.
    pub sso_redirect: Option<String>,
    /// Where sign-ins begin by a posted form.
    pub sso_post: Option<String>,
    /// Where logouts are asked for by a redirect.
    pub slo_redirect: Option<String>,
    /// Where answers to logouts are sent, when that is elsewhere.
    pub slo_response: Option<String>,
    /// Its signing certificates.
    pub certificates: Vec<Certificate>,
    /// Whether it refuses requests that are not signed.
    pub wants_signed_requests: bool,
    /// Formats of names that it has.
    pub name_id_formats: Vec<String>,
}

impl IdentityProviderMetadata {
    /// Reads a document with one identity provider in it, or the one of this entity id.
    ///
    /// # Errors
    /// [`Defect`]: no XML, no or several identity providers, no certificate, a weak key.
    pub fn parse(bytes: &[u8], entity_id: Option<&str>) -> Result<Self, Defect> {
        if bytes.len() > MAX_BYTES {
            return Err(Defect::TooLarge(MAX_BYTES));
        }
        let text = str::from_utf8(bytes).map_err(|_| Defect::Encoding("not UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let document = Parser::new()
            .with_max_depth(64)
            .with_forbid_dtd(true)
            .with_forbid_entities(true)
            .parse(text)
            .map_err(|_| Defect::Malformed)?;
        let root = Node::root(&document)?;
        let mut found = root.and_descendants().filter(|node| {
            node.is(MD, "EntityDescriptor")
                && node.named(MD, "IDPSSODescriptor").next().is_some()
                && entity_id.is_none_or(|wanted| node.attribute("entityID") == Some(wanted))
        });
        let entity = found.next().ok_or(Defect::Value("an identity provider"))?;
        if found.next().is_some() {
            return Err(Defect::Shape("several identity providers; name the entity id of one"));
        }
        entity_of(entity)
    }
}

fn entity_of(entity: Node<'_, '_>) -> Result<IdentityProviderMetadata, Defect> {
    let role = entity
        .named(MD, "IDPSSODescriptor")
        .find(|role| {
            role.attribute("protocolSupportEnumeration")
                .is_some_and(|protocols| protocols.split_ascii_whitespace().any(|one| one == PROTOCOL))
        })
        .ok_or(Defect::Value("an identity provider for SAML 2.0"))?;
    let mut certificates = Vec::new();
    for key in role.named(MD, "KeyDescriptor") {
        if key.attribute("use").is_some_and(|purpose| purpose != "signing") {
            continue;
        }
        let held = key.and_descendants().filter(|node| node.is(DSIG, "X509Certificate"));
        for certificate in held {
            let parsed = Certificate::parse(&certificate.text()?);
            let parsed = parsed.map_err(|_| Defect::Value("a certificate with a strong RSA or EC key"))?;
            if !certificates.contains(&parsed) {
                certificates.push(parsed);
            }
        }
    }
    if certificates.is_empty() {
        return Err(Defect::Value("a signing certificate"));
    }
    let endpoint = |element: &'static str, binding: &str, attribute: &'static str| {
        let mut of_binding = role
            .named(MD, element)
            .filter(|node| node.attribute("Binding") == Some(binding));
        of_binding
            .next()
            .map(|node| read::optional(node, attribute))
            .transpose()
            .map(Option::flatten)
    };
    let mut name_id_formats = Vec::new();
    for format in role.named(MD, "NameIDFormat") {
        name_id_formats.push(format.text()?.trim().to_owned());
    }
    let wants = role.attribute("WantAuthnRequestsSigned");
    Ok(IdentityProviderMetadata {
        entity_id: read::optional(entity, "entityID")?.ok_or(Defect::Value("entityID"))?,
        valid_until: match read::instant(role, "validUntil")? {
            Some(at) => Some(at),
            None => read::instant(entity, "validUntil")?,
        },
        sso_redirect: endpoint("SingleSignOnService", REDIRECT, "Location")?,
        sso_post: endpoint("SingleSignOnService", POST, "Location")?,
        slo_redirect: endpoint("SingleLogoutService", REDIRECT, "Location")?,
        slo_response: endpoint("SingleLogoutService", REDIRECT, "ResponseLocation")?,
        certificates,
        wants_signed_requests: matches!(wants, Some("true" | "1")),
        name_id_formats,
    })
}

/// What we say of ourselves to one identity provider.
#[derive(Debug, Clone)]
pub struct ServiceProvider<'a> {
    /// The entity id that we have there.
    pub entity_id: &'a str,
    /// Where responses are posted.
    pub acs: &'a str,
    /// Where logouts are asked for and answered.
    pub slo: &'a str,
    /// Certificates of our keys, the one that signs first. Assertions may be encrypted to any.
    pub certificates: &'a [Certificate],
    /// The format of names that is wanted.
    pub name_id_format: Option<&'a str>,
}

impl ServiceProvider<'_> {
    /// Our metadata document.
    pub fn to_xml(&self) -> String {
        let mut xml = Writer::default();
        xml.open(
            "md:EntityDescriptor",
            &[("xmlns:md", Some(MD)), ("entityID", Some(self.entity_id))],
        );
        xml.open(
            "md:SPSSODescriptor",
            &[
                ("protocolSupportEnumeration", Some(PROTOCOL)),
                ("AuthnRequestsSigned", Some("true")),
                ("WantAssertionsSigned", Some("true")),
            ],
        );
        for purpose in ["signing", "encryption"] {
            for certificate in self.certificates {
                key(&mut xml, purpose, certificate);
            }
        }
        for binding in [REDIRECT, POST] {
            xml.empty(
                "md:SingleLogoutService",
                &[("Binding", Some(binding)), ("Location", Some(self.slo))],
            );
        }
        if let Some(format) = self.name_id_format {
            xml.text("md:NameIDFormat", &[], format);
        }
        xml.empty(
            "md:AssertionConsumerService",
            &[
                ("Binding", Some(POST)),
                ("Location", Some(self.acs)),
                ("index", Some("0")),
                ("isDefault", Some("true")),
            ],
        );
        xml.close("md:SPSSODescriptor").close("md:EntityDescriptor").finish()
    }
}

fn key(xml: &mut Writer, purpose: &str, certificate: &Certificate) {
    xml.open("md:KeyDescriptor", &[("use", Some(purpose))])
        .open("ds:KeyInfo", &[("xmlns:ds", Some(DSIG))])
        .open("ds:X509Data", &[])
        .text("ds:X509Certificate", &[], &certificate.to_base64())
        .close("ds:X509Data")
        .close("ds:KeyInfo");
    if purpose == "encryption" {
        for cipher in CIPHERS.iter().rev() {
            xml.empty("md:EncryptionMethod", &[("Algorithm", Some(cipher))]);
        }
        xml.open("md:EncryptionMethod", &[("Algorithm", Some(OAEP))])
            .empty(
                "ds:DigestMethod",
                &[("xmlns:ds", Some(DSIG)), ("Algorithm", Some(SHA256))],
            )
            .empty(
                "xenc11:MGF",
                &[("xmlns:xenc11", Some(ENC11)), ("Algorithm", Some(MGF1_SHA256))],
            )
            .close("md:EncryptionMethod");
        xml.empty("md:EncryptionMethod", &[("Algorithm", Some(OAEP_MGF1P))]);
    }
    xml.close("md:KeyDescriptor");
}
