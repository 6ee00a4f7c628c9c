//! From a code to what the provider vouches for (OpenID Connect Core, sections 3.1.3 and 5.3).
//!
//! Owns the requests and the checks of the ID token (CL-SS-03). All network, no transaction.

use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderValue};
use lanyard_core::cx::Cx;
use lanyard_core::keys::vault::Vault;
use lanyard_core::upstream::connection::Connection;
use lanyard_core::upstream::oidc::OidcSettings;
use lanyard_core::upstream::resolve::Asserted;
use lanyard_fetch::{FetchError, FetchRequest};
use lanyard_jose::digest::{at_hash_under, constant_time_eq};
use lanyard_jose::token::{Kind, Unverified, UpstreamIdToken, Verified};
use lanyard_jose::verify::{Audience, Expected, VerifyError, verify};
use lanyard_protocol::form::Form;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::denial::{UpstreamDenial, error_code};
use super::provider::Provider;
use super::{Providers, claims, client};

/// What a code is redeemed with.
pub(super) struct Redemption<'a> {
    pub(super) connection: &'a Connection,
    pub(super) settings: &'a OidcSettings,
    pub(super) provider: &'a Provider,
    pub(super) redirect_uri: &'a str,
    pub(super) nonce: &'a str,
    pub(super) verifier: &'a SecretString,
    /// Allowed clock skew, in seconds.
    pub(super) leeway: i64,
}

/// The answer of the token endpoint; tokens are not printed.
#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    id_token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct NoTokens {
    #[serde(default)]
    error: String,
}

/// Redeems a code and checks everything that comes back.
pub(super) async fn redeem(
    cx: &Cx,
    vault: &Vault,
    providers: &Providers,
    with: &Redemption<'_>,
    code: &str,
) -> Result<Asserted, UpstreamDenial> {
    let tokens = ask(cx, vault, providers, with, code).await?;
    let id_token = tokens.id_token.ok_or(UpstreamDenial::NoIdToken)?;
    let verified = check(cx, providers, with, &id_token, tokens.access_token.as_deref()).await?;
    let mut all = verified.into_claims();
    if let Some(endpoint) = &with.provider.userinfo {
        let access_token = tokens.access_token.as_deref().unwrap_or_default();
        let more = userinfo(providers, endpoint, access_token).await?;
        if more.get("sub").and_then(Value::as_str) != Some(all.sub.as_str()) {
            return Err(UpstreamDenial::UserinfoSubject);
        }
        // What the ID token says was signed; the rest is added.
        for (name, value) in more {
            all.all.entry(name).or_insert(value);
        }
    }
    claims::asserted(with.connection, with.settings, all)
}

async fn ask(
    cx: &Cx,
    vault: &Vault,
    providers: &Providers,
    with: &Redemption<'_>,
    code: &str,
) -> Result<Tokens, UpstreamDenial> {
    let form = Form::default()
        .with("grant_type", "authorization_code")
        .with("code", code)
        .with("redirect_uri", with.redirect_uri)
        .with("code_verifier", with.verifier.expose_secret());
    let request = client::token_request(cx, vault, with.connection, with.settings, with.provider, form)?;
    let answer = providers
        .fetch
        .fetch(request)
        .await
        .map_err(UpstreamDenial::TokenEndpoint)?;
    if answer.status.is_client_error() {
        let said: Option<NoTokens> = answer
            .is_json()
            .then(|| lanyard_protocol::json::from_slice(&answer.body).ok())
            .flatten();
        return Err(UpstreamDenial::CodeRefused(error_code(
            &said.map(|said| said.error).unwrap_or_default(),
        )));
    }
    answer.json().map_err(UpstreamDenial::TokenEndpoint)
}

/// What every token of a provider must match, whatever kind it is.
pub(super) fn expected<'a>(cx: &Cx, settings: &'a OidcSettings, leeway: i64) -> Expected<'a> {
    Expected {
        issuer: settings.issuer.as_str(),
        audience: Audience::Contains(&settings.client_id),
        now: cx.now.seconds(),
        leeway,
        algorithms: &settings.algorithms,
        max_lifetime: None,
    }
}

/// An issuer that is not the connection's, or an algorithm that is never taken, is not worth a request.
pub(super) fn worth_asking<K: Kind>(token: &Unverified<K>, expected: &Expected<'_>) -> Result<(), VerifyError> {
    if token.issuer() != Some(expected.issuer) {
        return Err(VerifyError::Issuer);
    }
    if expected.algorithms.contains(&token.algorithm()) {
        Ok(())
    } else {
        Err(VerifyError::Algorithm)
    }
}

/// Verifies a token against the provider's keys as they are published.
pub(super) async fn verified<K: Kind>(
    providers: &Providers,
    provider: &Provider,
    token: &Unverified<K>,
    expected: &Expected<'_>,
) -> Result<Verified<K>, UpstreamDenial> {
    let keys = providers
        .jwks
        .keys(&provider.jwks_uri, token.kid())
        .await
        .map_err(UpstreamDenial::Keys)?;
    Ok(verify(token, &keys, expected)?)
}

/// The checks of OpenID Connect Core, section 3.1.3.7, in its order.
async fn check(
    cx: &Cx,
    providers: &Providers,
    with: &Redemption<'_>,
    id_token: &str,
    access_token: Option<&str>,
) -> Result<Verified<UpstreamIdToken>, UpstreamDenial> {
    let token = Unverified::<UpstreamIdToken>::parse(id_token)?;
    let expected = expected(cx, with.settings, with.leeway);
    worth_asking(&token, &expected)?;
    let verified = verified(providers, with.provider, &token, &expected).await?;
    let several = verified.aud.as_slice().len() > 1;
    match verified.text("azp") {
        Some(party) if party == with.settings.client_id => {}
        None if !several && !verified.all.contains_key("azp") => {}
        _ => return Err(UpstreamDenial::AuthorizedParty),
    }
    let nonce = verified.text("nonce").unwrap_or_default();
    if !constant_time_eq(nonce.as_bytes(), with.nonce.as_bytes()) {
        return Err(UpstreamDenial::Nonce);
    }
    if let (Some(hash), Some(access_token)) = (verified.all.get("at_hash"), access_token)
        && hash.as_str() != Some(at_hash_under(token.algorithm(), access_token).as_str())
    {
        return Err(UpstreamDenial::AccessTokenHash);
    }
    Ok(verified)
}

async fn userinfo(
    providers: &Providers,
    endpoint: &url::Url,
    access_token: &str,
) -> Result<Map<String, Value>, UpstreamDenial> {
    let wrong = |why| UpstreamDenial::Userinfo(FetchError::Content(why));
    let mut bearer = HeaderValue::from_str(&format!("Bearer {access_token}"))
        .map_err(|_| wrong("there is no access token to ask with"))?;
    bearer.set_sensitive(true);
    let request = FetchRequest::get(endpoint.clone()).header(AUTHORIZATION, bearer);
    let answer = providers.fetch.fetch(request).await.map_err(UpstreamDenial::Userinfo)?;
    if answer.status != StatusCode::OK {
        return Err(UpstreamDenial::Userinfo(FetchError::Status(answer.status.as_u16())));
    }
    answer.json().map_err(UpstreamDenial::Userinfo)
}
