//! Known attacks on SAML, built from a message that is good: wrapping (XSW 1 to 8 of "On Breaking SAML", for the
//! response and for the assertion), comments, entities, identifiers, algorithms, references.

use lanyard_testkit::saml::{Draft, IdentityProvider, base64, from_base64};

use crate::support::{ACS, SP, STRANGER, now};

/// One message that must be refused.
pub(crate) struct Attack {
    /// What it is called.
    pub(crate) name: String,
    /// The code it must be refused with.
    pub(crate) code: &'static str,
    /// The message.
    pub(crate) xml: String,
}

const EVIL: &str = "mallory-0000";
const DS: &str = "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"";
const SAML: &str = "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";

/// Messages that are in order.
pub(crate) fn good(idp: &IdentityProvider) -> Vec<(&'static str, String)> {
    let draft = idp.draft(now(), SP, ACS);
    let signed = idp.sign(&draft);
    vec![
        ("assertion", signed.clone()),
        ("response", idp.respond(&draft, &signed)),
        ("response-signed", idp.respond_signed(&draft, &signed)),
        (
            "assertion-with-declaration",
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{signed}\n"),
        ),
    ]
}

/// The parts that attacks are made of.
struct Parts {
    draft: Draft,
    /// The good assertion, signed.
    signed: String,
    /// The signature in it.
    signature: String,
    /// The good assertion without its signature.
    unsigned: String,
    /// Another assertion, with another name and another identifier, unsigned.
    evil: String,
}

impl Parts {
    fn new(idp: &IdentityProvider) -> Self {
        let draft = idp.draft(now(), SP, ACS);
        let (before, after) = draft.parts();
        let signature = idp.signature(&draft.id, (&before, &after));
        let mut other = draft.clone();
        other.id = "_evil".to_owned();
        other.name = EVIL.to_owned();
        let (evil_before, evil_after) = other.parts();
        Self {
            signed: format!("{before}{signature}{after}"),
            unsigned: format!("{before}{after}"),
            evil: format!("{evil_before}{evil_after}"),
            signature,
            draft,
        }
    }

    /// The evil assertion with something after its issuer.
    fn evil_with(&self, inserted: &str) -> String {
        self.evil
            .replacen("</saml:Issuer>", &format!("</saml:Issuer>{inserted}"), 1)
    }

    /// The signature with something in an `Object`.
    fn signature_with(&self, inserted: &str) -> String {
        let object = format!("<ds:Object>{inserted}</ds:Object></ds:Signature>");
        self.signature.replace("</ds:Signature>", &object)
    }
}

/// Every attack.
pub(crate) fn all(idp: &IdentityProvider) -> Vec<Attack> {
    let parts = Parts::new(idp);
    let mut attacks = Vec::new();
    wrap_assertions(idp, &parts, &mut attacks);
    wrap_responses(idp, &parts, &mut attacks);
    markup(&parts, &mut attacks);
    identifiers(&parts, &mut attacks);
    signatures(idp, &parts, &mut attacks);
    algorithms(idp, &parts, &mut attacks);
    values(idp, &parts, &mut attacks);
    sizes(&parts, &mut attacks);
    attacks
}

fn add(attacks: &mut Vec<Attack>, name: impl Into<String>, code: &'static str, xml: String) {
    attacks.push(Attack {
        name: name.into(),
        code,
        xml,
    });
}

