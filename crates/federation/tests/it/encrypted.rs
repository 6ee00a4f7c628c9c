//! Encrypted assertions: RSA-OAEP and AES-GCM, and nothing else.

use bergshamra_crypto::cipher;
use bergshamra_crypto::keytransport::{OaepParams, from_uri_with_params};
use bergshamra_keys::loader::load_x509_cert_der;
use lanyard_core::saml::assertion::Assertion;
use lanyard_core::saml::defect::Defect;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_federation::saml::response::UnverifiedResponse;
use lanyard_federation::saml::{DecryptionKey, decode_posted};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_testkit::saml::base64;
use std::sync::LazyLock;

use crate::support::{IDP, STRANGER, draft, now, pinned};

const GCM256: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
const GCM128: &str = "http://www.w3.org/2009/xmlenc11#aes128-gcm";
const CBC256: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
const OAEP: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const OAEP11: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const MGF_SHA256: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha256";

static OURS: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::Rs256).unwrap());

/// How an assertion is encrypted; each test changes one thing.
struct Sealing<'a> {
    cipher: &'a str,
    transport: &'a str,
    digest: Option<&'a str>,
    mgf: Option<&'a str>,
    to: &'a SigningKey,
    beside: bool,
}

impl Default for Sealing<'_> {
    fn default() -> Self {
        Self {
            cipher: GCM256,
            transport: OAEP,
            digest: None,
            mgf: None,
            to: &OURS,
            beside: false,
        }
    }
}

impl Sealing<'_> {
    fn seal(&self, assertion: &str) -> String {
        let length = if self.cipher == GCM128 { 16 } else { 32 };
        let key: Vec<u8> = (0..length).collect();
        let sealed = cipher::from_uri(self.cipher)
            .unwrap()
            .encrypt(&key, assertion.as_bytes())
            .unwrap();
        let certificate = Certificate::self_signed(self.to, now()).unwrap();
        let der = decode_posted(&certificate.to_base64()).unwrap();
        let public = load_x509_cert_der(&der).unwrap().to_signing_key().unwrap().unwrap();
        let parameters = OaepParams {
            digest_uri: self.digest.map(str::to_owned),
            mgf_uri: self.mgf.map(str::to_owned),
            oaep_params: None,
        };
        let wrapped = from_uri_with_params(self.transport, parameters)
            .unwrap()
            .encrypt(&public, &key)
            .unwrap();
        let digest = self.digest.map_or_else(String::new, |digest| {
            format!("<ds:DigestMethod xmlns:ds='http://www.w3.org/2000/09/xmldsig#' Algorithm='{digest}'/>")
        });
        let mgf = self.mgf.map_or_else(String::new, |mgf| {
            format!("<MGF xmlns='http://www.w3.org/2009/xmlenc11#' Algorithm='{mgf}'/>")
        });
        let encrypted_key = format!(
            "<xenc:EncryptedKey xmlns:xenc='http://www.w3.org/2001/04/xmlenc#'>\
             <xenc:EncryptionMethod Algorithm='{}'>{digest}{mgf}</xenc:EncryptionMethod>\
             <xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>",
            self.transport,
            base64(&wrapped)
        );
        let (within, beside) = if self.beside {
            ("", &*encrypted_key)
        } else {
            (&*encrypted_key, "")
        };
        format!(
            "<saml:EncryptedAssertion xmlns:saml='urn:oasis:names:tc:SAML:2.0:assertion'>\
             <xenc:EncryptedData xmlns:xenc='http://www.w3.org/2001/04/xmlenc#' \
             Type='http://www.w3.org/2001/04/xmlenc#Element'><xenc:EncryptionMethod Algorithm='{}'/>\
             <ds:KeyInfo xmlns:ds='http://www.w3.org/2000/09/xmldsig#'>{within}</ds:KeyInfo>\
             <xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData>\
             </xenc:EncryptedData>{beside}</saml:EncryptedAssertion>",
            self.cipher,
            base64(&sealed)
        )
    }
}

fn open(encrypted: &str) -> Result<Assertion, Defect> {
    let keys = [DecryptionKey::of(&IDP.key).unwrap(), DecryptionKey::of(&OURS).unwrap()];
    UnverifiedResponse::parse(IDP.respond(&draft(), encrypted).as_bytes())?.verify(&pinned(), &keys)
}

fn signed() -> String {
    IDP.sign(&draft())
}

