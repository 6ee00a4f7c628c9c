//! Lanyard's own additions at its issuer: which connectors this person may reach, and the keys of their machines.
//!
//! Owns the requests and judgements. Never stores a key.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use lanyard_fetch::{FetchRequest, FetchResponse};
use lanyard_protocol::connectors::{EnrolKeyRequest, EnrolledKey, ReachableConnectors};
use lanyard_protocol::json;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::credentials::CredentialError;
use crate::token_endpoint::{TokenError, error_response, protected_url};

/// Asks for the connectors that the person may reach. `endpoint` is `lanyard_connectors_endpoint` of the issuer.
///
/// # Errors
/// [`TokenError::Endpoint`].
pub fn list_request(endpoint: &str, access_token: &SecretString) -> Result<FetchRequest, TokenError> {
    bearer(FetchRequest::get(protected_url(endpoint)?), access_token)
}

/// Judges the answer to [`list_request`].
///
/// # Errors
/// The server's refusal, or [`TokenError::Unreadable`].
pub fn list_response(response: &FetchResponse) -> Result<ReachableConnectors, TokenError> {
    if response.status != StatusCode::OK {
        return Err(error_response(response));
    }
    json::from_slice(&response.body).map_err(|_| TokenError::Unreadable)
}

/// Asks the issuer to accept a key of this machine.
///
/// # Errors
/// [`TokenError::Endpoint`].
pub fn enrol_request(
    endpoint: &str,
    access_token: &SecretString,
    enrolment: &EnrolKeyRequest,
) -> Result<FetchRequest, TokenError> {
    let mut request = FetchRequest::get(keys_url(endpoint, None)?);
    request.method = Method::POST;
    request.body = serde_json::to_vec(enrolment).map_err(|_| TokenError::Unreadable)?;
    request
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    bearer(request, access_token)
}

/// Judges the answer to [`enrol_request`].
///
/// # Errors
/// The server's refusal, or [`TokenError::Unreadable`].
pub fn enrol_response(response: &FetchResponse) -> Result<EnrolledKey, TokenError> {
    if !matches!(response.status, StatusCode::OK | StatusCode::CREATED) {
        return Err(error_response(response));
    }
    json::from_slice(&response.body).map_err(|_| TokenError::Unreadable)
}

/// Asks the issuer to forget a key of this person.
///
/// # Errors
/// [`TokenError::Endpoint`].
pub fn remove_key_request(endpoint: &str, access_token: &SecretString, kid: &str) -> Result<FetchRequest, TokenError> {
    let mut request = FetchRequest::get(keys_url(endpoint, Some(kid))?);
    request.method = Method::DELETE;
    bearer(request, access_token)
}

/// Judges the answer to [`remove_key_request`]; a key that is not there is as good as removed.
///
/// # Errors
/// The server's refusal.
pub fn remove_key_response(response: &FetchResponse) -> Result<(), TokenError> {
    let gone = response.status.is_success() || response.status == StatusCode::NOT_FOUND;
    if gone { Ok(()) } else { Err(error_response(response)) }
}

/// The keys endpoint lies below the connectors endpoint.
fn keys_url(endpoint: &str, kid: Option<&str>) -> Result<Url, TokenError> {
    let mut url = protected_url(endpoint)?;
    {
        let mut path = url.path_segments_mut().map_err(|()| TokenError::Endpoint)?;
        path.pop_if_empty().push("keys");
        if let Some(kid) = kid {
            path.push(kid);
        }
    }
    Ok(url)
}

fn bearer(mut request: FetchRequest, access_token: &SecretString) -> Result<FetchRequest, TokenError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", access_token.expose_secret()))
        .map_err(|_| TokenError::Credential(CredentialError))?;
    value.set_sensitive(true);
    request.headers.insert(AUTHORIZATION, value);
    request
        .headers
        .insert(ACCEPT, HeaderValue::from_static("application/json"));
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_cannot_leave_its_path_segment() {
        let url = keys_url("https://idp.example/connectors", Some("a/../b?x")).unwrap();
        assert_eq!(url.as_str(), "https://idp.example/connectors/keys/a%2F..%2Fb%3Fx");
    }
}
