//! `grant_type=…jwt-bearer` with an ID-JAG (ID-JAG draft, section 4.4).
//!
//! Owns finding the keys and verifying. Never decides: `core/src/ras/jwt_bearer.rs` does.

use std::sync::Arc;

use lanyard_core::cx::Cx;
use lanyard_core::keys::record::Ring;
use lanyard_core::outcome::Outcome;
use lanyard_core::ras::access_token;
use lanyard_core::ras::denial::Denial;
use lanyard_core::ras::jwt_bearer::{Verification, choose, redeem, refuse};
use lanyard_core::store::StoreError;
use lanyard_core::trust::issuer::{Trust, TrustKeys};
use lanyard_jose::jwk::KeySet;
use lanyard_jose::token::{IdJag, Unverified, Verified};
use lanyard_jose::verify::{Audience, Expected, VerifyError, verify as verify_token};
use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::claims::access_token::TYP;
use lanyard_protocol::form::Form;
use lanyard_protocol::oauth::token_request::JwtBearerRequest;
use lanyard_protocol::oauth::token_response::{TOKEN_TYPE_BEARER, TokenResponse};

use crate::oauth::refusal::Refusal;
use crate::oauth::token_endpoint::{Decide, Sign, Stop};
use crate::oauth::{error, rings};
use crate::ras::Ras;
use crate::ras::trusts::Known;

/// A request to redeem, read.
pub(crate) struct Presented {
    request: JwtBearerRequest,
    id_jag: Result<Unverified<IdJag>, VerifyError>,
}

/// Reads the parameters.
pub(crate) fn begin(form: &Form) -> Result<Presented, Refusal> {
    let request = JwtBearerRequest::parse(form).map_err(|why| error::request(&why))?;
    let id_jag = Unverified::parse(&request.assertion);
    Ok(Presented { request, id_jag })
}

/// Verifies the ID-JAG by a trust record and prepares the decision. What was found wrong here is denied in the unit,
/// after the client is authenticated.
///
/// The record may be remembered from an earlier request. Then the unit asks whether it is still the one in the store;
/// if not, all of this is done once more, `afresh`.
pub(crate) async fn verify(ras: &Arc<Ras>, cx: &Cx, presented: Presented, afresh: bool) -> Result<Decide, Stop> {
    let Presented { request, id_jag } = presented;
    let verified = match &id_jag {
        Ok(token) => find_and_verify(ras, cx, token, afresh).await?,
        Err(why) => Err(Denial::NotVerified(*why)),
    };
    let (settings, rings) = (Arc::clone(&ras.deps.settings), Arc::clone(&ras.deps.basis.rings));
    let local = Arc::clone(&ras.deps.local);
    Ok(Box::new(move |cx, tx, client| {
        let current = rings.current(tx)?;
        let stands = |token: &Verified<IdJag>| local(&token.iss).is_none_or(|keys| keys.contains(token.kid()));
        let (id_jag, used) = match &verified {
            Ok((token, used)) if stands(token) => (token, used),
            // A key of an issuer in this process that was removed since the verification (SEC-17).
            Ok(_) => {
                let denial = refuse(cx, tx, client, Denial::NotVerified(VerifyError::UnknownKey))?;
                return Ok(Err(error::redemption(&denial)));
            }
            Err(denial) => {
                let denial = refuse(cx, tx, client, denial.clone())?;
                return Ok(Err(error::redemption(&denial)));
            }
        };
        if !afresh && !used.stands(tx)? {
            return Err(StoreError::Conflict("the trust record changed"));
        }
        let grant = match redeem(cx, tx, &settings, client, &request, id_jag, used)? {
            Outcome::Granted(grant) => grant,
            Outcome::Denied(denial) => return Ok(Err(error::redemption(&denial))),
        };
        let key = Arc::clone(&rings::of(&current, Ring::Ras)?.active);
        let claims = access_token::claims(&settings, &grant)?;
        let sign: Sign = Box::new(move || {
            Ok(TokenResponse {
                access_token: key.sign(TYP, &claims)?,
                token_type: TOKEN_TYPE_BEARER.to_owned(),
                issued_token_type: None,
                expires_in: Some(access_token::expires_in(&grant)),
                scope: claims.scope.clone(),
                resource: Some(OneOrMany::One(grant.resource.as_str().to_owned())),
                refresh_token: None,
                id_token: None,
            })
        });
        Ok(Ok(sign))
    }))
}

