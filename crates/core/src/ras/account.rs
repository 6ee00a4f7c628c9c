//! A local account of the RAS and its links (requirements, section 13).

use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::issuer::Issuer;
use serde::{Deserialize, Serialize};

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
    /// Sessions at an IdP that an administrator ended there of late.
    pub ended_sessions: Vec<EndedSession>,
    /// When the record was made.
    pub created_at: Timestamp,
}

/// A session that ended at an IdP: an ID-JAG of it, minted before and not redeemed yet, buys nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedSession {
    /// The session as the IdP names it to this RAS (`sid`).
    pub handle: String,
    /// Seconds since the epoch until when an ID-JAG of it could live.
    pub keep_until: i64,
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
