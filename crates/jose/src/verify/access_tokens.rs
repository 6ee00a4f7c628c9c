//! Remembered access tokens (architecture, section 6).
//!
//! Owns "this whole text had a good signature under these keys, and this is what it says". Never remembers a refusal,
//! and never a check other than the signature: algorithm, issuer, audience and time are looked at every time.

use std::fmt;
use std::sync::Arc;

use super::memory::{Memory, Remembered, memory};
use super::{Expected, VerifyError, check_algorithm, check_claims, verify};
use crate::algorithm::Algorithm;
use crate::jwk::KeySet;
use crate::token::{AccessToken, Kind, Unverified, Verified, token_hash};

/// The longest token that is remembered, in bytes: what a long one says can take many times its length.
const LONGEST: usize = 2048;

/// A bounded memory of good access tokens, keyed by the SHA-256 of the whole token. Only what was verified once is in
/// it, so nobody fills it with tokens of their own. Long tokens and key-bound ones are verified each time.
#[derive(Clone)]
pub struct AccessTokenCache(Memory<Arc<Known>>);

/// A token that was verified before.
struct Known {
    token: Verified<AccessToken>,
    /// As the header has it.
    kid: Option<String>,
    algorithm: Algorithm,
    /// The key set that the signature was good under.
    keys: [u8; 32],
}

/// A token as somebody presents it, of which nothing is known to be true until [`AccessTokenCache::verify`].
pub struct Presented<'a> {
    text: &'a str,
    found: Found,
}

enum Found {
    Known(Arc<Known>),
    New(Unverified<AccessToken>),
}

impl AccessTokenCache {
    /// A memory of at most `max_entries` tokens, about a kilobyte each.
    pub fn new(max_entries: u64) -> Self {
        Self(memory(max_entries))
    }

    /// Reads a compact access token, or finds what it says without reading it again.
    ///
    /// # Errors
    /// As [`Unverified::parse`].
    pub fn read<'a>(&self, text: &'a str) -> Result<Presented<'a>, VerifyError> {
        let hash = token_hash(text)?;
        let found = match self.0.get(&hash) {
            Some(known) => Found::Known(known.value),
            None => Found::New(Unverified::parse_hashed(text, hash)?),
        };
        Ok(Presented { text, found })
    }

    /// As [`verify`], without repeating the signature check of a token that was good under the same keys.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(
        &self,
        token: &Presented<'_>,
        keys: &KeySet,
        expected: &Expected<'_>,
    ) -> Result<Verified<AccessToken>, VerifyError> {
        match &token.found {
            Found::Known(known) if known.keys == keys.version() => {
                check_algorithm(known.algorithm, expected)?;
                check_claims::<AccessToken>(&known.token, expected)?;
                Ok(known.token.clone())
            }
            // Other keys: what the old ones said of it counts for nothing.
            Found::Known(_) => self.learn(&Unverified::parse(token.text)?, keys, expected),
            Found::New(new) => self.learn(new, keys, expected),
        }
    }

    /// How many tokens are remembered now.
    pub fn remembered(&self) -> u64 {
        self.0.run_pending_tasks();
        self.0.entry_count()
    }

    fn learn(
        &self,
        token: &Unverified<AccessToken>,
        keys: &KeySet,
        expected: &Expected<'_>,
    ) -> Result<Verified<AccessToken>, VerifyError> {
        let verified = verify(token, keys, expected)?;
        if token.message().len() > LONGEST || verified.cnf.is_some() {
            return Ok(verified);
        }
        let known = Known {
            token: verified.clone(),
            kid: token.kid().map(str::to_owned),
            algorithm: token.algorithm(),
            keys: keys.version(),
        };
        let exp = AccessToken::times(&verified).exp;
        self.0
            .insert(token.token_hash(), Remembered::new(Arc::new(known), exp, expected.now));
        Ok(verified)
    }
}

impl Presented<'_> {
    /// Who the token says has issued it: a key into the trust list, not a fact.
    pub fn issuer(&self) -> &str {
        match &self.found {
            Found::Known(known) => AccessToken::issuer(&known.token),
            Found::New(new) => AccessToken::issuer(new.claims()),
        }
    }

    /// Which key the token says it was signed with.
    pub fn kid(&self) -> Option<&str> {
        match &self.found {
            Found::Known(known) => known.kid.as_deref(),
            Found::New(new) => new.kid(),
        }
    }
}

impl fmt::Debug for AccessTokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenCache")
            .field("entries", &self.0.entry_count())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}
