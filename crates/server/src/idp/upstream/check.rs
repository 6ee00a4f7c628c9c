//! What `lanyard idp test` finds at a provider before anybody signs in: discovery, keys, clock, credential.
//!
//! Owns the questions and their answers in plain words, each with its remedy. Asks the provider afresh, past the caches,
//! and changes nothing here or there.

mod metadata;
pub(crate) mod saml;
pub(crate) mod words;

use http::StatusCode;
use http::header::DATE;
use lanyard_core::clock::Timestamp;
use lanyard_core::cx::Cx;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::keys::vault::Vault;
use lanyard_core::upstream::connection::Connection;
use lanyard_core::upstream::oidc::OidcSettings;
use lanyard_fetch::{FetchRequest, FetchResponse};
use lanyard_jose::jwk::JwkSet;
use lanyard_jose::random;
use lanyard_protocol::form::Form;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use url::Url;

use super::provider::Provider;
use super::{Providers, client, redirect_uri};

/// How far the clock of an OpenID provider may differ, in seconds (SEC-07).
const LEEWAY: u64 = 30;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// How it is.
    pub result: FindingResult,
    /// What was found, in words.
    pub text: String,
    /// What mends it, or what to do with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingResult {
    /// As it should be.
    Good,
    /// It works, and somebody should know.
    Notice,
    /// Nobody can sign in before this is mended.
    Failed,
}

impl Finding {
    fn good(check: &str, text: impl Into<String>) -> Self {
        Self::new(check, FindingResult::Good, text, None)
    }

    fn notice(check: &str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(check, FindingResult::Notice, text, Some(remedy.into()))
    }

    fn failed(check: &str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(check, FindingResult::Failed, text, Some(remedy.into()))
    }

    fn new(check: &str, result: FindingResult, text: impl Into<String>, remedy: Option<String>) -> Self {
        Self {
            check: check.to_owned(),
            result,
            text: text.into(),
            remedy,
        }
    }
}

/// Walks through everything that can be seen without a person. Later questions are left out when an earlier answer
/// makes them meaningless.
pub(crate) async fn examine(
    cx: &Cx,
    vault: &Vault,
    providers: &Providers,
    own: &IdpSettings,
    connection: &Connection,
    settings: &OidcSettings,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let place = settings.issuer.well_known_appended("openid-configuration");
    let answer = match ask(providers, &place).await {
        Ok(answer) => answer,
        Err(error) => {
            findings.push(words::unreachable("discovery", &place, &error));
            return findings;
        }
    };
    let Some(document) = metadata::judge_document(settings, &place, &answer, &mut findings) else {
        return findings;
    };
    clock(cx.now, &answer, LEEWAY, &mut findings);
    let provider = metadata::judge(connection, settings, &document, &mut findings);
    let redirect = redirect_uri(own, &connection.name);
    findings.push(Finding::notice(
        "redirect URI",
        format!("Sign-ins come back to {redirect}"),
        "Register exactly this address at the provider.",
    ));
    let Some(provider) = provider else {
        return findings;
    };
    keys(providers, settings, &provider, &mut findings).await;
    // Told already; and what the provider says about a credential sent in a way it does not take proves nothing.
    if !metadata::takes_client_auth(settings, &document) {
        return findings;
    }
    credential(
        cx,
        vault,
        providers,
        connection,
        settings,
        &provider,
        &redirect,
        &mut findings,
    )
    .await;
    findings
}

async fn ask(providers: &Providers, place: &str) -> Result<FetchResponse, lanyard_fetch::FetchError> {
    let url = Url::parse(place).map_err(|_| lanyard_fetch::FetchError::Forbidden("not a URL"))?;
    providers.fetch.fetch(FetchRequest::get(url)).await
}

