//! The tower layer in front of an MCP server.
//!
//! Owns the order Origin, token, scope, sign-in (RS-WR-01, RS-WR-02). Never reads the body.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{Either, Full};
use lanyard_protocol::scope::ScopeSet;
use lanyard_protocol::step_up::AuthenticationNeed;
use tower::{Layer, Service};

use crate::origin::Origins;
use crate::refusal::Refusal;
use crate::verifier::Verifier;

/// The body of an answer: the inner service's, or ours.
pub type ProtectedBody<B> = Either<B, Full<Bytes>>;

/// Lets only requests through that carry a good access token, and puts it, as
/// `Verified<AccessToken>`, into the request extensions. Also serves the metadata document at its well-known path.
#[derive(Clone)]
pub struct ProtectLayer(Arc<Protection>);

struct Protection {
    verifier: Verifier,
    required: ScopeSet,
    authentication: AuthenticationNeed,
    origins: Origins,
}

impl ProtectLayer {
    /// Protects with `verifier`.
    pub fn new(verifier: Verifier) -> Self {
        let origins = Origins::new(verifier.resource().id(), &[]);
        Self(Arc::new(Protection {
            verifier,
            required: ScopeSet::empty(),
            authentication: AuthenticationNeed::default(),
            origins,
        }))
    }

    /// Scopes that every request needs; what single operations need is the server's to check.
    #[must_use]
    pub fn require(self, scopes: ScopeSet) -> Self {
        self.change(|protection| protection.required = scopes)
    }

    /// The sign-in that every request needs (RFC 9470); what single operations need is the server's to check, with
    /// [`Verifier::require_authentication`].
    #[must_use]
    pub fn require_authentication(self, need: AuthenticationNeed) -> Self {
        self.change(|protection| protection.authentication = need)
    }

    /// Origins that web pages may call from, besides the resource's own.
    #[must_use]
    pub fn allow_origins(self, origins: &[String]) -> Self {
        self.change(|protection| protection.origins = Origins::new(protection.verifier.resource().id(), origins))
    }

    fn change(self, change: impl FnOnce(&mut Protection)) -> Self {
        let mut protection = Arc::try_unwrap(self.0).unwrap_or_else(|shared| Protection {
            verifier: shared.verifier.clone(),
            required: shared.required.clone(),
            authentication: shared.authentication.clone(),
            origins: shared.origins.clone(),
        });
        change(&mut protection);
        Self(Arc::new(protection))
    }
}

impl<S> Layer<S> for ProtectLayer {
    type Service = Protect<S>;

    fn layer(&self, inner: S) -> Protect<S> {
        Protect {
            inner,
            protection: Arc::clone(&self.0),
        }
    }
}

/// A service behind a [`ProtectLayer`].
#[derive(Clone)]
pub struct Protect<S> {
    inner: S,
    protection: Arc<Protection>,
}

impl<S, B, R> Service<Request<B>> for Protect<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<ProtectedBody<R>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let protection = Arc::clone(&self.protection);
        // The service that was polled ready is the one to call.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        Box::pin(async move {
            let resource = protection.verifier.resource();
            if request.uri().path() == resource.metadata_path() {
                return Ok(resource.metadata_response(request.method()).map(Either::Right));
            }
            let (mut parts, body) = request.into_parts();
            match protection.admit(&mut parts).await {
                Ok(()) => Ok(inner.call(Request::from_parts(parts, body)).await?.map(Either::Left)),
                Err(refusal) => {
                    tracing::info!(code = refusal.code(), resource = %resource.id(), "request refused");
                    Ok(refusal.response(resource).map(Either::Right))
                }
            }
        })
    }
}

impl Protection {
    async fn admit(&self, parts: &mut http::request::Parts) -> Result<(), Refusal> {
        if !self.origins.allow(&parts.headers) {
            return Err(Refusal::Origin);
        }
        let token = self.verifier.verify_request(parts).await?;
        self.verifier.require_scopes(&token, &self.required)?;
        self.verifier.require_authentication(&token, &self.authentication)?;
        parts.extensions.insert(token);
        Ok(())
    }
}
