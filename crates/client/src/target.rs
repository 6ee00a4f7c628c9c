//! An MCP server after discovery: its resource, its scopes and its authorization server.
//!
//! Owns the value. Never fetches.

use std::sync::Arc;

use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::scope::ScopeSet;
use url::Url;

use crate::discovery::DiscoveryError;

/// What was discovered about one MCP server.
#[derive(Debug, Clone)]
pub struct Target {
    /// The URL as the host wrote it.
    pub mcp_url: String,
    /// The resource identifier, verbatim.
    pub resource: String,
    /// The scopes to begin with (CL-SC-01).
    pub scopes: ScopeSet,
    /// The authorization server chosen among those named.
    pub authorization_server: Arc<AuthorizationServerMetadata>,
    /// Whether tokens come by Enterprise-Managed Authorization; otherwise by the code flow.
    pub managed: bool,
}

impl Target {
    /// The token endpoint, which must lie on the issuer's origin: metadata cannot send a grant elsewhere (SEC-03).
    ///
    /// # Errors
    /// [`DiscoveryError`].
    pub fn token_endpoint(&self) -> Result<&str, DiscoveryError> {
        let server = &self.authorization_server;
        let endpoint = server
            .token_endpoint
            .as_deref()
            .ok_or(DiscoveryError::NoEndpoint("token_endpoint"))?;
        let origin = Url::parse(endpoint)
            .map(|url| url.origin().ascii_serialization())
            .unwrap_or_default();
        if origin != server.issuer.origin() {
            return Err(DiscoveryError::ForeignTokenEndpoint);
        }
        Ok(endpoint)
    }

    /// Whether the server says that it takes JWT bearer grants, or says nothing of grants.
    pub fn takes_jwt_bearer(&self) -> bool {
        let grants = &self.authorization_server.grant_types_supported;
        grants.is_empty() || grants.iter().any(|grant| grant == GrantType::JwtBearer.as_str())
    }
}
