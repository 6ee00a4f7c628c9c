//! From the metadata of a SAML identity provider to what is pinned.
//!
//! Owns fetching and the words about what is wrong with a document. Never writes.

use http::StatusCode;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::upstream::saml::SamlSettings;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_federation::saml::metadata::IdentityProviderMetadata;
use lanyard_fetch::FetchRequest;
use url::Url;

use super::MetadataRequest;
use crate::admin::deps::Upstreams;
use crate::idp::upstream::check::words;

/// The largest document that is fetched, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// Reads the document that was given or named.
pub(super) async fn read(upstream: Option<&Upstreams>, asked: &MetadataRequest) -> Result<SamlSettings, AdminDenial> {
    let fetched;
    let (field, bytes) = match (&asked.xml, &asked.url) {
        (Some(xml), None) => ("xml", xml.as_bytes()),
        (None, Some(url)) => {
            fetched = fetch(upstream, url).await?;
            ("url", fetched.as_slice())
        }
        _ => return Err(AdminDenial::invalid("xml", "exactly one of xml and url is needed")),
    };
    let document = IdentityProviderMetadata::parse(bytes, asked.entity_id.as_deref())
        .map_err(|defect| AdminDenial::invalid(field, format!("this metadata cannot be used: {defect}")))?;
    let Some(sso_url) = document.sso_redirect else {
        let problem = "the provider has no SingleSignOnService with the HTTP-Redirect binding";
        return Err(AdminDenial::invalid(field, problem));
    };
    let settings = SamlSettings {
        entity_id: document.entity_id,
        sso_url,
        slo_url: document.slo_redirect,
        slo_response_url: document.slo_response,
        certificates: document.certificates.iter().map(Certificate::to_base64).collect(),
        valid_until: document.valid_until,
        idp_initiated: false,
        name_id_format: None,
        subject_attribute: None,
    };
    match settings.check() {
        Ok(()) => Ok(settings),
        Err((field, problem)) => Err(AdminDenial::invalid(field, problem)),
    }
}

async fn fetch(upstream: Option<&Upstreams>, address: &str) -> Result<Vec<u8>, AdminDenial> {
    let invalid = |problem: String| AdminDenial::invalid("url", problem);
    let Some(upstream) = upstream else {
        return Err(invalid(
            "metadata is fetched where the issuer role runs; send the document".to_owned(),
        ));
    };
    let url = Url::parse(address).map_err(|_| invalid(format!("{address} is no address")))?;
    let mut request = FetchRequest::get(url);
    request.max_body = MAX_BYTES;
    let answer = upstream.providers.fetch.fetch(request).await.map_err(|error| {
        let found = words::unreachable("metadata", address, &error);
        invalid(format!(
            "the url cannot be read: {} {}",
            found.text,
            found.remedy.unwrap_or_default()
        ))
    })?;
    if answer.status != StatusCode::OK {
        return Err(invalid(format!(
            "the url {address} answered with status {}",
            answer.status.as_u16()
        )));
    }
    Ok(answer.body.to_vec())
}