/// XSW 3 to 8: the assertion is signed, and another one is put before, around or into it.
fn wrap_assertions(idp: &IdentityProvider, parts: &Parts, attacks: &mut Vec<Attack>) {
    let Parts {
        signed,
        signature,
        unsigned,
        evil,
        draft,
    } = parts;
    let wrapped = [
        ("xsw3-evil-before", format!("{evil}{signed}")),
        ("xsw3-evil-after", format!("{signed}{evil}")),
        (
            "xsw4-evil-around",
            evil.replace("</saml:Assertion>", &format!("{signed}</saml:Assertion>")),
        ),
        (
            "xsw5-evil-signed-by-copy",
            format!("{}{unsigned}", parts.evil_with(signature)),
        ),
        (
            "xsw6-original-in-signature",
            parts.evil_with(&signature.replace("</ds:Signature>", &format!("{unsigned}</ds:Signature>"))),
        ),
        (
            "xsw7-extensions",
            format!("<samlp:Extensions>{evil}</samlp:Extensions>{signed}"),
        ),
        (
            "xsw8-original-in-object",
            parts.evil_with(&parts.signature_with(unsigned)),
        ),
    ];
    for (name, inner) in wrapped {
        add(
            attacks,
            format!("{name}-in-response"),
            "saml_shape",
            idp.respond(draft, &inner),
        );
    }
    let bare = [
        (
            "xsw4-evil-around",
            evil.replace("</saml:Assertion>", &format!("{signed}</saml:Assertion>")),
        ),
        (
            "xsw5-evil-in-original",
            signed.replace("</saml:Assertion>", &format!("{evil}</saml:Assertion>")),
        ),
        (
            "xsw6-original-in-signature",
            parts.evil_with(&signature.replace("</ds:Signature>", &format!("{unsigned}</ds:Signature>"))),
        ),
        (
            "xsw7-original-in-advice",
            parts.evil_with(&format!("{signature}<saml:Advice>{unsigned}</saml:Advice>")),
        ),
        (
            "xsw8-original-in-object",
            parts.evil_with(&parts.signature_with(unsigned)),
        ),
        (
            "xsw-confirmation-data",
            evil.replace(
                "</saml:SubjectConfirmationData>",
                &format!("{signed}</saml:SubjectConfirmationData>"),
            ),
        ),
        (
            "xsw-foreign-namespace",
            signed.replace(
                "</saml:Assertion>",
                "<x:Assertion xmlns:x=\"urn:x\"></x:Assertion></saml:Assertion>",
            ),
        ),
    ];
    for (name, xml) in bare {
        add(attacks, format!("{name}-bare"), "saml_shape", xml);
    }
    // The same identifier, so that look-ups by identifier find either.
    let twin = parts.evil_with(signature).replace("_evil", &draft.id);
    add(attacks, "xsw-same-id", "saml_signature", twin.clone());
    add(
        attacks,
        "xsw-same-id-both",
        "saml_identifier",
        idp.respond(draft, &format!("{twin}{signed}")),
    );
    add(
        attacks,
        "evil-with-the-signature",
        "saml_shape",
        parts.evil_with(signature),
    );
    add(attacks, "evil-unsigned", "saml_unsigned", evil.clone());
}

/// XSW 1 and 2, and their like: the response is signed, and another response is put around or beside it.
fn wrap_responses(idp: &IdentityProvider, parts: &Parts, attacks: &mut Vec<Attack>) {
    let draft = &parts.draft;
    let good = idp.respond_signed(draft, &parts.signed);
    let evil = idp.respond(draft, &parts.evil).replace("ID=\"_r1\"", "ID=\"_evil_r\"");
    let start = good.find("<ds:Signature").unwrap();
    let end = good.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let (signature, original) = (&good[start..end], format!("{}{}", &good[..start], &good[end..]));
    let inserted = |inner: &str| evil.replacen("</saml:Issuer>", &format!("</saml:Issuer>{inner}"), 1);

    let around = signature.replace(
        "</ds:Signature>",
        &format!("<ds:Object>{original}</ds:Object></ds:Signature>"),
    );
    add(attacks, "xsw1-original-in-object", "saml_shape", inserted(&around));
    add(
        attacks,
        "xsw2-original-beside",
        "saml_shape",
        inserted(&format!("{signature}{original}")),
    );
    add(
        attacks,
        "xsw2-original-in-extensions",
        "saml_shape",
        inserted(&format!("{signature}<samlp:Extensions>{original}</samlp:Extensions>")),
    );
    add(
        attacks,
        "response-signature-for-other-response",
        "saml_shape",
        inserted(signature),
    );
    // The assertion may be anything if only the response is signed: it must be signed itself.
    let only_outside = idp.respond_signed(draft, &parts.unsigned);
    add(attacks, "only-the-response-is-signed", "saml_unsigned", only_outside);
    add(
        attacks,
        "evil-in-signed-response",
        "saml_unsigned",
        good.replace(&parts.signed, &parts.evil),
    );
    // Signed inside, forged outside: what is outside is never read, and its signature is checked all the same.
    let forged = STRANGER.respond_signed(draft, &parts.signed);
    add(attacks, "response-signed-by-a-stranger", "saml_signature", forged);
    add(
        attacks,
        "altered-signed-response",
        "saml_signature",
        good.replacen("Destination=\"https://sp", "Destination=\"https://xp", 1),
    );
    add(attacks, "two-responses", "saml_malformed", format!("{good}{evil}"));
}

