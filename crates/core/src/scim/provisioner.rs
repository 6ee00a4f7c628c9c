//! Who provisions: a directory, in one request.

use lanyard_protocol::issuer::Issuer;

use crate::admin::token::{Admin, AdminRole, Administrator};
use crate::audit::event::Actor;
use crate::cx::Cx;
use crate::keys::vault::Vault;
use crate::scim::denial::ScimDenial;
use crate::scim::directory::Directory;

/// What every act of a directory needs.
#[derive(Clone, Copy)]
pub struct Provisioner<'a> {
    /// The request.
    pub cx: &'a Cx,
    /// For cutting people off.
    pub vault: &'a Vault,
    /// Our issuer, whose subjects are cut off.
    pub issuer: &'a Issuer,
    /// Who.
    pub directory: &'a Directory,
}

impl Provisioner<'_> {
    /// The directory as the services of people and groups see it.
    pub fn admin(&self) -> Admin {
        Admin {
            who: Administrator::Directory(self.directory.id.clone()),
            role: AdminRole::Provisioner,
        }
    }

    /// The directory as the audit log names it.
    pub fn actor(&self) -> Actor {
        self.admin().actor()
    }
}

/// What the client saw before it changes something (RFC 7644, section 3.14).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum IfMatch {
    /// It does not say.
    #[default]
    Any,
    /// One of these versions.
    Versions(Vec<i64>),
}

impl IfMatch {
    /// Whether a resource of this version may be changed.
    ///
    /// # Errors
    /// [`ScimDenial::Changed`].
    pub fn check(&self, version: i64) -> Result<(), ScimDenial> {
        match self {
            Self::Any => Ok(()),
            Self::Versions(versions) if versions.contains(&version) => Ok(()),
            Self::Versions(_) => Err(ScimDenial::Changed),
        }
    }
}

/// What an act left, and whether it ended somebody's access: the answer waits until that is in effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Done<T> {
    /// The resource as it stands now.
    pub resource: T,
    /// Whether somebody was cut off.
    pub cut_off: bool,
}
