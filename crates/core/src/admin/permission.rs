//! What each role may do. Enforced here for every surface alike.

use crate::admin::denial::AdminDenial;
use crate::admin::token::{Admin, AdminRole};

/// What an act needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// See the directory, clients, connectors, trusts, rules, the audit log.
    Read,
    /// Change any of them.
    Write,
    /// Read routes and revocations, deliver call events.
    ServeGateway,
}

impl Permission {
    const fn act(self) -> &'static str {
        match self {
            Self::Read => "read this",
            Self::Write => "change anything",
            Self::ServeGateway => "act as a gateway",
        }
    }
}

/// Whether the administrator may do what needs `permission`.
///
/// # Errors
/// [`AdminDenial::NotPermitted`].
pub const fn require(admin: &Admin, permission: Permission) -> Result<(), AdminDenial> {
    let allowed = match admin.role {
        AdminRole::Owner => true,
        AdminRole::Auditor => matches!(permission, Permission::Read),
        AdminRole::Gateway => matches!(permission, Permission::ServeGateway),
    };
    if allowed {
        Ok(())
    } else {
        Err(AdminDenial::NotPermitted {
            role: admin.role.as_str(),
            act: permission.act(),
        })
    }
}
