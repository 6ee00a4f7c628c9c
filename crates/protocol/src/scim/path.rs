//! Attribute paths: `userName`, `name.familyName`, `urn:…:User:department` (RFC 7644, section 3.10).
//!
//! Owns their syntax. Never knows whether an attribute exists: schemas do.

use std::fmt;

/// The longest path that is read, in bytes.
const MAX_LENGTH: usize = 256;

/// The name of an attribute, perhaps with its schema and a part of it. Names are compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributePath {
    /// The schema, when the path begins with one.
    pub schema: Option<String>,
    /// The attribute.
    pub name: String,
    /// A part of a complex attribute.
    pub part: Option<String>,
}

/// The text is not an attribute path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the path of an attribute")]
pub struct InvalidPath;

impl AttributePath {
    /// Parses a path.
    ///
    /// # Errors
    /// [`InvalidPath`].
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidPath);
        }
        let (schema, rest) = match is_urn(text).then(|| text.rsplit_once(':')).flatten() {
            Some((schema, rest)) => (Some(schema), rest),
            None => (None, text),
        };
        if schema.is_some_and(|schema| {
            !schema
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"\"[]()\\".contains(&b))
        }) {
            return Err(InvalidPath);
        }
        let (name, part) = match rest.split_once('.') {
            Some((name, part)) => (name, Some(part)),
            None => (rest, None),
        };
        if !is_name(name) || part.is_some_and(|part| !is_name(part)) {
            return Err(InvalidPath);
        }
        Ok(Self {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            part: part.map(str::to_owned),
        })
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}:")?;
        }
        f.write_str(&self.name)?;
        match &self.part {
            Some(part) => write!(f, ".{part}"),
            None => Ok(()),
        }
    }
}

/// Whether a text begins like a schema.
fn is_urn(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
}

/// A letter, then letters, digits, `-` and `_` (RFC 7644, figure 1); `$ref` is the one name with another beginning.
pub(crate) fn is_name(text: &str) -> bool {
    let text = if text.eq_ignore_ascii_case("$ref") { "ref" } else { text };
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_a_schema_a_name_and_a_part_sc_11() {
        let path =
            AttributePath::parse("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value").unwrap();
        assert_eq!(
            path.schema.as_deref(),
            Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")
        );
        assert_eq!((path.name.as_str(), path.part.as_deref()), ("manager", Some("value")));
        assert_eq!(
            AttributePath::parse("members.$ref").unwrap().to_string(),
            "members.$ref"
        );
    }

    #[test]
    fn what_is_no_name_is_no_path() {
        for bad in [
            "", ".", "a.", ".a", "a.b.c", "1a", "a b", "urn:", "urn:x:", "a[b]", "a\"", "é",
        ] {
            assert_eq!(AttributePath::parse(bad), Err(InvalidPath), "{bad:?}");
        }
        assert!(AttributePath::parse(&"a".repeat(257)).is_err());
    }
}
