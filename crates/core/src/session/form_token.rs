//! The token in a form of the sign-in pages, bound to a cookie that only this browser has (SEC-16).
//!
//! Owns the binding. Never knows the cookie's name or the form.

use lanyard_jose::digest::{base64url, constant_time_eq, sha256};
use lanyard_jose::random;
use secrecy::{ExposeSecret, SecretString};

use crate::cx::Cx;

/// What a browser gets before anybody signed in: 256 random bits for a cookie that scripts cannot read.
pub fn pre_session(cx: &Cx) -> SecretString {
    random::token(&*cx.random)
}

/// The token for a form that this browser is shown: whoever does not know the cookie cannot make it.
pub fn of(pre_session: &SecretString) -> String {
    let mut message = b"lanyard form token\n".to_vec();
    message.extend_from_slice(pre_session.expose_secret().as_bytes());
    base64url(&sha256(&message))
}

/// Whether a form carries the token of this browser.
pub fn fits(pre_session: &SecretString, token: &str) -> bool {
    // An empty cookie would make a token that anybody can compute.
    pre_session.expose_secret().len() >= 43 && constant_time_eq(of(pre_session).as_bytes(), token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_fits_its_own_browser_only_sec_16() {
        let (one, other) = (SecretString::from("a".repeat(43)), SecretString::from("b".repeat(43)));
        assert!(fits(&one, &of(&one)));
        assert!(!fits(&other, &of(&one)));
        assert!(!fits(&one, ""));
    }

    #[test]
    fn without_a_cookie_no_token_fits() {
        let none = SecretString::from(String::new());
        assert!(!fits(&none, &of(&none)));
    }
}
