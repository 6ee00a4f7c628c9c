//! The messages that we send: a request for a sign-in, a request for a logout and an answer to one (SAML Core,
//! sections 3.4.1 and 3.7).
//!
//! Owns their content. Signed where they are carried (`redirect.rs`).

use lanyard_core::clock::Timestamp;
use lanyard_core::saml::assertion::NameId;

use super::names::{ASSERTION, PROTOCOL, SUCCESS};
use super::write::Writer;

/// What every message has.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Its identifier: begins with a letter or an underscore.
    pub id: &'a str,
    /// The entity id that we have at this identity provider.
    pub issuer: &'a str,
    /// The address that it is sent to.
    pub destination: &'a str,
    /// When it is made.
    pub at: Timestamp,
}

/// What is asked of the identity provider besides a sign-in.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignIn<'a> {
    /// Where the answer is to be posted.
    pub acs: &'a str,
    /// The format of the name, when one is wanted.
    pub name_id_format: Option<&'a str>,
    /// Whether the person has to be authenticated again.
    pub force: bool,
    /// Classes of authentication of which one is wanted, exactly.
    pub classes: &'a [String],
}

/// A request for a sign-in, answered by a form that the browser posts.
pub fn authn_request(envelope: &Envelope<'_>, wanted: &SignIn<'_>) -> String {
    let mut xml = Writer::default();
    let at = seconds(envelope.at);
    xml.open(
        "samlp:AuthnRequest",
        &[
            ("xmlns:samlp", Some(PROTOCOL)),
            ("xmlns:saml", Some(ASSERTION)),
            ("ID", Some(envelope.id)),
            ("Version", Some("2.0")),
            ("IssueInstant", Some(&at)),
            ("Destination", Some(envelope.destination)),
            (
                "ProtocolBinding",
                Some("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"),
            ),
            ("AssertionConsumerServiceURL", Some(wanted.acs)),
            ("ForceAuthn", wanted.force.then_some("true")),
        ],
    );
    xml.text("saml:Issuer", &[], envelope.issuer);
    xml.empty(
        "samlp:NameIDPolicy",
        &[("Format", wanted.name_id_format), ("AllowCreate", Some("true"))],
    );
    if !wanted.classes.is_empty() {
        xml.open("samlp:RequestedAuthnContext", &[("Comparison", Some("exact"))]);
        for class in wanted.classes {
            xml.text("saml:AuthnContextClassRef", &[], class);
        }
        xml.close("samlp:RequestedAuthnContext");
    }
    xml.close("samlp:AuthnRequest").finish()
}

/// A request to end a session at the identity provider.
pub fn logout_request(envelope: &Envelope<'_>, name: &NameId, session_index: Option<&str>) -> String {
    let mut xml = Writer::default();
    open(&mut xml, "samlp:LogoutRequest", envelope, None);
    xml.text(
        "saml:NameID",
        &[
            ("Format", Some(name.format.as_str())),
            ("NameQualifier", name.name_qualifier.as_deref()),
            ("SPNameQualifier", name.sp_name_qualifier.as_deref()),
        ],
        &name.value,
    );
    if let Some(index) = session_index {
        xml.text("samlp:SessionIndex", &[], index);
    }
    xml.close("samlp:LogoutRequest").finish()
}

/// The answer to a request for a logout: everything of it ended here.
pub fn logout_response(envelope: &Envelope<'_>, in_response_to: &str) -> String {
    let mut xml = Writer::default();
    open(&mut xml, "samlp:LogoutResponse", envelope, Some(in_response_to));
    xml.open("samlp:Status", &[])
        .empty("samlp:StatusCode", &[("Value", Some(SUCCESS))])
        .close("samlp:Status");
    xml.close("samlp:LogoutResponse").finish()
}

fn open(xml: &mut Writer, name: &str, envelope: &Envelope<'_>, in_response_to: Option<&str>) {
    let at = seconds(envelope.at);
    xml.open(
        name,
        &[
            ("xmlns:samlp", Some(PROTOCOL)),
            ("xmlns:saml", Some(ASSERTION)),
            ("ID", Some(envelope.id)),
            ("Version", Some("2.0")),
            ("IssueInstant", Some(&at)),
            ("Destination", Some(envelope.destination)),
            ("InResponseTo", in_response_to),
        ],
    );
    xml.text("saml:Issuer", &[], envelope.issuer);
}

/// Without a fraction: some identity providers cannot read one.
fn seconds(at: Timestamp) -> String {
    Timestamp::from_seconds(at.seconds()).to_string()
}
