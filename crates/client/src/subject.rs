//! The person for whom tokens are asked: their sign-in at the enterprise IdP, renewed when a call needs it.
//!
//! Owns renewal and its lock. Never signs anybody in.

use std::sync::Arc;

use lanyard_jose::token::{IdToken, Unverified, Verified};
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::error::ErrorCode;
use lanyard_protocol::oauth::token_response::TokenResponse;
use secrecy::{ExposeSecret as _, SecretString};

use crate::credentials::ClientIdentity;
use crate::discovery::DiscoveryError;
use crate::flow::Flow;
use crate::flow_error::{FlowError, Leg};
use crate::refresh::{refresh_request, refresh_response};
use crate::session::Session;
use crate::sign_in::{ExpectedIdToken, check_id_token};
use crate::store::CredentialStore;
use crate::token_endpoint::TokenError;
use crate::token_exchange::SubjectToken;

/// The organisation's IdP and this client's registration there.
#[derive(Debug, Clone)]
pub struct Enterprise {
    /// Its issuer identifier.
    pub issuer: Issuer,
    /// The client there.
    pub identity: ClientIdentity,
    /// The token endpoint, for an IdP whose metadata does not serve (CF-01); discovered otherwise.
    pub token_endpoint: Option<String>,
}

impl Enterprise {
    /// An IdP found by discovery.
    pub const fn new(issuer: Issuer, identity: ClientIdentity) -> Self {
        Self {
            issuer,
            identity,
            token_endpoint: None,
        }
    }
}

/// The sign-in of one person.
pub struct Subject {
    enterprise: Enterprise,
    store: Arc<dyn CredentialStore>,
    current: tokio::sync::Mutex<Option<Session>>,
}

impl Subject {
    pub(crate) fn new(enterprise: Enterprise, store: Arc<dyn CredentialStore>) -> Self {
        Self {
            enterprise,
            store,
            current: tokio::sync::Mutex::new(None),
        }
    }

    /// The IdP and the client there.
    pub const fn enterprise(&self) -> &Enterprise {
        &self.enterprise
    }

    /// The sign-in as it rests in the store.
    ///
    /// # Errors
    /// [`FlowError::NotSignedIn`], or the store's error.
    pub async fn session(&self) -> Result<Session, FlowError> {
        let mut current = self.current.lock().await;
        if let Some(session) = current.as_ref() {
            return Ok(session.clone());
        }
        let session = self.load().await?;
        *current = Some(session.clone());
        Ok(session)
    }

    pub(crate) async fn forget(&self) {
        *self.current.lock().await = None;
    }

    /// The issuer's own access token, renewed when it is about to expire.
    ///
    /// # Errors
    /// [`FlowError`].
    pub async fn issuer_access_token(&self, flow: &Flow) -> Result<SecretString, FlowError> {
        let session = self.session().await?;
        if let Some(token) = session.fresh_access_token(flow.now()) {
            return Ok(token.clone());
        }
        let now = flow.now();
        let renewed = self
            .renew(flow, |session| session.fresh_access_token(now).is_some())
            .await?;
        renewed.access_token.ok_or_else(|| self.over(None))
    }

    /// Renews the sign-in now, whether it needs it or not: a Lanyard issuer binds it to the key it is renewed with.
    ///
    /// # Errors
    /// [`FlowError`].
    pub async fn renew_now(&self, flow: &Flow) -> Result<Session, FlowError> {
        self.renew(flow, |_| false).await
    }

    /// A subject token for leg 1. `refused` is the one that the IdP just refused: then the sign-in is renewed.
    pub(crate) async fn token(&self, flow: &Flow, refused: Option<&SubjectToken>) -> Result<SubjectToken, FlowError> {
        let usable = |session: &Session| {
            let same = matches!(refused, Some(SubjectToken::IdToken(refused))
                if refused.expose_secret() == session.id_token.expose_secret());
            session.id_token_is_fresh(flow.now()) && !same
        };
        if matches!(refused, Some(SubjectToken::RefreshToken(_))) {
            return Err(self.over(None));
        }
        let session = self.session().await?;
        if usable(&session) {
            return Ok(SubjectToken::IdToken(session.id_token));
        }
        let session = self.renew(flow, usable).await?;
        if usable(&session) {
            return Ok(SubjectToken::IdToken(session.id_token));
        }
        // Some IdPs renew without a new ID token: then the refresh token is the subject (CL-TX-03).
        session
            .refresh_token
            .map(SubjectToken::RefreshToken)
            .ok_or_else(|| self.over(None))
    }

