//! Cached authorization server metadata (RFC 8414; OpenID Connect Discovery; CL-DI-03, CL-DI-04).
//!
//! Owns where the document is looked for and that it belongs to the issuer. Never decides whom to trust.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use url::Url;

use crate::error::FetchError;
use crate::refreshing::Refreshing;
use crate::request::{Fetch, FetchRequest};

/// Metadata of authorization servers, by issuer; refreshed like [`crate::JwksCache`].
pub struct MetadataCache {
    fetch: Arc<dyn Fetch>,
    documents: Refreshing<AuthorizationServerMetadata, MetadataError>,
    providers: Refreshing<AuthorizationServerMetadata, MetadataError>,
}

impl MetadataCache {
    /// An empty cache.
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self {
            fetch,
            documents: Refreshing::new(),
            providers: Refreshing::new(),
        }
    }

    /// The document of `issuer`, whose `issuer` member is that identifier byte for byte.
    ///
    /// # Errors
    /// [`MetadataError`] when no place has one and none is held from before.
    pub async fn authorization_server(
        &self,
        issuer: &Issuer,
    ) -> Result<Arc<AuthorizationServerMetadata>, MetadataError> {
        self.documents
            .get(issuer.as_str(), |_| true, || self.load(issuer, places(issuer)))
            .await
    }

    /// The document of the OpenID provider `issuer`, at the one place where OpenID Connect Discovery (section 4) has it.
    ///
    /// # Errors
    /// As [`authorization_server`](Self::authorization_server).
    pub async fn openid_provider(&self, issuer: &Issuer) -> Result<Arc<AuthorizationServerMetadata>, MetadataError> {
        let place = issuer.well_known_appended("openid-configuration");
        self.providers
            .get(issuer.as_str(), |_| true, || self.load(issuer, vec![place]))
            .await
    }

    /// Forgets the documents of `issuer`.
    pub fn forget(&self, issuer: &Issuer) {
        self.documents.forget(issuer.as_str());
        self.providers.forget(issuer.as_str());
    }

    async fn load(&self, issuer: &Issuer, places: Vec<String>) -> Result<AuthorizationServerMetadata, MetadataError> {
        let mut last = MetadataError::NotFound;
        for place in places {
            match self.ask(issuer, &place).await {
                Ok(document) => return Ok(document),
                // Only an answer that there is no document here leads on; a failing server is not worked around.
                Err(MetadataError::NotFound) => {}
                Err(MetadataError::OtherIssuer) => last = MetadataError::OtherIssuer,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    async fn ask(&self, issuer: &Issuer, place: &str) -> Result<AuthorizationServerMetadata, MetadataError> {
        let url = Url::parse(place).map_err(|_| FetchError::Forbidden("not a URL"))?;
        let answer = self.fetch.fetch(FetchRequest::get(url)).await?;
        if answer.status.is_client_error() {
            return Err(MetadataError::NotFound);
        }
        if answer.status != StatusCode::OK {
            return Err(FetchError::Status(answer.status.as_u16()).into());
        }
        // Servers without the document often answer with a page for people.
        if !answer.is_json() {
            return Err(MetadataError::NotFound);
        }
        let document: AuthorizationServerMetadata = answer.json()?;
        if document.issuer.as_str() != issuer.as_str() {
            return Err(MetadataError::OtherIssuer);
        }
        Ok(document)
    }
}

impl fmt::Debug for MetadataCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetadataCache")
    }
}

/// Where to look, in order (CL-DI-03).
fn places(issuer: &Issuer) -> Vec<String> {
    let mut places = vec![
        issuer.well_known_inserted("oauth-authorization-server"),
        issuer.well_known_inserted("openid-configuration"),
    ];
    if !issuer.path().is_empty() {
        places.push(issuer.well_known_appended("openid-configuration"));
    }
    places
}

/// Why there is no metadata for an issuer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The server could not be asked.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// No well-known place has a document.
    #[error("the issuer publishes no metadata")]
    NotFound,
    /// A document names another issuer (CL-DI-04): discarded.
    #[error("the metadata names another issuer")]
    OtherIssuer,
}
