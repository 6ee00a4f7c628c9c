//! The certificates of identity providers: a way to carry a key, pinned by whoever configured the connection.
//!
//! Owns reading them and the least strength of their keys. Never builds a chain and never asks who signed one.

mod self_signed;

use std::fmt;

use bergshamra_keys::Key;
use bergshamra_keys::loader::load_x509_cert_der;
use lanyard_core::clock::Timestamp;
use lanyard_jose::digest::sha256_hex;
use lanyard_jose::key::SigningKey;
use x509_cert::der::Decode;
use x509_cert::der::asn1::{ObjectIdentifier, Uint};
use x509_cert::der::oid::db::rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::encoding;
use super::names::SIGNATURES;

/// The largest certificate that is read, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// The smallest RSA modulus that is accepted, in bits.
const MIN_RSA_BITS: usize = 2048;

/// A certificate whose key is accepted as the key of an identity provider.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    key: Key,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// Why a certificate was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a certificate with an RSA key of at least 2048 bits or a key on P-256 or P-384: {0}")]
pub struct InvalidCertificate(&'static str);

impl Certificate {
    /// Reads the DER form.
    ///
    /// # Errors
    /// [`InvalidCertificate`].
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidCertificate> {
        if der.len() > MAX_BYTES {
            return Err(InvalidCertificate("it is too large"));
        }
        let parsed = x509_cert::Certificate::from_der(der).map_err(|_| InvalidCertificate("it cannot be read"))?;
        let tbs = &parsed.tbs_certificate;
        check_strength(&tbs.subject_public_key_info)?;
        let key = load_x509_cert_der(der).map_err(|_| InvalidCertificate("the key is of another kind"))?;
        let seconds = |time: x509_cert::time::Time| {
            Timestamp::from_seconds(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
        };
        Ok(Self {
            der: der.to_vec(),
            key,
            not_before: seconds(tbs.validity.not_before),
            not_after: seconds(tbs.validity.not_after),
        })
    }

    /// Makes the self-signed certificate that carries a key of ours in metadata. The same key and time always give the
    /// same certificate when the key is an RSA key, so that nothing has to be stored.
    ///
    /// # Errors
    /// [`InvalidCertificate`] for a key that signs with another algorithm than RS256 or ES256.
    pub fn self_signed(key: &SigningKey, since: Timestamp) -> Result<Self, InvalidCertificate> {
        Self::from_der(&self_signed::make(key, since).ok_or(InvalidCertificate("it cannot be made for this key"))?)
    }

    /// Reads base64, as it stands in metadata, or the PEM form, as it stands in files.
    ///
    /// # Errors
    /// [`InvalidCertificate`].
    pub fn parse(text: &str) -> Result<Self, InvalidCertificate> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        const END: &str = "-----END CERTIFICATE-----";
        let text = text.trim();
        let body = match text.strip_prefix(BEGIN) {
            None => text,
            Some(rest) => rest
                .strip_suffix(END)
                .ok_or(InvalidCertificate("the PEM form has no end, or something after it"))?,
        };
        let der = encoding::decode(body).ok_or(InvalidCertificate("it is not base64"))?;
        Self::from_der(&der)
    }

    /// Base64 of the DER form, in one line.
    pub fn to_base64(&self) -> String {
        encoding::encode(&self.der)
    }

    /// SHA-256 over the DER form, in hexadecimal: by which people compare certificates.
    pub fn fingerprint(&self) -> String {
        sha256_hex(&self.der)
    }

    /// Since when it is valid; of no consequence for its key, but worth a word.
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Until when it is valid; of no consequence for its key, but worth a word.
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether the key made this detached signature (SAML Bindings, section 3.4.4.1).
    pub fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        if !SIGNATURES.contains(&algorithm) {
            return false;
        }
        let Ok(Some(key)) = self.key.to_signing_key() else {
            return false;
        };
        bergshamra_crypto::sign::from_uri(algorithm)
            .and_then(|algorithm| algorithm.verify(&key, message, signature))
            .unwrap_or(false)
    }

    pub(super) const fn key(&self) -> &Key {
        &self.key
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").field(&self.fingerprint()).finish()
    }
}

fn check_strength(spki: &SubjectPublicKeyInfoOwned) -> Result<(), InvalidCertificate> {
    let oid = spki.algorithm.oid;
    if oid == RSA_ENCRYPTION {
        // RSAPublicKey is a sequence of two numbers (RFC 8017, appendix A.1.1).
        let numbers = Vec::<Uint>::from_der(spki.subject_public_key.raw_bytes()).unwrap_or_default();
        let bits = numbers.first().map_or(0, bits);
        return if bits >= MIN_RSA_BITS {
            Ok(())
        } else {
            Err(InvalidCertificate("the RSA key is too short"))
        };
    }
    if oid == ID_EC_PUBLIC_KEY {
        let curve = spki
            .algorithm
            .parameters
            .as_ref()
            .and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
        return if curve == Some(SECP_256_R_1) || curve == Some(SECP_384_R_1) {
            Ok(())
        } else {
            Err(InvalidCertificate("the curve is another"))
        };
    }
    Err(InvalidCertificate("the key is of another kind"))
}

fn bits(number: &Uint) -> usize {
    let bytes = number.as_bytes();
    let unused = bytes.first().map_or(0, |first| first.leading_zeros());
    (bytes.len() * 8).saturating_sub(usize::try_from(unused).unwrap_or(0))
}
