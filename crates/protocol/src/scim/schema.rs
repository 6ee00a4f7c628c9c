//! What the attributes of users and groups are like (RFC 7643, sections 2, 3.1, 4 and 8.7).
//!
//! Owns the definitions, and finding one by a path. Never holds a value.

mod group;
mod user;

use serde_json::{Value, json};

use crate::scim::path::AttributePath;
use crate::scim::urn;

pub use group::{GROUP, GROUPS};
pub use user::{ENTERPRISE_USER, USER, USERS};

/// A sort of resource: its endpoint, its schema and its extensions.
#[derive(Debug)]
pub struct ResourceType {
    /// `User`
    pub name: &'static str,
    /// `/Users`
    pub endpoint: &'static str,
    /// For people.
    pub description: &'static str,
    /// The base schema.
    pub schema: &'static Schema,
    /// Optional additions.
    pub extensions: &'static [&'static Schema],
}

/// A named set of attributes.
#[derive(Debug, PartialEq, Eq)]
pub struct Schema {
    /// Its URN.
    pub id: &'static str,
    /// For people.
    pub name: &'static str,
    /// For people.
    pub description: &'static str,
    /// The attributes.
    pub attributes: &'static [Attribute],
}

/// One attribute, or one part of a complex one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// As it is written.
    pub name: &'static str,
    /// For people.
    pub description: &'static str,
    /// What a value is.
    pub kind: Kind,
    /// Whether there may be several values.
    pub multi_valued: bool,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether values differ by case.
    pub case_exact: bool,
    /// Who may change it.
    pub mutability: Mutability,
    /// When it is shown.
    pub returned: Returned,
    /// Whether two resources may have the same value.
    pub unique: bool,
    /// Usual values.
    pub canonical: &'static [&'static str],
    /// What a reference may point to.
    pub references: &'static [&'static str],
    /// The parts of a complex attribute.
    pub parts: &'static [Self],
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// True or false.
    Flag,
    /// RFC 3339.
    DateTime,
    /// Base64.
    Binary,
    /// A URL.
    Reference,
    /// Parts.
    Complex,
}

/// Who may change an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// The server.
    ReadOnly,
    /// The client, any time.
    ReadWrite,
    /// The client, once.
    Immutable,
    /// The client; nobody reads it.
    WriteOnly,
}

/// When an attribute is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// Whatever is asked for.
    Always,
    /// Never.
    Never,
    /// Unless something else is asked for.
    Default,
}

/// What a path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The extension that the attribute belongs to; `None` for the base schema.
    pub extension: Option<&'static Schema>,
    /// The attribute.
    pub attribute: &'static Attribute,
    /// A part of it.
    pub part: Option<&'static Attribute>,
}

/// What every resource has (RFC 7643, section 3.1).
pub const COMMON: &[Attribute] = &[
    Attribute::texts("schemas", "The schemas of the resource.").read_only(),
    Attribute::text("id", "The identifier that the server gave.")
        .exact()
        .read_only()
        .always(),
    Attribute::text("externalId", "The identifier that the provisioning client gave.").exact(),
    Attribute::complex(
        "meta",
        "What the server knows about the resource.",
        &[
            Attribute::text("resourceType", "The sort of resource.")
                .exact()
                .read_only(),
            Attribute::of("created", "When it was made.", Kind::DateTime).read_only(),
            Attribute::of("lastModified", "When it last changed.", Kind::DateTime).read_only(),
            Attribute::of("location", "Where it is.", Kind::Reference)
                .exact()
                .read_only(),
            Attribute::text("version", "Differs when the resource differs.")
                .exact()
                .read_only(),
        ],
    )
    .read_only(),
];

impl Attribute {
    /// A single value that the client may read and write.
    pub const fn of(name: &'static str, description: &'static str, kind: Kind) -> Self {
        Self {
            name,
            description,
            kind,
            multi_valued: false,
            required: false,
            case_exact: matches!(kind, Kind::Binary | Kind::Reference),
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            unique: false,
            canonical: &[],
            references: &[],
            parts: &[],
        }
    }