fn markup(parts: &Parts, attacks: &mut Vec<Attack>) {
    let named = |value: &str| parts.signed.replace("alice-1f0a", value);
    add(
        attacks,
        "comment-in-name",
        "saml_markup",
        named("alice-1f0a<!-- -->.evil"),
    );
    add(
        attacks,
        "comment-before-name",
        "saml_markup",
        named("<!-- -->alice-1f0a"),
    );
    add(attacks, "cdata-in-name", "saml_markup", named("<![CDATA[alice-1f0a]]>"));
    add(
        attacks,
        "instruction-in-name",
        "saml_markup",
        named("alice<?x y?>-1f0a"),
    );
    add(
        attacks,
        "comment-after-root",
        "saml_markup",
        format!("{}<!-- -->", parts.signed),
    );
    let lol = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
               <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">]>";
    add(
        attacks,
        "billion-laughs",
        "saml_markup",
        format!("{lol}{}", named("&d;")),
    );
    let external = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>";
    add(
        attacks,
        "external-entity",
        "saml_markup",
        format!("{external}{}", named("&a;")),
    );
    let parameter = "<!DOCTYPE x [<!ENTITY % a SYSTEM \"https://evil.example/x\"> %a;]>";
    add(
        attacks,
        "parameter-entity",
        "saml_markup",
        format!("{parameter}{}", parts.signed),
    );
    add(attacks, "undeclared-entity", "saml_malformed", named("&a;"));
    add(
        attacks,
        "id-by-document-type",
        "saml_markup",
        format!(
            "<!DOCTYPE x [<!ATTLIST saml:NameID Format ID #IMPLIED>]>{}",
            parts.signed
        ),
    );
    add(
        attacks,
        "other-encoding",
        "saml_encoding",
        format!("<?xml version=\"1.0\" encoding=\"UTF-7\"?>{}", parts.signed),
    );
    add(
        attacks,
        "byte-order-mark",
        "saml_encoding",
        format!("\u{feff}{}", parts.signed),
    );
    add(attacks, "null-character", "saml_malformed", named("alice&#0;"));
    add(attacks, "not-xml", "saml_malformed", "<saml:Assertion>".to_owned());
}

fn identifiers(parts: &Parts, attacks: &mut Vec<Attack>) {
    let subject = |attribute: &str| {
        parts
            .signed
            .replace("<saml:Subject>", &format!("<saml:Subject {attribute}>"))
    };
    let id = &parts.draft.id;
    for (name, attribute) in [
        ("id-twice", format!("ID=\"{id}\"")),
        ("id-twice-lower-case", format!("id=\"{id}\"")),
        ("id-twice-mixed-case", format!("Id=\"{id}\"")),
        ("id-twice-assertion-id", format!("AssertionID=\"{id}\"")),
        ("id-xml", "xml:id=\"_x\"".to_owned()),
        ("id-in-a-namespace", "xmlns:x=\"urn:x\" x:ID=\"_x\"".to_owned()),
    ] {
        add(attacks, name, "saml_identifier", subject(&attribute));
    }
    add(
        attacks,
        "id-missing",
        "saml_shape",
        parts.signed.replacen(&format!(" ID=\"{id}\""), "", 1),
    );
}

