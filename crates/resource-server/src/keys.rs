//! Where the keys of an authorization server come from.
//!
//! Owns the seam between verification and key distribution. Never verifies.

use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use lanyard_fetch::JwksCache;
use lanyard_fetch::MetadataCache;
use lanyard_jose::jwk::KeySet;
use lanyard_protocol::issuer::Issuer;

/// Finds the keys that an issuer signs with.
pub trait KeySource: Send + Sync {
    /// The keys of `issuer`. `kid` is the key that a token names: an unknown one may cause a bounded refresh (MD-KEY-02).
    ///
    /// Only issuers that the verifier was configured with are asked for.
    fn keys<'a>(
        &'a self,
        issuer: &'a Issuer,
        kid: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Arc<KeySet>, KeysUnavailable>>;
}

/// The keys could not be had, so nothing can be verified now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the keys of the authorization server are not available: {0}")]
pub struct KeysUnavailable(pub String);

/// Keys from the issuer's published metadata (MD-KEY-03).
#[derive(Clone)]
pub struct FetchedKeys {
    metadata: Arc<MetadataCache>,
    jwks: Arc<JwksCache>,
}

impl FetchedKeys {
    /// Uses the caches given; share them between resources.
    pub fn new(metadata: Arc<MetadataCache>, jwks: Arc<JwksCache>) -> Self {
        Self { metadata, jwks }
    }
}

impl KeySource for FetchedKeys {
    fn keys<'a>(
        &'a self,
        issuer: &'a Issuer,
        kid: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Arc<KeySet>, KeysUnavailable>> {
        Box::pin(async move {
            let metadata = self
                .metadata
                .authorization_server(issuer)
                .await
                .map_err(|error| KeysUnavailable(error.to_string()))?;
            let uri = metadata
                .jwks_uri
                .as_deref()
                .ok_or_else(|| KeysUnavailable("the metadata names no jwks_uri".to_owned()))?;
            self.jwks
                .keys(uri, kid)
                .await
                .map_err(|error| KeysUnavailable(error.to_string()))
        })
    }
}

/// The keys of one issuer that lives in the same process, or that were configured by hand. Replaced with
/// [`StaticKeys::replace`]; the next call sees the new ones (SEC-17).
#[derive(Clone)]
pub struct StaticKeys {
    issuer: Issuer,
    keys: Arc<ArcSwap<KeySet>>,
}

impl StaticKeys {
    /// Keys of `issuer`.
    pub fn new(issuer: Issuer, keys: KeySet) -> Self {
        Self {
            issuer,
            keys: Arc::new(ArcSwap::from_pointee(keys)),
        }
    }

    /// Exchanges the keys at once.
    pub fn replace(&self, keys: KeySet) {
        self.keys.store(Arc::new(keys));
    }
}

impl KeySource for StaticKeys {
    fn keys<'a>(
        &'a self,
        issuer: &'a Issuer,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Arc<KeySet>, KeysUnavailable>> {
        let found = if *issuer == self.issuer {
            Ok(self.keys.load_full())
        } else {
            Err(KeysUnavailable("no keys are configured for this issuer".to_owned()))
        };
        Box::pin(std::future::ready(found))
    }
}

/// Keys that a function gives, for compositions that hold several rings in one place.
pub struct LocalKeys(pub FindKeys);

/// Gives the keys of an issuer that it knows.
pub type FindKeys = Arc<dyn Fn(&Issuer) -> Option<Arc<KeySet>> + Send + Sync>;

impl KeySource for LocalKeys {
    fn keys<'a>(
        &'a self,
        issuer: &'a Issuer,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Arc<KeySet>, KeysUnavailable>> {
        let found =
            (self.0)(issuer).ok_or_else(|| KeysUnavailable("no keys are configured for this issuer".to_owned()));
        Box::pin(std::future::ready(found))
    }
}

/// Asks the first source, and the second when the first has no keys for the issuer.
pub struct FirstOf(pub Arc<dyn KeySource>, pub Arc<dyn KeySource>);

impl KeySource for FirstOf {
    fn keys<'a>(
        &'a self,
        issuer: &'a Issuer,
        kid: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Arc<KeySet>, KeysUnavailable>> {
        Box::pin(async move {
            match self.0.keys(issuer, kid).await {
                Ok(keys) => Ok(keys),
                Err(_) => self.1.keys(issuer, kid).await,
            }
        })
    }
}
