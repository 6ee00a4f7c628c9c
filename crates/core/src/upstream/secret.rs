//! What we keep secret about an upstream: our credential there, and the PKCE verifier of a sign-in under way.
//!
//! Owns where each is bound to. Never stores and never sends one.

use lanyard_jose::digest::base64url;
use lanyard_jose::seal::{OpenError, Place};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::id::ConnectionId;
use crate::keys::vault::Vault;

const fn credential_place(connection: &str) -> Place<'_> {
    Place {
        table: "connections",
        row: connection,
        column: "secret",
    }
}

const fn verifier_place(row: &str) -> Place<'_> {
    Place {
        table: "sign_in_attempts",
        row,
        column: "verifier",
    }
}

/// Seals the credential of a connection.
pub fn seal_credential(vault: &Vault, connection: &ConnectionId, credential: &[u8]) -> Vec<u8> {
    vault.kek().seal(&credential_place(connection.as_str()), credential)
}

/// Opens the credential of a connection.
///
/// # Errors
/// [`OpenError`] when it was sealed under another key or for another place.
pub fn open_credential(vault: &Vault, connection: &ConnectionId, sealed: &[u8]) -> Result<SecretSlice<u8>, OpenError> {
    let plain = vault.kek().open(&credential_place(connection.as_str()), sealed)?;
    Ok(SecretSlice::from(plain.to_vec()))
}

/// Seals the PKCE verifier of an attempt.
pub fn seal_verifier(vault: &Vault, handle_hash: &[u8; 32], verifier: &SecretString) -> Vec<u8> {
    let row = base64url(handle_hash);
    vault
        .kek()
        .seal(&verifier_place(&row), verifier.expose_secret().as_bytes())
}

/// Opens the PKCE verifier of an attempt.
///
/// # Errors
/// [`OpenError`].
pub fn open_verifier(vault: &Vault, handle_hash: &[u8; 32], sealed: &[u8]) -> Result<SecretString, OpenError> {
    let row = base64url(handle_hash);
    let plain = vault.kek().open(&verifier_place(&row), sealed)?;
    let text = std::str::from_utf8(&plain).map_err(|_| OpenError)?;
    Ok(SecretString::from(text.to_owned()))
}
