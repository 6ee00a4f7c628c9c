//! The claims of the issuer's own access tokens: for userinfo, connectors and keys, never for an MCP server.
//!
//! Owns which claims they have. Never decides and never signs.

use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::claims::access_token::AccessTokenClaims;
use lanyard_protocol::claims::time::NumericDate;

use crate::idp::settings::IdpSettings;
use crate::idp::token_grant::TokenGrant;

/// The claims. The audience is the issuer itself.
pub fn claims(settings: &IdpSettings, grant: &TokenGrant) -> AccessTokenClaims {
    AccessTokenClaims {
        iss: settings.issuer.clone(),
        sub: grant.subject.clone(),
        aud: OneOrMany::One(settings.issuer.as_str().to_owned()),
        client_id: grant.client_id.clone(),
        jti: grant.access_token_jti.clone(),
        iat: NumericDate::from_seconds(grant.issued_at.seconds()),
        exp: NumericDate::from_seconds(grant.issued_at.plus(settings.access_token_ttl).seconds()),
        nbf: None,
        scope: Some(grant.scope.clone()).filter(|scope| !scope.is_empty()),
        auth_time: Some(NumericDate::from_seconds(grant.authentication.auth_time.seconds())),
        acr: Some(grant.authentication.acr_claim().to_owned()),
        amr: Some(grant.authentication.amr.clone()),
        cnf: None,
        tenant: None,
        sid: grant.session.as_ref().map(|session| session.as_str().to_owned()),
    }
}
