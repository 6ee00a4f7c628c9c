//! Strict JSON (TOK-GN-02, SEC-22).
//!
//! Owns what is refused before any type is filled: duplicate members, deep nesting and, where asked, too many values.
//! Never interprets values.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};

/// The deepest nesting of arrays and objects that is read (SEC-22).
pub const MAX_DEPTH: usize = 32;
/// This many members of an object are compared one by one.
const FEW: usize = 16;

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
    Scan::new(false, usize::MAX).run(serde_json::Deserializer::from_slice(text))
}

/// As [`check`], for a text that is known to be UTF-8.
///
/// # Errors
/// [`JsonError`], as in [`from_slice`].
pub fn check_str(text: &str) -> Result<(), JsonError> {
    Scan::new(false, usize::MAX).run(serde_json::Deserializer::from_str(text))
}

/// As [`check`], for a text whose names are read in any case: two members whose names differ by case only are
/// duplicates too. Counts the values, because a small text can become a large tree: `{"a":0}` is two values and takes
/// ninety times its length.
///
/// # Errors
/// [`Refused`].
pub fn check_any_case(text: &[u8], max_values: usize) -> Result<(), Refused> {
    let scan = Scan::new(true, max_values);
    match scan.run(serde_json::Deserializer::from_slice(text)) {
        Err(_) if scan.values.get() > max_values => Err(Refused::TooMany(max_values)),
        end => end.map_err(Refused::Json),
    }
}

/// Why [`check_any_case`] refused a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// What [`check`] refuses, or a member in two spellings.
    #[error(transparent)]
    Json(JsonError),
    /// There are more values than this.
    #[error("the text holds more than {0} JSON values")]
    TooMany(usize),
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

/// One pass over a text.
struct Scan {
    any_case: bool,
    max_values: usize,
    /// How many were begun.
    values: Cell<usize>,
}

impl Scan {
    const fn new(any_case: bool, max_values: usize) -> Self {
        Self {
            any_case,
            max_values,
            values: Cell::new(0),
        }
    }

    fn run<'de, R: serde_json::de::Read<'de>>(&self, mut reader: serde_json::Deserializer<R>) -> Result<(), JsonError> {
        let whole = Strict { depth: 0, scan: self };
        whole.deserialize(&mut reader).map_err(JsonError::of)?;
        reader.end().map_err(JsonError::of)
    }

    /// The name that a member is told apart by.
    fn name<'de>(&self, key: Cow<'de, str>) -> Cow<'de, str> {
        let is_folded = |b: u8| b.is_ascii() && !b.is_ascii_uppercase();
        if !self.any_case || key.bytes().all(is_folded) {
            key
        } else {
            key.to_lowercase().into()
        }
    }
}

struct Strict<'a> {
    depth: usize,
    scan: &'a Scan,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let values = self.scan.values.get().saturating_add(1);
        self.scan.values.set(values);
        if values > self.scan.max_values {
            return Err(de::Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
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
        let scan = self.scan;
        while seq.next_element_seed(Strict { depth, scan })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            return Err(de::Error::custom("nested too deeply"));
        }
        // Few members: a linear scan is quicker than hashing; many: a set keeps it linear overall.
        let scan = self.scan;
        let mut few: [Cow<'de, str>; FEW] = [const { Cow::Borrowed("") }; FEW];
        let mut known = 0;
        let mut many: HashSet<Cow<'de, str>> = HashSet::new();
        while let Some(key) = map.next_key::<CowStr<'de>>()? {
            let key = scan.name(key.0);
            if few.iter().take(known).any(|own| *own == key) || many.contains(&key) {
                return Err(de::Error::custom("duplicate member"));
            }
            if let Some(free) = few.get_mut(known) {
                *free = key;
                known += 1;
            } else {
                many.insert(key);
            }
            map.next_value_seed(Strict { depth, scan })?;
        }
        Ok(())
    }
}

/// A member's name, copied only where it was written with escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct CowStr<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_among_many_members_is_refused_wherever_it_stands_tok_gn_02() {
        let names: Vec<String> = (0..FEW * 3).map(|n| format!("\"n{n}\":0")).collect();
        let once = format!("{{{}}}", names.join(","));
        assert_eq!(check(once.as_bytes()), Ok(()));
        assert_eq!(check_str(&once), Ok(()));
        for name in &names {
            let twice = format!("{{{},{name}}}", names.join(","));
            assert!(check(twice.as_bytes()).is_err(), "{twice}");
            assert!(check_str(&twice).is_err(), "{twice}");
        }
        assert_eq!(check_str(r#"{"":0}"#), Ok(()));
        assert!(check_str(r#"{"":0,"":0}"#).is_err());
    }

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

    #[test]
    fn names_that_differ_by_case_only_are_duplicates_where_case_says_nothing_sec_22() {
        let many: Vec<String> = (0..40).map(|n| format!("\"n{n}\":0")).collect();
        for twice in [
            r#"{"active":false,"Active":true}"#.to_owned(),
            r#"[{"x":{"straße":1,"STRAßE":2}}]"#.to_owned(),
            r#"{"a":1,"\u0041":2}"#.to_owned(),
            format!("{{{},\"N39\":1}}", many.join(",")),
        ] {
            assert!(
                matches!(check_any_case(twice.as_bytes(), 100), Err(Refused::Json(_))),
                "{twice}"
            );
            assert_eq!(check(twice.as_bytes()), Ok(()), "{twice}");
        }
        let once = r#"[{"a":{"A":1}},{"A":"a"}]"#;
        assert_eq!(check_any_case(once.as_bytes(), 100), Ok(()));
    }

    #[test]
    fn values_are_read_to_the_limit_and_no_further_sec_22() {
        for (text, values) in [("0", 1), ("[[],{}]", 3), (r#"{"a":0,"b":[1,null,"x"]}"#, 6)] {
            assert_eq!(check_any_case(text.as_bytes(), values), Ok(()), "{text}");
            let refused = check_any_case(text.as_bytes(), values - 1);
            assert_eq!(refused, Err(Refused::TooMany(values - 1)), "{text}");
        }
        assert!(matches!(check_any_case(b"[0", 2), Err(Refused::Json(_))));
    }
}
