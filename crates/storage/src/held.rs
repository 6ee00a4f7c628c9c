//! Records that change by acts of administrators only, held beside the store.
//!
//! Owns what is held and under which number of the registry. Never says what is current: a unit reads the number in its
//! own transaction, and what is held under another one is not used (decision 0061).

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::sql::Value;

/// So many results at the most; then it begins anew.
const MOST: usize = 2048;

/// Results of look-ups by key, of one number of the registry.
#[derive(Default)]
pub(crate) struct Held(RwLock<Results>);

#[derive(Default)]
struct Results {
    number: i64,
    by_key: HashMap<Key, Arc<dyn Any + Send + Sync>>,
}

/// A statement and the values it was asked with.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// Statements are constants, so the address of the text is its name.
    pub(crate) fn new(sql: &'static str, values: &[Value<'_>]) -> Self {
        let mut key = Vec::with_capacity(128);
        key.extend_from_slice(&sql.as_ptr().addr().to_ne_bytes());
        key.extend_from_slice(&sql.len().to_ne_bytes());
        let mut part = |kind: u8, bytes: &[u8]| {
            key.push(kind);
            key.extend_from_slice(&bytes.len().to_ne_bytes());
            key.extend_from_slice(bytes);
        };
        for value in values {
            match value {
                Value::Null => part(0, &[]),
                Value::Int(number) => part(1, &number.to_ne_bytes()),
                Value::Text(text) => part(2, text.as_bytes()),
                Value::Bytes(bytes) => part(3, bytes),
            }
        }
        Self(key)
    }
}

impl Held {
    /// What was found under this number, if it is held.
    pub(crate) fn get<T: Clone + 'static>(&self, number: i64, key: &Key) -> Option<T> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if held.number != number {
            return None;
        }
        held.by_key.get(key)?.downcast_ref::<T>().cloned()
    }

    /// Holds what was found under this number. Which of two numbers is newer is not asked (decision 0007).
    pub(crate) fn put<T: Send + Sync + 'static>(&self, number: i64, key: Key, found: T) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if held.number != number || held.by_key.len() >= MOST {
            held.number = number;
            held.by_key.clear();
        }
        held.by_key.insert(key, Arc::new(found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_serves_its_own_number_only() {
        let held = Held::default();
        let key = || Key::new("SELECT $1", &[Value::Text("a")]);
        held.put(1, key(), 7_i64);
        assert_eq!(held.get::<i64>(1, &key()), Some(7));
        assert_eq!(held.get::<i64>(2, &key()), None);
        held.put(2, key(), 8_i64);
        assert_eq!(held.get::<i64>(1, &key()), None);
        assert_eq!(held.get::<i64>(2, &key()), Some(8));
    }

    #[test]
    fn keys_differ_when_values_do_whatever_their_kind_or_bounds() {
        const SQL: &str = "SELECT $1, $2";
        let all: [&[Value<'_>]; 6] = [
            &[Value::Text("ab"), Value::Text("c")],
            &[Value::Text("a"), Value::Text("bc")],
            &[Value::Bytes(b"ab"), Value::Bytes(b"c")],
            &[Value::Null, Value::Text("abc")],
            &[Value::Text(""), Value::Text("abc")],
            &[Value::Int(0), Value::Int(1)],
        ];
        let held = Held::default();
        for (n, values) in all.iter().enumerate() {
            held.put(1, Key::new(SQL, values), n);
        }
        for (n, values) in all.iter().enumerate() {
            assert_eq!(held.get::<usize>(1, &Key::new(SQL, values)), Some(n));
        }
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let held = Held::default();
        for n in 0..5000_i64 {
            held.put(1, Key::new("SELECT $1", &[Value::Int(n)]), n);
        }
        let results = held.0.read().unwrap();
        assert!(results.by_key.len() <= MOST);
    }
}
