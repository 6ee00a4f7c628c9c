//! `grant_type=…token-exchange` for an ID-JAG (ID-JAG draft, section 4.3).
//!
//! Owns verifying the subject token. Never decides: `core/src/idp/token_exchange.rs` does.

use std::sync::Arc;

use lanyard_core::cx::Cx;
use lanyard_core::idp::assertion::{self, PresentedAssertion};
use lanyard_core::idp::id_jag;
use lanyard_core::idp::token_exchange::{Subject, exchange};
use lanyard_core::keys::record::Ring;
use lanyard_core::outcome::Outcome;
use lanyard_core::saml::denial::SamlDenial;
use lanyard_core::store::{StoreError, Tx};
use lanyard_jose::token::{IdToken, Unverified};
use lanyard_jose::verify::{Audience, Expected, VerifyError};
use lanyard_protocol::claims::id_jag::TYP;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::form::Form;
use lanyard_protocol::oauth::token_request::TokenExchangeRequest;
use lanyard_protocol::oauth::token_response::{TOKEN_TYPE_NA, TokenResponse};
use lanyard_protocol::oauth::token_type::TokenTypeUri;
use secrecy::{ExposeSecret, SecretString};

use crate::idp::Idp;
use crate::idp::grants::saml;
use crate::oauth::client_auth::ASSERTION_ALGORITHMS;
use crate::oauth::refusal::Refusal;
use crate::oauth::token_endpoint::{Decide, Sign};
use crate::oauth::{error, rings};

/// What a verdict about a subject token is worth: it vouches for no other use.
const PURPOSE: &str = "idp:subject_token";

/// A request for an ID-JAG, read.
pub(crate) struct Exchange {
    request: TokenExchangeRequest,
    id_token: Option<Result<Unverified<IdToken>, VerifyError>>,
}

/// Reads the parameters.
pub(crate) fn begin(form: &Form) -> Result<Exchange, Refusal> {
    let request = TokenExchangeRequest::parse(form).map_err(|why| error::request(&why))?;
    let is_id_token = request.subject_token_type == TokenTypeUri::IdToken;
    let id_token = is_id_token.then(|| Unverified::parse(&request.subject_token));
    Ok(Exchange { request, id_token })
}

/// Verifies the subject token, with our own keys or with the certificates of an identity provider, and prepares the
/// decision. What was found wrong here is refused in the unit, after the client is authenticated.
pub(crate) async fn verify(
    idp: &Arc<Idp>,
    cx: &Cx,
    client: Option<&ClientId>,
    read: Exchange,
    afresh: bool,
) -> Result<Decide, StoreError> {
    if afresh {
        idp.compile_policy().await?;
    }
    let Exchange { request, id_token } = read;
    if request.subject_token_type == TokenTypeUri::Saml2 {
        let presented = saml::verify(idp, &request.subject_token).await?;
        return Ok(if request.requested_token_type == TokenTypeUri::RefreshToken {
            refresh_token(idp, request, presented)
        } else {
            decide(idp, request, Ok(Subject::Assertion(Box::new(presented))), afresh)
        });
    }
    let subject = match id_token {
        None => Ok(Subject::RefreshToken(SecretString::from(
            request.subject_token.as_str(),
        ))),
        Some(token) => token.and_then(|token| verify_id_token(idp, cx, client, &token)),
    };
    Ok(decide(idp, request, subject, afresh))
}

