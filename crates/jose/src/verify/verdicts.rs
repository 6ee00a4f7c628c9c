//! Remembered signature verdicts (architecture, section 6).
//!
//! Owns "this whole token had a good signature under these keys". Never remembers a refusal, and never a check other
//! than the signature: issuer, audience and time are looked at every time.

use super::memory::{Memory, Remembered, memory};
use super::{Expected, VerifyError, judge};
use crate::digest::sha256;
use crate::jwk::KeySet;
use crate::token::{Kind, Unverified, Verified};

/// A bounded memory of good signatures.
#[derive(Clone)]
pub struct VerdictCache(Memory<()>);

impl VerdictCache {
    /// A memory of at most `max_entries` tokens, about 150 bytes each.
    pub fn new(max_entries: u64) -> Self {
        Self(memory(max_entries))
    }

    /// As [`verify`](super::verify), without repeating the signature check of a token seen before.
    ///
    /// `purpose` separates uses that must not vouch for each other: name the role and the tenant.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify<K: Kind>(
        &self,
        token: &Unverified<K>,
        purpose: &str,
        keys: &KeySet,
        expected: &Expected<'_>,
    ) -> Result<Verified<K>, VerifyError> {
        let key = entry::<K>(token, purpose, keys);
        let (verified, known) = judge(token, keys, expected, || self.0.contains_key(&key))?;
        if !known {
            let exp = K::times(verified.claims()).exp;
            self.0.insert(key, Remembered::new((), exp, expected.now));
        }
        Ok(verified)
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.0.invalidate_all();
    }
}

impl std::fmt::Debug for VerdictCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerdictCache")
            .field("entries", &self.0.entry_count())
            .finish_non_exhaustive()
    }
}

/// Hash of the whole token, its kind, the purpose and the contents of the key set; fixed lengths come first.
fn entry<K: Kind>(token: &Unverified<K>, purpose: &str, keys: &KeySet) -> [u8; 32] {
    let mut text = Vec::with_capacity(64 + K::NAME.len() + 1 + purpose.len());
    text.extend_from_slice(&token.token_hash());
    text.extend_from_slice(&keys.version());
    text.extend_from_slice(K::NAME.as_bytes());
    text.push(0);
    text.extend_from_slice(purpose.as_bytes());
    sha256(&text)
}
