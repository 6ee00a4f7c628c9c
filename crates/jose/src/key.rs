//! Private signing keys and compact JWS signing (RFC 7515, section 3.1).
//!
//! Owns key pairs parsed once. Never prints a private number and never decides who may sign what.

mod pair;
mod private_jwk;

use std::fmt;

use serde::Serialize;
use zeroize::Zeroizing;

use self::pair::Pair;
use crate::algorithm::Algorithm;
use crate::jwk::Jwk;

/// A private key with its algorithm. Its `kid` is the thumbprint of its public half (RFC 7638).
pub struct SigningKey {
    pair: Pair,
    algorithm: Algorithm,
    pkcs8: Zeroizing<Vec<u8>>,
    public: Jwk,
    kid: String,
}

impl SigningKey {
    /// Makes a new key; RSA keys have 2048 bits.
    ///
    /// # Errors
    /// [`KeyError`] when the backend cannot make one.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        Self::of(algorithm, Pair::generate(algorithm)?)
    }

    /// Reads an unencrypted PKCS#8 document.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when it is not a private key for `algorithm`.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        Self::of(algorithm, Pair::from_pkcs8(algorithm, der)?)
    }

    /// The key as an unencrypted PKCS#8 document, to be sealed before it is stored.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }

    /// Reads a private JWK: EC P-256, P-384 or OKP Ed25519.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_private_jwk(value: &serde_json::Value) -> Result<Self, KeyError> {
        let (algorithm, pair) = private_jwk::read(value)?;
        Self::of(algorithm, pair)
    }

    /// The key as a private JWK, for a client's key file.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] for RSA keys.
    pub fn to_private_jwk(&self) -> Result<serde_json::Value, KeyError> {
        private_jwk::write(&self.pair, &self.public)
    }

    /// What the key signs with.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The thumbprint of the public half.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half with `kid`, `use` and `alg` (MD-KEY-01).
    pub fn public_jwk(&self) -> Jwk {
        self.public.clone()
    }

    /// Signs `claims` as a compact JWS whose header has `typ`, `alg` and `kid`, nothing else.
    ///
    /// # Errors
    /// [`SignError`] when the claims cannot be written as JSON or the backend fails.
    pub fn sign<C: Serialize>(&self, typ: &str, claims: &C) -> Result<String, SignError> {
        self.sign_with_kid(typ, &self.kid, claims)
    }

    /// As [`sign`](Self::sign), under the `kid` by which the verifier registered the key.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign_with_kid<C: Serialize>(&self, typ: &str, kid: &str, claims: &C) -> Result<String, SignError> {
        let header = serde_json::to_vec(&Header {
            typ,
            alg: self.algorithm.as_str(),
            kid,
        })
        .map_err(|_| SignError)?;
        let claims = serde_json::to_vec(claims).map_err(|_| SignError)?;
        let mut token = String::with_capacity((header.len() + claims.len()) * 4 / 3 + 360);
        append(&header, &mut token);
        token.push('.');
        append(&claims, &mut token);
        let signature = self.pair.sign(self.algorithm, token.as_bytes())?;
        token.push('.');
        append(&signature, &mut token);
        Ok(token)
    }

    /// Signs bytes as they are, for formats that are no JWS (SAML, X.509). ECDSA signatures are `r` and `s` side by side.
    ///
    /// # Errors
    /// [`SignError`] when the backend fails.
    pub fn sign_detached(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.pair.sign(self.algorithm, message)
    }

    /// The public half as a `SubjectPublicKeyInfo` in DER (RFC 5280, section 4.1.2.7).
    ///
    /// # Errors
    /// [`KeyError`] when the backend cannot write it.
    pub fn public_spki(&self) -> Result<Vec<u8>, KeyError> {
        self.pair.public_spki()
    }

    fn of(algorithm: Algorithm, pair: Pair) -> Result<Self, KeyError> {
        let public = Jwk::of(pair.material()?, algorithm);
        let kid = public.thumbprint();
        Ok(Self {
            pkcs8: pair.to_pkcs8()?,
            pair,
            algorithm,
            public,
            kid,
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("alg", &self.algorithm)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'static str,
    kid: &'a str,
}

fn append(bytes: &[u8], out: &mut String) {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode_string(bytes, out);
}

/// Why a key was not read or made. Never carries key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The encoding or the numbers are wrong.
    #[error("malformed key: {0}")]
    Malformed(&'static str),
    /// A key for another purpose or of another kind.
    #[error("unsupported key: {0}")]
    Unsupported(&'static str),
    /// A private member where a public key is expected.
    #[error("a private member in a public key")]
    Private,
}

/// The claims could not be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the claims could not be signed")]
pub struct SignError;
