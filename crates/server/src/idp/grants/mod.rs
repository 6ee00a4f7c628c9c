//! The grants of the IdP: each turns its parameters into verified input and calls one function of core.

pub(crate) mod authorization_code;
pub(crate) mod refresh_token;
pub(crate) mod saml;
pub(crate) mod token_exchange;

use std::sync::Arc;

use lanyard_core::idp::token_grant::TokenGrant;
use lanyard_core::idp::{access_token, id_token};
use lanyard_core::keys::record::Ring;
use lanyard_core::store::{StoreError, Tx};
use lanyard_protocol::claims;
use lanyard_protocol::oauth::token_response::{TOKEN_TYPE_BEARER, TokenResponse};
use secrecy::ExposeSecret;

use crate::idp::IdpDeps;
use crate::oauth::rings;
use crate::oauth::token_endpoint::Sign;

/// The tokens of a sign-in, to be signed after the commit.
fn issue(deps: &IdpDeps, tx: &mut dyn Tx, grant: TokenGrant) -> Result<Sign, StoreError> {
    let current = deps.basis.rings.current(tx)?;
    let key = Arc::clone(&rings::of(&current, Ring::Idp)?.active);
    let settings = Arc::clone(&deps.settings);
    Ok(Box::new(move || {
        let access_token = key.sign(claims::access_token::TYP, &access_token::claims(&settings, &grant))?;
        let id_token = match id_token::claims(&settings, &grant, &access_token, key.algorithm()) {
            Some(claims) => Some(key.sign(claims::id_token::TYP, &claims)?),
            None => None,
        };
        Ok(TokenResponse {
            access_token,
            token_type: TOKEN_TYPE_BEARER.to_owned(),
            issued_token_type: None,
            expires_in: Some(settings.access_token_ttl.as_secs()),
            scope: Some(access_token::scope(&grant)).filter(|scope| !scope.is_empty()),
            resource: None,
            refresh_token: grant
                .refresh_token
                .as_ref()
                .map(|token| token.expose_secret().to_owned()),
            id_token,
        })
    }))
}
