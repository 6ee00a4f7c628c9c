//! Introspection (RFC 7662; RAS-IN-01, RAS-IN-02).
//!
//! Owns whether a token counts for the caller now. Says nothing of a token that does not.

use lanyard_jose::token::{AccessToken, Verified};
use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::oauth::introspection::Introspection;
use lanyard_protocol::oauth::token_response::TOKEN_TYPE_BEARER;

use crate::client::auth::AuthenticatedClient;
use crate::client::registration::Side;
use crate::connector::record::ConnectorStatus;
use crate::cx::Cx;
use crate::ras::access_grant::AccessGrant;
use crate::ras::settings::RasSettings;
use crate::store::{StoreError, Tx};

/// What the caller is told of a token; `token` is `None` for anything that is no unexpired access token of ours.
///
/// # Errors
/// [`StoreError`].
pub fn introspect(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &RasSettings,
    caller: &AuthenticatedClient,
    token: Option<&Verified<AccessToken>>,
) -> Result<Introspection, StoreError> {
    let Some(token) = token else {
        return Ok(Introspection::default());
    };
    let Some(grant) = tx.find_access_grant(token.jti.as_str())? else {
        return Ok(Introspection::default());
    };
    if !concerns(caller, &grant) || !is_live(cx, tx, &grant)? {
        return Ok(Introspection::default());
    }
    Ok(Introspection {
        active: true,
        iss: Some(settings.issuer.as_str().to_owned()),
        sub: Some(grant.account.as_str().to_owned()),
        aud: Some(OneOrMany::One(grant.resource.as_str().to_owned())),
        client_id: Some(grant.client_id.as_str().to_owned()),
        scope: Some(grant.scope).filter(|scope| !scope.is_empty()),
        token_type: Some(TOKEN_TYPE_BEARER.to_owned()),
        jti: Some(grant.jti),
        iat: Some(grant.issued_at.seconds()),
        exp: Some(grant.expires_at.seconds()),
        auth_time: grant.auth_time,
        acr: grant.acr,
    })
}

/// A caller hears of tokens for its own resources only.
fn concerns(caller: &AuthenticatedClient, grant: &AccessGrant) -> bool {
    caller
        .client
        .introspects
        .iter()
        .any(|resource| resource == grant.resource.as_str())
}

/// Whether everything the token stands on still stands.
fn is_live(cx: &Cx, tx: &mut dyn Tx, grant: &AccessGrant) -> Result<bool, StoreError> {
    if grant.revoked_at.is_some() || grant.expires_at <= cx.now {
        return Ok(false);
    }
    let Some(account) = tx.find_account(&grant.tenant, &grant.account)? else {
        return Ok(false);
    };
    let cut_off = account
        .not_before
        .is_some_and(|at| grant.issued_at.seconds() <= at.seconds());
    if !account.enabled || cut_off {
        return Ok(false);
    }
    let client = tx.find_client(Side::Ras, &grant.client_id)?;
    if !client.is_some_and(|client| client.enabled) {
        return Ok(false);
    }
    let resource = tx.find_resource(&grant.resource)?;
    if resource.is_none_or(|resource| resource.status == ConnectorStatus::Off) {
        return Ok(false);
    }
    let trusts = tx.list_trusts_of_issuer(&grant.issuer)?;
    Ok(trusts.iter().any(|trust| trust.enabled && trust.tenant == grant.tenant))
}
