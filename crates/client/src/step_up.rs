//! A stronger or more recent sign-in in the middle of a call (RFC 9470; SU-03, SU-06).
//!
//! Owns that it is asked for once, and what is asked of the identity provider. How the person sees the page is the host's
//! ([`AuthorizationAgent`]); scopes are another matter (SU-08).

use std::sync::Arc;

use lanyard_protocol::scope::ScopeSet;
use secrecy::SecretString;

use crate::flow::Flow;
use crate::flow_error::{FlowError, Leg};
use crate::interactive::AuthorizationAgent;
use crate::revocation::revoke_request;
use crate::session::Session;
use crate::sign_in::{
    IdTokenError, SignIn, authorization_request, authorization_response, code_request, code_response, usual_scopes,
};
use crate::subject::Subject;
use crate::token_endpoint::TokenError;
use crate::token_source::Attempts;

/// Lets a [`Flow`] sign the person in again when a server asks for that. Without it the flow ends with
/// [`FlowError::StepUp`], and the host signs in by its own means.
pub struct Reauthentication {
    agent: Arc<dyn AuthorizationAgent>,
    scope: Option<ScopeSet>,
    /// One page at a time.
    turn: tokio::sync::Mutex<()>,
}

impl Reauthentication {
    /// Signs in with pages that `agent` shows.
    pub fn new(agent: Arc<dyn AuthorizationAgent>) -> Self {
        Self {
            agent,
            scope: None,
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// The scopes of the sign-in; the usual ones otherwise ([`usual_scopes`]).
    #[must_use]
    pub fn with_scope(mut self, scope: ScopeSet) -> Self {
        self.scope = Some(scope);
        self
    }
}

impl Flow {
    /// Signs in again as `needed` says, once per call; the next exchange shows the new sign-in.
    ///
    /// # Errors
    /// `needed` itself when the host does not sign in this way, or when this call did so already.
    pub(crate) async fn sign_in_again(&self, needed: FlowError, attempts: &mut Attempts) -> Result<(), FlowError> {
        let (Some(own), Some(subject)) = (self.reauthentication(), self.subject()) else {
            return Err(needed);
        };
        let FlowError::StepUp { acr_values, max_age } = &needed else {
            return Err(needed);
        };
        if attempts.sign_ins > 0 {
            return Err(needed);
        }
        attempts.sign_ins += 1;
        let before = subject.session().await?;
        let _turn = own.turn.lock().await;
        if !is_same_sign_in(&subject.session().await?, &before) {
            // Another call had the person sign in meanwhile.
            return Ok(());
        }
        let mut wanted = SignIn {
            acr_values: acr_values.clone(),
            max_age: *max_age,
            ..SignIn::default()
        };
        let mut signed_in = self.authenticate(own, subject, &wanted).await;
        let unchanged = match &signed_in {
            Ok(after) => is_same_sign_in(after, &before),
            Err(error) => matches!(error, FlowError::IdToken(IdTokenError::TooOld)),
        };
        if unchanged {
            // The identity provider answered with the sign-in that it had.
            wanted.prompt = Some("login".to_owned());
            signed_in = self.authenticate(own, subject, &wanted).await;
        }
        let after = signed_in?;
        if after.subject != before.subject {
            return Err(FlowError::OtherPerson);
        }
        subject.replace(&after).await?;
        self.forget_refresh_token(subject, &before).await;
        Ok(())
    }

    /// The code flow at the enterprise IdP.
    async fn authenticate(
        &self,
        own: &Reauthentication,
        subject: &Subject,
        wanted: &SignIn,
    ) -> Result<Session, FlowError> {
        let of_code = |error| FlowError::of_token(Leg::Code, error);
        let enterprise = subject.enterprise();
        let server = self.server(&enterprise.issuer).await?;
        let wanted = SignIn {
            redirect_uri: own.agent.redirect_uri(),
            scope: own.scope.clone().unwrap_or_else(|| usual_scopes(&server)),
            ..wanted.clone()
        };
        let client_id = &enterprise.identity.client_id;
        let (page, pending) = authorization_request(&server, client_id, &wanted, self.random())?;
        let query = own.agent.authorize(&page).await.map_err(FlowError::Agent)?;
        let code = authorization_response(pending, &query)?;
        let endpoint = subject.token_endpoint(self).await?;
        let caller = self.caller(&enterprise.identity, enterprise.issuer.as_str());
        let (request, expected) = code_request(&endpoint, &caller, code).map_err(of_code)?;
        let answer = code_response(&self.send(request).await?).map_err(of_code)?;
        let missing = TokenError::Kind("the sign-in brought no ID token");
        let id_token = answer.id_token.as_deref().ok_or_else(|| of_code(missing))?;
        subject.check(self, id_token, &answer.access_token, &expected).await?;
        let (issuer, now) = (enterprise.issuer.clone(), self.now());
        let id_token = SecretString::from(id_token);
        let session = Session::from_id_token(issuer, client_id.clone(), id_token, now).map_err(IdTokenError::from)?;
        Ok(session.with_tokens(&answer, now))
    }

    /// The refresh token of the sign-in that was replaced is of no use any more. That it could not be revoked is no
    /// reason to end the call: it expires.
    async fn forget_refresh_token(&self, subject: &Subject, before: &Session) {
        let enterprise = subject.enterprise();
        let Ok(server) = self.server(&enterprise.issuer).await else {
            return;
        };
        let (Some(endpoint), Some(token)) = (&server.revocation_endpoint, &before.refresh_token) else {
            return;
        };
        let caller = self.caller(&enterprise.identity, enterprise.issuer.as_str());
        if let Ok(request) = revoke_request(endpoint, &caller, token) {
            let _ = self.send(request).await;
        }
    }
}

fn is_same_sign_in(one: &Session, other: &Session) -> bool {
    one.auth_time == other.auth_time && one.acr == other.acr
}
