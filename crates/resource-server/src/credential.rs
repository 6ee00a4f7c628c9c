//! The bearer token of a request (RFC 6750, sections 2 and 3.1).
//!
//! Owns where a token may be and how it must be written. Never looks into it.

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Takes the token out of `Authorization`, the only place where one is accepted (RS-TK-03).
///
/// `None` means that the request carries no credentials of ours: no header, or another scheme.
///
/// # Errors
/// [`MalformedCredentials`] for several headers, a broken grammar or a token in the query (RS-TK-05).
pub fn bearer<'a>(headers: &'a HeaderMap, query: Option<&str>) -> Result<Option<&'a str>, MalformedCredentials> {
    if query.is_some_and(names_a_token) {
        return Err(MalformedCredentials("the query carries a token"));
    }
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(MalformedCredentials("there are several Authorization headers"));
    }
    let value = value
        .to_str()
        .map_err(|_| MalformedCredentials("the Authorization header is not ASCII"))?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.is_empty() || !scheme.bytes().all(is_token_byte) {
        return Err(MalformedCredentials("the Authorization header has no scheme"));
    }
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Ok(None);
    }
    let token = token.trim_matches(' ');
    if !is_b64token(token) {
        return Err(MalformedCredentials("the bearer token is not one token"));
    }
    Ok(Some(token))
}

/// Why credentials could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MalformedCredentials(pub(crate) &'static str);

fn names_a_token(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name.eq_ignore_ascii_case("access_token"))
}

/// `b64token` of RFC 6750, section 2.1.
fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    let is_allowed = |b| matches!(b, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    // To the end even after a byte that is none: many are then looked at at once.
    !body.is_empty() && body.bytes().fold(true, |all, b| all & is_allowed(b))
}

/// `tchar` of RFC 9110, section 5.6.2.
fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_scheme_is_read_without_case_rs_tk_05() {
        for scheme in ["Bearer", "bearer", "BEARER"] {
            assert_eq!(bearer(&headers(&[&format!("{scheme} a.b.c")]), None), Ok(Some("a.b.c")));
        }
    }

    #[test]
    fn another_scheme_or_no_header_is_no_credential() {
        assert_eq!(bearer(&headers(&[]), None), Ok(None));
        assert_eq!(bearer(&headers(&["Basic YTpi"]), None), Ok(None));
        assert_eq!(bearer(&headers(&["DPoP abc"]), None), Ok(None));
    }

    #[test]
    fn several_or_malformed_credentials_are_refused_rs_tk_05() {
        for bad in [
            &["Bearer a", "Bearer a"][..],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a,b"],
            &["Bearer a, Basic x"],
            &["Bearer ="],
            &["Bearer a\tb"],
            &[""],
            &[" Bearer"],
        ] {
            assert!(bearer(&headers(bad), None).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_token_in_the_query_is_refused_rs_tk_03() {
        for query in [
            "access_token=a",
            "x=1&access_token",
            "access%5Ftoken=a",
            "ACCESS_TOKEN=a",
        ] {
            assert!(bearer(&headers(&["Bearer a"]), Some(query)).is_err(), "{query}");
            assert!(bearer(&headers(&[]), Some(query)).is_err(), "{query}");
        }
        assert_eq!(bearer(&headers(&["Bearer a"]), Some("x=access_token")), Ok(Some("a")));
    }
}
