//! The headers of every page (SEC-11, SEC-16).
//!
//! Owns the content security policy. Never weakens it for a page.

use http::HeaderMap;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use url::{Host, Url};

/// Headers of a page whose form may lead to `target` in the end; the only scripts are our own embedded ones; browsers apply `form-action` to the redirect after
/// the form as well.
pub(crate) fn page(headers: &mut HeaderMap, target: Option<&str>, secure: bool) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    let form_action = match target.and_then(source) {
        Some(source) => format!("'self' {source}"),
        None => "'self'".to_owned(),
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    private(headers, secure);
}

/// Headers of pages and redirects alike.
pub(crate) fn private(headers: &mut HeaderMap, secure: bool) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// A source expression for a registered target: its origin; the scheme alone where the grammar of the policy has no
/// word for the host (an IPv6 literal, a private-use scheme).
fn source(target: &str) -> Option<String> {
    let url = Url::parse(target).ok()?;
    let scheme = url.scheme();
    Some(match url.host() {
        Some(Host::Domain(_) | Host::Ipv4(_)) if matches!(scheme, "http" | "https") => {
            url.origin().ascii_serialization()
        }
        _ => format!("{scheme}:"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_origin_of_the_target_is_added_to_the_policy() {
        assert_eq!(
            source("https://ide.example/cb?x=1").as_deref(),
            Some("https://ide.example")
        );
        assert_eq!(
            source("http://127.0.0.1:49711/cb").as_deref(),
            Some("http://127.0.0.1:49711")
        );
        assert_eq!(source("http://[::1]:49711/cb").as_deref(), Some("http:"));
        assert_eq!(source("com.example.app:/cb").as_deref(), Some("com.example.app:"));
    }

    #[test]
    fn a_target_cannot_add_words_to_the_policy() {
        for target in [
            "https://a.example; script-src *",
            "https://a.example/ 'unsafe-inline'",
            "javascript:alert(1);x",
        ] {
            let added = source(target).unwrap_or_default();
            assert!(!added.contains([' ', ';', '\'']), "{added}");
        }
    }
}
