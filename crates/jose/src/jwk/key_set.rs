//! Keys of one owner, prepared for verification.
//!
//! Owns the choice of a key by `kid` and algorithm. Never mixes the keys of two owners.

use std::fmt;
use std::sync::Arc;

use jsonwebtoken::DecodingKey;

use super::{Jwk, JwkSet};
use crate::algorithm::Algorithm;
use crate::digest::sha256;
use crate::verify::VerifyError;

/// The keys of one issuer or client. Cheap to clone.
#[derive(Clone)]
pub struct KeySet(Arc<Prepared>);

struct Prepared {
    keys: Vec<Key>,
    version: [u8; 32],
}

#[derive(Clone)]
pub(crate) struct Key {
    jwk: Jwk,
    /// The `kid`, or the thumbprint of a key without one.
    pub(crate) name: Arc<str>,
    pub(crate) decoding: DecodingKey,
}

impl KeySet {
    /// Prepares the keys of a set.
    pub fn from_jwks(set: &JwkSet) -> Self {
        set.keys.iter().cloned().collect()
    }

    /// A set without keys; nothing verifies against it.
    pub fn empty() -> Self {
        Self::of(Vec::new())
    }

    /// Whether there is a key of that `kid`.
    pub fn contains(&self, kid: &str) -> bool {
        self.kids().any(|own| own == kid)
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.0.keys.is_empty()
    }

    /// A hash over the contents: it changes whenever a key is added, removed or altered.
    pub fn version(&self) -> [u8; 32] {
        self.0.version
    }

    /// The identifiers of the keys that have one.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.0.keys.iter().filter_map(|key| key.jwk.kid())
    }

    /// The same set without the keys of that `kid`.
    #[must_use]
    pub fn without(&self, kid: &str) -> Self {
        Self::of(
            self.0
                .keys
                .iter()
                .filter(|key| key.jwk.kid() != Some(kid))
                .cloned()
                .collect(),
        )
    }

    /// The public keys, for publishing.
    pub fn jwks(&self) -> JwkSet {
        self.0.keys.iter().map(|key| key.jwk.clone()).collect()
    }

    /// The one key that a token may be verified with: by `kid`, or the only key when the token names none; and only
    /// if that key is for `algorithm` (SEC-06). An unknown `kid` never falls back to another key.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Key, VerifyError> {
        let named: Vec<&Key> = match kid {
            Some(kid) => self.0.keys.iter().filter(|key| key.jwk.kid() == Some(kid)).collect(),
            None if self.0.keys.len() == 1 => self.0.keys.iter().collect(),
            None => Vec::new(),
        };
        if named.is_empty() {
            return Err(VerifyError::UnknownKey);
        }
        let mut fitting = named
            .into_iter()
            .filter(|key| key.jwk.algorithms().contains(&algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(VerifyError::Algorithm),
            // Two keys under one name: whichever we took would be a guess.
            (Some(_), Some(_)) => Err(VerifyError::UnknownKey),
        }
    }

    fn of(keys: Vec<Key>) -> Self {
        let mut contents: Vec<String> = keys.iter().map(|key| key.jwk.to_value().to_string()).collect();
        contents.sort_unstable();
        Self(Arc::new(Prepared {
            keys,
            version: sha256(contents.join("\n").as_bytes()),
        }))
    }
}

impl FromIterator<Jwk> for KeySet {
    fn from_iter<I: IntoIterator<Item = Jwk>>(keys: I) -> Self {
        Self::of(
            keys.into_iter()
                .map(|jwk| Key {
                    name: jwk.kid().map_or_else(|| jwk.thumbprint().into(), Into::into),
                    decoding: jwk.material().decoding_key(),
                    jwk,
                })
                .collect(),
        )
    }
}

impl Default for KeySet {
    fn default() -> Self {
        Self::empty()
    }
}

impl PartialEq for KeySet {
    fn eq(&self, other: &Self) -> bool {
        self.version() == other.version()
    }
}

impl Eq for KeySet {}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys.iter().map(|key| &key.name)).finish()
    }
}