/// The provider's clock, by the `Date` of its answer: tokens are refused when it differs by more than the leeway.
fn clock(now: Timestamp, answer: &FetchResponse, allowed: u64, findings: &mut Vec<Finding>) {
    const CHECK: &str = "clock";
    let date = answer.headers.get(DATE).and_then(|value| value.to_str().ok());
    let Some(theirs) = date.and_then(Timestamp::parse_http_date) else {
        findings.push(Finding::notice(
            CHECK,
            "The provider's answer has no date to compare the clocks by.",
            "Nothing to do if sign-ins work; else compare the clocks by hand.",
        ));
        return;
    };
    let apart = now.seconds().saturating_sub(theirs.seconds());
    let seconds = apart.unsigned_abs();
    let words = if apart >= 0 { "behind" } else { "ahead of" };
    findings.push(match seconds {
        0..=5 => Finding::good(CHECK, "The provider's clock and ours agree."),
        6.. if seconds <= allowed => Finding::notice(
            CHECK,
            format!(
                "The provider's clock is {seconds} seconds {words} ours: within what is allowed ({allowed} seconds)."
            ),
            "Have both clocks set by NTP.",
        ),
        _ => Finding::failed(
            CHECK,
            format!(
                "The provider's clock is {seconds} seconds {words} ours: what it signs looks expired or not yet valid."
            ),
            "Have both clocks set by NTP; it may be ours that is wrong.",
        ),
    });
}

async fn keys(providers: &Providers, settings: &OidcSettings, provider: &Provider, findings: &mut Vec<Finding>) {
    const CHECK: &str = "keys";
    let answer = match ask(providers, &provider.jwks_uri).await {
        Ok(answer) => answer,
        Err(error) => {
            findings.push(words::unreachable(CHECK, &provider.jwks_uri, &error));
            return;
        }
    };
    if answer.status != StatusCode::OK {
        findings.push(Finding::failed(
            CHECK,
            format!(
                "{} answered with status {}: the provider's keys are not there.",
                provider.jwks_uri,
                answer.status.as_u16()
            ),
            "The provider names this address itself (jwks_uri): check its health, and whether it knows under which public \
             address it is reached.",
        ));
        return;
    }
    let set = match JwkSet::parse(&answer.body) {
        Ok(set) => set,
        Err(error) => {
            findings.push(Finding::failed(
                CHECK,
                format!("{} is no set of keys: {error}.", provider.jwks_uri),
                "The provider names this address itself (jwks_uri): check it there.",
            ));
            return;
        }
    };
    let usable = set
        .keys
        .iter()
        .filter(|key| key.algorithms().iter().any(|one| settings.algorithms.contains(one)))
        .count();
    findings.push(match usable {
        0 => Finding::failed(
            CHECK,
            format!("{} has no key for an accepted algorithm.", provider.jwks_uri),
            "Have the provider sign with RS256, PS256, ES256, ES384 or EdDSA, or name its algorithm in `algorithms`.",
        ),
        count => Finding::good(
            CHECK,
            format!("{count} of {} published keys can be used.", set.keys.len()),
        ),
    });
}

/// Whether the provider takes our credential: a code that cannot be right is refused for the code, or before that for
/// the client.
#[expect(clippy::too_many_arguments, reason = "the parts of one request")]
async fn credential(
    cx: &Cx,
    vault: &Vault,
    providers: &Providers,
    connection: &Connection,
    settings: &OidcSettings,
    provider: &Provider,
    redirect: &str,
    findings: &mut Vec<Finding>,
) {
    const CHECK: &str = "client";
    let form = Form::default()
        .with("grant_type", "authorization_code")
        .with("code", "lanyard-idp-test")
        .with("redirect_uri", redirect)
        .with("code_verifier", random::token(&*cx.random).expose_secret());
    let request = match client::token_request(cx, vault, connection, settings, provider, form) {
        Ok(request) => request,
        Err(denial) => {
            let remedy = "Set the credential again with `lanyard idp update`: it was sealed under another key.";
            findings.push(Finding::failed(CHECK, format!("{denial}."), remedy));
            return;
        }
    };
    let answer = match providers.fetch.fetch(request).await {
        Ok(answer) => answer,
        Err(error) => {
            findings.push(words::unreachable(CHECK, provider.token.as_str(), &error));
            return;
        }
    };
    findings.push(words::client(&answer, settings));
}
