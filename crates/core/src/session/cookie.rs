//! The cookies of the sign-in pages as texts, for every room that reads or writes one (SEC-16).
//!
//! Owns names, attributes and the encoding. Never knows HTTP and never what a session may do.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use secrecy::{ExposeSecret, SecretString};

/// How long a browser stays known after the last sign-in: half a year.
const KNOWN_FOR: Duration = Duration::from_secs(180 * 86_400);

/// The cookies of an issuer.
#[derive(Debug, Clone)]
pub struct Cookies {
    session: &'static str,
    browser: &'static str,
    known: &'static str,
    secure: bool,
}

impl Cookies {
    /// `__Host-` cookies over https; other names without `Secure` in development on loopback.
    pub const fn new(secure: bool) -> Self {
        if secure {
            Self {
                session: "__Host-lanyard_idp",
                browser: "__Host-lanyard_idp_form",
                known: "__Host-lanyard_idp_known",
                secure,
            }
        } else {
            Self {
                session: "lanyard_dev_idp",
                browser: "lanyard_dev_idp_form",
                known: "lanyard_dev_idp_known",
                secure,
            }
        }
    }

    /// The secret of the session, from the values of a request's `Cookie` headers.
    pub fn session<'h>(&self, headers: impl IntoIterator<Item = &'h str>) -> Option<SecretString> {
        read(headers, self.session)
    }

    /// What form tokens and sign-ins under way are bound to in this browser; nothing that is shorter than ours are.
    pub fn browser<'h>(&self, headers: impl IntoIterator<Item = &'h str>) -> Option<SecretString> {
        // An empty cookie would make a binding that anybody can compute.
        read(headers, self.browser).filter(|known| known.expose_secret().len() >= 43)
    }

    /// By which this browser is known to people who signed in with it.
    pub fn known<'h>(&self, headers: impl IntoIterator<Item = &'h str>) -> Option<SecretString> {
        read(headers, self.known)
    }

    /// The `Set-Cookie` value that lets the browser be known from now on, also after it was closed.
    pub fn give_known(&self, text: &SecretString) -> String {
        let cookie = self.cookie(self.known, text.expose_secret().to_owned());
        format!("{cookie}; Max-Age={}", KNOWN_FOR.as_secs())
    }

    /// The `Set-Cookie` value that gives the browser a session.
    pub fn give_session(&self, secret: &SecretString) -> String {
        self.cookie(self.session, secret.expose_secret().to_owned()).to_string()
    }

    /// The `Set-Cookie` value that gives the browser something to bind forms and sign-ins to.
    pub fn give_browser(&self, secret: &SecretString) -> String {
        self.cookie(self.browser, secret.expose_secret().to_owned()).to_string()
    }

    /// The `Set-Cookie` value that takes the session away.
    pub fn take_session(&self) -> String {
        let mut cookie = self.cookie(self.session, String::new());
        cookie.make_removal();
        cookie.to_string()
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

fn read<'h>(headers: impl IntoIterator<Item = &'h str>, name: &str) -> Option<SecretString> {
    headers
        .into_iter()
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| SecretString::from(cookie.value().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_cookie_has_every_protection_sec_16() {
        let cookie = Cookies::new(true).give_session(&SecretString::from("s".to_owned()));
        assert!(cookie.starts_with("__Host-lanyard_idp=s;"), "{cookie}");
        for word in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(cookie.contains(word), "{word} in {cookie}");
        }
        assert!(!cookie.contains("Domain"));
    }

    #[test]
    fn in_development_the_cookie_has_another_name_and_is_not_secure() {
        let cookie = Cookies::new(false).give_session(&SecretString::from("s".to_owned()));
        assert!(
            cookie.starts_with("lanyard_dev_idp=s;") && !cookie.contains("Secure"),
            "{cookie}"
        );
    }

    #[test]
    fn a_cookie_is_found_among_others_and_a_short_binding_is_none() {
        let cookies = Cookies::new(true);
        let bound = "b".repeat(43);
        let header = format!("a=1; __Host-lanyard_idp_form={bound}; __Host-lanyard_idp=s");
        let headers = ["x=y", header.as_str()];
        assert_eq!(cookies.session(headers).unwrap().expose_secret(), "s");
        assert_eq!(cookies.browser(headers).unwrap().expose_secret(), bound);
        assert!(cookies.browser(["__Host-lanyard_idp_form=short"]).is_none());
        assert!(cookies.session(["lanyard_dev_idp=s"]).is_none());
    }
}
