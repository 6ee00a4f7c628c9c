//! Applying the operations of a PATCH to a document (RFC 7644, section 3.5.2; SC-08 to SC-11).
//!
//! Owns what an operation does to attributes. Pure: all or nothing is that the result is thrown away.

mod elements;
mod work;

use lanyard_protocol::scim::patch::{Op, Operation, PatchPath};
use lanyard_protocol::scim::schema::{Attribute, Kind, Mutability, ResourceType, Schema, Target};
use serde_json::{Map, Value};

use crate::scim::denial::ScimDenial;
use crate::scim::document::{Document, value_of};
use work::Work;

/// The document after every operation, in their order. `strict` refuses a path that meets no element; else the element
/// is made.
///
/// # Errors
/// The first operation that cannot be applied; more work than is done for one request; a document that grows beyond
/// what is kept.
pub fn apply(
    kind: &ResourceType,
    mut document: Document,
    operations: &[Operation],
    strict: bool,
) -> Result<Document, ScimDenial> {
    let before = document.size();
    let mut patch = Patch {
        kind,
        document: &mut document,
        strict,
        work: Work::default(),
    };
    for operation in operations {
        patch.apply(operation)?;
    }
    // What is too large already may stay, and shrink: somebody whose document it is can still be cut off.
    if document.size() > before {
        document.bounded()?;
    }
    Ok(document)
}

struct Patch<'a> {
    kind: &'a ResourceType,
    document: &'a mut Document,
    strict: bool,
    work: Work,
}

/// Which attribute, of which schema.
#[derive(Clone, Copy)]
struct Place {
    extension: Option<&'static Schema>,
    attribute: &'static Attribute,
}

