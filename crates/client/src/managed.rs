//! The two legs of Enterprise-Managed Authorization for one target.
//!
//! Owns their order and what is tried again. Never opens a browser (CL-DI-07).

use lanyard_protocol::oauth::error::ErrorCode;
use lanyard_protocol::scope::ScopeSet;

use crate::cache::AccessToken;
use crate::credentials::ClientIdentity;
use crate::flow::Flow;
use crate::flow_error::{FlowError, Leg};
use crate::id_jag::{self, CheckedIdJag, Wanted};
use crate::jwt_bearer::{redeem_request, redeem_response};
use crate::subject::Subject;
use crate::target::Target;
use crate::token_endpoint::TokenError;
use crate::token_exchange::{Exchange, SubjectToken, exchange_request, exchange_response};

impl Flow {
    /// Token exchange, checks, redemption. Each ID-JAG is redeemed once; when the RAS refuses one with `invalid_grant`
    /// there is one more exchange, then the refusal stands (CL-JB-03).
    pub(crate) async fn redeem_for(
        &self,
        subject: &Subject,
        target: &Target,
        scope: &ScopeSet,
    ) -> Result<AccessToken, FlowError> {
        let issuer = &target.authorization_server.issuer;
        let identity = self
            .credentials(issuer)
            .ok_or_else(|| FlowError::NoCredentials { issuer: issuer.clone() })?;
        // Everything about the RAS is settled before an ID-JAG is minted.
        let endpoint = target.token_endpoint()?;
        let mut last = false;
        loop {
            let id_jag = self.exchange(subject, target, identity, scope).await?;
            match self.redeem(endpoint, target, identity, id_jag).await {
                Err(TokenError::Refused(refusal)) if refusal.is(ErrorCode::InvalidGrant) && !last => last = true,
                other => return other.map_err(|error| FlowError::of_token(Leg::Redemption, error)),
            }
        }
    }

    /// Leg 1. A refused subject token is renewed once (CL-TX-03).
    async fn exchange(
        &self,
        subject: &Subject,
        target: &Target,
        identity: &ClientIdentity,
        scope: &ScopeSet,
    ) -> Result<CheckedIdJag, FlowError> {
        let first = subject.token(self, None).await?;
        let issued = match self.exchange_once(subject, target, &first, scope).await? {
            Ok(issued) => issued,
            Err(error) if is_invalid_grant(&error) => {
                let second = subject.token(self, Some(&first)).await?;
                match self.exchange_once(subject, target, &second, scope).await? {
                    Ok(issued) => issued,
                    Err(TokenError::Refused(refusal)) if refusal.is(ErrorCode::InvalidGrant) => {
                        return Err(subject.over(Some(refusal)));
                    }
                    Err(error) => return Err(FlowError::of_token(Leg::Exchange, error)),
                }
            }
            Err(error) => return Err(FlowError::of_token(Leg::Exchange, error)),
        };
        let wanted = Wanted {
            issuer: &subject.enterprise().issuer,
            audience: &target.authorization_server.issuer,
            client_id: &identity.client_id,
            resource: &target.resource,
            scope,
            now: self.now(),
        };
        Ok(id_jag::check(issued, &wanted)?)
    }

    async fn exchange_once(
        &self,
        subject: &Subject,
        target: &Target,
        token: &SubjectToken,
        scope: &ScopeSet,
    ) -> Result<Result<crate::token_exchange::IssuedIdJag, TokenError>, FlowError> {
        let enterprise = subject.enterprise();
        let endpoint = subject.token_endpoint(self).await?;
        let exchange = Exchange {
            subject: token,
            audience: &target.authorization_server.issuer,
            resource: &target.resource,
            scope,
        };
        let caller = self.caller(&enterprise.identity, enterprise.issuer.as_str());
        let request = match exchange_request(&endpoint, &caller, &exchange) {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        Ok(exchange_response(&self.send(request).await?))
    }

    /// Leg 2, at the server whose issuer was the audience, with the credentials for that issuer (CL-JB-01).
    async fn redeem(
        &self,
        endpoint: &str,
        target: &Target,
        identity: &ClientIdentity,
        id_jag: CheckedIdJag,
    ) -> Result<AccessToken, TokenError> {
        let caller = self.caller(identity, target.authorization_server.issuer.as_str());
        let request = redeem_request(endpoint, &caller, id_jag, self.style())?;
        let answer = self.fetch(request).await?;
        redeem_response(&answer, self.now())
    }
}

fn is_invalid_grant(error: &TokenError) -> bool {
    error
        .refusal()
        .is_some_and(|refusal| refusal.is(ErrorCode::InvalidGrant))
}
