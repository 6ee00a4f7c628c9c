//! From an MCP server's 401 to its protected resource metadata (RFC 9728; CL-DI-01, CL-DI-02), and what the metadata of
//! its authorization server allows (CL-DI-05).
//!
//! Owns where the document is looked for and whether it is about this server. Never chooses credentials.

use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use lanyard_fetch::{FetchRequest, FetchResponse};
use lanyard_protocol::challenge::Challenge;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::json;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use lanyard_protocol::metadata::protected_resource::ProtectedResourceMetadata;
use lanyard_protocol::oauth::grant_type::{GrantType, ID_JAG_PROFILE};
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::{Scope, ScopeSet};
use lanyard_protocol::url_rules;
use url::Url;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A place where the metadata of a protected resource may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataPlace {
    /// Where to look.
    pub url: Url,
    /// Whether it is the document of the whole origin, which may name the bare origin (D-20).
    pub root: bool,
}

/// What the metadata of a protected resource says, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceMetadata {
    /// The resource identifier, verbatim: it is sent like this (interop finding 6).
    pub resource: String,
    /// The authorization servers it names, in order.
    pub authorization_servers: Vec<Issuer>,
    /// The minimal scopes.
    pub scopes_supported: ScopeSet,
    /// A name for people, unchecked text.
    pub resource_name: Option<String>,
}

/// The places to look, in order: what the challenge names and nothing else; without it the path-inserted
/// well-known URL, then the root one (CL-DI-01).
///
/// # Errors
/// [`DiscoveryError::Place`] when the challenge names a URL that may not be fetched.
pub fn metadata_places(
    mcp_url: &ResourceId,
    challenge: Option<&Challenge>,
) -> Result<Vec<MetadataPlace>, DiscoveryError> {
    if let Some(named) = challenge.and_then(|challenge| challenge.parameter("resource_metadata")) {
        let url = Url::parse(named).map_err(|_| DiscoveryError::Place)?;
        if !url_rules::is_protected(&url) {
            return Err(DiscoveryError::Place);
        }
        let root = url.path().trim_end_matches('/') == WELL_KNOWN;
        return Ok(vec![MetadataPlace { url, root }]);
    }
    let inserted = Url::parse(&mcp_url.metadata_url()).map_err(|_| DiscoveryError::Place)?;
    let root = Url::parse(&format!("{}{WELL_KNOWN}", mcp_url.origin())).map_err(|_| DiscoveryError::Place)?;
    if inserted == root {
        return Ok(vec![MetadataPlace { url: root, root: true }]);
    }
    Ok(vec![
        MetadataPlace {
            url: inserted,
            root: false,
        },
        MetadataPlace { url: root, root: true },
    ])
}

/// Asks for the document at one place.
pub fn metadata_request(place: &MetadataPlace) -> FetchRequest {
    let mut request = FetchRequest::get(place.url.clone());
    request
        .headers
        .insert(ACCEPT, HeaderValue::from_static("application/json"));
    request
}

/// Judges the answer of one place; `None` when there is no document and the next place is to be tried.
///
/// # Errors
/// [`DiscoveryError`] when there is a document and it is not about this server, or the server is failing: looking
/// further would be looking for a way around.
pub fn metadata_response(
    place: &MetadataPlace,
    mcp_url: &ResourceId,
    response: &FetchResponse,
) -> Result<Option<ResourceMetadata>, DiscoveryError> {
    let status = response.status;
    if status.is_server_error() {
        return Err(DiscoveryError::ServerFailed(status.as_u16()));
    }
    if status != http::StatusCode::OK || !response.is_json() {
        return Ok(None);
    }
    let document: ProtectedResourceMetadata =
        json::from_slice(&response.body).map_err(|_| DiscoveryError::Unreadable)?;
    if !names(&document.resource, mcp_url, place.root) {
        return Err(DiscoveryError::OtherResource);
    }
    let authorization_servers: Vec<Issuer> = document
        .authorization_servers
        .into_iter()
        .filter_map(|issuer| Issuer::parse(issuer).ok())
        .collect();
    if authorization_servers.is_empty() {
        return Err(DiscoveryError::NoAuthorizationServer);
    }
    Ok(Some(ResourceMetadata {
        resource: document.resource,
        authorization_servers,
        scopes_supported: document
            .scopes_supported
            .into_iter()
            .filter_map(|scope| Scope::parse(scope).ok())
            .collect(),
        resource_name: document.resource_name,
    }))
}

/// Identity, byte for byte; a root document may name the bare origin (D-20).
fn names(resource: &str, mcp_url: &ResourceId, root: bool) -> bool {
    if resource == mcp_url.as_str() {
        return true;
    }
    let bare = mcp_url.origin();
    let is_origin = resource == bare || resource.strip_suffix('/') == Some(bare.as_str());
    is_origin && (root || mcp_url.path() == "/")
}

/// A ping without a token, to see the challenge of a server whose metadata is at no well-known place.
///
/// # Errors
/// [`DiscoveryError::Place`] when the URL cannot be called.
pub fn probe_request(mcp_url: &ResourceId) -> Result<FetchRequest, DiscoveryError> {
    let mut request = FetchRequest::get(Url::parse(mcp_url.as_str()).map_err(|_| DiscoveryError::Place)?);
    request.method = http::Method::POST;
    request.body = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.to_vec();
    request
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request
        .headers
        .insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    Ok(request)
}

/// The scopes to ask for: the challenge's, else the metadata's, else none (CL-SC-01).
pub fn select_scopes(challenge: Option<&Challenge>, metadata: &ResourceMetadata) -> ScopeSet {
    challenged_scopes(challenge).unwrap_or_else(|| metadata.scopes_supported.clone())
}

/// The scopes that a challenge names.
pub fn challenged_scopes(challenge: Option<&Challenge>) -> Option<ScopeSet> {
    let scope = challenge?.parameter("scope")?;
    ScopeSet::parse(scope).ok().filter(|scopes| !scopes.is_empty())
}

/// Whether the authorization server can take part in Enterprise-Managed Authorization: it says so, or, where the
/// organisation mapped this server to it, it at least takes JWT bearer grants (CL-DI-05).
pub fn is_managed(metadata: &AuthorizationServerMetadata, mapped: bool) -> bool {
    let lists = |values: &[String], wanted: &str| values.iter().any(|value| value == wanted);
    lists(&metadata.authorization_grant_profiles_supported, ID_JAG_PROFILE)
        || (mapped && lists(&metadata.grant_types_supported, GrantType::JwtBearer.as_str()))
}

/// Why discovery stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The challenge names a place that may not be fetched.
    #[error("the server names a metadata URL that is not https")]
    Place,
    /// No document anywhere.
    #[error("the server publishes no protected resource metadata")]
    Absent,
    /// Not the JSON of such a document.
    #[error("the protected resource metadata cannot be read")]
    Unreadable,
    /// The document is about another resource (CL-DI-02).
    #[error("the protected resource metadata is about another resource")]
    OtherResource,
    /// It names no usable authorization server.
    #[error("the protected resource metadata names no authorization server")]
    NoAuthorizationServer,
    /// A 5xx answer: stop, rather than look elsewhere.
    #[error("the server failed with status {0}")]
    ServerFailed(u16),
    /// The token endpoint lies on another origin than the issuer (SEC-03).
    #[error("the authorization server names a token endpoint on another origin")]
    ForeignTokenEndpoint,
    /// An endpoint that the flow needs is missing.
    #[error("the authorization server publishes no {0}")]
    NoEndpoint(&'static str),
}

#[cfg(test)]
#[path = "discovery_tests.rs"]
mod tests;
