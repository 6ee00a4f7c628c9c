//! Encryption at rest: AES-256-GCM under the key-encryption key, bound to table, row and column.
//!
//! Owns the format of sealed values. Never stores the key and never knows what it seals.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use crate::digest::{HmacKey, hex};
use crate::random::Random;

const VERSION: u8 = 1;

/// The key-encryption key. Each use has a key of its own, derived with HKDF-SHA-256 (RFC 5869).
pub struct Kek {
    root: hkdf::Prk,
    aead: RandomizedNonceKey,
}

/// Where a sealed value belongs. A value moved to another place does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Table name.
    pub table: &'a str,
    /// Primary key of the row.
    pub row: &'a str,
    /// Column name.
    pub column: &'a str,
}

impl Kek {
    /// Takes the key as it was stored.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"lanyard key-encryption key").extract(bytes.as_slice());
        let key = expand(&root, "seal/v1");
        #[expect(clippy::expect_used, reason = "the key always has the length of the cipher")]
        let aead = RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).expect("32 bytes are an AES-256 key");
        Self { root, aead }
    }

    /// A new key, and its bytes to be stored by the caller.
    pub fn generate(random: &dyn Random) -> (Self, Zeroizing<[u8; 32]>) {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        random.fill(bytes.as_mut_slice());
        (Self::from_bytes(*bytes), bytes)
    }

    /// Encrypts `plain` for `place`: a version byte, a random nonce, the ciphertext with its tag.
    ///
    /// # Panics
    /// When the system has no randomness.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Vec<u8> {
        let mut text = plain.to_vec();
        #[expect(
            clippy::expect_used,
            reason = "fails only without randomness or beyond 64 GiB; never store plain text"
        )]
        let nonce = self
            .aead
            .seal_in_place_append_tag(Aad::from(place.bound()), &mut text)
            .expect("the system random generator failed");
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + text.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&text);
        sealed
    }

    /// Decrypts what [`seal`](Self::seal) made for the same place.
    ///
    /// # Errors
    /// [`OpenError`] for another key, another place, another version or a changed byte.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (version, rest) = sealed.split_first().ok_or(OpenError)?;
        if *version != VERSION {
            return Err(OpenError);
        }
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(OpenError)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self
            .aead
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(place.bound()),
                text.as_mut_slice(),
            )
            .map_err(|_| OpenError)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    /// A key for HMAC-SHA-256 that only this key and `label` give.
    pub fn derive(&self, label: &str) -> HmacKey {
        HmacKey::new(expand(&self.root, &format!("hmac/{label}")).as_slice())
    }

    /// A text by which a store recognises its key; it does not help to find the key.
    pub fn check_value(&self) -> String {
        let value = expand(&self.root, "check value");
        let (left, _) = value.split_at(16);
        hex(left)
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kek([redacted])")
    }
}

impl Place<'_> {
    /// Unambiguous bytes: each part with its length before it.
    fn bound(&self) -> Vec<u8> {
        let parts = [self.table, self.row, self.column];
        let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
        for part in parts {
            out.extend_from_slice(&part.len().to_be_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        out
    }
}

fn expand(root: &hkdf::Prk, info: &str) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0_u8; 32]);
    #[expect(clippy::expect_used, reason = "32 bytes are below the bound of 255 blocks")]
    root.expand(&[info.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(out.as_mut_slice()))
        .expect("HKDF gives 32 bytes");
    out
}

/// The value does not open here with this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open with this key at this place")]
pub struct OpenError;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::SystemRandom;

    const PLACE: Place<'static> = Place {
        table: "signing_key",
        row: "key_1",
        column: "private_key",
    };

    #[test]
    fn a_value_opens_only_at_its_place() {
        let kek = Kek::from_bytes([7; 32]);
        let sealed = kek.seal(&PLACE, b"secret");
        assert_eq!(kek.open(&PLACE, &sealed).unwrap().as_slice(), b"secret");
        for other in [
            Place {
                table: "client",
                ..PLACE
            },
            Place { row: "key_2", ..PLACE },
            Place {
                column: "public_key",
                ..PLACE
            },
            Place {
                table: "signing_keyk",
                row: "ey_1",
                ..PLACE
            },
        ] {
            assert_eq!(kek.open(&other, &sealed), Err(OpenError), "{other:?}");
        }
    }

    #[test]
    fn another_key_does_not_open_and_has_another_check_value() {
        let (one, bytes) = Kek::generate(&SystemRandom);
        let (two, _) = Kek::generate(&SystemRandom);
        assert_eq!(two.open(&PLACE, &one.seal(&PLACE, b"x")), Err(OpenError));
        assert_ne!(one.check_value(), two.check_value());
        assert_eq!(Kek::from_bytes(*bytes).check_value(), one.check_value());
        assert_eq!(one.check_value().len(), 32);
    }

    #[test]
    fn every_sealing_is_different_and_hides_the_text() {
        let kek = Kek::from_bytes([1; 32]);
        let (a, b) = (kek.seal(&PLACE, b"correct horse"), kek.seal(&PLACE, b"correct horse"));
        assert_ne!(a, b);
        assert!(!a.windows(7).any(|w| w == b"correct"));
    }

    #[test]
    fn derived_keys_differ_by_label() {
        let kek = Kek::from_bytes([1; 32]);
        assert_ne!(
            kek.derive("client secrets").sign(b"m"),
            kek.derive("cookies").sign(b"m")
        );
        assert_eq!(
            kek.derive("cookies").sign(b"m"),
            Kek::from_bytes([1; 32]).derive("cookies").sign(b"m")
        );
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_no_changed_byte_does(
            plain in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), bit in 0..8_u32
        ) {
            let kek = Kek::from_bytes([9; 32]);
            let mut sealed = kek.seal(&PLACE, &plain);
            let opened = kek.open(&PLACE, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), plain.as_slice());
            let n = at.index(sealed.len());
            sealed[n] ^= 1 << bit;
            prop_assert_eq!(kek.open(&PLACE, &sealed), Err(OpenError));
        }

        #[test]
        fn no_bytes_make_the_opener_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(Kek::from_bytes([9; 32]).open(&PLACE, &bytes), Err(OpenError));
        }
    }
}
