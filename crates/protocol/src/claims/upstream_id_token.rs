//! Claims of an ID token that another identity provider issued (OpenID Connect Core, section 2).
//!
//! Owns which claims must be there, and keeps all others as they came: an operator names them by path. Never checks
//! their values against a context.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::audience::OneOrMany;
use crate::claims::time::{InvalidClaim, NumericDate, Subject};

/// What an upstream ID token says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct UpstreamIdTokenClaims {
    /// The provider, byte for byte.
    pub iss: String,
    /// The person there.
    pub sub: Subject,
    /// Our client id there, possibly among others.
    pub aud: OneOrMany<String>,
    /// Expiry.
    pub exp: NumericDate,
    /// Time of issue.
    pub iat: NumericDate,
    /// Not valid before, when present.
    pub nbf: Option<NumericDate>,
    /// Every claim, also the ones above.
    pub all: Map<String, Value>,
}

impl UpstreamIdTokenClaims {
    /// A claim that is a text; anything else counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.all.get(name).and_then(Value::as_str)
    }

    /// A claim that is a whole number of seconds; anything else counts as absent.
    pub fn seconds(&self, name: &str) -> Option<i64> {
        self.all.get(name).and_then(Value::as_i64)
    }

    /// A claim that is an array of texts, or one text.
    pub fn texts(&self, name: &str) -> Vec<String> {
        match self.all.get(name) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }
}

impl TryFrom<Map<String, Value>> for UpstreamIdTokenClaims {
    type Error = InvalidClaim;

    fn try_from(all: Map<String, Value>) -> Result<Self, InvalidClaim> {
        let text = |name: &str, wrong| {
            let value = all.get(name).and_then(Value::as_str);
            value.map(str::to_owned).ok_or(InvalidClaim(wrong))
        };
        let date = |name: &str, wrong| match all.get(name) {
            Some(value) => value
                .as_i64()
                .ok_or(InvalidClaim(wrong))
                .and_then(NumericDate::try_from)
                .map(Some),
            None => Ok(None),
        };
        let aud = all.get("aud").ok_or(InvalidClaim("aud is missing"))?;
        Ok(Self {
            iss: text("iss", "iss is missing or no text")?,
            sub: Subject::parse(text("sub", "sub is missing or no text")?)?,
            aud: OneOrMany::deserialize(aud)
                .ok()
                .filter(|aud: &OneOrMany<String>| !aud.as_slice().is_empty())
                .ok_or(InvalidClaim("aud is neither a text nor an array of texts"))?,
            exp: date("exp", "exp is no whole number")?.ok_or(InvalidClaim("exp is missing"))?,
            iat: date("iat", "iat is no whole number")?.ok_or(InvalidClaim("iat is missing"))?,
            nbf: date("nbf", "nbf is no whole number")?,
            all,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<UpstreamIdTokenClaims, serde_json::Error> {
        serde_json::from_value(value)
    }

    fn good() -> Value {
        json!({"iss": "https://idp.example", "sub": "1", "aud": "lanyard", "exp": 2, "iat": 1, "groups": ["a"], "amr": "pwd"})
    }

    #[test]
    fn every_claim_is_kept_and_the_ones_that_must_be_there_are_typed_cl_ss_03() {
        let claims = read(good()).unwrap();
        assert_eq!((claims.iss.as_str(), claims.exp.seconds()), ("https://idp.example", 2));
        assert_eq!(claims.all["groups"], json!(["a"]));
        assert_eq!(
            (claims.texts("amr"), claims.texts("groups")),
            (vec!["pwd".to_owned()], vec!["a".to_owned()])
        );
        assert_eq!((claims.text("exp"), claims.seconds("iat")), (None, Some(1)));
    }

    #[test]
    fn a_claim_of_another_type_or_none_is_refused_cl_ss_03() {
        for (name, value) in [
            ("iss", json!(1)),
            ("iss", Value::Null),
            ("sub", json!("")),
            ("sub", json!("x".repeat(256))),
            ("aud", json!({})),
            ("aud", json!([])),
            ("exp", json!("2")),
            ("exp", json!(2.5)),
            ("iat", json!(-1)),
            ("nbf", json!(null)),
        ] {
            let mut claims = good();
            claims[name] = value;
            assert!(read(claims).is_err(), "{name}");
        }
        for name in ["iss", "sub", "aud", "exp", "iat"] {
            let mut claims = good();
            claims.as_object_mut().unwrap().remove(name);
            assert!(read(claims).is_err(), "{name}");
        }
    }
}
