//! Why an act of an administrator was refused.

/// The exact reason, written for the administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdminDenial {
    /// The role does not allow the act.
    #[error("the role {role} may not {act}")]
    NotPermitted {
        /// The administrator's role.
        role: &'static str,
        /// What was tried, as a verb phrase.
        act: &'static str,
    },
    /// The act would give somebody more than the administrator has, or touch somebody who has more.
    #[error("{what} is for {needed} alone, and the role here is {role}")]
    OutOfReach {
        /// The administrator's role.
        role: &'static str,
        /// What was tried, as a noun phrase.
        what: &'static str,
        /// Who may.
        needed: &'static str,
    },
    /// Nobody would be owner any more.
    #[error("this would leave nobody who is owner; make somebody else an owner first")]
    LastOwner,
    /// What the act is about does not exist.
    #[error("there is no {what} named {name}")]
    NotFound {
        /// Kind of thing.
        what: &'static str,
        /// The name or id given.
        name: String,
    },
    /// Something else has that name, identifier or pair.
    #[error("the {what} {name} exists already")]
    Taken {
        /// Kind of thing.
        what: &'static str,
        /// The name or id given.
        name: String,
    },
    /// A field has a value that cannot be.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field, as it is written in the request or file.
        field: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

impl AdminDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotPermitted { .. } => "not_permitted",
            Self::OutOfReach { .. } => "out_of_reach",
            Self::LastOwner => "last_owner",
            Self::NotFound { .. } => "not_found",
            Self::Taken { .. } => "taken",
            Self::Invalid { .. } => "invalid",
        }
    }

    /// A field with an impossible value.
    pub fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            problem: problem.into(),
        }
    }
}
