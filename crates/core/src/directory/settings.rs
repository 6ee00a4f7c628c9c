//! How this deployment treats the people of its built-in directory.
//!
//! Owns the choices and their defaults. Never reads a configuration file.

use crate::directory::password_rules::PasswordRules;

/// The choices of a deployment; the same for every request of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeopleSettings {
    /// What a new password must be like.
    pub passwords: PasswordRules,
    /// Who must have a second factor.
    pub second_factor: SecondFactorRule,
    /// Whether people may change their own name and address.
    pub profile_editable: bool,
}

/// Who must have a second factor to sign in with a password.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SecondFactorRule {
    /// Whoever sets one up is asked for it; nobody must.
    #[default]
    Optional,
    /// People with a role as administrator must: what a configuration file means that says nothing.
    Administrators,
    /// Everybody with a password must.
    Everyone,
}

impl SecondFactorRule {
    /// Every rule, the laxest first.
    pub const ALL: [Self; 3] = [Self::Optional, Self::Administrators, Self::Everyone];

    /// The name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Administrators => "administrators",
            Self::Everyone => "everyone",
        }
    }
}
