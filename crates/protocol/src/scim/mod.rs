//! SCIM 2.0 on the wire (RFC 7643, RFC 7644): schemas, the filter and PATCH-path grammars, errors.
//!
//! Owns syntax and the definitions of attributes. Never knows what a resource means here.

pub mod error;
pub mod filter;
pub mod patch;
pub mod path;
pub mod schema;
pub mod urn;