#[test]
fn an_assertion_encrypted_to_one_of_our_keys_is_read_like_a_plain_one() {
    for sealing in [
        Sealing::default(),
        Sealing {
            cipher: GCM128,
            beside: true,
            ..Sealing::default()
        },
        Sealing {
            transport: OAEP11,
            digest: Some(SHA256),
            mgf: Some(MGF_SHA256),
            ..Sealing::default()
        },
    ] {
        let read = open(&sealing.seal(&signed())).unwrap();
        assert_eq!(read.name_id.value, "alice-1f0a");
    }
}

#[test]
fn what_is_encrypted_must_be_signed_within_saml_03() {
    let (before, after) = draft().parts();
    assert_eq!(
        open(&Sealing::default().seal(&format!("{before}{after}"))),
        Err(Defect::Unsigned("assertion"))
    );
    assert_eq!(
        open(&Sealing::default().seal(&STRANGER.sign(&draft()))),
        Err(Defect::Signature("assertion"))
    );
}

#[test]
fn what_is_encrypted_goes_through_every_check_saml_02() {
    let seal = |inner: &str| open(&Sealing::default().seal(inner));
    assert_eq!(seal("<!-- -->"), Err(Defect::Markup("a comment")));
    assert_eq!(seal(""), Err(Defect::Malformed));
    assert_eq!(
        seal(&signed().repeat(2)),
        Err(Defect::Malformed),
        "two outermost elements"
    );
    assert_eq!(seal("<a/>"), Err(Defect::Shape("the message is not one assertion")));
}

#[test]
fn a_key_of_another_and_an_altered_text_open_nothing() {
    let failed = Err(Defect::Encryption("it is encrypted to another key, or was altered"));
    let other = SigningKey::generate(Algorithm::Rs256).unwrap();
    let sealing = Sealing {
        to: &other,
        ..Sealing::default()
    };
    assert_eq!(open(&sealing.seal(&signed())), failed);
    let good = Sealing::default().seal(&signed());
    let last = good.rfind("<xenc:CipherValue>").unwrap() + "<xenc:CipherValue>".len();
    let mut altered = good.clone();
    let other = if altered.as_bytes()[last] == b'A' { "B" } else { "A" };
    altered.replace_range(last..=last, other);
    assert_eq!(open(&altered), failed);
}

#[test]
fn unauthenticated_ciphers_and_old_key_transports_are_refused() {
    let good = Sealing::default().seal(&signed());
    for (from, to, why) in [
        (GCM256, CBC256, "the cipher is not AES-GCM"),
        (
            GCM256,
            "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
            "the cipher is not AES-GCM",
        ),
        (
            OAEP,
            "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
            "the key transport is not RSA-OAEP",
        ),
        (
            OAEP,
            "http://www.w3.org/2001/04/xmlenc#kw-aes256",
            "the key transport is not RSA-OAEP",
        ),
        (
            "<xenc:EncryptedKey",
            "<xenc:OtherKey",
            "there is not exactly one encrypted key",
        ),
        (
            "<xenc:CipherValue>",
            "<xenc:CipherValue>-",
            "a value is missing or not base64",
        ),
    ] {
        let mut altered = good.replacen(from, to, 1);
        altered = altered.replace(
            "</xenc:EncryptedKey>",
            if to.contains("OtherKey") {
                "</xenc:OtherKey>"
            } else {
                "</xenc:EncryptedKey>"
            },
        );
        assert_eq!(open(&altered), Err(Defect::Encryption(why)), "{to}");
    }
    let cbc = Sealing {
        cipher: CBC256,
        ..Sealing::default()
    };
    assert_eq!(
        open(&cbc.seal(&signed())),
        Err(Defect::Encryption("the cipher is not AES-GCM"))
    );
}

#[test]
fn a_key_wrapped_with_two_different_hashes_is_refused_by_name() {
    let refused = Err(Defect::Encryption(
        "RSA-OAEP with two different hashes is not supported",
    ));
    let good = Sealing::default().seal(&signed());
    let named = format!("<ds:DigestMethod xmlns:ds='http://www.w3.org/2000/09/xmldsig#' Algorithm='{SHA256}'/>");
    for transport in [OAEP, OAEP11] {
        let mixed = good.replace(
            &format!("Algorithm='{OAEP}'>"),
            &format!("Algorithm='{transport}'>{named}"),
        );
        assert_eq!(open(&mixed), refused, "{transport}");
    }
}

#[test]
fn a_plain_and_an_encrypted_assertion_together_are_refused_saml_04() {
    let both = format!("{}{}", Sealing::default().seal(&signed()), signed());
    assert_eq!(open(&both), Err(Defect::Shape("there is not exactly one assertion")));
}
