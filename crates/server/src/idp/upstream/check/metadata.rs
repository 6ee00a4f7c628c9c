//! A provider's discovery document under the eyes of an administrator.

use std::sync::Arc;

use http::StatusCode;
use lanyard_core::upstream::connection::{Connection, Preset};
use lanyard_core::upstream::oidc::OidcSettings;
use lanyard_fetch::FetchResponse;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use serde::Deserialize;

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
    // Only what is an issuer is shown.
    let shown = lanyard_protocol::issuer::Issuer::parse(theirs).map_or("something that is no issuer", |_| theirs);
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
    Finding::failed(
        DISCOVERY,
        format!("The provider at this address calls itself {shown}, not {own}."),
        "If that is the provider you mean, set the issuer to its own name; if not, somebody stands in between.",
    )
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
                "Every endpoint is there and protected by https.",
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

fn authentication(settings: &OidcSettings, document: &AuthorizationServerMetadata, findings: &mut Vec<Finding>) {
    let announced = &document.token_endpoint_auth_methods_supported;
    let own = settings.client_auth.as_str();
    if announced.is_empty() || announced.iter().any(|method| method == own) {
        return;
    }
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
    findings.push(Finding::failed(
        "client",
        format!("The provider does not take {own} at its token endpoint."),
        format!("Set `client_auth` to one that it takes: {}.", known.join(", ")),
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
