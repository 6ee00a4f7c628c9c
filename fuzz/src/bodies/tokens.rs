//! Tokens, keys, forms and identifiers: what anybody may send to any endpoint.

use lanyard_jose::jwk::{Jwk, JwkSet, KeySet};
use lanyard_jose::token::{AccessToken, ClientAssertion, IdJag, IdToken, Kind, MAX_TOKEN_BYTES, Unverified};
use lanyard_jose::verify::{Audience, Expected, verify};
use lanyard_protocol::challenge::Challenge;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::form::Form;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::json;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;
use serde_json::Value;

/// A compact JWS as each kind of token. Nothing verifies without a key, and no error quotes the token.
pub fn compact_jws(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    token::<IdToken>(text);
    token::<IdJag>(text);
    token::<AccessToken>(text);
    token::<ClientAssertion>(text);
}

fn token<K: Kind>(text: &str) {
    let Ok(token) = Unverified::<K>::parse(text) else {
        return;
    };
    assert!(text.len() <= MAX_TOKEN_BYTES);
    assert_eq!(text.split('.').count(), 3);
    let expected = Expected {
        issuer: token.issuer().unwrap_or_default(),
        audience: Audience::Contains(""),
        now: 0,
        leeway: 0,
        algorithms: &[token.algorithm()],
        max_lifetime: None,
    };
    assert!(verify(&token, &KeySet::empty(), &expected).is_err());
}

/// A JWK Set. What is kept reads back as itself and has nothing private in it.
pub fn jwks(data: &[u8]) {
    let Ok(set) = JwkSet::parse(data) else { return };
    for key in &set.keys {
        let value = key.to_value();
        assert_eq!(Jwk::parse(&value).as_ref(), Ok(key));
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert_eq!(value.get(private), None);
        }
        assert_eq!(key.thumbprint().len(), 43);
        assert!(!key.algorithms().is_empty());
    }
    assert_eq!(KeySet::from_jwks(&set).version(), KeySet::from_jwks(&set).version());
}

/// Strict JSON. What is accepted, a plain reader accepts with the same meaning.
pub fn strict_json(data: &[u8]) {
    let Ok(value) = json::from_slice::<Value>(data) else {
        return;
    };
    assert_eq!(serde_json::from_slice::<Value>(data).ok().as_ref(), Some(&value));
    assert!(json::from_slice::<Value>(value.to_string().as_bytes()).is_ok());
}

/// A form body. What was read can be written and read again.
pub fn form(data: &[u8]) {
    let Ok(form) = Form::parse(data) else { return };
    // Escapes make text longer than it came; only what fits is read again.
    if let Ok(again) = Form::parse(form.encode().as_bytes()) {
        assert_eq!(again, form);
    }
}

/// A `WWW-Authenticate` value. What was read can be printed, and the print read.
pub fn challenge(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for challenge in Challenge::parse_all(text) {
        let _ = Challenge::parse_all(&challenge.to_string());
        let _ = challenge.parameter("resource_metadata");
    }
}

/// Issuers, resources, client identifiers and scopes keep their exact text.
pub fn identifiers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(issuer) = Issuer::parse(text) {
        assert_eq!(issuer.as_str(), text);
        let _ = (
            issuer.well_known_inserted("x"),
            issuer.well_known_appended("x"),
            issuer.path(),
        );
    }
    if let Ok(resource) = ResourceId::parse(text) {
        assert_eq!(resource.as_str(), text);
        let _ = resource.metadata_url();
    }
    if let Ok(client) = ClientId::parse(text) {
        assert_eq!(client.as_str(), text);
    }
    if let Ok(scopes) = ScopeSet::parse(text) {
        assert_eq!(
            ScopeSet::parse(&scopes.to_string()).as_ref().map_err(|_| ()),
            Ok(&scopes)
        );
    }
}
