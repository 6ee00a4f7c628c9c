//! Protocols whose libraries are heavy or have a record, behind our own types.
//!
//! Owns the adapters: each turns foreign bytes into a value of ours or into a denial. No type of a library leaves this
//! crate, and nothing here decides who may sign in.

#[cfg(feature = "passkeys")]
pub mod passkey;
pub mod qr;
#[cfg(feature = "saml")]
pub mod saml;
pub mod totp;
