//! How a client becomes known to an authorization server of the code flow (CL-RG-01; RFC 7591; CIMD).
//!
//! Owns the registration request and the order of preference. Never used under Enterprise-Managed Authorization, where
//! registrations are made by administrators.

use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use lanyard_fetch::{FetchRequest, FetchResponse};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::json;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use secrecy::SecretString;
use serde::Deserialize;

use crate::credentials::{ClientAuth, ClientIdentity};
use crate::token_endpoint::{TokenError, error_response, protected_url};

/// Builds the dynamic registration of a native client.
///
/// # Errors
/// [`TokenError::Endpoint`] without a usable endpoint.
pub fn register_request(
    metadata: &AuthorizationServerMetadata,
    client_name: &str,
    redirect_uri: &str,
) -> Result<FetchRequest, TokenError> {
    let url = protected_url(metadata.registration_endpoint.as_deref().ok_or(TokenError::Endpoint)?)?;
    let body = serde_json::json!({
        "client_name": client_name,
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": preferred_method(metadata),
        "application_type": "native",
    });
    let mut request = FetchRequest::get(url);
    request.method = Method::POST;
    request.body = body.to_string().into_bytes();
    request
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request
        .headers
        .insert(ACCEPT, HeaderValue::from_static("application/json"));
    Ok(request)
}

/// Judges the answer: the identity to use at this server and nowhere else (CL-ST-02).
///
/// # Errors
/// The server's refusal, or [`TokenError::Unreadable`].
pub fn register_response(
    metadata: &AuthorizationServerMetadata,
    response: &FetchResponse,
) -> Result<ClientIdentity, TokenError> {
    #[derive(Deserialize)]
    struct Registered {
        client_id: ClientId,
        client_secret: Option<String>,
        token_endpoint_auth_method: Option<String>,
    }
    if !matches!(response.status, StatusCode::OK | StatusCode::CREATED) {
        return Err(error_response(response));
    }
    let registered: Registered = json::from_slice(&response.body).map_err(|_| TokenError::Unreadable)?;
    let method = registered
        .token_endpoint_auth_method
        .as_deref()
        .unwrap_or_else(|| preferred_method(metadata));
    let auth = match registered
        .client_secret
        .filter(|secret| !secret.is_empty())
        .map(SecretString::from)
    {
        Some(secret) if method == "client_secret_post" => ClientAuth::SecretPost(secret),
        Some(secret) if method != "none" => ClientAuth::SecretBasic(secret),
        _ => ClientAuth::None,
    };
    Ok(ClientIdentity {
        client_id: registered.client_id,
        auth,
    })
}

/// A credential of a kind that the server takes, for a secret obtained beforehand.
pub fn with_secret(
    metadata: &AuthorizationServerMetadata,
    client_id: ClientId,
    secret: SecretString,
) -> ClientIdentity {
    let methods = &metadata.token_endpoint_auth_methods_supported;
    let lists = |wanted: &str| methods.iter().any(|method| method == wanted);
    let post_only = lists("client_secret_post") && !lists("client_secret_basic");
    let auth = if post_only {
        ClientAuth::SecretPost(secret)
    } else {
        ClientAuth::SecretBasic(secret)
    };
    ClientIdentity { client_id, auth }
}

/// A native program keeps no secret if the server lets it (CL-ST-03); `client_secret_basic` is the default of RFC 8414.
fn preferred_method(metadata: &AuthorizationServerMetadata) -> &'static str {
    let methods = &metadata.token_endpoint_auth_methods_supported;
    ["none", "client_secret_basic", "client_secret_post"]
        .into_iter()
        .find(|wanted| methods.iter().any(|method| method == wanted))
        .unwrap_or("client_secret_basic")
}
