//! Decrypting an assertion (SAML Core, section 2.3.4; XML Encryption 1.1).
//!
//! Owns the shape of what is encrypted and the closed list of algorithms: RSA-OAEP and AES-GCM. What comes out is foreign
//! bytes again, and goes through every check of a bare assertion.

use std::fmt;

use bergshamra_crypto::keytransport::{OaepParams, from_uri_with_params};
use bergshamra_keys::Key;
use bergshamra_keys::loader::load_rsa_private_pem;
use lanyard_core::saml::defect::Defect;
use lanyard_jose::key::SigningKey;
use zeroize::Zeroizing;

use super::encoding;
use super::names::{CIPHERS, DSIG, ENC, KEY_TRANSPORTS};
use super::tree::Node;

const ENC11: &str = "http://www.w3.org/2009/xmlenc11#";

const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
const MGF1_SHA1: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha1";

/// Digest and mask that belong together: what the backend does. SHA-1 has no weakness here.
const OAEP_PAIRS: [(&str, &str); 4] = [
    (SHA1, MGF1_SHA1),
    (
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "http://www.w3.org/2009/xmlenc11#mgf1sha256",
    ),
    (
        "http://www.w3.org/2001/04/xmldsig-more#sha384",
        "http://www.w3.org/2009/xmlenc11#mgf1sha384",
    ),
    (
        "http://www.w3.org/2001/04/xmlenc#sha512",
        "http://www.w3.org/2009/xmlenc11#mgf1sha512",
    ),
];

/// A private key of ours to which an identity provider encrypts.
#[derive(Clone)]
pub struct DecryptionKey(Key);

/// Not a key that decrypts: only RSA keys do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RSA key")]
pub struct NotRsa;

impl DecryptionKey {
    /// The private half of a key of ours.
    ///
    /// # Errors
    /// `NotRsa`.
    pub fn of(key: &SigningKey) -> Result<Self, NotRsa> {
        let mut pem = Zeroizing::new(String::from("-----BEGIN PRIVATE KEY-----\n"));
        let body = Zeroizing::new(encoding::encode(&key.to_pkcs8()));
        for line in body.as_bytes().chunks(64) {
            pem.push_str(str::from_utf8(line).map_err(|_| NotRsa)?);
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        load_rsa_private_pem(pem.as_bytes()).map(Self).map_err(|_| NotRsa)
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecryptionKey([redacted])")
    }
}

/// Decrypts an `EncryptedAssertion` with the first of our keys that fits.
pub(super) fn decrypt(encrypted: Node<'_, '_>, keys: &[DecryptionKey]) -> Result<Vec<u8>, Defect> {
    let data = encrypted
        .one(ENC, "EncryptedData")?
        .ok_or(Defect::Encryption("there is no encrypted data"))?;
    let wrapped = wrapped_key(encrypted, data)?;
    let method = method(data)?;
    let cipher = CIPHERS
        .into_iter()
        .find(|cipher| Some(*cipher) == method.attribute("Algorithm"))
        .ok_or(Defect::Encryption("the cipher is not AES-GCM"))?;
    let transport = transport(wrapped)?;
    let (sealed_key, sealed) = (cipher_value(wrapped)?, cipher_value(data)?);
    let length = if cipher.ends_with("aes128-gcm") { 16 } else { 32 };
    let failed = Defect::Encryption("it is encrypted to another key, or was altered");
    let open = |key: &DecryptionKey| {
        let private = key.0.to_signing_key().ok()??;
        let content_key = Zeroizing::new(transport.decrypt(&private, &sealed_key).ok()?);
        if content_key.len() != length {
            return None;
        }
        let cipher = bergshamra_crypto::cipher::from_uri(cipher).ok()?;
        cipher.decrypt(&content_key, &sealed).ok()
    };
    keys.iter().find_map(open).ok_or(failed)
}

/// The one encrypted key, within the data or beside it.
fn wrapped_key<'t, 'a>(encrypted: Node<'t, 'a>, data: Node<'t, 'a>) -> Result<Node<'t, 'a>, Defect> {
    let info = data.one(DSIG, "KeyInfo")?;
    let within = info.into_iter().flat_map(|info| info.named(ENC, "EncryptedKey"));
    let mut keys = within.chain(encrypted.named(ENC, "EncryptedKey"));
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        _ => Err(Defect::Encryption("there is not exactly one encrypted key")),
    }
}

fn method<'t, 'a>(node: Node<'t, 'a>) -> Result<Node<'t, 'a>, Defect> {
    node.one(ENC, "EncryptionMethod")?
        .ok_or(Defect::Encryption("no algorithm is named"))
}

fn transport(wrapped: Node<'_, '_>) -> Result<Box<dyn bergshamra_crypto::keytransport::KeyTransportAlgorithm>, Defect> {
    let method = method(wrapped)?;
    let refused = Defect::Encryption("the key transport is not RSA-OAEP");
    let uri = KEY_TRANSPORTS
        .into_iter()
        .find(|uri| Some(*uri) == method.attribute("Algorithm"))
        .ok_or(refused)?;
    let algorithm = |node: Option<Node<'_, '_>>| node.and_then(|node| node.attribute("Algorithm").map(str::to_owned));
    if method.one(ENC, "OAEPparams")?.is_some() {
        return Err(Defect::Encryption("labels are not supported"));
    }
    let digest = algorithm(method.one(DSIG, "DigestMethod")?).unwrap_or_else(|| SHA1.to_owned());
    // Without a word MGF1 is with SHA-1, whatever the digest (XML Encryption 1.1, section 5.5.2).
    let mask = algorithm(method.one(ENC11, "MGF")?).unwrap_or_else(|| MGF1_SHA1.to_owned());
    if !OAEP_PAIRS.contains(&(digest.as_str(), mask.as_str())) {
        // Keycloak's RSA-OAEP with SHA-256 is such a pair; its RSA-OAEP-11 with MGF1-SHA-256 is none.
        return Err(Defect::Encryption(
            "RSA-OAEP with two different hashes is not supported",
        ));
    }
    let parameters = OaepParams {
        digest_uri: Some(digest),
        mgf_uri: Some(mask),
        oaep_params: None,
    };
    from_uri_with_params(uri, parameters).map_err(|_| refused)
}

fn cipher_value(node: Node<'_, '_>) -> Result<Vec<u8>, Defect> {
    let missing = Defect::Encryption("a value is missing or not base64");
    let data = node.one(ENC, "CipherData")?.ok_or(missing)?;
    let value = data.one(ENC, "CipherValue")?.ok_or(missing)?;
    encoding::decode(&value.text()?).ok_or(missing)
}
