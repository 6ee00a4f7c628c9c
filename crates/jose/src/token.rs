//! Tokens before and after verification.
//!
//! Owns reading a compact JWS. [`Unverified`] shows what is needed to find the keys and nothing more; [`Verified`] is
//! made by [`crate::verify`] only. There is no "any JWT": every token is of one [`Kind`] (SEC-01).

mod header;
mod kind;
mod statement;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

pub use self::kind::{AccessToken, ClientAssertion, IdJag, IdToken, Kind, LogoutToken, UpstreamIdToken};
pub use self::statement::verify_statement;
use crate::algorithm::Algorithm;
use crate::digest::{from_base64url, sha256};
use crate::verify::VerifyError;

/// The longest token that is read, in bytes (SEC-22). Checked before anything is split or decoded.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A token that reads as one of its kind and of which nothing is known to be true.
pub struct Unverified<K: Kind> {
    /// Header and payload as they were signed.
    message: String,
    signature: Vec<u8>,
    algorithm: Algorithm,
    kid: Option<String>,
    claims: Arc<K::Claims>,
    hash: [u8; 32],
}

impl<K: Kind> Unverified<K> {
    /// Reads a compact JWS: three parts, strict base64url, strict JSON, a header of this kind without anything that
    /// changes its meaning, claims of the right types (RAS-JB-04, 05, 07, 09; TOK-GN-02; SEC-22).
    ///
    /// # Errors
    /// [`VerifyError`]; its text has nothing of the token.
    pub fn parse(token: &str) -> Result<Self, VerifyError> {
        Self::parse_hashed(token, token_hash(token)?)
    }

    /// As [`Self::parse`], of a token whose [`token_hash`] is known.
    pub(crate) fn parse_hashed(token: &str, hash: [u8; 32]) -> Result<Self, VerifyError> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(VerifyError::Malformed("not three parts"));
        };
        let (message, _) = token.split_at(header.len() + 1 + payload.len());
        let header = header::parse(&decode(header)?)?;
        if !K::accepts(header.typ.as_deref()) {
            return Err(VerifyError::Typ);
        }
        let signature = decode(signature)?;
        if signature.is_empty() {
            return Err(VerifyError::Signature);
        }
        Ok(Self {
            message: message.to_owned(),
            signature,
            algorithm: header.algorithm,
            kid: header.kid,
            claims: Arc::new(K::read(&decode(payload)?)?),
            hash,
        })
    }

    /// Who the token says has issued it: a key into the trust list, not a fact. For a client assertion, the client.
    pub fn issuer(&self) -> Option<&str> {
        Some(K::issuer(&self.claims))
    }

    /// Which key the token says it was signed with.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Which algorithm the token says it was signed with; it only selects among what the key allows.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// SHA-256 of the whole token.
    pub const fn token_hash(&self) -> [u8; 32] {
        self.hash
    }

    pub(crate) const fn claims(&self) -> &Arc<K::Claims> {
        &self.claims
    }

    pub(crate) fn message(&self) -> &[u8] {
        self.message.as_bytes()
    }

    pub(crate) const fn signature(&self) -> &Vec<u8> {
        &self.signature
    }
}

impl<K: Kind> fmt::Debug for Unverified<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified")
            .field("kind", &K::NAME)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// The claims of a token whose signature, type, issuer, audience and times were found right. Cheap to clone.
pub struct Verified<K: Kind> {
    claims: Arc<K::Claims>,
    kid: Arc<str>,
    hash: [u8; 32],
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Verified<K> {
    pub(crate) fn new(token: &Unverified<K>, kid: Arc<str>) -> Self {
        Self {
            claims: Arc::clone(&token.claims),
            kid,
            hash: token.hash,
            kind: PhantomData,
        }
    }

    /// What the token says.
    pub fn claims(&self) -> &K::Claims {
        &self.claims
    }

    /// What the token says, taken out.
    pub fn into_claims(self) -> K::Claims {
        Arc::unwrap_or_clone(self.claims)
    }

    /// The key that signed it: its `kid`, or its thumbprint if it has none.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// SHA-256 of the whole token.
    pub const fn token_hash(&self) -> [u8; 32] {
        self.hash
    }
}

impl<K: Kind> Deref for Verified<K> {
    type Target = K::Claims;

    fn deref(&self) -> &K::Claims {
        &self.claims
    }
}

impl<K: Kind> Clone for Verified<K> {
    fn clone(&self) -> Self {
        Self {
            claims: Arc::clone(&self.claims),
            kid: Arc::clone(&self.kid),
            hash: self.hash,
            kind: PhantomData,
        }
    }
}

impl<K: Kind> fmt::Debug for Verified<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("kind", &K::NAME)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// SHA-256 of a whole token that is not too long to be read.
pub(crate) fn token_hash(token: &str) -> Result<[u8; 32], VerifyError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(VerifyError::Malformed("longer than 16 KB"));
    }
    Ok(sha256(token.as_bytes()))
}

fn decode(part: &str) -> Result<Vec<u8>, VerifyError> {
    from_base64url(part).ok_or(VerifyError::Malformed("a part is not base64url"))
}