    /// Renews the sign-in under the store's lock, unless somebody else did so meanwhile and `enough` is content.
    async fn renew(&self, flow: &Flow, enough: impl Fn(&Session) -> bool) -> Result<Session, FlowError> {
        let mut current = self.current.lock().await;
        let _guard = self.store.lock(&self.enterprise.issuer).await?;
        let session = self.load().await?;
        if enough(&session) {
            *current = Some(session.clone());
            return Ok(session);
        }
        let refresh_token = session.refresh_token.clone().ok_or_else(|| self.over(None))?;
        let endpoint = self.token_endpoint(flow).await?;
        let caller = flow.caller(&self.enterprise.identity, self.enterprise.issuer.as_str());
        let failed = |error: TokenError| match error {
            TokenError::Refused(refusal) if refusal.is(ErrorCode::InvalidGrant) => self.over(Some(refusal)),
            other => FlowError::of_token(Leg::Renewal, other),
        };
        let request = refresh_request(&endpoint, &caller, &refresh_token, None).map_err(failed)?;
        let answer = refresh_response(&flow.send(request).await?).map_err(failed)?;
        let renewed = self.take_over(flow, session, &answer).await?;
        self.store.save(&renewed).await?;
        *current = Some(renewed.clone());
        Ok(renewed)
    }

    /// A refreshed ID token must be of the same person (OpenID Connect Core, section 12.2).
    async fn take_over(&self, flow: &Flow, session: Session, answer: &TokenResponse) -> Result<Session, FlowError> {
        let now = flow.now();
        let Some(id_token) = &answer.id_token else {
            return Ok(session.with_tokens(answer, now));
        };
        let expected = ExpectedIdToken {
            issuer: self.enterprise.issuer.clone(),
            client_id: self.enterprise.identity.client_id.clone(),
            nonce: None,
            max_age: None,
        };
        let claims = self.check(flow, id_token, &answer.access_token, &expected).await?;
        if claims.sub.as_str() != session.subject {
            return Err(self.over(None));
        }
        let mut session = session.with_tokens(answer, now);
        session.id_token = SecretString::from(id_token.clone());
        session.id_token_expires_at = claims.exp.seconds();
        Ok(session)
    }

    /// Checks an ID token of the IdP with the keys that it publishes.
    pub(crate) async fn check(
        &self,
        flow: &Flow,
        id_token: &str,
        access_token: &str,
        expected: &ExpectedIdToken,
    ) -> Result<Verified<IdToken>, FlowError> {
        let server = flow.server(&self.enterprise.issuer).await?;
        let jwks_uri = server
            .jwks_uri
            .as_deref()
            .ok_or(DiscoveryError::NoEndpoint("jwks_uri"))?;
        let kid = Unverified::<IdToken>::parse(id_token)
            .map_err(|error| FlowError::IdToken(error.into()))?
            .kid()
            .map(str::to_owned);
        let keys = flow.keys().keys(jwks_uri, kid.as_deref()).await?;
        Ok(check_id_token(
            id_token,
            Some(access_token),
            &keys,
            expected,
            flow.now(),
        )?)
    }

    /// Keeps another sign-in of the same person in place of the present one.
    pub(crate) async fn replace(&self, session: &Session) -> Result<(), FlowError> {
        let mut current = self.current.lock().await;
        let _guard = self.store.lock(&self.enterprise.issuer).await?;
        self.store.save(session).await?;
        *current = Some(session.clone());
        Ok(())
    }

    pub(crate) async fn token_endpoint(&self, flow: &Flow) -> Result<String, FlowError> {
        if let Some(endpoint) = &self.enterprise.token_endpoint {
            return Ok(endpoint.clone());
        }
        let server = flow.server(&self.enterprise.issuer).await?;
        Ok(server
            .token_endpoint
            .clone()
            .ok_or(DiscoveryError::NoEndpoint("token_endpoint"))?)
    }

    async fn load(&self) -> Result<Session, FlowError> {
        let issuer = &self.enterprise.issuer;
        self.store
            .load(issuer)
            .await?
            .ok_or_else(|| FlowError::NotSignedIn { issuer: issuer.clone() })
    }

    pub(crate) fn over(&self, refusal: Option<Box<crate::token_endpoint::Refusal>>) -> FlowError {
        FlowError::SignInOver {
            issuer: self.enterprise.issuer.clone(),
            refusal,
        }
    }
}
