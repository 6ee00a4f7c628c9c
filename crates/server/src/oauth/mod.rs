//! What both roles share at their OAuth endpoints.

pub mod basis;
pub(crate) mod caller;
pub mod client_auth;
pub mod error;
pub mod guard;
pub mod jwks;
pub mod metadata;
pub(crate) mod refusal;
pub mod rings;
pub mod token_endpoint;
