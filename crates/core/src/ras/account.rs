//! A local account of the RAS and its links (requirements, section 13).

use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::issuer::Issuer;

use crate::clock::Timestamp;
use crate::id::{AccountId, TenantId};

/// An account of a tenant; its id is the `sub` of access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Server-made.
    pub id: AccountId,
    /// Whose account.
    pub tenant: TenantId,
    /// How it came to be.
    pub origin: AccountOrigin,
    /// Switched off: never redeemed, never resurrected (AL-06).
    pub enabled: bool,
    /// Access tokens issued at or before this instant are dead.
    pub not_before: Option<Timestamp>,
    /// When the record was made.
    pub created_at: Timestamp,
}

/// How an account came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountOrigin {
    /// Made by an administrator.
    Admin,
    /// Made at the first redemption (AL-05).
    JustInTime,
}

impl AccountOrigin {
    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::JustInTime => "just_in_time",
        }
    }
}

/// The primary key of a person at a RAS tenant (AL-01).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLink {
    /// The tenant.
    pub tenant: TenantId,
    /// The IdP.
    pub issuer: Issuer,
    /// The `tenant` claim for a shared issuer.
    pub issuer_tenant: Option<String>,
    /// The IdP's `sub` for this RAS.
    pub subject: Subject,
    /// The account it stands for.
    pub account: AccountId,
    /// When it was linked.
    pub linked_at: Timestamp,
}
