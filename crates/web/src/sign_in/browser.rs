//! What a browser sends along: cookies, and where it says a form comes from.
//!
//! Owns names and attributes of cookies (SEC-16). Never knows what a session may do.

use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use http::header::{ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

/// How long a browser stays known after the last sign-in, in seconds: half a year.
const KNOWN_FOR: u64 = 180 * 86_400;

/// The cookies of this issuer.
#[derive(Debug, Clone)]
pub(crate) struct Cookies {
    session: &'static str,
    form: &'static str,
    known: &'static str,
    secure: bool,
}

impl Cookies {
    /// `__Host-` cookies over https; other names without `Secure` in development on loopback.
    pub(crate) const fn new(secure: bool) -> Self {
        if secure {
            Self {
                session: "__Host-lanyard_idp",
                form: "__Host-lanyard_idp_form",
                known: "__Host-lanyard_idp_known",
                secure,
            }
        } else {
            Self {
                session: "lanyard_dev_idp",
                form: "lanyard_dev_idp_form",
                known: "lanyard_dev_idp_known",
                secure,
            }
        }
    }

    /// The secret of the session, if the browser has one.
    pub(crate) fn session(&self, headers: &HeaderMap) -> Option<SecretString> {
        read(headers, self.session)
    }

    /// What form tokens of this browser are bound to.
    pub(crate) fn form(&self, headers: &HeaderMap) -> Option<SecretString> {
        read(headers, self.form)
    }

    /// By which this browser is known to people who signed in with it.
    pub(crate) fn known(&self, headers: &HeaderMap) -> Option<SecretString> {
        read(headers, self.known)
    }

    /// Lets the browser be known from now on, also after it was closed.
    pub(crate) fn set_known(&self, headers: &mut HeaderMap, text: &SecretString) {
        let cookie = self.cookie(self.known, text.expose_secret().to_owned());
        if let Ok(value) = HeaderValue::from_str(&format!("{cookie}; Max-Age={KNOWN_FOR}")) {
            headers.append(SET_COOKIE, value);
        }
    }

    /// Gives the browser a session.
    pub(crate) fn set_session(&self, headers: &mut HeaderMap, secret: &SecretString) {
        self.set(headers, self.session, secret.expose_secret().to_owned());
    }

    /// Gives the browser something to bind forms to.
    pub(crate) fn set_form(&self, headers: &mut HeaderMap, secret: &SecretString) {
        self.set(headers, self.form, secret.expose_secret().to_owned());
    }

    /// Takes the session away.
    pub(crate) fn clear_session(&self, headers: &mut HeaderMap) {
        let mut cookie = self.cookie(self.session, String::new());
        cookie.make_removal();
        append(headers, &cookie);
    }

    fn set(&self, headers: &mut HeaderMap, name: &'static str, value: String) {
        append(headers, &self.cookie(name, value));
    }

    fn cookie(&self, name: &'static str, value: String) -> Cookie<'static> {
        Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .build()
    }
}

fn read(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    let jar = CookieJar::from_headers(headers);
    jar.get(name)
        .map(|cookie| SecretString::from(cookie.value().to_owned()))
}

fn append(headers: &mut HeaderMap, cookie: &Cookie<'_>) {
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
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
    fn the_session_cookie_has_every_protection_sec_16() {
        let mut headers = HeaderMap::new();
        Cookies::new(true).set_session(&mut headers, &SecretString::from("s".to_owned()));
        let cookie = headers.get(SET_COOKIE).unwrap().to_str().unwrap();
        assert!(cookie.starts_with("__Host-lanyard_idp=s;"), "{cookie}");
        for word in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(cookie.contains(word), "{word} in {cookie}");
        }
        assert!(!cookie.contains("Domain"));
    }

    #[test]
    fn in_development_the_cookie_has_another_name_and_is_not_secure() {
        let mut headers = HeaderMap::new();
        Cookies::new(false).set_session(&mut headers, &SecretString::from("s".to_owned()));
        let cookie = headers.get(SET_COOKIE).unwrap().to_str().unwrap();
        assert!(
            cookie.starts_with("lanyard_dev_idp=s;") && !cookie.contains("Secure"),
            "{cookie}"
        );
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
