//! Browsers in which a person signed in before: strangers' guesses never keep them out.
//!
//! Owns the text of the cookie. It names nobody: it holds a random name of the browser, and for each person who signed
//! in with it a code that only this issuer can make.

use lanyard_jose::digest::{base64url, constant_time_eq};
use secrecy::{ExposeSecret, SecretString};

use crate::cx::Cx;
use crate::id::UserId;
use crate::keys::vault::Vault;

/// People whose sign-in one browser remembers.
const MAX_PEOPLE: usize = 5;
/// Characters of a name: 16 random bytes.
const NAME: usize = 22;
/// Longer texts were not made here.
const MAX_TEXT: usize = NAME + MAX_PEOPLE * 23;

/// The name of the browser, when this person signed in with it before.
pub fn find(vault: &Vault, cookie: Option<&SecretString>, user: &UserId) -> Option<String> {
    let (name, codes) = parts(cookie?)?;
    let own = vault.known_browser(name, user);
    let known = codes
        .split('.')
        .any(|code| constant_time_eq(code.as_bytes(), own.as_bytes()));
    known.then(|| name.to_owned())
}

/// The cookie's text after a sign-in of this person.
pub fn remember(cx: &Cx, vault: &Vault, cookie: Option<&SecretString>, user: &UserId) -> SecretString {
    let known = cookie.and_then(parts);
    let (name, codes) = match known {
        Some((name, codes)) => (name.to_owned(), codes),
        None => (fresh(cx), ""),
    };
    let own = vault.known_browser(&name, user);
    let others = codes.split('.').filter(|code| !code.is_empty() && *code != own);
    let people: Vec<&str> = std::iter::once(own.as_str()).chain(others).take(MAX_PEOPLE).collect();
    SecretString::from(format!("{name}.{}", people.join(".")))
}

fn parts(cookie: &SecretString) -> Option<(&str, &str)> {
    let text = cookie.expose_secret();
    let (name, codes) = text.split_once('.')?;
    let good = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    (text.len() <= MAX_TEXT && name.len() == NAME && good(name) && good(codes)).then_some((name, codes))
}

fn fresh(cx: &Cx) -> String {
    let mut bytes = [0; 16];
    cx.random.fill(&mut bytes);
    base64url(&bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lanyard_jose::random::SystemRandom;
    use lanyard_jose::seal::Kek;

    use super::*;
    use crate::clock::Timestamp;
    use crate::id::Id;

    fn cx() -> Cx {
        Cx::new(Timestamp::from_seconds(1_789_387_200), None, Arc::new(SystemRandom))
    }

    fn user(n: usize) -> UserId {
        UserId::from_stored(format!("usr_{n}"))
    }

    #[test]
    fn a_browser_is_known_for_whoever_signed_in_with_it_and_for_nobody_else() {
        let vault = Vault::new(Kek::from_bytes([1; 32]));
        let cookie = remember(&cx(), &vault, None, &user(1));
        let name = find(&vault, Some(&cookie), &user(1)).unwrap();
        assert!(cookie.expose_secret().starts_with(&name));
        assert_eq!(find(&vault, Some(&cookie), &user(2)), None);
        assert_eq!(find(&vault, None, &user(1)), None);
        let other = Vault::new(Kek::from_bytes([2; 32]));
        assert_eq!(find(&other, Some(&cookie), &user(1)), None);
    }

    #[test]
    fn several_people_share_a_browser_and_the_oldest_is_forgotten() {
        let vault = Vault::new(Kek::from_bytes([1; 32]));
        let mut cookie = None;
        for n in 0..6 {
            cookie = Some(remember(&cx(), &vault, cookie.as_ref(), &user(n)));
        }
        let known = |n| find(&vault, cookie.as_ref(), &user(n));
        assert_eq!(known(0), None);
        assert!((1..6).all(|n| known(n).is_some()));
        let again = remember(&cx(), &vault, cookie.as_ref(), &user(3));
        assert_eq!(again.expose_secret().len(), cookie.unwrap().expose_secret().len());
    }

    #[test]
    fn a_made_up_cookie_knows_nobody_and_is_replaced() {
        let vault = Vault::new(Kek::from_bytes([1; 32]));
        for text in ["", ".", "x.y", &"a".repeat(4000), &format!("{}.é", "a".repeat(22))] {
            let cookie = SecretString::from(text.to_owned());
            assert_eq!(find(&vault, Some(&cookie), &user(1)), None, "{text}");
            let new = remember(&cx(), &vault, Some(&cookie), &user(1));
            assert!(find(&vault, Some(&new), &user(1)).is_some());
        }
    }
}
