//! A door for the fuzz targets (SEC-22): not part of the interface.
//!
//! Owns nothing. Never used by the program.

use secrecy::ExposeSecret as _;

use crate::oauth::client_auth::read_basic;

/// Client and secret of an `Authorization` header, if it is Basic.
pub fn basic(header: &[u8]) -> Option<(String, String)> {
    let (client_id, secret) = read_basic(header)?;
    Some((client_id.as_str().to_owned(), secret.expose_secret().to_owned()))
}
