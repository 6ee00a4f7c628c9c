//! Strict JSON (TOK-GN-02, SEC-22).
//!
//! Owns what is refused before any type is filled: duplicate members and deep nesting. Never interprets values.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};

/// The deepest nesting of arrays and objects that is read (SEC-22).
pub const MAX_DEPTH: usize = 32;

/// Reads `text` into `T`, refusing duplicate members anywhere and nesting deeper than [`MAX_DEPTH`].
///
/// # Errors
/// [`JsonError`] with the reader's own words; they describe positions and types, never values of the text.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, JsonError> {
    check(text)?;
    serde_json::from_slice(text).map_err(JsonError::of)
}

/// Refuses what [`from_slice`] refuses before any type is filled, for readers that borrow from `text` afterwards.
///
/// # Errors
/// [`JsonError`], as in [`from_slice`].
pub fn check(text: &[u8]) -> Result<(), JsonError> {
    let mut scan = serde_json::Deserializer::from_slice(text);
    Strict { depth: 0 }.deserialize(&mut scan).map_err(JsonError::of)?;
    scan.end().map_err(JsonError::of)
}

/// Why a text was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not acceptable JSON: {0}")]
pub struct JsonError(String);

impl JsonError {
    fn of(error: serde_json::Error) -> Self {
        let kind = match error.classify() {
            serde_json::error::Category::Syntax => "syntax",
            serde_json::error::Category::Eof => "unexpected end",
            serde_json::error::Category::Data | serde_json::error::Category::Io => "content",
        };
        Self(format!("{kind} at line {} column {}", error.line(), error.column()))
    }
}

struct Strict {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            return Err(de::Error::custom("nested too deeply"));
        }
        while seq.next_element_seed(Strict { depth })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            return Err(de::Error::custom("nested too deeply"));
        }
        // Few members: a linear scan is quicker than hashing; many: a set keeps it linear overall.
        let mut few: Vec<std::borrow::Cow<'de, str>> = Vec::new();
        let mut many: HashSet<std::borrow::Cow<'de, str>> = HashSet::new();
        while let Some(key) = map.next_key::<CowStr<'de>>()? {
            let key = key.0;
            if few.contains(&key) || many.contains(&key) {
                return Err(de::Error::custom("duplicate member"));
            }
            if few.len() < 24 {
                few.push(key);
            } else {
                many.insert(key);
            }
            map.next_value_seed(Strict { depth })?;
        }
        Ok(())
    }
}

struct CowStr<'a>(std::borrow::Cow<'a, str>);

impl<'de> de::Deserialize<'de> for CowStr<'de> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = CowStr<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }

            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(CowStr(v.into()))
            }

            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(CowStr(v.to_owned().into()))
            }
        }
        deserializer.deserialize_str(Keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_members_are_refused_at_any_depth_tok_gn_02() {
        for bad in [
            r#"{"aud":"a","aud":"b"}"#,
            r#"{"x":{"a":1,"\u0061":2}}"#,
            r#"[{"a":1,"a":1}]"#,
        ] {
            assert!(from_slice::<serde_json::Value>(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn nesting_is_read_to_thirty_two_and_no_deeper_sec_22() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(from_slice::<serde_json::Value>(nested(32).as_bytes()).is_ok());
        assert!(from_slice::<serde_json::Value>(nested(33).as_bytes()).is_err());
    }

    #[test]
    fn trailing_text_is_refused() {
        assert!(from_slice::<serde_json::Value>(b"{} {}").is_err());
    }
}
