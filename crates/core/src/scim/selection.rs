//! Which attributes an answer shows (RFC 7644, section 3.9; SC-05).
//!
//! Owns `attributes` and `excludedAttributes`. What is always shown is shown; what never is, is never there.

use lanyard_protocol::scim::path::AttributePath;
use lanyard_protocol::scim::schema::{ResourceType, Returned, Schema};
use serde_json::{Map, Value};

/// What stands in every answer whatever is asked for.
const ALWAYS: [&str; 2] = ["schemas", "id"];

/// A choice of attributes. Names that mean nothing choose nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    only: Option<Vec<Chosen>>,
    without: Vec<Chosen>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Chosen {
    extension: Option<&'static Schema>,
    /// `None` is the whole extension.
    attribute: Option<&'static str>,
    part: Option<&'static str>,
}

impl Selection {
    /// From the two parameters, names separated by commas.
    pub fn read(kind: &ResourceType, attributes: Option<&str>, excluded: Option<&str>) -> Self {
        let named = |names: &str| -> Vec<Chosen> {
            let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
            names.filter_map(|name| chosen(kind, name)).collect()
        };
        let asked = attributes.filter(|names| !names.trim().is_empty());
        Self {
            only: asked.map(named),
            without: excluded.map(named).unwrap_or_default(),
        }
    }

    /// Whether an attribute of the base schema will be shown, so that it is worth loading.
    pub fn wants(&self, name: &str) -> bool {
        let is = |chosen: &Chosen| chosen.extension.is_none() && chosen.attribute == Some(name);
        let only = self.only.as_ref().is_none_or(|only| only.iter().any(is));
        only && !self.without.iter().any(|chosen| is(chosen) && chosen.part.is_none())
    }

    /// Whether the client asked for anything in particular.
    pub const fn is_asked(&self) -> bool {
        self.only.is_some()
    }

    /// The resource as it is shown.
    pub fn apply(&self, whole: Map<String, Value>) -> Map<String, Value> {
        let mut shown = match &self.only {
            None => whole,
            Some(only) => keep(only, &whole),
        };
        for chosen in &self.without {
            leave_out(chosen, &mut shown);
        }
        shown
    }
}

fn chosen(kind: &ResourceType, name: &str) -> Option<Chosen> {
    if let Some(extension) = kind.extension(name) {
        return Some(Chosen {
            extension: Some(extension),
            attribute: None,
            part: None,
        });
    }
    let target = kind.find(&AttributePath::parse(name).ok()?)?;
    Some(Chosen {
        extension: target.extension,
        attribute: Some(target.attribute.name),
        part: target.part.map(|part| part.name),
    })
    .filter(|_| target.attribute.returned != Returned::Never)
}

fn keep(only: &[Chosen], whole: &Map<String, Value>) -> Map<String, Value> {
    let mut shown = Map::new();
    for name in ALWAYS {
        if let Some(value) = whole.get(name) {
            shown.insert(name.to_owned(), value.clone());
        }
    }
    for chosen in only {
        let Some(extension) = chosen.extension else {
            if let Some(name) = chosen.attribute {
                keep_one(name, chosen.part, whole, &mut shown);
            }
            continue;
        };
        let Some(Value::Object(values)) = whole.get(extension.id) else {
            continue;
        };
        let place = shown.entry(extension.id).or_insert_with(|| Value::Object(Map::new()));
        match (chosen.attribute, place) {
            (None, place) => *place = Value::Object(values.clone()),
            (Some(name), Value::Object(place)) => keep_one(name, chosen.part, values, place),
            (Some(_), _) => {}
        }
    }
    shown.retain(|_, value| value.as_object().is_none_or(|parts| !parts.is_empty()));
    shown
}

