//! Digests, message authentication and base64url.
//!
//! Owns the small unkeyed and keyed functions that other rooms need. Never decides what is secret.

use std::fmt;

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::algorithm::Algorithm;

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0_u8; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// Reads 32 bytes back from 64 hexadecimal digits, in lower or upper case.
pub fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut out = [0_u8; 32];
    for (place, pair) in out.iter_mut().zip(digits.chunks(2)) {
        *place = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

/// Whether two byte strings are equal, in time that depends on their lengths only.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// The `at_hash` of an access token (OpenID Connect Core, section 3.1.3.6) under a SHA-256 algorithm.
pub fn at_hash(token: &str) -> String {
    at_hash_under(Algorithm::Es256, token)
}

/// The `at_hash` of an access token beside an ID token that is signed with `algorithm`: the left half of the hash that
/// belongs to it, which for Ed25519 is SHA-512.
pub fn at_hash_under(algorithm: Algorithm, token: &str) -> String {
    let kind = match algorithm {
        Algorithm::Es256 | Algorithm::Rs256 | Algorithm::Ps256 => &digest::SHA256,
        Algorithm::Es384 => &digest::SHA384,
        Algorithm::EdDsa => &digest::SHA512,
    };
    let hash = digest::digest(kind, token.as_bytes());
    let hash = hash.as_ref();
    let (left, _) = hash.split_at(hash.len() / 2);
    base64url(left)
}

/// The `S256` code challenge of a PKCE verifier (RFC 7636, section 4.2).
pub fn s256_challenge(verifier: &str) -> String {
    base64url(&sha256(verifier.as_bytes()))
}

/// base64url without padding (RFC 7515, section 2).
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url strictly: no padding, no other alphabet, no stray bits at the end.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
    out
}

/// A key for HMAC-SHA-256.
#[derive(Clone)]
pub struct HmacKey(hmac::Key);

impl HmacKey {
    /// Prepares a key.
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The authentication code of `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        let mut out = [0_u8; 32];
        out.copy_from_slice(hmac::sign(&self.0, message).as_ref());
        out
    }

    /// Whether `code` is the authentication code of `message`, in constant time.
    pub fn verify(&self, message: &[u8], code: &[u8]) -> bool {
        hmac::verify(&self.0, message, code).is_ok()
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sha256_is_the_published_function() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn the_hash_of_an_access_token_is_half_as_long_as_the_algorithm_s() {
        // OpenID Connect Core, appendix A.4.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash_under(Algorithm::Rs256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        for (algorithm, bytes) in [(Algorithm::Es256, 16), (Algorithm::Es384, 24), (Algorithm::EdDsa, 32)] {
            let half = from_base64url(&at_hash_under(algorithm, token)).unwrap();
            assert_eq!(half.len(), bytes, "{algorithm}");
        }
    }

    #[test]
    fn hexadecimal_digits_read_back_and_nothing_else_does() {
        let hash = sha256(b"abc");
        assert_eq!(from_hex(&sha256_hex(b"abc")), Some(hash));
        assert_eq!(from_hex(&sha256_hex(b"abc").to_uppercase()), Some(hash));
        for bad in [
            String::new(),
            "a".repeat(63),
            "a".repeat(66),
            "+a".repeat(32),
            "é".repeat(32),
        ] {
            assert_eq!(from_hex(&bad), None, "{bad}");
        }
    }

    #[test]
    fn the_challenge_is_the_one_of_rfc_7636_appendix_b() {
        assert_eq!(
            s256_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn the_code_is_the_one_of_rfc_4231_case_2() {
        let code = HmacKey::new(b"Jefe").sign(b"what do ya want for nothing?");
        assert_eq!(
            hex(&code),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert!(HmacKey::new(b"Jefe").verify(b"what do ya want for nothing?", &code));
        assert!(!HmacKey::new(b"jefe").verify(b"what do ya want for nothing?", &code));
    }

    #[test]
    fn at_hash_is_the_left_half() {
        // OpenID Connect Core, appendix A.3.
        assert_eq!(
            at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
    }

    #[test]
    fn padding_and_stray_bits_are_refused() {
        for bad in ["YQ==", "YR", "Y", "+/+/", "YQ\n", " YQ"] {
            assert_eq!(from_base64url(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn base64url_reads_back(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(from_base64url(&base64url(&bytes)), Some(bytes));
        }

        #[test]
        fn one_byte_string_has_one_encoding(text in "[A-Za-z0-9_-]{0,12}") {
            if let Some(bytes) = from_base64url(&text) {
                prop_assert_eq!(base64url(&bytes), text);
            }
        }

        #[test]
        fn constant_time_equality_is_equality(
            a in proptest::collection::vec(0_u8..2, 0..6),
            b in proptest::collection::vec(0_u8..2, 0..6),
        ) {
            prop_assert_eq!(constant_time_eq(&a, &b), a == b);
        }
    }
}
