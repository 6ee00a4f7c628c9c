//! Claims of a logout token (OpenID Connect Back-Channel Logout, section 2.4).
//!
//! Owns their JSON types. Never checks their values against a context.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::audience::OneOrMany;
use crate::claims::present;
use crate::claims::time::{NumericDate, Subject, TokenId};
use crate::issuer::Issuer;

/// The `typ` of a logout token.
pub const TYP: &str = "logout+jwt";

/// The one event that makes a token a logout token.
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a logout token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutTokenClaims {
    /// The IdP.
    pub iss: Issuer,
    /// The person, as the client knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<Subject>,
    /// The client.
    pub aud: OneOrMany<String>,
    /// Time of issue.
    pub iat: NumericDate,
    /// Expiry.
    pub exp: NumericDate,
    /// Unique identifier: a logout token is taken once.
    pub jti: TokenId,
    /// Exactly what happened; each event is an object.
    pub events: BTreeMap<String, Value>,
    /// The session that ended; all sessions of the person with the client when it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Never there: it would make the token look like an ID token.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Value>,
}

impl LogoutTokenClaims {
    /// The value of `events` in a token that we make.
    pub fn event() -> BTreeMap<String, Value> {
        BTreeMap::from([(EVENT.to_owned(), Value::Object(serde_json::Map::new()))])
    }

    /// What must hold inside of one token (Back-Channel Logout, section 2.6): the event, no `nonce`, and a session or a
    /// person.
    pub fn is_consistent(&self) -> bool {
        let event = self.events.get(EVENT).is_some_and(Value::is_object);
        event && self.nonce.is_none() && (self.sub.is_some() || self.sid.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_logout_token_has_the_event_no_nonce_and_says_who_rv_05() {
        let good = json!({"iss": "https://idp.example", "sub": "ada", "aud": "app", "iat": 1, "exp": 2, "jti": "j-1",
            "events": {EVENT: {}}, "sid": "s-1"});
        let read = |value: &Value| serde_json::from_value::<LogoutTokenClaims>(value.clone());
        assert!(read(&good).unwrap().is_consistent());
        for (name, value) in [
            ("nonce", json!("n")),
            ("events", json!({})),
            ("events", json!({"urn:other": {}})),
            ("events", json!({EVENT: true})),
        ] {
            let mut bad = good.clone();
            bad[name] = value;
            assert!(!read(&bad).unwrap().is_consistent(), "{name}");
        }
        let mut nobody = good.clone();
        nobody.as_object_mut().unwrap().remove("sub");
        assert!(read(&nobody).unwrap().is_consistent());
        nobody.as_object_mut().unwrap().remove("sid");
        assert!(!read(&nobody).unwrap().is_consistent());
        let mut null = good;
        null["nonce"] = Value::Null;
        assert!(read(&null).is_err(), "null is a nonce that is no text");
    }
}
