//! Against `xmlsec1`, an independent implementation of XML signatures: what we accept it accepts over the same element,
//! and what it signs in unusual but allowed writing we read.
//!
//! A missing `xmlsec1` fails by name; it is a package of every distribution.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lanyard_core::saml::assertion::Assertion;
use lanyard_core::saml::defect::Defect;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_jose::algorithm::Algorithm;
use lanyard_testkit::saml::{IdentityProvider, base64};
use proptest::prelude::*;

use crate::support::{ACS, IDP, ISSUER, SP, assertion, draft, now, response};

const SIGNATURE_OF: &str = "/*[namespace-uri()='http://www.w3.org/2000/09/xmldsig#' and local-name()='Signature']";

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(idp: &IdentityProvider) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pem = |kind: &str, der: &str| format!("-----BEGIN {kind}-----\n{der}\n-----END {kind}-----\n");
        let lines = |text: String| {
            let lines: Vec<&str> = text
                .as_bytes()
                .chunks(64)
                .map(|line| str::from_utf8(line).unwrap())
                .collect();
            lines.join("\n")
        };
        let certificate = pem("CERTIFICATE", &lines(idp.certificate.to_base64()));
        fs::write(folder.path().join("idp.pem"), certificate).unwrap();
        let key = pem("PRIVATE KEY", &lines(base64(&idp.key.to_pkcs8())));
        fs::write(folder.path().join("idp.key"), key).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str], file: &Path) -> Output {
        let output = Command::new("xmlsec1")
            .args(arguments)
            .args(["--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion"])
            .args(["--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response"])
            .arg(file)
            .current_dir(self.folder.path())
            .output();
        output.expect("missing: xmlsec1 (Debian package xmlsec1)")
    }

    /// Whether the signature that is a child of the element of this name is good.
    fn verifies(&self, xml: &str, element: &str) -> bool {
        let file = self.path("message.xml");
        fs::write(&file, xml).unwrap();
        let node = format!("//*[local-name()='{element}']{SIGNATURE_OF}");
        let output = self.run(
            &["--verify", "--pubkey-cert-pem", "idp.pem", "--node-xpath", &node],
            &file,
        );
        output.status.success()
    }

    /// Signs a message with an empty signature in it.
    fn sign(&self, template: &str) -> String {
        let file = self.path("template.xml");
        fs::write(&file, template).unwrap();
        let output = self.run(&["--sign", "--privkey-pem", "idp.key"], &file);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn read(xml: &str, idp: &IdentityProvider) -> Result<Assertion, Defect> {
    let certificates: [Certificate; 1] = [idp.certificate.clone()];
    if xml.contains(":Response") {
        response(xml, &certificates)
    } else {
        assertion(xml, &certificates)
    }
}

/// Declarations and quotes as no canonical form has them.
fn template(id: &str, method: &str, digest: &str, prefixes: Option<&str>) -> String {
    let list = prefixes.map_or_else(String::new, |prefixes| {
        format!("<ec:InclusiveNamespaces xmlns:ec='http://www.w3.org/2001/10/xml-exc-c14n#' PrefixList='{prefixes}'/>")
    });
    format!(
        "<Assertion  Version='2.0' IssueInstant='2027-01-15T08:00:00Z' ID='{id}'
            xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns='urn:oasis:names:tc:SAML:2.0:assertion'
            xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>
          <Issuer>{ISSUER}</Issuer>
          <Signature xmlns='http://www.w3.org/2000/09/xmldsig#'>
            <SignedInfo>
              <CanonicalizationMethod Algorithm='http://www.w3.org/2001/10/xml-exc-c14n#'/>
              <SignatureMethod Algorithm='http://www.w3.org/2001/04/xmldsig-more#{method}'/>
              <Reference URI='#{id}'>
                <Transforms>
                  <Transform Algorithm='http://www.w3.org/2000/09/xmldsig#enveloped-signature'/>
                  <Transform Algorithm='http://www.w3.org/2001/10/xml-exc-c14n#'>{list}</Transform>
                </Transforms>
                <DigestMethod Algorithm='{digest}'/>
                <DigestValue/>
              </Reference>
            </SignedInfo>
            <SignatureValue/>
          </Signature>
          <Subject>
            <NameID Format='urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'>alice&#x2d;&lt;1&gt; &amp; \u{e4}\u{1f600}</NameID>
            <SubjectConfirmation Method='urn:oasis:names:tc:SAML:2.0:cm:bearer'>
              <SubjectConfirmationData Recipient='{ACS}' NotOnOrAfter='2027-01-15T08:05:00.123Z'/>
            </SubjectConfirmation>
          </Subject>
          <Conditions><AudienceRestriction><Audience>{SP}</Audience></AudienceRestriction></Conditions>
          <AuthnStatement AuthnInstant=\"2027-01-15T07:59:00Z\"><AuthnContext/></AuthnStatement>
          <AttributeStatement>
            <Attribute Name='groups'>
              <AttributeValue xsi:type='xs:string'>one</AttributeValue><AttributeValue>t&apos;w&quot;o</AttributeValue>
              <AttributeValue><NameID>structured</NameID></AttributeValue>
            </Attribute>
          </AttributeStatement>
        </Assertion>"
    )
}

#[test]
fn what_we_accept_xmlsec1_accepts_over_the_same_element_saml_04() {
    let bench = Bench::new(&IDP);
    let draft = draft();
    let signed = IDP.sign(&draft);
    for (xml, elements) in [
        (signed.clone(), &["Assertion"][..]),
        (IDP.respond(&draft, &signed), &["Assertion"]),
        (IDP.respond_signed(&draft, &signed), &["Response", "Assertion"]),
    ] {
        assert!(read(&xml, &IDP).is_ok());
        for element in elements {
            assert!(bench.verifies(&xml, element), "{element}: {xml}");
        }
    }
    let altered = signed.replace("alice-1f0a", "mallory");
    assert!(!bench.verifies(&altered, "Assertion"));
}

#[test]
fn what_xmlsec1_signs_in_any_allowed_writing_is_read_saml_04() {
    const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
    const SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#sha384";
    const SHA512: &str = "http://www.w3.org/2001/04/xmlenc#sha512";
    let ec = IdentityProvider::new(ISSUER, Algorithm::Es256);
    for (idp, method, digest, prefixes) in [
        (&*IDP, "rsa-sha256", SHA256, None),
        (&*IDP, "rsa-sha256", SHA256, Some("xs xsi")),
        (&*IDP, "rsa-sha384", SHA384, Some("xs")),
        (&*IDP, "rsa-sha512", SHA512, Some("#default xs")),
        (&ec, "ecdsa-sha256", SHA256, None),
        (&ec, "ecdsa-sha512", SHA512, Some("xs")),
    ] {
        let bench = Bench::new(idp);
        let signed = bench.sign(&template("_x.1-a", method, digest, prefixes));
        let read = read(&signed, idp).unwrap_or_else(|defect| panic!("{method} {prefixes:?}: {defect}\n{signed}"));
        assert_eq!(read.name_id.value, "alice-<1> & \u{e4}\u{1f600}", "{method}");
        let [groups] = &read.attributes[..] else {
            panic!("{read:?}")
        };
        assert_eq!(groups.values, ["one", "t'w\"o"]);
        assert!(bench.verifies(&signed, "Assertion"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// A disagreement would be a fault of one of the two. Without `KeyInfo`: a broken certificate there is nothing to us,
    /// who never look at it, and an error to `xmlsec1`.
    #[test]
    fn a_changed_message_is_never_accepted_here_and_refused_by_xmlsec1_saml_04(
        at in any::<prop::sample::Index>(),
        byte in 0x20_u8..0x7f,
    ) {
        let signed = IDP.sign(&IDP.draft(now(), SP, ACS));
        let (start, end) = (signed.find("<ds:KeyInfo>").unwrap(), signed.find("</ds:Signature>").unwrap());
        let mut bytes = format!("{}{}", &signed[..start], &signed[end..]).into_bytes();
        let index = at.index(bytes.len());
        bytes[index] = byte;
        let xml = String::from_utf8(bytes).unwrap();
        if read(&xml, &IDP).is_ok() {
            prop_assert!(Bench::new(&IDP).verifies(&xml, "Assertion"), "{}", xml);
        }
    }
}
