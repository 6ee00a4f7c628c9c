//! The elements of a multi-valued attribute: adding, taking away, and changing those that a filter meets.
//!
//! Owns the preferred value (at most one) and what is made when a filter meets nothing (SC-11).

use std::borrow::Cow;

use lanyard_protocol::scim::filter::{Check, Comparison, Filter, Literal};
use lanyard_protocol::scim::patch::{Op, PatchPath};
use lanyard_protocol::scim::schema::{Attribute, Kind};
use serde_json::{Map, Value};

use super::missing;
use super::work::Work;
use crate::scim::denial::ScimDenial;
use crate::scim::document::{element_of, is_primary, value_of};

/// The most elements that an attribute may come to have.
const MAX_ELEMENTS: usize = 200;

/// Adds elements that are not there yet.
pub(super) fn with(
    attribute: &'static Attribute,
    mut list: Vec<Value>,
    value: &Value,
    work: &mut Work,
) -> Result<Vec<Value>, ScimDenial> {
    let Some(Value::Array(new)) = value_of(attribute, value.clone())? else {
        return Ok(list);
    };
    for one in new {
        // Steps alone: texts of different length are told apart without reading them, and a request has few long ones.
        work.steps(list.len())?;
        if !list.contains(&one) {
            list.push(one);
            prefer(&mut list, |n, length| n + 1 == length);
        }
    }
    bounded(attribute, list)
}

/// Takes the elements away that have one of these values: Entra ID names them in `value` (SC-12).
pub(super) fn without(
    attribute: &'static Attribute,
    mut list: Vec<Value>,
    value: &Value,
    work: &mut Work,
) -> Result<Vec<Value>, ScimDenial> {
    let Some(Value::Array(gone)) = value_of(attribute, value.clone())? else {
        return Ok(list);
    };
    work.steps(list.len().saturating_mul(gone.len()))?;
    let same = |one: &Value, other: &Value| match (one.get("value"), other.get("value")) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    };
    list.retain(|one| !gone.iter().any(|other| same(one, other)));
    Ok(list)
}

/// A change of the elements that a filter meets; without a filter, of all.
pub(super) struct Change<'a> {
    pub(super) attribute: &'static Attribute,
    pub(super) filter: Option<&'a Filter>,
    pub(super) part: Option<&'static Attribute>,
    pub(super) strict: bool,
    pub(super) work: &'a mut Work,
}

impl Change<'_> {
    /// The elements afterwards.
    pub(super) fn apply(
        &mut self,
        op: Op,
        mut list: Vec<Value>,
        value: Option<&Value>,
        path: &PatchPath,
    ) -> Result<Vec<Value>, ScimDenial> {
        // In ascending order.
        let mut met = Vec::new();
        self.work.steps(list.len())?;
        for (n, element) in list.iter().enumerate() {
            if self.meets(element)? {
                met.push(n);
            }
        }
        let value = match (op, value) {
            (Op::Add, None) => return Err(missing(self.attribute.name)),
            (Op::Remove, _) | (Op::Replace, None) => return Ok(self.remove(list, &met)),
            (_, Some(value)) => value,
        };
        let made = met.is_empty();
        if made {
            let seed = if self.strict { None } else { self.seed() };
            let Some(seed) = seed else {
                return Err(ScimDenial::NoTarget(path.to_string()));
            };
            met.push(list.len());
            list.push(Value::Object(seed));
        }
        self.work.copies(met.len(), value)?;
        for n in &met {
            if let Some(element) = list.get_mut(*n) {
                self.write(op == Op::Add || made, element, value)?;
            }
        }
        list.retain(|element| element.as_object().is_none_or(|parts| !parts.is_empty()));
        prefer(&mut list, |n, _| met.binary_search(&n).is_ok());
        bounded(self.attribute, list)
    }

    fn write(&self, merge: bool, element: &mut Value, value: &Value) -> Result<(), ScimDenial> {
        let Some(part) = self.part else {
            if let Some(Value::Object(new)) = element_of(self.attribute, value.clone())? {
                match element {
                    Value::Object(parts) if merge => parts.extend(new),
                    other => *other = Value::Object(new),
                }
            }
            return Ok(());
        };
        let value = value_of(part, value.clone())?;
        if let Value::Object(parts) = element {
            match value {
                Some(value) => {
                    parts.insert(part.name.to_owned(), value);
                }
                None => {
                    parts.remove(part.name);
                }
            }
        }
        Ok(())
    }

    fn remove(&self, list: Vec<Value>, met: &[usize]) -> Vec<Value> {
        let mut kept = Vec::with_capacity(list.len());
        for (n, mut element) in list.into_iter().enumerate() {
            if met.binary_search(&n).is_ok() {
                let Some(part) = self.part else { continue };
                if let Value::Object(parts) = &mut element {
                    parts.remove(part.name);
                    if parts.is_empty() {
                        continue;
                    }
                }
            }
            kept.push(element);
        }
        kept
    }

    fn meets(&mut self, element: &Value) -> Result<bool, ScimDenial> {
        let Some(filter) = self.filter else { return Ok(true) };
        meets(filter, element, self.attribute, self.work)
    }

    /// The element that the filter describes, when it does: a chain of `and` and `eq`. Without a filter, an empty one.
    fn seed(&self) -> Option<Map<String, Value>> {
        let mut parts = Map::new();
        if let Some(filter) = self.filter {
            describe(filter, self.attribute, &mut parts)?;
        }
        Some(parts)
    }
}

