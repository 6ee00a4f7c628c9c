//! Error answers (RFC 7644, section 3.12; SC-17).

use serde::Serialize;

use crate::scim::urn;

/// The detail codes of a 400 or 409 (RFC 7644, table 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScimType {
    /// The filter is not one, or filters by what cannot be filtered.
    InvalidFilter,
    /// The query has too many results.
    TooMany,
    /// A unique value is taken.
    Uniqueness,
    /// The attribute must not be changed.
    Mutability,
    /// The body is not what this endpoint takes.
    InvalidSyntax,
    /// The path of an operation is not one.
    InvalidPath,
    /// The path of an operation meets nothing.
    NoTarget,
    /// A value is missing or cannot be.
    InvalidValue,
}

impl ScimType {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
        }
    }
}

/// The body of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    schemas: [&'static str; 1],
    /// The HTTP status, as a text.
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scim_type: Option<&'static str>,
    detail: String,
}

impl ErrorBody {
    /// An error with its HTTP status, its detail code if the table has one, and words for the caller.
    pub fn new(status: u16, scim_type: Option<ScimType>, detail: impl Into<String>) -> Self {
        Self {
            schemas: [urn::ERROR],
            status: status.to_string(),
            scim_type: scim_type.map(ScimType::as_str),
            detail: detail.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_an_error_is_a_text_sc_17() {
        let body = ErrorBody::new(409, Some(ScimType::Uniqueness), "userName is taken");
        assert_eq!(
            serde_json::to_value(body).unwrap(),
            serde_json::json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                "status": "409", "scimType": "uniqueness", "detail": "userName is taken"
            })
        );
    }
}
