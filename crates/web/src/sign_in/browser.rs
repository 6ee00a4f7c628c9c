//! What a browser sends along: cookies, and where it says a form comes from.
//!
//! Owns the headers; the cookies' names and attributes are core's. Never knows what a session may do.

use http::header::{COOKIE, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use lanyard_core::session::cookie;
use secrecy::SecretString;

/// The cookies of this issuer, in headers.
#[derive(Debug, Clone)]
pub(crate) struct Cookies(cookie::Cookies);

impl Cookies {
    /// `__Host-` cookies over https; other names without `Secure` in development on loopback.
    pub(crate) const fn new(secure: bool) -> Self {
        Self(cookie::Cookies::new(secure))
    }

    /// The secret of the session, if the browser has one.
    pub(crate) fn session(&self, headers: &HeaderMap) -> Option<SecretString> {
        self.0.session(sent(headers))
    }

    /// What form tokens of this browser are bound to.
    pub(crate) fn form(&self, headers: &HeaderMap) -> Option<SecretString> {
        self.0.browser(sent(headers))
    }

    /// By which this browser is known to people who signed in with it.
    pub(crate) fn known(&self, headers: &HeaderMap) -> Option<SecretString> {
        self.0.known(sent(headers))
    }

    /// Lets the browser be known from now on, also after it was closed.
    pub(crate) fn set_known(&self, headers: &mut HeaderMap, text: &SecretString) {
        append(headers, &self.0.give_known(text));
    }

    /// Gives the browser a session.
    pub(crate) fn set_session(&self, headers: &mut HeaderMap, secret: &SecretString) {
        append(headers, &self.0.give_session(secret));
    }

    /// Gives the browser something to bind forms to.
    pub(crate) fn set_form(&self, headers: &mut HeaderMap, secret: &SecretString) {
        append(headers, &self.0.give_browser(secret));
    }

    /// Takes the session away.
    pub(crate) fn clear_session(&self, headers: &mut HeaderMap) {
        append(headers, &self.0.take_session());
    }
}

fn sent(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok())
}

fn append(headers: &mut HeaderMap, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        headers.append(SET_COOKIE, value);
    }
}

/// Whether a form was sent by one of our own pages. Browsers say so in `Sec-Fetch-Site`; older ones name the origin.
/// An origin of `null` is what our own `no-referrer` pages send: then the form token alone decides.
pub(crate) fn is_own_form(headers: &HeaderMap, own_origin: &str) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    match headers.get(ORIGIN) {
        Some(origin) => origin == own_origin || origin == "null",
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn a_form_of_another_site_is_not_ours_sec_16() {
        let own = "https://login.example";
        assert!(is_own_form(&with("sec-fetch-site", "same-origin"), own));
        for other in ["cross-site", "same-site", "none"] {
            assert!(!is_own_form(&with("sec-fetch-site", other), own), "{other}");
        }
        assert!(is_own_form(&with("origin", own), own));
        assert!(!is_own_form(&with("origin", "https://evil.example"), own));
    }
}
