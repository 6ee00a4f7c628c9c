//! The client side of Enterprise-Managed Authorization, for MCP hosts.
//!
//! Owns discovery, sign-in, token exchange, redemption and [`flow::Flow`], which runs the whole path and caches what it
//! got. The core is pairs of pure functions: `…_request` builds, `…_response` judges; the layer over
//! [`lanyard_fetch::Fetch`] is thin. Never stores a secret by itself (see [`store::CredentialStore`]) and never opens a
//! browser by itself.
//!
//! With the feature `rmcp`, [`Authorized`](crate::rmcp::authorized::Authorized) puts a [`flow::Flow`] in front of any
//! `rmcp` HTTP client.

pub mod cache;
pub mod clock;
pub mod connectors;
pub mod credentials;
pub mod discovery;
pub mod flow;
pub mod flow_error;
pub mod id_jag;
pub mod interactive;
pub mod jwt_bearer;
mod managed;
pub mod refresh;
pub mod registration;
pub mod revocation;
pub mod session;
pub mod sign_in;
pub mod step_up;
pub mod store;
pub mod subject;
pub mod target;
pub mod token_endpoint;
pub mod token_exchange;
pub mod token_source;

#[cfg(feature = "rmcp")]
pub mod rmcp;
