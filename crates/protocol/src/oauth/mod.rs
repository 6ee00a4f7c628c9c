//! OAuth 2.0 requests, responses and errors.

pub mod error;
pub mod grant_type;
pub mod introspection;
pub mod token_request;
pub mod token_response;
pub mod token_type;
