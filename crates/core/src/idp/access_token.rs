//! The claims of the issuer's own access tokens: for userinfo, connectors and keys, or for the admin API; never for an
//! MCP server.
//!
//! Owns which claims they have. Never decides and never signs.

use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::claims::access_token::AccessTokenClaims;
use lanyard_protocol::claims::time::NumericDate;
use lanyard_protocol::scope::ScopeSet;

use crate::admin::sign_in::{self, ADMIN_SCOPE};
use crate::idp::settings::IdpSettings;
use crate::idp::token_grant::TokenGrant;

/// The claims. A token is for one party: with the scope `admin` alone for the admin API, else for the issuer itself, and
/// then without that scope.
pub fn claims(settings: &IdpSettings, grant: &TokenGrant) -> AccessTokenClaims {
    let scope = scope(grant);
    let audience = if scope.contains_str(ADMIN_SCOPE) {
        sign_in::audience(&settings.issuer)
    } else {
        settings.issuer.as_str().to_owned()
    };
    AccessTokenClaims {
        iss: settings.issuer.clone(),
        sub: grant.subject.clone(),
        aud: OneOrMany::One(audience),
        client_id: grant.client_id.clone(),
        jti: grant.access_token_jti.clone(),
        iat: NumericDate::from_seconds(grant.issued_at.seconds()),
        exp: NumericDate::from_seconds(grant.issued_at.plus(settings.access_token_ttl).seconds()),
        nbf: None,
        scope: Some(scope).filter(|scope| !scope.is_empty()),
        auth_time: grant.authentication.auth_time_claim(),
        acr: Some(grant.authentication.acr_claim().to_owned()),
        amr: Some(grant.authentication.amr.clone()),
        cnf: None,
        tenant: None,
        sid: grant.session.as_ref().map(|session| session.as_str().to_owned()),
    }
}

/// What the access token of a grant allows.
pub fn scope(grant: &TokenGrant) -> ScopeSet {
    let beside = |scope: &&lanyard_protocol::scope::Scope| scope.as_str() != ADMIN_SCOPE;
    if grant.scope.iter().any(|scope| beside(&scope)) {
        grant.scope.iter().filter(beside).cloned().collect()
    } else {
        grant.scope.clone()
    }
}
