//! The claims of an ID token, made from the grant after the commit.
//!
//! Owns which claims it has (requirements, section 7.1). Never decides and never signs.

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::at_hash_under;
use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::claims::id_token::IdTokenClaims;
use lanyard_protocol::claims::time::NumericDate;

use crate::idp::settings::IdpSettings;
use crate::idp::token_grant::TokenGrant;

/// The claims; `None` when scope `openid` was not granted. `access_token` is the one issued beside it, `algorithm` what
/// the ID token is signed with.
pub fn claims(
    settings: &IdpSettings,
    grant: &TokenGrant,
    access_token: &str,
    algorithm: Algorithm,
) -> Option<IdTokenClaims> {
    if !grant.scope.contains_str("openid") {
        return None;
    }
    Some(IdTokenClaims {
        iss: settings.issuer.clone(),
        sub: grant.subject.clone(),
        aud: OneOrMany::One(grant.client_id.as_str().to_owned()),
        exp: NumericDate::from_seconds(grant.issued_at.plus(settings.id_token_ttl).seconds()),
        iat: NumericDate::from_seconds(grant.issued_at.seconds()),
        nbf: None,
        auth_time: grant.authentication.auth_time_claim(),
        nonce: grant.nonce.clone(),
        acr: Some(grant.authentication.acr_claim().to_owned()),
        amr: Some(grant.authentication.amr.clone()),
        azp: None,
        at_hash: Some(at_hash_under(algorithm, access_token)),
        sid: grant.session.as_ref().map(|session| session.as_str().to_owned()),
        jti: Some(grant.id_token_jti.as_str().to_owned()),
        email: grant.profile.email.clone(),
        // Written by an administrator, not proven by the person.
        email_verified: grant.profile.email.as_ref().map(|_| false),
        name: grant.profile.name.clone(),
        preferred_username: grant.profile.preferred_username.clone(),
    })
}
