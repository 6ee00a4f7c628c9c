//! What is told about an answer that did not come, or came as an error.

use lanyard_core::upstream::oidc::OidcSettings;
use lanyard_fetch::{FetchError, FetchResponse};
use serde::Deserialize;

use super::Finding;
use crate::idp::upstream::denial::error_code;

/// A request that brought no answer, with what mends it.
pub(crate) fn unreachable(check: &str, place: &str, error: &FetchError) -> Finding {
    let (what, remedy) = match error {
        FetchError::Forbidden("a redirect") => (
            "it redirects elsewhere, which is not followed",
            "Take the address that it redirects to as the issuer, if it is the provider's own.",
        ),
        FetchError::Forbidden("a private address without an allow rule") => (
            "it is in a private network, where nothing may be asked without a rule",
            "Add the host to `outbound.allow` in the configuration.",
        ),
        FetchError::Forbidden("plain http") => (
            "plain http is not allowed off this machine",
            "Have the provider serve https, and write the issuer with https://.",
        ),
        FetchError::Forbidden(_) => (
            "the address is one that may not be asked",
            "Check the address; loopback works in development only, metadata services never.",
        ),
        FetchError::Unreachable => (
            "nothing answers there",
            "Check the address, the name service and the firewall between here and the provider.",
        ),
        FetchError::Timeout => (
            "it did not answer within five seconds",
            "Check the provider's health and the network between here and it.",
        ),
        FetchError::Tls => (
            "its certificate is not trusted here",
            "Add the certificate authority to `outbound.ca_files`, or mend the provider's certificate chain.",
        ),
        FetchError::TooLarge => (
            "the answer is larger than such a document can be",
            "Check the address: this is not a provider's document.",
        ),
        _ => ("the answer cannot be used", "Check the address."),
    };
    Finding::failed(check, format!("{place}: {what}."), remedy)
}

#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    error: String,
}

/// How the token endpoint took our credential together with a code that cannot be right.
pub(super) fn client(answer: &FetchResponse, settings: &OidcSettings) -> Finding {
    const CHECK: &str = "client";
    let said: Said = lanyard_protocol::json::from_slice(&answer.body).unwrap_or_default();
    match said.error.as_str() {
        "invalid_grant" => Finding::good(
            CHECK,
            format!(
                "The provider accepts client {} with its credential.",
                settings.client_id
            ),
        ),
        "invalid_client" => Finding::failed(
            CHECK,
            format!(
                "The provider does not accept client {} with this credential.",
                settings.client_id
            ),
            "Check client id and secret, whether the secret has expired, and that the provider expects the same way \
             of sending it (`client_auth`).",
        ),
        "unauthorized_client" => Finding::failed(
            CHECK,
            "The provider does not let this client use the authorization code flow, or does not accept its secret.",
            "Switch the authorization code flow (\"Standard flow\") on for the client, and check its secret.",
        ),
        "" => Finding::notice(
            CHECK,
            format!(
                "The token endpoint answered with status {}, which tells nothing.",
                answer.status.as_u16()
            ),
            "Try a dry sign-in.",
        ),
        other => Finding::notice(
            CHECK,
            format!("The token endpoint answered {}.", error_code(other)),
            "Try a dry sign-in: some providers look at the code before they look at the client.",
        ),
    }
}