fn signatures(idp: &IdentityProvider, parts: &Parts, attacks: &mut Vec<Attack>) {
    let Parts {
        signed,
        signature,
        draft,
        ..
    } = parts;
    let changed = |from: &str, to: &str| {
        assert!(signed.contains(from), "{from}");
        signed.replacen(from, to, 1)
    };
    add(attacks, "stranger", "saml_signature", STRANGER.sign(draft));
    let foreign = signed.replace(&idp.certificate.to_base64(), &STRANGER.certificate.to_base64());
    // The key in the message counts for nothing, so a foreign one does no harm: the name does.
    add(
        attacks,
        "foreign-key-info-and-another-name",
        "saml_signature",
        foreign.replace("alice-1f0a", EVIL),
    );
    add(attacks, "altered-name", "saml_signature", changed("alice-1f0a", EVIL));
    add(
        attacks,
        "altered-audience",
        "saml_signature",
        changed(SP, "https://evil.example"),
    );
    add(
        attacks,
        "added-white-space",
        "saml_signature",
        changed("<saml:Subject>", "<saml:Subject> "),
    );
    add(
        attacks,
        "two-signatures",
        "saml_shape",
        changed(signature, &format!("{signature}{signature}")),
    );
    let second = STRANGER.signature(&draft.id, ("", ""));
    add(
        attacks,
        "two-signatures-one-by-a-stranger",
        "saml_shape",
        changed(signature, &format!("{second}{signature}")),
    );
    add(
        attacks,
        "signature-at-the-end",
        "saml_shape",
        signed
            .replace(signature, "")
            .replace("</saml:Assertion>", &format!("{signature}</saml:Assertion>")),
    );
    let info_start = signature.find("<ds:SignedInfo>").unwrap();
    let info_end = signature.find("</ds:SignedInfo>").unwrap() + "</ds:SignedInfo>".len();
    let info = &signature[info_start..info_end];
    add(
        attacks,
        "two-signed-infos",
        "saml_shape",
        changed(info, &format!("{info}{info}")),
    );
    let reference_start = info.find("<ds:Reference").unwrap();
    let reference_end = info.find("</ds:Reference>").unwrap() + "</ds:Reference>".len();
    let reference = &info[reference_start..reference_end];
    add(
        attacks,
        "two-references",
        "saml_shape",
        changed(reference, &format!("{reference}{reference}")),
    );
    add(attacks, "no-reference", "saml_shape", changed(reference, ""));
    for (name, uri) in [
        ("reference-to-all", ""),
        ("reference-to-other", "#_other"),
        ("reference-xpointer", "#xpointer(/)"),
        ("reference-xpointer-id", "#xpointer(id('_a1'))"),
        ("reference-file", "file:///etc/passwd"),
        ("reference-outside", "https://evil.example/x"),
        ("reference-attachment", "cid:x"),
    ] {
        let uri = format!("URI=\"{uri}\"");
        add(attacks, name, "saml_shape", changed("URI=\"#_a1\"", &uri));
    }
    add(
        attacks,
        "reference-twice-by-namespace",
        "saml_shape",
        changed("URI=\"#_a1\"", "xmlns:x=\"urn:x\" x:URI=\"#_other\" URI=\"#_a1\""),
    );
    add(
        attacks,
        "key-by-reference",
        "saml_shape",
        changed(
            "<ds:X509Data>",
            "<ds:RetrievalMethod URI=\"#_x\"></ds:RetrievalMethod><ds:X509Data>",
        ),
    );
    add(
        attacks,
        "manifest",
        "saml_shape",
        changed(
            "</ds:KeyInfo>",
            "</ds:KeyInfo><ds:Object><ds:Manifest></ds:Manifest></ds:Object>",
        ),
    );
    add(
        attacks,
        "signature-in-another-namespace",
        "saml_shape",
        changed(DS, "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig\""),
    );
}

