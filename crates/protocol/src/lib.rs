//! What is on the wire of Enterprise-Managed Authorization, and nothing else.
//!
//! Values are parsed into types that cannot be wrong. No I/O, no clock, no keys.

pub mod audience;
pub mod challenge;
pub mod claims;
pub mod client_id;
pub mod connectors;
pub mod form;
pub mod gateway;
pub mod issuer;
pub mod json;
pub mod metadata;
pub mod oauth;
pub mod resource;
#[cfg(feature = "scim")]
pub mod scim;
pub mod scope;
pub mod step_up;
pub mod url_rules;

/// The extension identifier of Enterprise-Managed Authorization (EMA, section 2).
pub const EMA_EXTENSION: &str = "io.modelcontextprotocol/enterprise-managed-authorization";
