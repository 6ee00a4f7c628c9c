//! SAML 2.0: reading what identity providers sign, and writing what they expect of a service provider.
//!
//! Owns XML, its canonical form and its signatures. One parser; a shape guard that only ever refuses runs before any
//! signature is looked at; what a signature covers is written in canonical form, parsed again, and only that is read.
//! Never decides whether an assertion is acceptable (`lanyard_core::saml::accept`).

pub mod assertion;
pub mod certificate;
mod encoding;
mod encrypted;
mod guard;
pub mod logout;
pub mod message;
pub mod metadata;
mod names;
mod read;
pub mod redirect;
pub mod response;
mod shape;
mod signature;
mod text;
mod tree;
mod write;

pub use self::encoding::{decode_posted, decode_token};
pub use self::encrypted::DecryptionKey;
