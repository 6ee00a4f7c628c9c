//! What each role may do. Enforced here for every surface alike.

use crate::admin::denial::AdminDenial;
use crate::admin::token::{Admin, AdminRole};

/// What an act needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// See the directory, clients, connectors, trusts, rules, the audit log.
    Read,
    /// Change people, groups, clients, agents, connectors, trusts, rules.
    Write,
    /// Approve or stop what waits for approval.
    Approve,
    /// Change administrators, audiences and trusts, identity providers, provisioning clients and keys.
    Administer,
    /// Change people and groups.
    Provision,
    /// Read routes and revocations, deliver call events.
    ServeGateway,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 6] = [
        Self::Read,
        Self::Write,
        Self::Approve,
        Self::Administer,
        Self::Provision,
        Self::ServeGateway,
    ];

    /// The shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Approve => "approve",
            Self::Administer => "administer",
            Self::Provision => "provision",
            Self::ServeGateway => "serve_gateway",
        }
    }

    const fn act(self) -> &'static str {
        match self {
            Self::Read => "read this",
            Self::Write => "change anything",
            Self::Approve => "approve anything",
            Self::Administer => "change administrators, trust, identity providers or keys",
            Self::Provision => "change people or groups",
            Self::ServeGateway => "act as a gateway",
        }
    }
}

/// Whether the administrator may do what needs `permission`.
///
/// # Errors
/// [`AdminDenial::NotPermitted`].
pub const fn require(admin: &Admin, permission: Permission) -> Result<(), AdminDenial> {
    if allows(admin.role, permission) {
        Ok(())
    } else {
        Err(AdminDenial::NotPermitted {
            role: admin.role.as_str(),
            act: permission.act(),
        })
    }
}

/// Whether a role includes a permission.
pub const fn allows(role: AdminRole, permission: Permission) -> bool {
    match role {
        AdminRole::Owner => true,
        AdminRole::Operator => matches!(
            permission,
            Permission::Read | Permission::Write | Permission::Approve | Permission::Provision
        ),
        AdminRole::Approver => matches!(permission, Permission::Read | Permission::Approve),
        AdminRole::Auditor => matches!(permission, Permission::Read),
        AdminRole::Gateway => matches!(permission, Permission::ServeGateway),
        AdminRole::Provisioner => matches!(permission, Permission::Provision),
    }
}
