//! A JSON member that is one string or an array of strings (`aud`, `resource`).
//!
//! Owns the encoding. Never decides which value is right.

use serde::{Deserialize, Serialize};

/// One value, or several. One value is written as a string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// A single string on the wire.
    One(T),
    /// An array on the wire.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// All values in order.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }

    /// The single value: a string, or an array of exactly one element (RAS-JB-08).
    pub fn sole(&self) -> Option<&T> {
        match self.as_slice() {
            [value] => Some(value),
            _ => None,
        }
    }
}

impl<T: PartialEq> OneOrMany<T> {
    /// Whether `value` is among them.
    pub fn contains(&self, value: &T) -> bool {
        self.as_slice().contains(value)
    }
}

impl<T> From<Vec<T>> for OneOrMany<T> {
    fn from(mut values: Vec<T>) -> Self {
        match (values.len(), values.pop()) {
            (1, Some(value)) => Self::One(value),
            (_, Some(last)) => {
                values.push(last);
                Self::Many(values)
            }
            (_, None) => Self::Many(values),
        }
    }
}
