//! How much one PATCH may make the server do (SEC-22).
//!
//! Owns the sum. It is spent inside the unit of work, while nobody else writes.

use serde_json::Value;

use crate::scim::denial::ScimDenial;

/// What one request may cost, in bytes that are looked at. To change one of two hundred values a hundred times is a
/// quarter of it.
const MAX_WORK: usize = 8 * 1024 * 1024;
/// What looking at an element costs, however short it is.
const STEP: usize = 32;

/// The work done so far.
#[derive(Debug, Default)]
pub(super) struct Work(usize);

impl Work {
    /// Looking at so many elements, or at one so many times.
    pub(super) fn steps(&mut self, count: usize) -> Result<(), ScimDenial> {
        self.add(count.saturating_mul(STEP))
    }

    /// Comparing texts of this length.
    pub(super) fn comparison(&mut self, length: usize) -> Result<(), ScimDenial> {
        self.add(length.saturating_add(STEP))
    }

    /// Copying a value so many times.
    pub(super) fn copies(&mut self, count: usize, value: &Value) -> Result<(), ScimDenial> {
        self.add(count.saturating_mul(weight(value)))
    }

    fn add(&mut self, cost: usize) -> Result<(), ScimDenial> {
        self.0 = self.0.saturating_add(cost);
        if self.0 > MAX_WORK {
            let words = "the operations look at too many values; send fewer in one request, or with shorter filters";
            return Err(ScimDenial::TooMany(words.to_owned()));
        }
        Ok(())
    }
}

fn weight(value: &Value) -> usize {
    let within = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(weight).sum(),
        Value::Object(parts) => parts.iter().map(|(name, part)| name.len() + weight(part)).sum(),
    };
    STEP + within
}
