//! The claims of an access token (RFC 9068; RAS-AT-01, RAS-AT-06, TOK-AT-01, TOK-AT-02).
//!
//! Owns what is said of a grant. Never signs and never copies personal data from the ID-JAG.

use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::claims::access_token::AccessTokenClaims;
use lanyard_protocol::claims::time::{NumericDate, Subject, TokenId};
use lanyard_protocol::scope::ScopeSet;

use crate::ras::access_grant::AccessGrant;
use crate::ras::settings::RasSettings;
use crate::store::StoreError;

/// The claims that stand for a grant.
///
/// # Errors
/// [`StoreError::Corrupt`] when the grant holds an identifier that no token may have.
pub fn claims(settings: &RasSettings, grant: &AccessGrant) -> Result<AccessTokenClaims, StoreError> {
    let corrupt = |_| StoreError::Corrupt(format!("the grant {} cannot be written into a token", grant.jti));
    Ok(AccessTokenClaims {
        iss: settings.issuer.clone(),
        sub: Subject::parse(grant.account.as_str()).map_err(corrupt)?,
        aud: OneOrMany::One(grant.resource.as_str().to_owned()),
        client_id: grant.client_id.clone(),
        jti: TokenId::try_from(grant.jti.clone()).map_err(corrupt)?,
        iat: NumericDate::from_seconds(grant.issued_at.seconds()),
        exp: NumericDate::from_seconds(grant.expires_at.seconds()),
        nbf: None,
        scope: Some(grant.scope.clone()).filter(|scope: &ScopeSet| !scope.is_empty()),
        auth_time: grant.auth_time.map(NumericDate::from_seconds),
        acr: grant.acr.clone(),
        amr: grant.amr.clone(),
        cnf: None,
        tenant: settings.emit_tenant.then(|| grant.tenant.as_str().to_owned()),
        sid: None,
    })
}

/// The lifetime that the answer states, in seconds.
pub fn expires_in(grant: &AccessGrant) -> u64 {
    u64::try_from(grant.expires_at.seconds().saturating_sub(grant.issued_at.seconds())).unwrap_or(0)
}
