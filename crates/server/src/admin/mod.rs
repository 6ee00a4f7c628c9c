//! The admin API: what the console, the CLI and other programs use to govern Lanyard.
//!
//! Owns `/admin/v1`. Every act is decided and audited in core; a handler parses, calls one service, shows.

pub(crate) mod act;
pub mod acts;
pub mod deps;
pub mod error;
pub(crate) mod extract;
mod identity;
pub mod openapi;
pub(crate) mod passwords;
pub(crate) mod saml;
pub mod v1;

use axum::Router;

pub use deps::{AdminDeps, Upstreams};

/// The router of the admin API and its description.
pub fn router(deps: AdminDeps) -> Router {
    v1::router(deps)
}
