//! PATCH requests (RFC 7644, section 3.5.2), as Okta and Entra ID send them too (SC-08, SC-09, SC-11).
//!
//! Owns the message and the grammar of its paths. Never applies an operation.

use std::fmt;

use serde_json::{Map, Value};

use crate::scim::filter::{Filter, FilterError, Parser};
use crate::scim::path::AttributePath;
use crate::scim::urn;

/// The most operations of a request.
pub const MAX_OPERATIONS: usize = 1000;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Adds values.
    Add,
    /// Puts values in the place of what is there.
    Replace,
    /// Takes values away.
    Remove,
}

/// Where an operation applies.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    /// The attribute.
    pub path: AttributePath,
    /// Only these elements.
    pub filter: Option<Filter>,
    /// Only this part of the elements.
    pub part: Option<String>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What it does.
    pub op: Op,
    /// Where; without a path, the value names the attributes.
    pub path: Option<PatchPath>,
    /// With what; null counts as none.
    pub value: Option<Value>,
}

/// Why a body is no PATCH request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// A member is missing or of another type.
    #[error("{0}")]
    Syntax(&'static str),
    /// There are more than [`MAX_OPERATIONS`].
    #[error("there are more than {MAX_OPERATIONS} operations")]
    TooMany,
    /// A path is not one.
    #[error("the path of operation {number} cannot be read: {why}")]
    Path {
        /// Which operation, from 1.
        number: usize,
        /// What is wrong.
        why: FilterError,
    },
}

impl PatchPath {
    /// Parses a path.
    ///
    /// # Errors
    /// [`FilterError`]: paths share the grammar of filters.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser::new(text)?;
        let path = parser.path()?;
        let (filter, part) = if parser.at_element() {
            (Some(parser.element()?), parser.part()?)
        } else {
            (None, None)
        };
        parser.end()?;
        Ok(Self { path, filter, part })
    }
}

impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        match &self.part {
            Some(part) => write!(f, ".{part}"),
            None => Ok(()),
        }
    }
}

/// The operations of a body, in their order. `op` is read in any case: Entra ID writes `Add`, `Replace`, `Remove`.
///
/// # Errors
/// [`PatchError`].
pub fn operations(body: Value) -> Result<Vec<Operation>, PatchError> {
    let Value::Object(mut body) = body else {
        return Err(PatchError::Syntax("the body is not an object"));
    };
    if let Some(schemas) = take(&mut body, "schemas") {
        let names = schemas.as_array().into_iter().flatten().filter_map(Value::as_str);
        if !names.into_iter().any(|name| name.eq_ignore_ascii_case(urn::PATCH_OP)) {
            return Err(PatchError::Syntax("schemas does not name the PatchOp message"));
        }
    }
    let Some(Value::Array(listed)) = take(&mut body, "Operations") else {
        return Err(PatchError::Syntax("Operations is not an array"));
    };
    if listed.is_empty() {
        return Err(PatchError::Syntax("Operations is empty"));
    }
    if listed.len() > MAX_OPERATIONS {
        return Err(PatchError::TooMany);
    }
    listed
        .into_iter()
        .enumerate()
        .map(|(n, one)| operation(n + 1, one))
        .collect()
}

fn operation(number: usize, given: Value) -> Result<Operation, PatchError> {
    let Value::Object(mut given) = given else {
        return Err(PatchError::Syntax("an operation is not an object"));
    };
    let op = take(&mut given, "op").and_then(|op| Some(op.as_str()?.to_ascii_lowercase()));
    let op = match op.as_deref() {
        Some("add") => Op::Add,
        Some("replace") => Op::Replace,
        Some("remove") => Op::Remove,
        _ => return Err(PatchError::Syntax("op is none of add, replace and remove")),
    };
    let path = match take(&mut given, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(Value::String(text)) => Some(PatchPath::parse(&text).map_err(|why| PatchError::Path { number, why })?),
        Some(_) => return Err(PatchError::Syntax("path is not a text")),
    };
    let value = take(&mut given, "value").filter(|value| !value.is_null());
    Ok(Operation { op, path, value })
}

/// The member of this name in any case.
fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    if let Some(value) = object.get_mut(name) {
        return Some(value.take());
    }
    let (_, value) = object.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value.take())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_paths_of_okta_and_entra_are_read_sc_11() {
        for text in [
            "active",
            "name.familyName",
            "members",
            r#"members[value eq "usr_1"]"#,
            r#"emails[type eq "work"].value"#,
            r#"addresses[type eq "work" and primary eq true].streetAddress"#,
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ] {
            assert_eq!(PatchPath::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_path_is_refused_sc_11() {
        for bad in [
            "",
            "a b",
            "a[",
            "a[]",
            "a[b eq]",
            "a[b pr]c",
            "a[b pr].",
            "a[b pr].c d",
            "[a pr]",
            "a.b.c",
            "/a",
        ] {
            assert!(PatchPath::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn operations_are_read_in_any_case_sc_08() {
        let body =
            json!({"schemas": [urn::PATCH_OP], "operations": [{"Op": "Replace", "Path": "active", "VALUE": "False"}]});
        let read = operations(body).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].op, &read[0].value), (Op::Replace, &Some(json!("False"))));
    }

    #[test]
    fn an_operation_may_have_no_path_sc_09() {
        let body = json!({"Operations": [{"op": "replace", "value": {"active": false}}, {"op": "add", "path": "", "value": {}}]});
        assert!(operations(body).unwrap().iter().all(|one| one.path.is_none()));
    }

    #[test]
    fn what_is_no_patch_is_refused_sc_08() {
        for bad in [
            json!([]),
            json!({}),
            json!({"Operations": []}),
            json!({"Operations": {}}),
            json!({"Operations": [1]}),
            json!({"Operations": [{"path": "active"}]}),
            json!({"Operations": [{"op": "move"}]}),
            json!({"Operations": [{"op": "add", "path": 1}]}),
            json!({"Operations": [{"op": "add", "path": "a["}]}),
            json!({"schemas": ["x"], "Operations": [{"op": "add"}]}),
            json!({"Operations": vec![json!({"op": "add"}); MAX_OPERATIONS + 1]}),
        ] {
            assert!(operations(bad.clone()).is_err(), "{bad}");
        }
    }
}
