//! What `lanyard idp test` finds about a SAML identity provider before anybody signs in: what is pinned, the address of
//! its sign-in, the clock, what to give it.
//!
//! Only browsers need to reach the provider: that we cannot is worth a word and no failure.

use http::StatusCode;
use lanyard_core::clock::Timestamp;
use lanyard_core::cx::Cx;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::upstream::connection::Connection;
use lanyard_core::upstream::saml::{SamlSettings, acs_url, entity_id};
use lanyard_federation::saml::certificate::Certificate;
use lanyard_fetch::FetchRequest;
use url::Url;

use super::{Finding, clock, words};
use crate::idp::upstream::Providers;

/// How far the clock of a SAML provider may differ, in seconds (SAML-06).
const SKEW: u64 = 60;
/// How long before its end a certificate is worth a word, in seconds.
const SOON: i64 = 30 * 86_400;

/// Walks through everything that can be seen without a person.
pub(crate) async fn examine(
    cx: &Cx,
    providers: &Providers,
    own: &IdpSettings,
    connection: &Connection,
    settings: &SamlSettings,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    pinned(cx.now, settings, &mut findings);
    sign_in_address(cx, providers, settings, &mut findings).await;
    let metadata = entity_id(&own.issuer, &connection.name);
    findings.push(Finding::notice(
        "our metadata",
        format!("We are {metadata}, and our metadata is served there."),
        "Import it at the provider, or enter this address as the entity id (audience).",
    ));
    findings.push(Finding::notice(
        "answers",
        format!("Answers are posted to {}", acs_url(&own.issuer, &connection.name)),
        "Register exactly this address as the assertion consumer service (reply URL), and have the assertion signed.",
    ));
    findings
}

fn pinned(now: Timestamp, settings: &SamlSettings, findings: &mut Vec<Finding>) {
    const CHECK: &str = "certificates";
    const AGAIN: &str = "Import the provider's metadata again: `lanyard idp update NAME --metadata FILE|URL`.";
    if settings.valid_until.is_some_and(|until| until <= now) {
        findings.push(Finding::notice(
            "metadata",
            "The provider's metadata, as it was imported, says that it is out of date.",
            AGAIN,
        ));
    }
    for text in &settings.certificates {
        let Ok(certificate) = Certificate::parse(text) else {
            findings.push(Finding::failed(CHECK, "A pinned certificate cannot be used.", AGAIN));
            continue;
        };
        let print: String = certificate.fingerprint().chars().take(16).collect();
        let left = certificate.not_after().seconds().saturating_sub(now.seconds());
        findings.push(if left <= 0 {
            Finding::notice(
                CHECK,
                format!(
                    "The certificate {print}… ended at {}. Its key is still believed, since it is pinned.",
                    certificate.not_after()
                ),
                AGAIN,
            )
        } else if left < SOON {
            Finding::notice(
                CHECK,
                format!(
                    "The certificate {print}… ends at {}: the provider will sign with another one soon.",
                    certificate.not_after()
                ),
                AGAIN,
            )
        } else {
            Finding::good(
                CHECK,
                format!("The certificate {print}… is good until {}.", certificate.not_after()),
            )
        });
    }
}

async fn sign_in_address(cx: &Cx, providers: &Providers, settings: &SamlSettings, findings: &mut Vec<Finding>) {
    const CHECK: &str = "sign-in address";
    let place = &settings.sso_url;
    let Ok(url) = Url::parse(place) else {
        findings.push(Finding::failed(
            CHECK,
            format!("{place} is no address."),
            "Check `sso_url`.",
        ));
        return;
    };
    let mut request = FetchRequest::get(url);
    request.show_redirects = true;
    match providers.fetch.fetch(request).await {
        Ok(answer) if answer.status == StatusCode::NOT_FOUND => {
            findings.push(Finding::notice(
                CHECK,
                format!("{place} answered that there is nothing."),
                "Compare it with the SingleSignOnService of the provider's metadata; some answer so without a request.",
            ));
            clock(cx.now, &answer, SKEW, findings);
        }
        Ok(answer) => {
            findings.push(Finding::good(CHECK, format!("{place} answers.")));
            clock(cx.now, &answer, SKEW, findings);
        }
        Err(error) => {
            let found = words::unreachable(CHECK, place, &error);
            findings.push(Finding::notice(
                CHECK,
                format!("{} The clocks could not be compared.", found.text),
                "Nothing to do if people's browsers reach it: we do not need to.",
            ));
        }
    }
}