/// By a remembered record if that verifies; a refusal is founded on a fresh one only.
async fn find_and_verify(
    ras: &Ras,
    cx: &Cx,
    token: &Unverified<IdJag>,
    afresh: bool,
) -> Result<Result<(Verified<IdJag>, Verification), Denial>, Stop> {
    let issuer = token.issuer().unwrap_or_default();
    if issuer == ras.deps.settings.issuer.as_str() {
        return Ok(Err(Denial::SelfIssued));
    }
    if !afresh
        && let Some(known) = ras.trusts.remembered(issuer)
        && let Ok((verified, used)) = verify_by(ras, cx, token, &known).await
        && choose(&known.records, &verified).is_some()
    {
        return Ok(Ok((verified, used)));
    }
    let known = ras
        .trusts
        .read(&*ras.deps.basis.store, &ras.deps.settings, issuer)
        .await?;
    Ok(verify_by(ras, cx, token, &known).await)
}

/// Tries the record whose `tenant` claim fits; which one that is shows only after the signature was found good by the
/// first of the issuer's records.
async fn verify_by(
    ras: &Ras,
    cx: &Cx,
    token: &Unverified<IdJag>,
    known: &Known,
) -> Result<(Verified<IdJag>, Verification), Denial> {
    let Some(first) = known.records.first() else {
        return Err(Denial::UntrustedIssuer);
    };
    let done = verify_with(ras, cx, token, known, first).await?;
    match choose(&known.records, &done.0) {
        Some(chosen) if chosen.id != first.id => verify_with(ras, cx, token, known, chosen).await,
        _ => Ok(done),
    }
}

async fn verify_with(
    ras: &Ras,
    cx: &Cx,
    token: &Unverified<IdJag>,
    known: &Known,
    trust: &Trust,
) -> Result<(Verified<IdJag>, Verification), Denial> {
    let settings = &ras.deps.settings;
    let Some((verification, own)) = known.prepared(trust) else {
        return Err(Denial::UntrustedIssuer);
    };
    let keys = find_keys(ras, token, trust, own.as_ref()).await?;
    let expected = Expected {
        issuer: trust.issuer.as_str(),
        audience: Audience::Sole(settings.issuer.as_str()),
        now: cx.now.seconds(),
        leeway: i64::try_from(settings.leeway.as_secs()).unwrap_or(0),
        algorithms: &trust.algorithms,
        max_lifetime: Some(trust.max_id_jag_ttl_seconds),
    };
    let verified = verify_token(token, &keys, &expected).map_err(Denial::NotVerified)?;
    Ok((verified, verification.clone()))
}

/// The keys come from our own process, from the trust record, or from the address in the trust record: never from the
/// token (MD-KEY-03).
async fn find_keys(
    ras: &Ras,
    token: &Unverified<IdJag>,
    trust: &Trust,
    own: Option<&Arc<KeySet>>,
) -> Result<Arc<KeySet>, Denial> {
    if let Some(keys) = (ras.deps.local)(&trust.issuer) {
        return Ok(keys);
    }
    match (&trust.keys, own) {
        (_, Some(keys)) => Ok(Arc::clone(keys)),
        (TrustKeys::Static(jwks), None) => Ok(Arc::new(KeySet::from_jwks(jwks))),
        (TrustKeys::JwksUri(uri), None) => ras.deps.jwks.keys(uri, token.kid()).await.map_err(|error| {
            tracing::warn!(issuer = trust.issuer.as_str(), error = %error, "the keys of a trusted issuer cannot be had");
            Denial::KeysUnavailable
        }),
    }
}
