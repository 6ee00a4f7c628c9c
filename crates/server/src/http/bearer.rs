//! The token of a request to one of our own APIs: of an administrator, of a provisioning client (RFC 6750).

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The longest token that is looked at, in bytes: an access token of ours with many scopes stays far below.
const MAX_TOKEN: usize = 4096;

/// The token of exactly one `Authorization: Bearer` header.
pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    let good = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= MAX_TOKEN;
    good.then(|| token.to_owned())
}
