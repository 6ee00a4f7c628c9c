//! Why a provisioning client was refused.

use crate::admin::denial::AdminDenial;

/// The exact reason, written for whoever runs the provisioning client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScimDenial {
    /// The directory has no such resource. Those of other directories do not exist for it (SC-20).
    #[error("there is no {what} {id} in this directory")]
    NotFound {
        /// User or group.
        what: &'static str,
        /// The id given.
        id: String,
    },
    /// A unique value is taken, here or by somebody else.
    #[error("{attribute} is taken")]
    Taken {
        /// Which value.
        attribute: &'static str,
    },
    /// The filter cannot be used.
    #[error("the filter cannot be used: {0}")]
    Filter(String),
    /// The path of an operation cannot be used.
    #[error("{0}")]
    Path(String),
    /// The path of an operation meets nothing.
    #[error("{0} meets nothing")]
    NoTarget(String),
    /// A value is missing or cannot be.
    #[error("{attribute}: {problem}")]
    Value {
        /// Which one.
        attribute: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The body is not what the endpoint takes.
    #[error("{0}")]
    Syntax(String),
    /// Only the server changes it.
    #[error("{0} cannot be changed")]
    ReadOnly(String),
    /// There is more in the request than is taken at once.
    #[error("{0}")]
    TooMany(String),
    /// The body is larger than this endpoint reads.
    #[error("the body is larger than this endpoint reads")]
    TooLarge,
    /// The body is not JSON by its own account.
    #[error("the content type is neither application/scim+json nor application/json")]
    MediaType,
    /// The resource is not the one that the client saw (RFC 7644, section 3.14).
    #[error("the resource has changed meanwhile; read it again")]
    Changed,
    /// The directory itself refused, as it would an administrator.
    #[error(transparent)]
    Admin(#[from] AdminDenial),
}

impl ScimDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::Taken { .. } => "uniqueness",
            Self::Filter(_) => "invalid_filter",
            Self::Path(_) => "invalid_path",
            Self::NoTarget(_) => "no_target",
            Self::Value { .. } => "invalid_value",
            Self::Syntax(_) => "invalid_syntax",
            Self::ReadOnly(_) => "mutability",
            Self::TooMany(_) => "too_many",
            Self::TooLarge => "too_large",
            Self::MediaType => "media_type",
            Self::Changed => "version_mismatch",
            Self::Admin(denial) => denial.code(),
        }
    }

    /// A value that cannot be.
    pub fn value(attribute: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Value {
            attribute: attribute.into(),
            problem: problem.into(),
        }
    }
}

/// Why a token of a directory was not accepted. Outside all look the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenDenial {
    /// No such token was made.
    #[error("no such token was made")]
    Unknown,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// It was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// Its directory is switched off.
    #[error("the directory is switched off")]
    Disabled,
}

impl TokenDenial {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_token",
            Self::Expired => "token_expired",
            Self::Revoked => "token_revoked",
            Self::Disabled => "directory_disabled",
        }
    }
}