impl Patch<'_> {
    fn apply(&mut self, operation: &Operation) -> Result<(), ScimDenial> {
        match (&operation.path, operation.op) {
            (Some(path), op) => self.at(op, path, operation.value.as_ref()),
            (None, Op::Remove) => Err(ScimDenial::NoTarget("remove without a path".to_owned())),
            (None, op) => self.named(op, operation.value.as_ref()),
        }
    }

    /// Without a path the value names the attributes: by name, by dotted path, by URN (SC-09). What is unknown or the
    /// server's is ignored, as in a PUT: Okta sends the `id` of a group with its new name.
    fn named(&mut self, op: Op, value: Option<&Value>) -> Result<(), ScimDenial> {
        let Some(Value::Object(values)) = value else {
            let words = "an operation without a path needs an object of attributes as its value";
            return Err(ScimDenial::Syntax(words.to_owned()));
        };
        for (name, value) in values {
            if let Some(extension) = self.kind.extension(name) {
                self.extension(op, extension, Some(value))?;
            } else if let Ok(path) = PatchPath::parse(name)
                && let Some(target) = self.kind.find(&path.path)
                && !is_servers(&target)
            {
                self.at(op, &path, Some(value).filter(|value| !value.is_null()))?;
            }
        }
        Ok(())
    }

    fn extension(&mut self, op: Op, extension: &'static Schema, value: Option<&Value>) -> Result<(), ScimDenial> {
        if op == Op::Remove {
            for attribute in extension.attributes {
                self.document.set(Some(extension), attribute.name, None);
            }
            return Ok(());
        }
        let Some(Value::Object(values)) = value else {
            return Err(ScimDenial::value(extension.id, "this is an object of attributes"));
        };
        for (name, value) in values {
            if let Some(attribute) = extension.attribute(name) {
                let place = Place {
                    extension: Some(extension),
                    attribute,
                };
                self.whole(op, place, Some(value).filter(|value| !value.is_null()))?;
            }
        }
        Ok(())
    }

    fn at(&mut self, op: Op, path: &PatchPath, value: Option<&Value>) -> Result<(), ScimDenial> {
        if path.filter.is_none()
            && let Some(extension) = self.kind.whole_extension(&path.path)
        {
            return self.extension(op, extension, value);
        }
        let unknown = || ScimDenial::Path(format!("there is no attribute {}", path.path));
        let target = self.kind.find(&path.path).ok_or_else(unknown)?;
        if is_servers(&target) {
            return Err(ScimDenial::ReadOnly(path.path.to_string()));
        }
        let place = Place {
            extension: target.extension,
            attribute: target.attribute,
        };
        if target.attribute.mutability == Mutability::WriteOnly {
            return Ok(());
        }
        let part = match &path.part {
            Some(name) => Some(target.attribute.part(name).ok_or_else(unknown)?),
            None => target.part,
        };
        match (&path.filter, part) {
            (None, None) => self.whole(op, place, value),
            (None, Some(part)) if !target.attribute.multi_valued => self.part(op, place, part, value),
            (filter, part) => {
                if !target.attribute.multi_valued || target.part.is_some() && filter.is_some() {
                    let words = format!("{} has one value and no elements", path.path);
                    return Err(ScimDenial::Path(words));
                }
                let list = self.take_list(place);
                let mut change = elements::Change {
                    attribute: target.attribute,
                    filter: filter.as_ref(),
                    part,
                    strict: self.strict,
                    work: &mut self.work,
                };
                let list = change.apply(op, list, value, path)?;
                self.document
                    .set(place.extension, place.attribute.name, Some(Value::Array(list)));
                Ok(())
            }
        }
    }

    /// A whole attribute.
    fn whole(&mut self, op: Op, place: Place, value: Option<&Value>) -> Result<(), ScimDenial> {
        let Place { extension, attribute } = place;
        if !matches!(attribute.mutability, Mutability::ReadWrite | Mutability::Immutable) {
            return Ok(());
        }
        match (op, value) {
            (Op::Remove, Some(value)) if attribute.multi_valued => {
                let list = self.take_list(place);
                let list = elements::without(attribute, list, value, &mut self.work)?;
                self.document.set(extension, attribute.name, Some(Value::Array(list)));
                Ok(())
            }
            (Op::Remove, _) | (Op::Replace, None) => {
                if attribute.required {
                    return Err(ScimDenial::ReadOnly(attribute.name.to_owned()));
                }
                self.document.set(extension, attribute.name, None);
                Ok(())
            }
            (Op::Add, None) => Err(missing(attribute.name)),
            (Op::Add, Some(value)) if attribute.multi_valued => {
                let list = self.take_list(place);
                let list = elements::with(attribute, list, value, &mut self.work)?;
                self.document.set(extension, attribute.name, Some(Value::Array(list)));
                Ok(())
            }
            (_, Some(value)) => {
                let mut value = value_of(attribute, value.clone())?;
                if attribute.kind == Kind::Complex
                    && !attribute.multi_valued
                    && let Some(Value::Object(parts)) = &value
                {
                    // Parts that are not named stay (RFC 7644, section 3.5.2.3).
                    let mut merged = self.parts(place);
                    merged.extend(parts.clone());
                    value = Some(Value::Object(merged));
                }
                if value.is_none() && attribute.required {
                    return Err(ScimDenial::ReadOnly(attribute.name.to_owned()));
                }
                self.document.set(extension, attribute.name, value);
                Ok(())
            }
        }
    }

    /// A part of an attribute with one value.
    fn part(
        &mut self,
        op: Op,
        place: Place,
        part: &'static Attribute,
        value: Option<&Value>,
    ) -> Result<(), ScimDenial> {
        let mut parts = self.parts(place);
        let value = match (op, value) {
            (Op::Add, None) => return Err(missing(part.name)),
            (Op::Remove, _) | (Op::Replace, None) => None,
            (_, Some(value)) => value_of(part, value.clone())?,
        };
        match value {
            Some(value) => {
                parts.insert(part.name.to_owned(), value);
            }
            None => {
                parts.remove(part.name);
            }
        }
        self.document
            .set(place.extension, place.attribute.name, Some(Value::Object(parts)));
        Ok(())
    }

    fn parts(&self, place: Place) -> Map<String, Value> {
        let stands = self.document.get(place.extension, place.attribute.name);
        stands.and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// The elements, moved out: a copy for each operation would cost as much as the document each time. Whoever takes
    /// them puts them back, or fails, and then the document is thrown away.
    fn take_list(&mut self, place: Place) -> Vec<Value> {
        match self.document.take_at(place.extension, place.attribute.name) {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        }
    }
}

/// Only the server writes it.
fn is_servers(target: &Target) -> bool {
    let servers = |attribute: &Attribute| attribute.mutability == Mutability::ReadOnly;
    servers(target.attribute) || target.part.is_some_and(servers)
}

pub(super) fn missing(attribute: &str) -> ScimDenial {
    ScimDenial::value(attribute, "the operation has no value")
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
