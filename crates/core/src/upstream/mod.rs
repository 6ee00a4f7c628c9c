//! Upstream identity providers: who they are, what their word means here, and the person behind it.
//!
//! Owns connections, links, attempts and the way from verified claims to a session. Never speaks a protocol: `server`
//! and `federation` do, and hand over what they verified.

pub mod attempt;
pub mod connection;
pub mod denial;
pub mod groups;
pub mod home_realm;
pub mod link;
pub mod logout;
pub mod mapping;
pub mod oidc;
mod profile;
pub mod resolve;
pub mod saml;
pub mod secret;
pub mod sign_in;
