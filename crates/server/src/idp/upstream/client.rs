//! Proving ourselves at a provider's token endpoint (OpenID Connect Core, section 9).
//!
//! Owns the three ways. Never keeps an opened credential longer than the request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderValue};
use lanyard_core::cx::Cx;
use lanyard_core::keys::vault::Vault;
use lanyard_core::upstream::connection::{Connection, Preset};
use lanyard_core::upstream::oidc::{OidcSettings, UpstreamAuth};
use lanyard_core::upstream::secret;
use lanyard_fetch::FetchRequest;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_jose::random;
use lanyard_protocol::form::{Form, encode};
use secrecy::{ExposeSecret, SecretSlice};
use serde_json::json;

use super::denial::UpstreamDenial;
use super::provider::Provider;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long an assertion is good for, in seconds.
const ASSERTION_TTL: i64 = 60;

/// The token request with our proof in it.
pub(super) fn token_request(
    cx: &Cx,
    vault: &Vault,
    connection: &Connection,
    settings: &OidcSettings,
    provider: &Provider,
    form: Form,
) -> Result<FetchRequest, UpstreamDenial> {
    let credential = credential(vault, connection)?;
    let text = || std::str::from_utf8(credential.expose_secret()).map_err(|_| UpstreamDenial::Credential);
    match settings.client_auth {
        UpstreamAuth::ClientSecretBasic => {
            let pair = format!("{}:{}", encode(&settings.client_id), encode(text()?));
            let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
                .map_err(|_| UpstreamDenial::Credential)?;
            value.set_sensitive(true);
            Ok(FetchRequest::post_form(provider.token.clone(), &form).header(AUTHORIZATION, value))
        }
        UpstreamAuth::ClientSecretPost => {
            let form = form
                .with("client_id", &settings.client_id)
                .with("client_secret", text()?);
            Ok(FetchRequest::post_form(provider.token.clone(), &form))
        }
        UpstreamAuth::PrivateKeyJwt => {
            let key = SigningKey::from_pkcs8(Algorithm::Es256, credential.expose_secret())
                .map_err(|_| UpstreamDenial::Credential)?;
            let now = cx.now.seconds();
            let claims = json!({
                "iss": settings.client_id,
                "sub": settings.client_id,
                "aud": audience(connection.preset, settings, provider),
                "jti": random::token(&*cx.random).expose_secret(),
                "iat": now,
                "exp": now.saturating_add(ASSERTION_TTL),
            });
            let assertion = key.sign("JWT", &claims).map_err(|_| UpstreamDenial::Credential)?;
            let form = form
                .with("client_id", &settings.client_id)
                .with("client_assertion_type", JWT_BEARER)
                .with("client_assertion", assertion);
            Ok(FetchRequest::post_form(provider.token.clone(), &form))
        }
    }
}

/// Whom an assertion is for: the issuer (SEC-03). Okta and Ping take only the address of the token endpoint, which then
/// must be on the issuer's own host, so that metadata cannot name somebody else's.
fn audience<'a>(preset: Preset, settings: &'a OidcSettings, provider: &'a Provider) -> &'a str {
    let own_host = provider.token.origin().ascii_serialization() == settings.issuer.origin();
    match preset {
        Preset::Okta | Preset::Ping if own_host => provider.token.as_str(),
        Preset::Okta | Preset::Ping | Preset::Plain | Preset::Entra | Preset::Google | Preset::Keycloak => {
            settings.issuer.as_str()
        }
    }
}

fn credential(vault: &Vault, connection: &Connection) -> Result<SecretSlice<u8>, UpstreamDenial> {
    let sealed = connection.sealed_secret.as_deref().ok_or(UpstreamDenial::Credential)?;
    secret::open_credential(vault, &connection.id, sealed).map_err(|_| UpstreamDenial::Credential)
}
