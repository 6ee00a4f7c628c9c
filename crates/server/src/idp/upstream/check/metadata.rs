//! A provider's discovery document under the eyes of an administrator.

use std::sync::Arc;

use http::StatusCode;
use lanyard_core::upstream::connection::{Connection, Preset};
use lanyard_core::upstream::oidc::OidcSettings;
use lanyard_fetch::FetchResponse;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use serde::Deserialize;
use url::Url;

use super::Finding;
use crate::idp::upstream::denial::UpstreamDenial;
use crate::idp::upstream::provider::{self, Provider};

const DISCOVERY: &str = "discovery";

/// Just the name, for a document that is wrong otherwise.
#[derive(Deserialize)]
struct Named {
    issuer: String,
}

/// Whether the answer is the issuer's document.
pub(super) fn judge_document(
    settings: &OidcSettings,
    place: &str,
    answer: &FetchResponse,
    findings: &mut Vec<Finding>,
) -> Option<Arc<AuthorizationServerMetadata>> {
    if answer.status != StatusCode::OK || !answer.is_json() {
        findings.push(Finding::failed(
            DISCOVERY,
            format!(
                "{place} answered with status {} and no JSON: there is no provider of this issuer.",
                answer.status.as_u16()
            ),
            "Check the issuer: the document stands at <issuer>/.well-known/openid-configuration. For Keycloak the issuer \
             ends in /realms/<realm>, for Okta's own server it is the bare domain.",
        ));
        return None;
    }
    let own = settings.issuer.as_str();
    let Ok(named) = lanyard_protocol::json::from_slice::<Named>(&answer.body) else {
        findings.push(Finding::failed(
            DISCOVERY,
            format!("{place} is no discovery document: it names no issuer."),
            "Check the address.",
        ));
        return None;
    };
    if named.issuer != own {
        findings.push(other_issuer(own, &named.issuer));
        return None;
    }
    match lanyard_protocol::json::from_slice(&answer.body) {
        Ok(document) => {
            findings.push(Finding::good(
                DISCOVERY,
                format!("The provider calls itself {own}, as the connection does."),
            ));
            Some(Arc::new(document))
        }
        Err(error) => {
            findings.push(Finding::failed(
                DISCOVERY,
                format!("{place} is not a discovery document that can be read: {error}."),
                "Tell the provider's maker.",
            ));
            None
        }
    }
}

fn other_issuer(own: &str, theirs: &str) -> Finding {
    let usable = Issuer::parse(theirs).is_ok();
    let shown = match usable || is_plain_address(theirs) {
        true => theirs,
        false => "something that is no issuer",
    };
    if own.trim_end_matches('/') == theirs.trim_end_matches('/') {
        return Finding::failed(
            DISCOVERY,
            format!("The provider calls itself {shown}, the connection {own}: only the slash at the end differs."),
            format!("Set the issuer to {shown}, to the letter."),
        );
    }
    if own.eq_ignore_ascii_case(theirs) {
        return Finding::failed(
            DISCOVERY,
            format!("The provider calls itself {shown}, the connection {own}: only upper and lower case differ."),
            format!("Set the issuer to {shown}, to the letter."),
        );
    }
    let remedy = match usable {
        true => {
            "If that is the provider you mean, set the issuer to its own name, or behind a proxy tell the provider its public \
             address; if not, somebody stands in between."
        }
        false => {
            "An issuer is an https address. Behind a proxy, tell the provider its public address (Keycloak: `--hostname`); \
             if it is not the provider you mean, check the issuer."
        }
    };
    Finding::failed(
        DISCOVERY,
        format!("The provider at this address calls itself {shown}, not {own}."),
        remedy,
    )
}

/// Whether it is an address that can be told to a person as it is, though no issuer: the inner one behind a proxy is plain
/// http.
fn is_plain_address(text: &str) -> bool {
    let short = text.len() <= 512 && text.bytes().all(|b| b.is_ascii_graphic());
    short
        && Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host().is_some()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        })
}

