//! Revoking a token at the server that issued it (RFC 7009).
//!
//! Owns the request and the judgement. Never decides what to revoke.

use lanyard_fetch::{FetchRequest, FetchResponse};
use lanyard_protocol::form::Form;
use secrecy::{ExposeSecret as _, SecretString};

use crate::credentials::Caller;
use crate::token_endpoint::{TokenError, error_response, token_request};

/// Builds the revocation of a refresh token.
///
/// # Errors
/// [`TokenError::Endpoint`].
pub fn revoke_request(endpoint: &str, caller: &Caller<'_>, token: &SecretString) -> Result<FetchRequest, TokenError> {
    let form = Form::default()
        .with("token", token.expose_secret())
        .with("token_type_hint", "refresh_token");
    token_request(endpoint, caller, form)
}

/// 200 is success, for an unknown token too (RFC 7009, section 2.2).
///
/// # Errors
/// The server's refusal.
pub fn revoke_response(response: &FetchResponse) -> Result<(), TokenError> {
    if response.status == http::StatusCode::OK {
        Ok(())
    } else {
        Err(error_response(response))
    }
}
