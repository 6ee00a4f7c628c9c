//! Signing keys: rings, rotation, emergency removal.

pub mod record;
