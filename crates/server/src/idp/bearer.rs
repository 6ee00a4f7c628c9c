//! The issuer's own endpoints for a person's client: userinfo, connectors, keys.
//!
//! Owns reading the bearer token (RFC 6750) and its challenge. Never decides whether the bearer may be served
//! (`core/src/idp/own_token.rs`).

use axum::response::Response;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use lanyard_core::cx::Cx;
use lanyard_core::idp::own_token::{OwnBearer, OwnTokenDenial, bearer};
use lanyard_core::keys::record::Ring;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, Tx};
use lanyard_jose::token::{AccessToken, Unverified, Verified};
use lanyard_jose::verify::{Audience, Expected, verify};
use lanyard_protocol::oauth::error::ErrorCode;

use crate::idp::Idp;
use crate::metrics;
use crate::oauth::client_auth::ASSERTION_ALGORITHMS;
use crate::oauth::refusal::Refusal;
use crate::oauth::rings;

/// A token of this issuer with a good signature, for this issuer: an ID token, an ID-JAG or a RAS's token is none.
pub(super) fn read(idp: &Idp, headers: &HeaderMap, cx: &Cx) -> Result<Verified<AccessToken>, Refusal> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let token = match (given.next(), given.next()) {
        (None, _) => return Err(NO_TOKEN),
        (Some(value), None) => value.to_str().ok().and_then(|value| value.split_once(' ')),
        (Some(_), Some(_)) => return Err(SEVERAL),
    };
    let token = token
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let token = Unverified::<AccessToken>::parse(token.ok_or(NO_TOKEN)?).map_err(|why| invalid(why.code()))?;
    let issuer = idp.deps.settings.issuer.as_str();
    let expected = Expected {
        issuer,
        audience: Audience::Sole(issuer),
        now: cx.now.seconds(),
        leeway: 0,
        algorithms: ASSERTION_ALGORITHMS,
        max_lifetime: None,
    };
    let rings = idp.deps.basis.rings.snapshot();
    let ring = rings.get(Ring::Idp).ok_or_else(|| invalid("unknown_key"))?;
    verify(&token, &ring.published, &expected).map_err(|why| invalid(why.code()))
}

/// The person behind the token, checked against current state in this unit.
pub(super) fn person(
    idp: &Idp,
    cx: &Cx,
    tx: &mut dyn Tx,
    token: &Verified<AccessToken>,
    scope: &'static str,
) -> Result<Result<OwnBearer, Refusal>, StoreError> {
    let rings = idp.deps.basis.rings.current(tx)?;
    if !rings::of(&rings, Ring::Idp)?.published.contains(token.kid()) {
        return Ok(Err(invalid("unknown_key")));
    }
    Ok(match bearer(cx, tx, token, scope)? {
        Outcome::Granted(person) => Ok(person),
        Outcome::Denied(denial) => Err(match denial {
            OwnTokenDenial::Client
            | OwnTokenDenial::GrantEnded
            | OwnTokenDenial::SessionEnded
            | OwnTokenDenial::UserInactive => invalid(denial.code()),
            OwnTokenDenial::InsufficientScope(_) => Refusal::new(
                ErrorCode::InsufficientScope,
                denial.code(),
                "the token does not have the scope that is needed here",
            ),
        }),
    })
}

/// The answer with its challenge (RFC 6750, section 3).
pub(super) fn refuse(refusal: &Refusal, cx: &Cx, scope: &'static str) -> Response {
    metrics::refused(lanyard_core::client::registration::Side::Idp, refusal.reason);
    let mut response = refusal.answer(&cx.request_id);
    let challenge = match refusal.error {
        ErrorCode::InsufficientScope => format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""),
        ErrorCode::InvalidToken if *refusal == NO_TOKEN => "Bearer".to_owned(),
        ErrorCode::InvalidToken => "Bearer error=\"invalid_token\"".to_owned(),
        ErrorCode::InvalidRequest => "Bearer error=\"invalid_request\"".to_owned(),
        _ => return response,
    };
    if let Ok(value) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}

const NO_TOKEN: Refusal = Refusal::new(
    ErrorCode::InvalidToken,
    "no_token",
    "an access token of this issuer is needed",
);
const SEVERAL: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "malformed_request",
    "more than one Authorization header was sent",
);

const fn invalid(reason: &'static str) -> Refusal {
    Refusal::new(ErrorCode::InvalidToken, reason, "the access token is not acceptable")
}
