//! Keys, signatures, verified tokens and encryption at rest.
//!
//! The only crate that touches cryptography. A [`token::Verified`] can only be made by [`verify::verify`] (or its
//! cached form), which always checks `typ`, algorithm against the key, signature, issuer, audience and time; time is
//! passed in. No `none`, no symmetric keys for tokens, no algorithm or key taken from the token.

#![warn(missing_docs)]

pub mod algorithm;
pub mod digest;
pub mod jwk;
pub mod key;
pub mod random;
pub mod seal;
pub mod token;
pub mod verify;

/// Chooses the process-wide cryptography of `jsonwebtoken`; may be called again without effect.
///
/// This crate passes its provider explicitly and does not need the call. It is for code of others in the same process
/// that uses `jsonwebtoken` by itself and would otherwise take whichever provider the build happens to contain.
pub fn install_crypto_provider() {
    // An error only says that one is installed already.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}
