//! Why a sign-in through an identity provider was refused, after the provider's own word was verified or before it
//! was asked for.

/// Why an answer belongs to no sign-in of this browser. The page says the same for each (SEC-23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttemptDenial {
    /// No such handle, or it is long gone.
    #[error("no sign-in with this state is under way")]
    Unknown,
    /// Begun in another browser: somebody else's sign-in, or a lost cookie (SEC-16).
    #[error("the sign-in was begun in another browser")]
    OtherBrowser,
    /// The answer came before.
    #[error("the answer was used before")]
    Used,
    /// It took too long.
    #[error("the sign-in took longer than ten minutes")]
    Expired,
    /// The answer came to the address of another connection (SEC-04).
    #[error("the answer came to the address of another identity provider")]
    OtherConnection,
    /// The connection was changed, switched off or removed meanwhile.
    #[error("the identity provider was changed or switched off meanwhile")]
    ConnectionChanged,
}

impl AttemptDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "attempt_unknown",
            Self::OtherBrowser => "attempt_of_other_browser",
            Self::Used => "attempt_used",
            Self::Expired => "attempt_expired",
            Self::OtherConnection => "attempt_of_other_connection",
            Self::ConnectionChanged => "connection_changed",
        }
    }
}

/// Why a person whom a provider vouches for is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveDenial {
    /// The connection was changed, switched off or removed meanwhile.
    #[error("the identity provider was changed or switched off meanwhile")]
    ConnectionChanged,
    /// The subject is empty, too long or has control characters.
    #[error("the provider's identifier of the person cannot be used")]
    SubjectUnusable,
    /// Nobody is linked, and the connection makes nobody.
    #[error("nobody here is linked to this person, and the connection does not create people")]
    NotLinked,
    /// The person here is deactivated (AL-06).
    #[error("the person is deactivated")]
    UserDeactivated,
    /// The claims have no user name that can be used.
    #[error("the claim {0} has no user name that can be used")]
    UsernameMissing(String),
    /// Somebody here has that user name and is not linked: an administrator decides (AL-04).
    #[error("somebody here has the user name {0} already; an administrator can link them")]
    UsernameTaken(String),
    /// The user name's domain belongs to another connection.
    #[error("the user name {0} is in a domain of another identity provider")]
    UsernameOfOtherDomain(String),
    /// The person of that name is linked to another subject there (AL-04).
    #[error("{0} is linked to another person of this provider; an administrator must decide")]
    LinkedOtherwise(String),
    /// The person of that name has a local password: only an administrator links them.
    #[error("{0} has a local password; an administrator must link them")]
    LocalAccount(String),
    /// The person of that name is an administrator: only an administrator links them.
    #[error("{0} is an administrator; an owner must link them")]
    AdministratorAccount(String),
    /// The provider left the groups out because there are too many.
    #[error("the provider left the person's groups out because there are too many")]
    GroupsOverage,
    /// The sign-in at the provider is older than was asked for, or it did not say how old.
    #[error("the provider did not sign the person in again, or did not say when it did")]
    NotFresh,
    /// The sign-in is still to come, by more than clocks differ.
    #[error("the provider says that the person signs in later than now; one of the clocks is wrong")]
    AuthTimeAhead,
}

impl ResolveDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ConnectionChanged => "connection_changed",
            Self::SubjectUnusable => "subject_unusable",
            Self::NotLinked => "not_linked",
            Self::UserDeactivated => "user_deactivated",
            Self::UsernameMissing(_) => "username_missing",
            Self::UsernameTaken(_) => "username_taken",
            Self::UsernameOfOtherDomain(_) => "username_of_other_domain",
            Self::LinkedOtherwise(_) => "linked_otherwise",
            Self::LocalAccount(_) => "local_account",
            Self::AdministratorAccount(_) => "administrator_account",
            Self::GroupsOverage => "groups_overage",
            Self::NotFresh => "not_fresh",
            Self::AuthTimeAhead => "auth_time_ahead",
        }
    }
}
