//! Signing keys: rings, rotation, emergency removal.

pub mod record;
pub mod ring;
pub mod rotation;
pub mod saml;
pub mod vault;
