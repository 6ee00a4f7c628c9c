//! Resource identifiers (RFC 8707, section 2; RFC 9728, section 1.2).
//!
//! Owns their syntax. Never decides whether a resource is registered.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::url_rules;

/// The identifier of a protected resource: an absolute URI without a fragment, compared byte for byte.
///
/// `https`, or `http` on loopback for development.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceId(String);

impl ResourceId {
    /// Parses a resource identifier.
    ///
    /// # Errors
    /// [`InvalidResource`] says which rule the text breaks.
    pub fn parse(value: impl Into<String>) -> Result<Self, InvalidResource> {
        Self::try_from(value.into())
    }

    /// The identifier exactly as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of the protected resource metadata (RFC 9728, section 3.1): the well-known part is
    /// inserted between host and path, a final slash after the host is dropped.
    pub fn metadata_url(&self) -> String {
        let Ok(url) = Url::parse(&self.0) else {
            return String::new();
        };
        let path = if url.path() == "/" { "" } else { url.path() };
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!(
            "{}/.well-known/oauth-protected-resource{path}{query}",
            url.origin().ascii_serialization()
        )
    }

    /// Scheme, host and port of the resource.
    pub fn origin(&self) -> String {
        Url::parse(&self.0)
            .map(|url| url.origin().ascii_serialization())
            .unwrap_or_default()
    }

    /// The path of the resource, starting with a slash.
    pub fn path(&self) -> String {
        Url::parse(&self.0).map(|url| url.path().to_owned()).unwrap_or_default()
    }
}

impl TryFrom<String> for ResourceId {
    type Error = InvalidResource;

    fn try_from(value: String) -> Result<Self, Self::Error> {
        if url_rules::is_common(&value) {
            return Ok(Self(value));
        }
        let url = Url::parse(&value).map_err(|_| InvalidResource("it is not an absolute URI"))?;
        if value.len() > 1024 {
            return Err(InvalidResource("it is longer than 1024 characters"));
        }
        if value.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(InvalidResource("it contains white space or control characters"));
        }
        if value.contains('#') {
            return Err(InvalidResource("it has a fragment"));
        }
        if !url_rules::is_protected(&url) {
            return Err(InvalidResource("the scheme is not https (http is for loopback only)"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidResource("it carries user information"));
        }
        Ok(Self(value))
    }
}

impl From<ResourceId> for String {
    fn from(resource: ResourceId) -> Self {
        resource.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a resource identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a resource identifier: {0}")]
pub struct InvalidResource(&'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_and_relative_references_are_refused_idp_tx_05() {
        for bad in [
            "https://a.example/mcp#x",
            "/mcp",
            "mcp",
            "http://a.example/mcp",
            "https://u:p@a.example/",
        ] {
            assert!(ResourceId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_metadata_url_inserts_the_well_known_part_before_the_path() {
        let resource = ResourceId::parse("https://a.example/x/mcp").unwrap();
        assert_eq!(
            resource.metadata_url(),
            "https://a.example/.well-known/oauth-protected-resource/x/mcp"
        );
        let root = ResourceId::parse("https://a.example").unwrap();
        assert_eq!(
            root.metadata_url(),
            "https://a.example/.well-known/oauth-protected-resource"
        );
    }
}
