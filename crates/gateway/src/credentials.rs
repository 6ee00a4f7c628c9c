//! What the gateway shows to the server behind it (RS-GW-02).
//!
//! Owns the gateway's own credentials. The caller's token is never one of them.

use std::collections::HashMap;

use futures_util::future::BoxFuture;
use http::HeaderValue;
use lanyard_jose::token::{AccessToken, Verified};

/// Gives the `Authorization` value for a call to a server behind the gateway.
pub trait UpstreamCredentials: Send + Sync {
    /// `None` sends no credentials. `caller` says for whom the call is made.
    fn authorization<'a>(
        &'a self,
        connector: &'a str,
        caller: &'a Verified<AccessToken>,
    ) -> BoxFuture<'a, Result<Option<HeaderValue>, CredentialUnavailable>>;
}

/// The gateway's own credential could not be had; the call ends with 502.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no credential for the server behind the gateway: {0}")]
pub struct CredentialUnavailable(pub String);

/// Fixed bearer tokens by connector name; the others get nothing.
#[derive(Default, Clone)]
pub struct FixedCredentials(HashMap<String, HeaderValue>);

impl FixedCredentials {
    /// No credentials for anybody.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a bearer token for a connector.
    ///
    /// # Errors
    /// [`CredentialUnavailable`] when the token cannot be put into a header.
    pub fn with_bearer(mut self, connector: impl Into<String>, token: &str) -> Result<Self, CredentialUnavailable> {
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| CredentialUnavailable("the token has characters that a header may not have".to_owned()))?;
        value.set_sensitive(true);
        self.0.insert(connector.into(), value);
        Ok(self)
    }
}

impl UpstreamCredentials for FixedCredentials {
    fn authorization<'a>(
        &'a self,
        connector: &'a str,
        _: &'a Verified<AccessToken>,
    ) -> BoxFuture<'a, Result<Option<HeaderValue>, CredentialUnavailable>> {
        Box::pin(std::future::ready(Ok(self.0.get(connector).cloned())))
    }
}
