//! What each target does with its bytes: read them, and hold what must be true of whatever was read.
//!
//! One file for each crate whose tests replay it.

pub mod audit;
pub mod client;
pub mod config;
pub mod message;
pub mod saml;
pub mod scim;
pub mod tokens;
