//! Protects an MCP server with verified access tokens: a [`tower::Layer`] and the protected resource metadata.
//!
//! Needs no database and no particular web framework, and does not know who runs the authorization server.
//!
//! ```
//! use std::sync::Arc;
//!
//! use lanyard_fetch::{Fetch, JwksCache, MetadataCache};
//! use lanyard_jose::token::{AccessToken, Verified};
//! use lanyard_jose::verify::AccessTokenCache;
//! use lanyard_protocol::{issuer::Issuer, resource::ResourceId, scope::ScopeSet};
//! use lanyard_resource_server::clock::Clock;
//! use lanyard_resource_server::keys::FetchedKeys;
//! use lanyard_resource_server::layer::ProtectLayer;
//! use lanyard_resource_server::resource::ProtectedResource;
//! use lanyard_resource_server::revocation::RevocationList;
//! use lanyard_resource_server::verifier::{Verifier, VerifierParts};
//!
//! fn protect(fetch: Arc<dyn Fetch>, clock: Clock) -> Result<ProtectLayer, Box<dyn std::error::Error>> {
//!     let resource = ProtectedResource::new(
//!         ResourceId::parse("https://mcp.example/mcp")?,
//!         Issuer::parse("https://auth.example")?,
//!     )
//!     .with_scopes(&ScopeSet::parse("invoices.read")?);
//!     let keys = FetchedKeys::new(Arc::new(MetadataCache::new(fetch.clone())), Arc::new(JwksCache::new(fetch)));
//!     let verifier = Verifier::new(resource, VerifierParts {
//!         keys: Arc::new(keys),
//!         // Without a feed of revocations a token lives until it expires.
//!         revocations: Arc::new(RevocationList::local(clock.clone())),
//!         tokens: AccessTokenCache::new(10_000),
//!         clock,
//!     });
//!     Ok(ProtectLayer::new(verifier).require(ScopeSet::parse("invoices.read")?))
//! }
//!
//! // In a handler behind the layer: who is calling, and with which scopes.
//! fn caller<B>(request: &http::Request<B>) -> Option<&str> {
//!     request.extensions().get::<Verified<AccessToken>>().map(|token| token.sub.as_str())
//! }
//! ```

pub mod clock;
pub mod credential;
pub mod keys;
pub mod layer;
pub mod origin;
pub mod refusal;
pub mod resource;
pub mod revocation;
pub mod scopes;
pub mod verifier;