fn algorithms(idp: &IdentityProvider, parts: &Parts, attacks: &mut Vec<Attack>) {
    let changed = |from: &str, to: &str| {
        assert!(parts.signed.contains(from), "{from}");
        parts.signed.replacen(from, to, 1)
    };
    let method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    for (name, to) in [
        ("rsa-sha1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        ("rsa-md5", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
        ("dsa-sha1", "http://www.w3.org/2000/09/xmldsig#dsa-sha1"),
        ("hmac-sha256", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
        ("hmac-sha1", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
        ("no-algorithm", ""),
    ] {
        add(attacks, name, "saml_algorithm", changed(method, to));
    }
    let truncated = "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256\">\
                     <ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>";
    let old = format!("<ds:SignatureMethod Algorithm=\"{method}\"></ds:SignatureMethod>");
    add(attacks, "hmac-truncated", "saml_algorithm", changed(&old, truncated));
    add(
        attacks,
        "digest-sha1",
        "saml_algorithm",
        changed(
            "http://www.w3.org/2001/04/xmlenc#sha256",
            "http://www.w3.org/2000/09/xmldsig#sha1",
        ),
    );
    let exclusive = "CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"";
    for (name, to) in [
        ("canonical-inclusive", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
        (
            "canonical-with-comments",
            "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        ),
        ("canonical-unknown", "urn:x"),
    ] {
        let to = format!("CanonicalizationMethod Algorithm=\"{to}\"");
        add(attacks, name, "saml_algorithm", changed(exclusive, &to));
    }
    let transforms = |inner: &str| {
        let start = parts.signed.find("<ds:Transforms>").unwrap();
        let end = parts.signed.find("</ds:Transforms>").unwrap();
        format!(
            "{}<ds:Transforms>{inner}{}",
            &parts.signed[..start],
            &parts.signed[end..]
        )
    };
    let one = |algorithm: &str| format!("<ds:Transform Algorithm=\"{algorithm}\"></ds:Transform>");
    let enveloped = one("http://www.w3.org/2000/09/xmldsig#enveloped-signature");
    let canonical = one("http://www.w3.org/2001/10/xml-exc-c14n#");
    for (name, inner) in [
        ("transforms-none", String::new()),
        ("transforms-enveloped-only", enveloped.clone()),
        ("transforms-reversed", format!("{canonical}{enveloped}")),
        ("transforms-twice", format!("{enveloped}{enveloped}{canonical}")),
        (
            "transforms-xslt",
            format!("{enveloped}{}", one("http://www.w3.org/TR/1999/REC-xslt-19991116")),
        ),
        (
            "transforms-xpath",
            format!("{}{canonical}", one("http://www.w3.org/TR/1999/REC-xpath-19991116")),
        ),
        (
            "transforms-base64",
            format!("{enveloped}{}", one("http://www.w3.org/2000/09/xmldsig#base64")),
        ),
    ] {
        add(attacks, name, "saml_algorithm", transforms(&inner));
    }
    let many = (0..17).map(|n| format!("p{n}")).collect::<Vec<_>>().join(" ");
    let list = format!(
        "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
         <ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"{many}\">\
         </ec:InclusiveNamespaces></ds:Transform>"
    );
    add(
        attacks,
        "prefixes-in-masses",
        "saml_algorithm",
        transforms(&format!("{enveloped}{list}")),
    );
    void_canonical_form(idp, parts, attacks);
}

/// What libraries answer with when a canonical form cannot be made is an empty text, whose digest is known to all.
fn void_canonical_form(idp: &IdentityProvider, parts: &Parts, attacks: &mut Vec<Attack>) {
    let nothing = idp.signature_with_digest(&parts.draft.id, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    let signed = parts
        .unsigned
        .replacen("</saml:Issuer>", &format!("</saml:Issuer>{nothing}"), 1);
    add(attacks, "void-canonical-form", "saml_signature", signed.clone());
    add(
        attacks,
        "void-canonical-form-by-namespace",
        "saml_shape",
        signed.replace(SAML, &format!("{SAML} xmlns:x=\"1\"")),
    );
}

fn values(idp: &IdentityProvider, parts: &Parts, attacks: &mut Vec<Attack>) {
    let signed = &parts.signed;
    let start = signed.find("<ds:SignatureValue>").unwrap() + "<ds:SignatureValue>".len();
    let end = signed.find("</ds:SignatureValue>").unwrap();
    let value = &signed[start..end];
    let with = |value: &str| format!("{}{value}{}", &signed[..start], &signed[end..]);
    add(attacks, "value-empty", "saml_encoding", with(""));
    add(
        attacks,
        "value-url-alphabet",
        "saml_encoding",
        with(&format!("-_{}", &value[2..])),
    );
    add(
        attacks,
        "value-without-padding",
        "saml_encoding",
        with(value.trim_end_matches('=')),
    );
    let mut bytes = from_base64(value);
    bytes.push(0);
    add(attacks, "value-longer", "saml_signature", with(&base64(&bytes)));
    add(attacks, "value-zero", "saml_signature", with(&base64(&[0; 256])));
    add(
        attacks,
        "value-with-an-element",
        "saml_shape",
        with(&format!("{value}<x xmlns=\"urn:x\"></x>")),
    );
    let digest = base64(&lanyard_jose::digest::sha256(parts.unsigned.as_bytes()));
    add(
        attacks,
        "digest-of-another",
        "saml_signature",
        signed.replacen(&digest, &base64(&[7; 32]), 1),
    );
    add(
        attacks,
        "digest-split-by-an-element",
        "saml_shape",
        signed.replacen(&digest, &format!("{digest}<x xmlns=\"urn:x\"></x>"), 1),
    );
    let mut draft = parts.draft.clone();
    draft.issuer = "https://other.example".to_owned();
    add(
        attacks,
        "issuer-altered",
        "saml_signature",
        idp.sign(&draft)
            .replace("https://other.example", "https://idp.example/saml"),
    );
}

fn sizes(parts: &Parts, attacks: &mut Vec<Attack>) {
    let inserted = |inner: &str| {
        parts.signed.replace(
            "</saml:Assertion>",
            &format!("<saml:Advice>{inner}</saml:Advice></saml:Assertion>"),
        )
    };
    let deep = format!("{}{}", "<x xmlns=\"urn:x\">".repeat(64), "</x>".repeat(64));
    add(attacks, "deep", "saml_too_deep", inserted(&deep));
    let wide = (0..65).map(|n| format!(" a{n}=\"\"")).collect::<String>();
    add(
        attacks,
        "attributes-in-masses",
        "saml_shape",
        inserted(&format!("<x xmlns=\"urn:x\"{wide}></x>")),
    );
    add(
        attacks,
        "oversized",
        "saml_too_large",
        inserted(&" ".repeat(256 * 1024)),
    );
}