fn keep_one(
    name: &'static str,
    part: Option<&'static str>,
    whole: &Map<String, Value>,
    shown: &mut Map<String, Value>,
) {
    let Some(value) = whole.get(name) else { return };
    let Some(part) = part else {
        shown.insert(name.to_owned(), value.clone());
        return;
    };
    match (value, shown.get_mut(name)) {
        (Value::Object(parts), Some(Value::Object(place))) => {
            place.extend(parts.get(part).map(|value| (part.to_owned(), value.clone())));
        }
        (Value::Array(list), Some(Value::Array(places))) => {
            for (place, element) in places.iter_mut().zip(list) {
                if let (Some(place), Some(value)) = (place.as_object_mut(), element.get(part)) {
                    place.insert(part.to_owned(), value.clone());
                }
            }
        }
        (Value::Object(parts), None) => {
            let one = parts.get(part).map(|value| (part.to_owned(), value.clone()));
            shown.insert(name.to_owned(), Value::Object(one.into_iter().collect()));
        }
        (Value::Array(list), None) => {
            let cut = list.iter().map(|element| {
                let one = element.get(part).map(|value| (part.to_owned(), value.clone()));
                Value::Object(one.into_iter().collect())
            });
            let cut = cut.collect();
            shown.insert(name.to_owned(), Value::Array(cut));
        }
        _ => {}
    }
}

fn leave_out(chosen: &Chosen, shown: &mut Map<String, Value>) {
    let place = match chosen.extension {
        None => Some(&mut *shown),
        Some(extension) if chosen.attribute.is_none() => {
            shown.remove(extension.id);
            None
        }
        Some(extension) => shown.get_mut(extension.id).and_then(Value::as_object_mut),
    };
    let (Some(place), Some(name)) = (place, chosen.attribute) else {
        return;
    };
    if chosen.extension.is_none() && ALWAYS.contains(&name) {
        return;
    }
    let Some(part) = chosen.part else {
        place.remove(name);
        return;
    };
    match place.get_mut(name) {
        Some(Value::Object(parts)) => {
            parts.remove(part);
        }
        Some(Value::Array(list)) => {
            for parts in list.iter_mut().filter_map(Value::as_object_mut) {
                parts.remove(part);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use lanyard_protocol::scim::schema::USERS;
    use lanyard_protocol::scim::urn::ENTERPRISE_USER;
    use serde_json::json;

    use super::*;

    fn shown(attributes: Option<&str>, excluded: Option<&str>) -> Value {
        let whole = json!({
            "schemas": ["s"], "id": "usr_1", "userName": "ada", "title": "x", "meta": {"version": "1"},
            "name": {"givenName": "Ada", "familyName": "L"},
            "emails": [{"value": "a@x", "type": "work"}, {"value": "b@x"}],
            ENTERPRISE_USER: {"department": "R&D", "division": "D"}
        });
        let Value::Object(whole) = whole else {
            return Value::Null;
        };
        Value::Object(Selection::read(&USERS, attributes, excluded).apply(whole))
    }

    #[test]
    fn only_what_is_asked_for_is_shown_and_what_always_is_sc_05() {
        assert_eq!(
            shown(Some("USERNAME, emails.value,name.givenName,nothing,password"), None),
            json!({"schemas": ["s"], "id": "usr_1", "userName": "ada", "name": {"givenName": "Ada"},
                "emails": [{"value": "a@x"}, {"value": "b@x"}]})
        );
        assert_eq!(
            shown(Some(&format!("{ENTERPRISE_USER}:department")), None),
            json!({"schemas": ["s"], "id": "usr_1", ENTERPRISE_USER: {"department": "R&D"}})
        );
        assert_eq!(
            shown(Some("emails.value,emails.type"), None)["emails"],
            json!([{"value": "a@x", "type": "work"}, {"value": "b@x"}])
        );
    }

    #[test]
    fn what_is_excluded_is_not_shown_unless_it_always_is_sc_05() {
        let shown = shown(
            None,
            Some(&format!("id,schemas,title,emails.type,name,meta,{ENTERPRISE_USER}")),
        );
        assert_eq!(
            shown,
            json!({"schemas": ["s"], "id": "usr_1", "userName": "ada", "emails": [{"value": "a@x"}, {"value": "b@x"}]})
        );
    }

    #[test]
    fn members_that_are_not_shown_are_not_loaded_sc_05() {
        let wants = |attributes, excluded| Selection::read(&USERS, attributes, excluded).wants("groups");
        assert!(wants(None, None) && wants(Some("groups"), None) && wants(Some("groups.value"), Some("title")));
        assert!(!wants(Some("userName"), None) && !wants(None, Some("groups")) && wants(Some(""), None));
    }
}
