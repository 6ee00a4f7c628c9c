//! The only door to the outside: HTTP with SSRF checks, limits, cached metadata and JWKS (SEC-08, MD-KEY-02).
//!
//! Owns where a request may go and how much of an answer is read. Never decides whom to trust.

#![warn(missing_docs)]

mod address;
mod allow;
mod error;
mod http_fetch;
mod jwks;
mod lookup;
mod metadata;
mod refreshing;
mod request;
mod tls;

pub use self::allow::{AllowRule, InvalidAllowRule, Outbound};
pub use self::error::FetchError;
pub use self::http_fetch::HttpFetch;
pub use self::jwks::JwksCache;
pub use self::lookup::{Lookup, LookupFuture};
pub use self::metadata::{MetadataCache, MetadataError};
pub use self::request::{DEFAULT_MAX_BODY, DEFAULT_TIMEOUT, Fetch, FetchFuture, FetchRequest, FetchResponse};
pub use self::tls::install_crypto_provider;
