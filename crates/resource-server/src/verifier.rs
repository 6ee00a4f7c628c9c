//! Access token verification for one resource (RS-TK-01 to RS-TK-06).
//!
//! Owns the order of the checks. Never fetches (it asks a [`KeySource`]), and remembers nothing of a token but that its
//! signature was good and what it says.

use std::borrow::Cow;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, Uri};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::token::{AccessToken, Verified};
use lanyard_jose::verify::{AccessTokenCache, Audience, Expected, VerifyError};
use lanyard_protocol::scope::ScopeSet;
use lanyard_protocol::step_up::AuthenticationNeed;

use crate::clock::Clock;
use crate::credential::bearer;
use crate::keys::KeySource;
use crate::refusal::Refusal;
use crate::resource::ProtectedResource;
use crate::revocation::{RevocationView, Standing, TokenFacts};
use crate::scopes::ScopeHierarchy;

/// Clock skew that is allowed unless told otherwise, in seconds (SEC-07).
pub const DEFAULT_LEEWAY: i64 = 30;

/// What a verifier is given.
#[derive(Clone)]
pub struct VerifierParts {
    /// Where the keys come from.
    pub keys: Arc<dyn KeySource>,
    /// What is revoked.
    pub revocations: Arc<dyn RevocationView>,
    /// Tokens that were verified before; share one between resources.
    pub tokens: AccessTokenCache,
    /// The present.
    pub clock: Clock,
}

/// Verifies the access tokens of one resource.
#[derive(Clone)]
pub struct Verifier {
    resource: ProtectedResource,
    parts: VerifierParts,
    algorithms: Vec<Algorithm>,
    leeway: i64,
    hierarchy: ScopeHierarchy,
}

impl Verifier {
    /// A verifier that takes every asymmetric algorithm we know and the default leeway.
    pub fn new(resource: ProtectedResource, parts: VerifierParts) -> Self {
        let algorithms = vec![
            Algorithm::Es256,
            Algorithm::EdDsa,
            Algorithm::Rs256,
            Algorithm::Ps256,
            Algorithm::Es384,
        ];
        Self {
            resource,
            parts,
            algorithms,
            leeway: DEFAULT_LEEWAY,
            hierarchy: ScopeHierarchy::default(),
        }
    }

    /// Narrows the algorithms.
    #[must_use]
    pub fn with_algorithms(mut self, algorithms: Vec<Algorithm>) -> Self {
        self.algorithms = algorithms;
        self
    }

    /// Sets the allowed clock skew in seconds; more than 60 counts as 60 (SEC-07).
    #[must_use]
    pub fn with_leeway(mut self, seconds: i64) -> Self {
        self.leeway = seconds.clamp(0, 60);
        self
    }

    /// Sets which scopes include others (RS-TK-06).
    #[must_use]
    pub fn with_hierarchy(mut self, hierarchy: ScopeHierarchy) -> Self {
        self.hierarchy = hierarchy;
        self
    }

    /// The resource that is protected.
    pub const fn resource(&self) -> &ProtectedResource {
        &self.resource
    }

    /// Verifies the token of a request.
    ///
    /// # Errors
    /// [`Refusal`], with its answer.
    pub async fn verify_request(&self, request: &Parts) -> Result<Verified<AccessToken>, Refusal> {
        self.verify_headers(&request.headers, &request.uri).await
    }

    /// As [`Self::verify_request`], from headers and target.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn verify_headers(&self, headers: &HeaderMap, uri: &Uri) -> Result<Verified<AccessToken>, Refusal> {
        let Some(token) = bearer(headers, uri.query())? else {
            return Err(Refusal::NoCredentials);
        };
        self.verify_token(token).await
    }

    /// Verifies a compact access token.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn verify_token(&self, token: &str) -> Result<Verified<AccessToken>, Refusal> {
        let token = self.parts.tokens.read(token)?;
        let issuer = self.resource.authorization_server();
        // Before any key is looked for: a foreign issuer causes no request (MD-KEY-03).
        if token.issuer() != issuer.as_str() {
            return Err(VerifyError::Issuer.into());
        }
        let keys = self.parts.keys.keys(issuer, token.kid()).await.map_err(|error| {
            tracing::warn!(issuer = %issuer, %error, "no keys to verify access tokens with");
            Refusal::Keys
        })?;
        let now = (self.parts.clock)();
        let expected = Expected {
            issuer: issuer.as_str(),
            audience: Audience::Contains(self.resource.id().as_str()),
            now,
            leeway: self.leeway,
            algorithms: &self.algorithms,
            max_lifetime: None,
        };
        let verified = self.parts.tokens.verify(&token, &keys, &expected)?;
        // A key-bound token without its proof is a stolen one until shown otherwise (RFC 9449, section 7.1).
        if verified.cnf.is_some() {
            return Err(Refusal::Bound);
        }
        self.check_revocation(&verified, now)?;
        Ok(verified)
    }

    /// What a token may do, inclusions applied. `None` when it carries no scopes: it has no privileges (RS-TK-06).
    pub fn scopes_of<'a>(&self, token: &'a Verified<AccessToken>) -> Option<Cow<'a, ScopeSet>> {
        token.scope.as_ref().map(|held| self.hierarchy.expand(held))
    }

    /// Whether a token carries every scope of `needed`.
    ///
    /// # Errors
    /// [`Refusal::Scope`] with everything that is needed.
    pub fn require_scopes(&self, token: &Verified<AccessToken>, needed: &ScopeSet) -> Result<(), Refusal> {
        if needed.is_empty() || self.scopes_of(token).is_some_and(|held| needed.is_subset(&held)) {
            return Ok(());
        }
        Err(Refusal::Scope(needed.clone()))
    }

    /// Whether the sign-in behind a token is strong and recent enough. Never a matter of scopes (SU-08).
    ///
    /// # Errors
    /// [`Refusal::Authentication`] with what is needed.
    pub fn require_authentication(
        &self,
        token: &Verified<AccessToken>,
        need: &AuthenticationNeed,
    ) -> Result<(), Refusal> {
        if need.is_met(token.acr.as_deref(), token.auth_time, (self.parts.clock)(), self.leeway) {
            return Ok(());
        }
        Err(Refusal::Authentication(need.clone()))
    }

    /// Looks again whether a token that was verified may still be used, for streams that live on (RS-W26-08).
    ///
    /// # Errors
    /// [`Refusal`] when it expired or was revoked, or when nobody can say.
    pub fn verify_again(&self, token: &Verified<AccessToken>) -> Result<(), Refusal> {
        let now = (self.parts.clock)();
        if self.seconds_left(token) <= 0 {
            return Err(VerifyError::Expired.into());
        }
        self.check_revocation(token, now)
    }

    /// Seconds until the token stops being accepted here.
    pub fn seconds_left(&self, token: &Verified<AccessToken>) -> i64 {
        token
            .exp
            .seconds()
            .saturating_add(self.leeway)
            .saturating_sub((self.parts.clock)())
    }

    /// What is revoked, for those who wait for changes.
    pub fn revocations(&self) -> &dyn RevocationView {
        self.parts.revocations.as_ref()
    }

    fn check_revocation(&self, token: &Verified<AccessToken>, now: i64) -> Result<(), Refusal> {
        match self.parts.revocations.standing(&TokenFacts::of(token), now) {
            Standing::Live => Ok(()),
            Standing::Revoked => Err(Refusal::Revoked),
            Standing::Unknown => Err(Refusal::Stale),
        }
    }
}
