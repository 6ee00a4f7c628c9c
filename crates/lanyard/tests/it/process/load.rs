//! One person's client against a site: the sign-in and both legs.

use std::io::Result;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lanyard_jose::digest;
use serde_json::Value;

use super::http::{Answer, Request};
use super::site::{CLIENT_SECRET, PASSWORD, Ports, Site};
use crate::browser;

/// Where a client sends what; copied into threads.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    ports: Ports,
    idp_host: String,
    ras_host: String,
    ras: String,
    resource: String,
    id_token: String,
}

impl Desk {
    /// Signs a person in with the password, by the real page.
    pub(crate) fn sign_in(site: &Site, username: &str) -> Self {
        let mut desk = Self::at(site, String::new());
        let verifier = "a-code-verifier-of-at-least-43-characters-in-a-row";
        let mut page = url::Url::parse(&format!("{}/oauth2/authorize", site.issuer())).unwrap();
        page.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", "desk"),
            ("redirect_uri", "http://127.0.0.1/callback"),
            ("scope", "openid"),
            ("state", "s"),
            ("nonce", "n"),
            ("code_challenge", &digest::s256_challenge(verifier)),
            ("code_challenge_method", "S256"),
        ]);
        let redirect = browser::redirect_of(page.as_str(), username, PASSWORD);
        let code = redirect
            .query_pairs()
            .find(|(name, _)| name == "code")
            .map(|(_, value)| value.into_owned());
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code.unwrap()),
            ("redirect_uri", "http://127.0.0.1/callback"),
            ("code_verifier", verifier),
        ];
        let answer = desk.at_idp(&fields).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        desk.id_token = answer.json()["id_token"].as_str().unwrap().to_owned();
        desk
    }

    fn at(site: &Site, id_token: String) -> Self {
        Self {
            ports: site.ports,
            idp_host: format!("127.0.0.1:{}", site.named.idp),
            ras_host: format!("127.0.0.1:{}", site.named.ras),
            ras: site.ras(),
            resource: site.resource(),
            id_token,
        }
    }

    /// The same person's client at another replica.
    pub(crate) fn towards(&self, site: &Site) -> Self {
        Self::at(site, self.id_token.clone())
    }

    fn at_idp(&self, fields: &[(&str, &str)]) -> Result<Answer> {
        let request = Request::form(self.ports.idp, "/oauth2/token", fields).named(&self.idp_host);
        request.header("Authorization", basic()).send()
    }

    /// Leg 1.
    pub(crate) fn exchange(&self) -> Result<Answer> {
        self.at_idp(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:id-jag"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
            ("subject_token", &self.id_token),
            ("audience", &self.ras),
            ("resource", &self.resource),
            ("scope", "notes.read"),
        ])
    }

    /// Leg 2.
    pub(crate) fn redeem(&self, id_jag: &str) -> Result<Answer> {
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", id_jag),
        ];
        let request = Request::form(self.ports.ras, "/oauth2/token", &fields).named(&self.ras_host);
        request.header("Authorization", basic()).send()
    }

    pub(crate) fn introspect(&self, token: &str) -> Value {
        let request = Request::form(self.ports.ras, "/oauth2/introspect", &[("token", token)]).named(&self.ras_host);
        request.header("Authorization", basic()).send().unwrap().json()
    }

    /// The access token that answers leg 2.
    pub(crate) fn chain(&self) -> String {
        let id_jag = token(&self.exchange().unwrap());
        token(&self.redeem(&id_jag).unwrap())
    }
}

fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("desk:{CLIENT_SECRET}")))
}

/// The token of a granted answer.
pub(crate) fn token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// A token's `jti`, unverified: only to find it in the log.
pub(crate) fn jti(token: &str) -> String {
    member(token, 1, "jti")
}

/// The key that a token names, unverified: only to find it in the ring.
pub(crate) fn kid(token: &str) -> String {
    member(token, 0, "kid")
}

fn member(token: &str, part: usize, name: &str) -> String {
    let json = URL_SAFE_NO_PAD.decode(token.split('.').nth(part).unwrap()).unwrap();
    let members: Value = serde_json::from_slice(&json).unwrap();
    members[name].as_str().unwrap().to_owned()
}
