//! A certificate for a key of ours, signed by itself: what metadata and identity providers carry keys in.
//!
//! Owns its contents. Nobody is asked to trust it: whoever imports it pins it.

use std::str::FromStr;
use std::time::Duration;

use lanyard_core::clock::Timestamp;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::sha256;
use lanyard_jose::key::SigningKey;
use x509_cert::der::asn1::{Any, BitString, GeneralizedTime, ObjectIdentifier, Uint};
use x509_cert::der::{Decode, Encode};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};
use x509_cert::{Certificate, TbsCertificate, Version};

/// sha256WithRSAEncryption (RFC 4055, section 5).
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
/// ecdsa-with-SHA256 (RFC 5758, section 3.2).
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
/// Identity providers pin the certificate and some refuse an expired one: keys are changed long before.
const VALID_FOR: Duration = Duration::from_secs(3650 * 24 * 3600);

pub(super) fn make(key: &SigningKey, since: Timestamp) -> Option<Vec<u8>> {
    let spki = SubjectPublicKeyInfoOwned::from_der(&key.public_spki().ok()?).ok()?;
    let algorithm = match key.algorithm() {
        Algorithm::Rs256 => AlgorithmIdentifierOwned {
            oid: RSA_SHA256,
            parameters: Some(Any::null()),
        },
        Algorithm::Es256 => AlgorithmIdentifierOwned {
            oid: ECDSA_SHA256,
            parameters: None,
        },
        Algorithm::Es384 | Algorithm::EdDsa | Algorithm::Ps256 => return None,
    };
    let name = Name::from_str(&format!("CN=lanyard {}", key.kid())).ok()?;
    let tbs = TbsCertificate {
        version: Version::V3,
        serial_number: serial(key)?,
        signature: algorithm.clone(),
        issuer: name.clone(),
        validity: Validity {
            not_before: time(since)?,
            not_after: time(since.plus(VALID_FOR))?,
        },
        subject: name,
        subject_public_key_info: spki,
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: None,
    };
    let signature = key.sign_detached(&tbs.to_der().ok()?).ok()?;
    let signature = match key.algorithm() {
        Algorithm::Es256 => two_numbers(&signature)?,
        _ => signature,
    };
    let certificate = Certificate {
        tbs_certificate: tbs,
        signature_algorithm: algorithm,
        signature: BitString::from_bytes(&signature).ok()?,
    };
    certificate.to_der().ok()
}

/// Positive, and different for each key.
fn serial(key: &SigningKey) -> Option<SerialNumber> {
    let hash = sha256(key.kid().as_bytes());
    let mut number = vec![1];
    number.extend_from_slice(hash.get(..15)?);
    SerialNumber::new(&number).ok()
}

fn time(at: Timestamp) -> Option<Time> {
    let seconds = Duration::from_secs(u64::try_from(at.seconds()).ok()?);
    // Until 2049 in two digits for the year (RFC 5280, section 4.1.2.5).
    match x509_cert::der::asn1::UtcTime::from_unix_duration(seconds) {
        Ok(time) => Some(Time::UtcTime(time)),
        Err(_) => GeneralizedTime::from_unix_duration(seconds).ok().map(Time::GeneralTime),
    }
}

/// `r` and `s` as a sequence of two numbers (RFC 3279, section 2.2.3).
fn two_numbers(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at(signature.len() / 2);
    vec![Uint::new(r).ok()?, Uint::new(s).ok()?].to_der().ok()
}
