//! A provider's metadata, as far as it may be used.
//!
//! Owns which endpoints are acceptable (SEC-08, HT-01). Never sends anything.

use std::sync::Arc;

use lanyard_core::upstream::oidc::OidcSettings;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use lanyard_protocol::url_rules;
use url::Url;

use super::Providers;
use super::denial::UpstreamDenial;

/// Where to go at a provider.
#[derive(Debug, Clone)]
pub(super) struct Provider {
    pub(super) authorization: Url,
    pub(super) token: Url,
    pub(super) jwks_uri: String,
    pub(super) userinfo: Option<Url>,
    /// Whether every answer names the issuer (RFC 9207).
    pub(super) names_itself: bool,
}

/// The metadata of a connection's provider, checked.
pub(super) async fn find(providers: &Providers, settings: &OidcSettings) -> Result<Provider, UpstreamDenial> {
    let metadata = providers.metadata.openid_provider(&settings.issuer).await?;
    read(settings, &metadata)
}

/// Checks a document whose issuer is the connection's.
pub(super) fn read(
    settings: &OidcSettings,
    metadata: &Arc<AuthorizationServerMetadata>,
) -> Result<Provider, UpstreamDenial> {
    let takes_s256 = metadata
        .code_challenge_methods_supported
        .iter()
        .any(|method| method == "S256");
    if !takes_s256 && !settings.pkce_unannounced {
        return Err(UpstreamDenial::NoPkce);
    }
    let endpoint = |name, value: &Option<String>| endpoint(settings, name, value.as_deref());
    Ok(Provider {
        authorization: endpoint("authorization_endpoint", &metadata.authorization_endpoint)?,
        token: endpoint("token_endpoint", &metadata.token_endpoint)?,
        jwks_uri: endpoint("jwks_uri", &metadata.jwks_uri)?.into(),
        userinfo: match settings.userinfo {
            true => Some(endpoint("userinfo_endpoint", &metadata.userinfo_endpoint)?),
            false => None,
        },
        names_itself: metadata.authorization_response_iss_parameter_supported,
    })
}

/// `https`; plain `http` on loopback only for a provider that is there itself.
fn endpoint(settings: &OidcSettings, name: &'static str, value: Option<&str>) -> Result<Url, UpstreamDenial> {
    let wrong = UpstreamDenial::Endpoint(name);
    let Some(url) = value.and_then(|value| Url::parse(value).ok()) else {
        return Err(wrong);
    };
    let protected = url.scheme() == "https" || (settings.issuer.is_plain_http() && url_rules::is_protected(&url));
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if protected && plain && url.host().is_some() {
        Ok(url)
    } else {
        Err(wrong)
    }
}
