//! A resource as its client wrote it, brought to the names and types of its schema (SC-07, SC-10, SC-18).
//!
//! Owns what is kept of a body: attributes of the schema that the client may write. Never knows what they mean.

use lanyard_protocol::scim::path::AttributePath;
use lanyard_protocol::scim::schema::{Attribute, Kind, Mutability, ResourceType, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::scim::denial::ScimDenial;

/// The longest text of an attribute, in bytes.
const MAX_TEXT: usize = 8 * 1024;
/// The longest binary value, in bytes of base64.
const MAX_BINARY: usize = 64 * 1024;
/// The most values of an attribute of a person.
const MAX_VALUES: usize = 200;
/// The largest document that is kept, in bytes of JSON: it is read and written with every change of the person.
const MAX_DOCUMENT: usize = 256 * 1024;
/// The most members that a request may name.
pub const MAX_MEMBERS: usize = 50_000;
/// The attribute of a group that names its members.
pub(super) const MEMBERS: &str = "members";

/// Attributes in the names of their schema; those of an extension stand under its URN. Holds no password, no `id`, no
/// `meta`, nothing unassigned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Document(Map<String, Value>);

impl Document {
    /// What a POST or PUT says. Names are read in any case; unknown and read-only attributes are ignored (RFC 7644,
    /// sections 3.3 and 3.5.1), a password is thrown away.
    ///
    /// # Errors
    /// [`ScimDenial::Syntax`], [`ScimDenial::Value`] and [`ScimDenial::TooMany`].
    pub fn read(kind: &ResourceType, body: Value) -> Result<Self, ScimDenial> {
        let Value::Object(body) = body else {
            return Err(ScimDenial::Syntax("the body is not an object".to_owned()));
        };
        let mut document = Self::default();
        for (name, value) in body {
            if let Some(extension) = kind.extension(&name) {
                let Value::Object(values) = value else {
                    return Err(ScimDenial::value(name, "this is an object of attributes"));
                };
                for (name, value) in values {
                    if let Some(attribute) = extension.attribute(&name) {
                        document.read_one(Some(extension), attribute, value)?;
                    }
                }
            } else {
                let target = AttributePath::parse(&name).ok().and_then(|path| kind.find(&path));
                if let Some(target) = target.filter(|target| target.part.is_none()) {
                    document.read_one(target.extension, target.attribute, value)?;
                }
            }
        }
        document.bounded()?;
        Ok(document)
    }

    /// Bytes of JSON. The members of a group are counted elsewhere, and not kept in a document; nor does `false` in the
    /// place of `true` make one larger.
    pub(super) fn size(&self) -> usize {
        let kept = self.0.iter().filter(|(name, _)| *name != MEMBERS && *name != "active");
        let length = |value: &Value| serde_json::to_vec(value).map_or(usize::MAX, |text| text.len());
        kept.fold(0, |size: usize, (name, value)| {
            size.saturating_add(name.len()).saturating_add(length(value))
        })
    }

    /// Refuses what is larger than a document that is kept.
    pub(super) fn bounded(&self) -> Result<(), ScimDenial> {
        if self.size() > MAX_DOCUMENT {
            let words = format!("all attributes together are at most {} KiB", MAX_DOCUMENT / 1024);
            return Err(ScimDenial::TooMany(words));
        }
        Ok(())
    }

    fn read_one(
        &mut self,
        extension: Option<&'static Schema>,
        attribute: &'static Attribute,
        value: Value,
    ) -> Result<(), ScimDenial> {
        if !is_kept(attribute) || value.is_null() {
            return Ok(());
        }
        if self.get(extension, attribute.name).is_some() {
            let words = format!("{} stands twice", attribute.name);
            return Err(ScimDenial::Syntax(words));
        }
        let value = value_of(attribute, value)?;
        self.set(extension, attribute.name, value);
        Ok(())
    }

    /// The value of an attribute.
    pub fn get(&self, extension: Option<&'static Schema>, name: &str) -> Option<&Value> {
        match extension {
            None => self.0.get(name),
            Some(extension) => self.0.get(extension.id)?.get(name),
        }
    }

    /// Puts a value in the place of what there is; `None` and what is empty unassigns.
    pub fn set(&mut self, extension: Option<&'static Schema>, name: &str, value: Option<Value>) {
        let value = value.filter(|value| !is_empty(value));
        let Some(extension) = extension else {
            put(&mut self.0, name, value);
            return;
        };
        let mut values = match self.0.remove(extension.id) {
            Some(Value::Object(values)) => values,
            _ => Map::new(),
        };
        put(&mut values, name, value);
        if !values.is_empty() {
            self.0.insert(extension.id.to_owned(), Value::Object(values));
        }
    }

    /// Takes a value out.
    pub(super) fn take_at(&mut self, extension: Option<&'static Schema>, name: &str) -> Option<Value> {
        match extension {
            None => self.0.remove(name),
            Some(extension) => self.0.get_mut(extension.id)?.as_object_mut()?.remove(name),
        }
    }

    /// Takes an attribute of the base schema out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// A text of the base schema.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// True or false of the base schema.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    /// A part of a complex attribute of the base schema.
    pub fn part(&self, name: &str, part: &str) -> Option<&str> {
        self.0.get(name)?.get(part)?.as_str()
    }

    /// The elements of a multi-valued attribute of the base schema.
    pub fn elements(&self, name: &str) -> &[Value] {
        self.0.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The attributes.
    pub const fn members(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// Whether anything of the attribute is kept when a client writes it.
pub(super) fn is_kept(attribute: &Attribute) -> bool {
    matches!(attribute.mutability, Mutability::ReadWrite | Mutability::Immutable)
}

/// A value in the form of its attribute; `None` when it says "unassigned" (RFC 7643, section 2.5).
///
/// # Errors
/// [`ScimDenial::Value`].
pub fn value_of(attribute: &'static Attribute, given: Value) -> Result<Option<Value>, ScimDenial> {
    if !attribute.multi_valued {
        // A list of one says the same.
        let given = match given {
            Value::Array(mut list) if list.len() == 1 => list.pop().unwrap_or_default(),
            other => other,
        };
        return element_of(attribute, given);
    }
    let given = match given {
        Value::Array(list) => list,
        Value::Null => Vec::new(),
        single => vec![single],
    };
    let limit = if attribute.name == MEMBERS {
        MAX_MEMBERS
    } else {
        MAX_VALUES
    };
    if given.len() > limit {
        let words = format!("{} has more than {limit} values", attribute.name);
        return Err(ScimDenial::TooMany(words));
    }
    let mut list = Vec::with_capacity(given.len());
    for one in given {
        list.extend(element_of(attribute, one)?);
    }
    let primary = list.iter().filter(|one| is_primary(one)).count();
    if primary > 1 {
        return Err(ScimDenial::value(attribute.name, "at most one value is primary"));
    }
    Ok((!list.is_empty()).then_some(Value::Array(list)))
}

/// Whether an element is the preferred one.
pub(super) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// One value in the form of its attribute, of which there may be several.
pub(super) fn element_of(attribute: &'static Attribute, given: Value) -> Result<Option<Value>, ScimDenial> {
    if given.is_null() {
        return Ok(None);
    }
    match attribute.kind {
        Kind::Complex => complex(attribute, given),
        Kind::Flag => flag(attribute, &given).map(Some),
        Kind::Text | Kind::Reference | Kind::DateTime => text(attribute, given, MAX_TEXT).map(Some),
        Kind::Binary => text(attribute, given, MAX_BINARY).map(Some),
    }
}

fn complex(attribute: &'static Attribute, given: Value) -> Result<Option<Value>, ScimDenial> {
    let given = match given {
        Value::Object(given) => given,
        // Entra ID sends the id of a manager alone.
        Value::String(_) | Value::Number(_) | Value::Bool(_) if attribute.part("value").is_some() => {
            Map::from_iter([("value".to_owned(), given)])
        }
        _ => return Err(ScimDenial::value(attribute.name, "this is an object")),
    };
    let mut parts = Map::with_capacity(given.len());
    for (name, value) in given {
        let Some(part) = attribute.part(&name).filter(|part| is_kept(part)) else {
            continue;
        };
        if parts.contains_key(part.name) {
            let words = format!("{}.{} stands twice", attribute.name, part.name);
            return Err(ScimDenial::Syntax(words));
        }
        if let Some(value) = element_of(part, value)? {
            parts.insert(part.name.to_owned(), value);
        }
    }
    Ok((!parts.is_empty()).then_some(Value::Object(parts)))
}

/// Entra ID sends `"True"` and `"False"` (SC-10).
fn flag(attribute: &Attribute, given: &Value) -> Result<Value, ScimDenial> {
    match given {
        Value::Bool(flag) => Ok(Value::Bool(*flag)),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        _ => Err(ScimDenial::value(attribute.name, "this is true or false")),
    }
}

fn text(attribute: &Attribute, given: Value, limit: usize) -> Result<Value, ScimDenial> {
    let text = match given {
        Value::String(text) => text,
        // An employee number, for instance.
        Value::Number(number) => number.to_string(),
        _ => return Err(ScimDenial::value(attribute.name, "this is a text")),
    };
    if text.len() > limit {
        let words = format!("use at most {limit} bytes");
        return Err(ScimDenial::value(attribute.name, words));
    }
    if text.contains('\0') {
        return Err(ScimDenial::value(attribute.name, "this holds a NUL character"));
    }
    Ok(Value::String(text))
}

fn put(values: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            values.insert(name.to_owned(), value);
        }
        None => {
            values.remove(name);
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(parts) => parts.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use lanyard_protocol::scim::schema::{GROUPS, USERS};
    use lanyard_protocol::scim::urn::ENTERPRISE_USER;
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<Value, ScimDenial> {
        Document::read(&USERS, body).map(|document| json!(document))
    }

    #[test]
    fn what_the_schema_knows_is_kept_in_its_names_and_the_rest_is_ignored_sc_07() {
        let body = json!({
            "schemas": ["x"], "id": "1", "meta": {}, "groups": [{"value": "g"}], "password": "secret", "shoeSize": 44,
            "USERNAME": "Ada", "Name": {"FamilyName": "L", "shoe": 1}, "emails": [{"Value": "a@x", "primary": "True"}],
            ENTERPRISE_USER: {"Department": "R&D", "manager": "usr_1", "employeeNumber": 7, "x": 1},
            "urn:okta:custom:1.0:user:custom": {"a": 1}, "title": null, "photos": []
        });
        assert_eq!(
            read(body).unwrap(),
            json!({
                "userName": "Ada", "name": {"familyName": "L"}, "emails": [{"value": "a@x", "primary": true}],
                ENTERPRISE_USER: {"department": "R&D", "manager": {"value": "usr_1"}, "employeeNumber": "7"}
            })
        );
    }

    #[test]
    fn booleans_may_be_texts_in_any_case_sc_10() {
        for (given, meant) in [(json!("False"), false), (json!("TRUE"), true), (json!(false), false)] {
            assert_eq!(read(json!({"active": given})).unwrap(), json!({"active": meant}));
        }
        assert!(read(json!({"active": "no"})).is_err() && read(json!({"active": 1})).is_err());
    }

    #[test]
    fn a_name_in_two_spellings_is_refused_sec_22() {
        for body in [
            json!({"userName": "a", "USERNAME": "b"}),
            json!({"name": {"givenName": "a", "givenname": "b"}}),
            json!({ENTERPRISE_USER: {"department": "a"}, format!("{ENTERPRISE_USER}:department"): "b"}),
        ] {
            assert!(matches!(read(body.clone()), Err(ScimDenial::Syntax(_))), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_a_value_is_refused_sc_17() {
        for body in [
            json!({"userName": {}}),
            json!({"userName": true}),
            json!({"emails": [[]]}),
            json!({"name": "Ada"}),
            json!({ENTERPRISE_USER: "x"}),
            json!({"title": "a\u{0}b"}),
            json!({"title": "x".repeat(MAX_TEXT + 1)}),
            json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}),
        ] {
            assert!(matches!(read(body.clone()), Err(ScimDenial::Value { .. })), "{body}");
        }
        let many = vec![json!({"value": "x"}); MAX_VALUES + 1];
        assert!(matches!(read(json!({"emails": many})), Err(ScimDenial::TooMany(_))));
        assert!(matches!(read(json!([])), Err(ScimDenial::Syntax(_))));
    }

    #[test]
    fn a_document_is_bounded_and_the_members_of_a_group_are_not_part_of_it_sec_22() {
        let photos = |count: usize| json!({"photos": vec![json!({"value": "x".repeat(MAX_TEXT - 64)}); count]});
        assert!(read(photos(32)).is_ok());
        assert!(matches!(read(photos(33)), Err(ScimDenial::TooMany(_))));
        let members = json!({"displayName": "g", "members": vec![json!({"value": "usr_0123456789"}); 20_000]});
        assert!(Document::read(&GROUPS, members).is_ok());
    }
}