/// Endpoints, algorithms, ways to authenticate, scopes.
pub(super) fn judge(
    connection: &Connection,
    settings: &OidcSettings,
    document: &Arc<AuthorizationServerMetadata>,
    findings: &mut Vec<Finding>,
) -> Option<Provider> {
    let provider = match provider::read(settings, document) {
        Ok(provider) => {
            findings.push(Finding::good(
                "endpoints",
                match has_plain_http(&provider) {
                    true => "Every endpoint is there; plain http is allowed because they are on this machine.",
                    false => "Every endpoint is there and protected by https.",
                },
            ));
            Some(provider)
        }
        Err(denial) => {
            findings.push(endpoints(&denial));
            None
        }
    };
    algorithms(settings, document, findings);
    authentication(settings, document, findings);
    scopes(connection, settings, document, findings);
    findings.push(if document.authorization_response_iss_parameter_supported {
        Finding::good("mix-up", "The provider names itself in its answers (RFC 9207).")
    } else {
        Finding::notice(
            "mix-up",
            "The provider does not name itself in its answers (RFC 9207).",
            "Nothing to do: this connection has a redirect URI of its own, which answers to another one do not reach.",
        )
    });
    provider
}

/// Whether an endpoint is reached without TLS: on this machine, in development.
fn has_plain_http(provider: &Provider) -> bool {
    let others = [
        Some(&provider.authorization),
        Some(&provider.token),
        provider.userinfo.as_ref(),
    ];
    provider.jwks_uri.starts_with("http:") || others.into_iter().flatten().any(|url| url.scheme() == "http")
}

fn endpoints(denial: &UpstreamDenial) -> Finding {
    match denial {
        UpstreamDenial::NoPkce => Finding::failed(
            "PKCE",
            "The provider does not announce PKCE with S256 (code_challenge_methods_supported).",
            "Switch it on at the provider. If its manual says that it is supported all the same, set \
             `pkce_unannounced = true`.",
        ),
        other => Finding::failed(
            "endpoints",
            format!("{other}."),
            "Check that the provider knows under which public address it is reached: behind a proxy many providers \
             announce the inner one.",
        ),
    }
}

fn algorithms(settings: &OidcSettings, document: &AuthorizationServerMetadata, findings: &mut Vec<Finding>) {
    let announced = &document.id_token_signing_alg_values_supported;
    let common = announced
        .iter()
        .any(|name| settings.algorithms.iter().any(|own| own.as_str() == name));
    if announced.is_empty() || common {
        return;
    }
    findings.push(Finding::failed(
        "algorithms",
        "The provider signs ID tokens with no algorithm that this connection accepts.",
        "Name one of its asymmetric algorithms in `algorithms`; HS256 is never accepted.",
    ));
}

/// Whether the provider takes our way to authenticate, as far as it says.
pub(super) fn takes_client_auth(settings: &OidcSettings, document: &AuthorizationServerMetadata) -> bool {
    let announced = &document.token_endpoint_auth_methods_supported;
    let own = settings.client_auth.as_str();
    announced.is_empty() || announced.iter().any(|method| method == own)
}

fn authentication(settings: &OidcSettings, document: &AuthorizationServerMetadata, findings: &mut Vec<Finding>) {
    if takes_client_auth(settings, document) {
        return;
    }
    let announced = &document.token_endpoint_auth_methods_supported;
    let own = settings.client_auth.as_str();
    let known: Vec<&str> = announced
        .iter()
        .map(String::as_str)
        .filter(|method| {
            matches!(
                *method,
                "client_secret_basic" | "client_secret_post" | "private_key_jwt"
            )
        })
        .collect();
    let remedy = match known.is_empty() {
        true => "Switch client_secret_basic, client_secret_post or private_key_jwt on at the provider.".to_owned(),
        false => format!("Set `client_auth` to one that it takes: {}.", known.join(", ")),
    };
    findings.push(Finding::failed(
        "client",
        format!("The provider does not take {own} at its token endpoint."),
        remedy,
    ));
}

fn scopes(
    connection: &Connection,
    settings: &OidcSettings,
    document: &AuthorizationServerMetadata,
    findings: &mut Vec<Finding>,
) {
    let announced = &document.scopes_supported;
    let unknown: Vec<&str> = settings
        .scopes
        .iter()
        .map(String::as_str)
        .filter(|scope| !announced.is_empty() && !announced.iter().any(|own| own == scope))
        .collect();
    if !unknown.is_empty() {
        findings.push(Finding::notice(
            "scopes",
            format!("The provider does not announce the scopes {}.", unknown.join(" ")),
            "It may refuse the sign-in or leave claims out: ask for what it has, or set them up there.",
        ));
    }
    if connection.mapping.groups.is_some()
        && connection.preset == Preset::Okta
        && !settings.scopes.iter().any(|scope| scope == "groups")
    {
        findings.push(Finding::notice(
            "groups",
            "Groups are mapped, but the scope groups is not asked for.",
            "Okta's own authorization server sends groups only for it: add it to `scopes`.",
        ));
    }
}
