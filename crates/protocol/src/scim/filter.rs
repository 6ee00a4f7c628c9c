//! Filters (RFC 7644, section 3.4.2.2; SC-03), within limits (SEC-22).
//!
//! Owns the tree and its text. Never knows which attributes exist and never runs a filter.

mod parse;

use std::fmt;

use crate::scim::path::AttributePath;

pub(crate) use parse::Parser;

/// The longest filter that is read, in bytes.
pub const MAX_LENGTH: usize = 8192;
/// The most nodes of a filter: tests, `not`, element filters, and each chain of `and` or `or`.
pub const MAX_NODES: usize = 64;
/// The deepest nesting of brackets.
pub const MAX_DEPTH: usize = 16;

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// `userName eq "bjensen"`.
    Test(Test),
    /// `emails[type eq "work"]`, perhaps with a test of the same element: `emails[type eq "work"].value eq "x"`.
    Element(Element),
    /// `not (…)`.
    Not(Box<Self>),
    /// `… and …`: two or more.
    All(Vec<Self>),
    /// `… or …`: two or more.
    Any(Vec<Self>),
}

/// A test of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Which one.
    pub path: AttributePath,
    /// What of it.
    pub check: Check,
}

/// A condition on one element of a multi-valued attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// The attribute.
    pub path: AttributePath,
    /// What the element is like.
    pub filter: Box<Filter>,
    /// And what a part of the same element is like.
    pub then: Option<(String, Check)>,
}

/// What is tested.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// `pr`: it has a value.
    Present,
    /// A comparison.
    Compare(Comparison, Literal),
}

/// An operator with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `co`
    Contains,
    /// `sw`
    StartsWith,
    /// `ew`
    EndsWith,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

impl Comparison {
    /// Every operator with a value.
    pub const ALL: [Self; 9] = [
        Self::Equal,
        Self::NotEqual,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Contains => "co",
            Self::StartsWith => "sw",
            Self::EndsWith => "ew",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }
}

/// The value of a comparison: a JSON value that is neither array nor object.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A text.
    Text(String),
    /// A number.
    Number(serde_json::Number),
    /// True or false.
    Flag(bool),
    /// No value.
    Null,
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// It is longer than [`MAX_LENGTH`].
    #[error("it is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// It has more than [`MAX_NODES`] nodes.
    #[error("it has more than {MAX_NODES} tests and operators")]
    TooManyNodes,
    /// It is nested deeper than [`MAX_DEPTH`].
    #[error("it is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Something else should stand at this byte.
    #[error("at byte {at}: {expected} is expected")]
    Syntax {
        /// Where.
        at: usize,
        /// What.
        expected: &'static str,
    },
}

impl Filter {
    /// Parses a filter. Names of attributes and operators are read without regard to case.
    ///
    /// # Errors
    /// [`FilterError`].
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser::new(text)?;
        let filter = parser.filter()?;
        parser.end()?;
        Ok(filter)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test(test) => write!(f, "{} {}", test.path, test.check),
            Self::Element(element) => {
                write!(f, "{}[{}]", element.path, element.filter)?;
                match &element.then {
                    Some((part, check)) => write!(f, ".{part} {check}"),
                    None => Ok(()),
                }
            }
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::All(all) => chain(f, all, " and ", |one| matches!(one, Self::All(_) | Self::Any(_))),
            Self::Any(any) => chain(f, any, " or ", |one| matches!(one, Self::Any(_))),
        }
    }
}

fn chain(
    f: &mut fmt::Formatter<'_>,
    filters: &[Filter],
    between: &str,
    in_brackets: fn(&Filter) -> bool,
) -> fmt::Result {
    for (n, filter) in filters.iter().enumerate() {
        if n > 0 {
            f.write_str(between)?;
        }
        if in_brackets(filter) {
            write!(f, "({filter})")?;
        } else {
            write!(f, "{filter}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => f.write_str("pr"),
            Self::Compare(how, value) => write!(f, "{} {value}", how.as_str()),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?),
            Self::Number(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Null => f.write_str("null"),
        }
    }
}

#[cfg(test)]
mod properties;
