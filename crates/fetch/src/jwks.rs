//! Cached JWK Sets (MD-KEY-02, MD-KEY-03).
//!
//! Owns fetching and refreshing keys by their URI. Never decides which URI belongs to which issuer.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use http::header::{ACCEPT, HeaderValue};
use lanyard_jose::jwk::{JwkSet, KeySet, MAX_SET_BYTES};
use url::Url;

use crate::error::FetchError;
use crate::refreshing::Refreshing;
use crate::request::{Fetch, FetchRequest};

/// Keys of others, by the URI of their set.
///
/// A set is fetched again after 300 s, or for an unknown `kid`, but at most once in 10 s; while its server is down it
/// serves for 24 h; a key that is gone from the set is gone here.
pub struct JwksCache {
    fetch: Arc<dyn Fetch>,
    sets: Refreshing<KeySet, FetchError>,
}

impl JwksCache {
    /// An empty cache.
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self {
            fetch,
            sets: Refreshing::new(),
        }
    }

    /// The keys at `jwks_uri`, fetched when they are old or do not contain `kid`. The answer may still lack `kid`.
    ///
    /// # Errors
    /// [`FetchError`] when there are no keys, not even old ones.
    pub async fn keys(&self, jwks_uri: &str, kid: Option<&str>) -> Result<Arc<KeySet>, FetchError> {
        self.sets
            .get(
                jwks_uri,
                |keys| kid.is_none_or(|kid| keys.contains(kid)),
                || self.load(jwks_uri),
            )
            .await
    }

    /// Forgets the keys at `jwks_uri`.
    pub fn forget(&self, jwks_uri: &str) {
        self.sets.forget(jwks_uri);
    }

    async fn load(&self, jwks_uri: &str) -> Result<KeySet, FetchError> {
        let url = Url::parse(jwks_uri).map_err(|_| FetchError::Forbidden("not a URL"))?;
        let mut request = FetchRequest::get(url).header(
            ACCEPT,
            HeaderValue::from_static("application/jwk-set+json, application/json"),
        );
        request.max_body = MAX_SET_BYTES;
        let answer = self.fetch.fetch(request).await?;
        if answer.status != StatusCode::OK {
            return Err(FetchError::Status(answer.status.as_u16()));
        }
        if !answer.is_json() {
            return Err(FetchError::Content("the content type is not JSON"));
        }
        let set = JwkSet::parse(&answer.body).map_err(|_| FetchError::Content("not a JWK Set"))?;
        Ok(KeySet::from_jwks(&set))
    }
}

impl fmt::Debug for JwksCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwksCache")
    }
}