    /// A text.
    pub const fn text(name: &'static str, description: &'static str) -> Self {
        Self::of(name, description, Kind::Text)
    }

    /// Several texts.
    pub const fn texts(name: &'static str, description: &'static str) -> Self {
        Self::text(name, description).several()
    }

    /// Parts.
    pub const fn complex(name: &'static str, description: &'static str, parts: &'static [Self]) -> Self {
        let mut attribute = Self::of(name, description, Kind::Complex);
        attribute.parts = parts;
        attribute
    }

    /// A URL of such a thing.
    pub const fn reference(name: &'static str, description: &'static str, to: &'static [&'static str]) -> Self {
        let mut attribute = Self::of(name, description, Kind::Reference);
        attribute.references = to;
        attribute
    }

    /// With several values.
    #[must_use]
    pub const fn several(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    /// Which every resource must have.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Whose values differ by case.
    #[must_use]
    pub const fn exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    /// Which only the server writes.
    #[must_use]
    pub const fn read_only(mut self) -> Self {
        self.mutability = Mutability::ReadOnly;
        self
    }

    /// Which is written once.
    #[must_use]
    pub const fn immutable(mut self) -> Self {
        self.mutability = Mutability::Immutable;
        self
    }

    /// Which nobody reads.
    #[must_use]
    pub const fn write_only(mut self) -> Self {
        self.mutability = Mutability::WriteOnly;
        self.returned = Returned::Never;
        self
    }

    /// Which is always shown.
    #[must_use]
    pub const fn always(mut self) -> Self {
        self.returned = Returned::Always;
        self
    }

    /// Whose value no two resources share.
    #[must_use]
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// With these usual values.
    #[must_use]
    pub const fn usually(mut self, canonical: &'static [&'static str]) -> Self {
        self.canonical = canonical;
        self
    }

    /// The part of this name.
    pub fn part(&self, name: &str) -> Option<&'static Self> {
        named(self.parts, name)
    }

    fn describe(&self) -> Value {
        let kind = match self.kind {
            Kind::Text => "string",
            Kind::Flag => "boolean",
            Kind::DateTime => "dateTime",
            Kind::Binary => "binary",
            Kind::Reference => "reference",
            Kind::Complex => "complex",
        };
        let mutability = match self.mutability {
            Mutability::ReadOnly => "readOnly",
            Mutability::ReadWrite => "readWrite",
            Mutability::Immutable => "immutable",
            Mutability::WriteOnly => "writeOnly",
        };
        let returned = match self.returned {
            Returned::Always => "always",
            Returned::Never => "never",
            Returned::Default => "default",
        };
        let mut described = json!({
            "name": self.name,
            "type": kind,
            "multiValued": self.multi_valued,
            "description": self.description,
            "required": self.required,
            "caseExact": self.case_exact,
            "mutability": mutability,
            "returned": returned,
            "uniqueness": if self.unique { "server" } else { "none" },
        });
        if let Some(members) = described.as_object_mut() {
            for (name, values) in [("canonicalValues", self.canonical), ("referenceTypes", self.references)] {
                if !values.is_empty() {
                    members.insert(name.to_owned(), json!(values));
                }
            }
            if !self.parts.is_empty() {
                let parts: Vec<Value> = self.parts.iter().map(Self::describe).collect();
                members.insert("subAttributes".to_owned(), Value::Array(parts));
            }
        }
        described
    }
}

impl Schema {
    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        named(self.attributes, name)
    }

    /// The schema as its endpoint shows it, without `meta`.
    pub fn describe(&self) -> Value {
        json!({
            "schemas": [urn::SCHEMA],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": self.attributes.iter().map(Attribute::describe).collect::<Vec<_>>(),
        })
    }
}