/// A refresh token for an assertion (ID-JAG draft, section 4.5): it stands where the access token would.
fn refresh_token(
    idp: &Arc<Idp>,
    request: TokenExchangeRequest,
    presented: Result<PresentedAssertion, SamlDenial>,
) -> Decide {
    let idp = Arc::clone(idp);
    Box::new(move |cx, tx, client| {
        let settings = &idp.deps.settings;
        let decided = assertion::refresh_token(cx, tx, settings, client, &request, &presented)?;
        let grant = match decided {
            Outcome::Granted(grant) => grant,
            Outcome::Denied(denial) => return Ok(Err(error::exchange(&denial))),
        };
        let sign: Sign = Box::new(move || {
            Ok(TokenResponse {
                access_token: grant.refresh_token.expose_secret().to_owned(),
                token_type: TOKEN_TYPE_NA.to_owned(),
                issued_token_type: Some(TokenTypeUri::RefreshToken.as_str().to_owned()),
                expires_in: u64::try_from(grant.lifetime).ok(),
                scope: Some(grant.scope.clone()),
                resource: None,
                refresh_token: None,
                id_token: None,
            })
        });
        Ok(Ok(sign))
    })
}

fn decide(
    idp: &Arc<Idp>,
    request: TokenExchangeRequest,
    subject: Result<Subject, VerifyError>,
    afresh: bool,
) -> Decide {
    let idp = Arc::clone(idp);
    Box::new(move |cx, tx, client| {
        let deps = &idp.deps;
        let refused = |tx: &mut dyn Tx, why| {
            let refusal = error::subject_token(&why);
            refusal.record(cx, tx, "idp.id_jag.denied", &client.client)?;
            Ok(Err(refusal))
        };
        let subject = match &subject {
            Ok(subject) => subject,
            Err(why) => return refused(tx, *why),
        };
        let rings = deps.basis.rings.current(tx)?;
        let ring = rings::of(&rings, Ring::Idp)?;
        if let Subject::IdToken(token) = subject
            && !ring.published.contains(token.kid())
        {
            // Removed in an emergency since the verification (SEC-17).
            return refused(tx, VerifyError::UnknownKey);
        }
        // Others wait behind this unit: it does not compile unless that was tried already.
        let policy = if afresh {
            deps.policy.current(tx)?
        } else {
            let at_hand = deps.policy.at_hand(tx)?;
            at_hand.ok_or(StoreError::Conflict("the policy is not compiled yet"))?
        };
        let (vault, settings) = (&deps.basis.vault, Arc::clone(&deps.settings));
        let decided = exchange(cx, tx, vault, &policy, &settings, client, &request, subject)?;
        let grant = match decided {
            Outcome::Granted(grant) => grant,
            Outcome::Denied(denial) => return Ok(Err(error::exchange(&denial))),
        };
        let key = Arc::clone(&ring.active);
        let sign: Sign = Box::new(move || {
            Ok(TokenResponse {
                access_token: key.sign(TYP, &id_jag::claims(&settings, &grant))?,
                token_type: TOKEN_TYPE_NA.to_owned(),
                issued_token_type: Some(TokenTypeUri::IdJag.as_str().to_owned()),
                expires_in: u64::try_from(grant.lifetime).ok(),
                // Always told, and never empty (IDP-RS-02, interop finding 8).
                scope: Some(grant.scope.clone()).filter(|scope| !scope.is_empty()),
                resource: grant.resource(),
                refresh_token: None,
                id_token: None,
            })
        });
        Ok(Ok(sign))
    })
}

/// An ID token of ours with a good signature, for the client that says it is asking.
fn verify_id_token(
    idp: &Idp,
    cx: &Cx,
    client: Option<&ClientId>,
    token: &Unverified<IdToken>,
) -> Result<Subject, VerifyError> {
    let rings = idp.deps.basis.rings.snapshot();
    let ring = rings.get(Ring::Idp).ok_or(VerifyError::UnknownKey)?;
    let expected = Expected {
        issuer: idp.deps.settings.issuer.as_str(),
        audience: Audience::Contains(client.map_or("", ClientId::as_str)),
        now: cx.now.seconds(),
        leeway: idp.leeway_seconds(),
        algorithms: ASSERTION_ALGORITHMS,
        max_lifetime: None,
    };
    let verified = idp.deps.verdicts.verify(token, PURPOSE, &ring.published, &expected)?;
    Ok(Subject::IdToken(Box::new(verified)))
}