fn describe(filter: &Filter, attribute: &'static Attribute, parts: &mut Map<String, Value>) -> Option<()> {
    match filter {
        Filter::All(all) => all.iter().try_for_each(|one| describe(one, attribute, parts)),
        Filter::Test(test) => {
            let Check::Compare(Comparison::Equal, literal) = &test.check else {
                return None;
            };
            let part = attribute.part(&test.path.name)?;
            let value = match literal {
                Literal::Text(text) => Value::from(text.as_str()),
                Literal::Flag(flag) => Value::from(*flag),
                Literal::Number(number) => Value::from(number.to_string()),
                Literal::Null => return None,
            };
            let value = element_of(part, value).ok()??;
            parts.insert(part.name.to_owned(), value);
            Some(())
        }
        Filter::Element(_) | Filter::Not(_) | Filter::Any(_) => None,
    }
}

fn meets(filter: &Filter, element: &Value, attribute: &'static Attribute, work: &mut Work) -> Result<bool, ScimDenial> {
    match filter {
        Filter::All(all) => all
            .iter()
            .try_fold(true, |met, one| Ok(met && meets(one, element, attribute, work)?)),
        Filter::Any(any) => any
            .iter()
            .try_fold(false, |met, one| Ok(met || meets(one, element, attribute, work)?)),
        Filter::Not(inner) => meets(inner, element, attribute, work).map(|met| !met),
        Filter::Element(inner) => Err(ScimDenial::Path(format!("{} has no elements", inner.path))),
        Filter::Test(test) => {
            let part = Some(&test.path).filter(|path| path.schema.is_none() && path.part.is_none());
            let part = part.and_then(|path| attribute.part(&path.name)).ok_or_else(|| {
                let words = format!("{} has no part {}", attribute.name, test.path);
                ScimDenial::Path(words)
            })?;
            let value = element.get(part.name);
            match &test.check {
                Check::Present => {
                    work.comparison(0)?;
                    Ok(value.is_some())
                }
                Check::Compare(how, literal) => {
                    let text = value.and_then(Value::as_str).map_or(0, str::len);
                    let wanted = if let Literal::Text(wanted) = literal {
                        wanted.len()
                    } else {
                        0
                    };
                    work.comparison(text.saturating_add(wanted))?;
                    Ok(holds(value, *how, literal, part))
                }
            }
        }
    }
}

fn holds(value: Option<&Value>, how: Comparison, literal: &Literal, part: &Attribute) -> bool {
    if how == Comparison::NotEqual {
        return !holds(value, Comparison::Equal, literal, part);
    }
    let Some(value) = value else {
        return how == Comparison::Equal && *literal == Literal::Null;
    };
    if part.kind == Kind::Flag {
        let wanted = match literal {
            Literal::Flag(flag) => Some(*flag),
            Literal::Text(text) => text.to_ascii_lowercase().parse().ok(),
            Literal::Number(_) | Literal::Null => None,
        };
        return how == Comparison::Equal && wanted.is_some() && value.as_bool() == wanted;
    }
    let wanted = match literal {
        Literal::Text(text) => Cow::from(text.as_str()),
        Literal::Number(number) => Cow::from(number.to_string()),
        Literal::Flag(flag) => Cow::from(flag.to_string()),
        Literal::Null => return false,
    };
    let (value, wanted) = (folded(value.as_str().unwrap_or_default(), part), folded(&wanted, part));
    match how {
        Comparison::Equal => value == wanted,
        Comparison::NotEqual => value != wanted,
        Comparison::Contains => value.contains(wanted.as_ref()),
        Comparison::StartsWith => value.starts_with(wanted.as_ref()),
        Comparison::EndsWith => value.ends_with(wanted.as_ref()),
        Comparison::Greater => value > wanted,
        Comparison::GreaterOrEqual => value >= wanted,
        Comparison::Less => value < wanted,
        Comparison::LessOrEqual => value <= wanted,
    }
}

/// Copied only where case says nothing and something is to fold.
fn folded<'a>(text: &'a str, part: &Attribute) -> Cow<'a, str> {
    let is_folded = |b: u8| b.is_ascii() && !b.is_ascii_uppercase();
    if part.case_exact || text.bytes().all(is_folded) {
        text.into()
    } else {
        text.to_lowercase().into()
    }
}

/// When one of the touched elements is the preferred one, no other is (RFC 7644, section 3.5.2).
fn prefer(list: &mut [Value], touched: impl Fn(usize, usize) -> bool) {
    let length = list.len();
    let chosen = list
        .iter()
        .enumerate()
        .rposition(|(n, one)| touched(n, length) && is_primary(one));
    let Some(chosen) = chosen else { return };
    for (n, one) in list.iter_mut().enumerate() {
        if n != chosen
            && is_primary(one)
            && let Value::Object(parts) = one
        {
            parts.insert("primary".to_owned(), Value::Bool(false));
        }
    }
}

fn bounded(attribute: &Attribute, list: Vec<Value>) -> Result<Vec<Value>, ScimDenial> {
    if list.len() > MAX_ELEMENTS {
        let words = format!("{} has more than {MAX_ELEMENTS} values", attribute.name);
        return Err(ScimDenial::TooMany(words));
    }
    Ok(list)
}