impl ResourceType {
    /// The resource type as its endpoint shows it, without `meta`.
    pub fn describe(&self) -> Value {
        let extensions = self.extensions.iter();
        json!({
            "schemas": [urn::RESOURCE_TYPE],
            "id": self.name,
            "name": self.name,
            "description": self.description,
            "endpoint": self.endpoint,
            "schema": self.schema.id,
            "schemaExtensions": extensions
                .map(|extension| json!({"schema": extension.id, "required": false}))
                .collect::<Vec<_>>(),
        })
    }

    /// The extension of this name.
    pub fn extension(&self, id: &str) -> Option<&'static Schema> {
        let mut extensions = self.extensions.iter().copied();
        extensions.find(|extension| extension.id.eq_ignore_ascii_case(id))
    }

    /// The extension that a path names as a whole: `urn:…:enterprise:2.0:User`.
    pub fn whole_extension(&self, path: &AttributePath) -> Option<&'static Schema> {
        if path.part.is_some() || path.schema.is_none() {
            return None;
        }
        self.extension(&path.to_string())
    }

    /// The attribute of the base schema of this name, or one that every resource has.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.schema.attribute(name).or_else(|| named(COMMON, name))
    }

    /// What a path means here; `None` when there is no such attribute. An attribute of an extension is found without its
    /// schema too, when the base schema has none of that name: Entra ID writes `manager`.
    pub fn find(&self, path: &AttributePath) -> Option<Target> {
        let (extension, attribute) = match path.schema.as_deref() {
            None => self.bare(&path.name),
            Some(id) if id.eq_ignore_ascii_case(self.schema.id) => (None, self.attribute(&path.name)),
            Some(id) => {
                let extension = self.extension(id)?;
                (Some(extension), extension.attribute(&path.name))
            }
        };
        let attribute = attribute?;
        let part = match &path.part {
            Some(name) => Some(attribute.part(name)?),
            None => None,
        };
        Some(Target {
            extension,
            attribute,
            part,
        })
    }
}

impl ResourceType {
    fn bare(&self, name: &str) -> (Option<&'static Schema>, Option<&'static Attribute>) {
        if let Some(own) = self.attribute(name) {
            return (None, Some(own));
        }
        let mut extensions = self.extensions.iter().copied();
        let found = extensions.find_map(|extension| Some((extension, extension.attribute(name)?)));
        (
            found.map(|(extension, _)| extension),
            found.map(|(_, attribute)| attribute),
        )
    }
}

fn named(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|one| one.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str) -> Option<(Option<&'static str>, &'static str, Option<&'static str>)> {
        let target = USERS.find(&AttributePath::parse(path).unwrap())?;
        Some((
            target.extension.map(|schema| schema.name),
            target.attribute.name,
            target.part.map(|part| part.name),
        ))
    }

    #[test]
    fn names_are_found_without_regard_to_case() {
        assert_eq!(find("USERNAME"), Some((None, "userName", None)));
        assert_eq!(find("Emails.Value"), Some((None, "emails", Some("value"))));
        assert_eq!(find("externalid"), Some((None, "externalId", None)));
        assert_eq!(find("emails.nothing"), None);
        assert_eq!(find("manager"), Some((Some("EnterpriseUser"), "manager", None)));
        assert_eq!(find("shoeSize"), None);
    }

    #[test]
    fn an_attribute_of_the_extension_is_found_under_its_schema_sc_11() {
        let id = urn::ENTERPRISE_USER;
        assert_eq!(
            find(&format!("{id}:manager.value")),
            Some((Some("EnterpriseUser"), "manager", Some("value")))
        );
        assert_eq!(find(&format!("{}:userName", urn::USER)), Some((None, "userName", None)));
        assert_eq!(find("urn:example:2.0:User:department"), None);
        let whole = AttributePath::parse(id).unwrap();
        assert_eq!(USERS.whole_extension(&whole), Some(&ENTERPRISE_USER));
    }

    #[test]
    fn a_password_is_never_shown_sc_18() {
        let password = USER.attribute("password").unwrap();
        assert_eq!(
            (password.mutability, password.returned),
            (Mutability::WriteOnly, Returned::Never)
        );
    }
}
