//! Which operation needs which permission: the table of `docs/admin.md`, the description of the API, and the test that
//! tries every operation with every role.
//!
//! Owns the table. Never enforces it: each service in core asks for its permission itself.
//!
//! A new operation needs a row here, and one in `tests/it/admin_samples.rs`.

use lanyard_core::admin::permission::{Permission, allows};
use lanyard_core::admin::token::AdminRole;

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: whoever asks is answered.
    Nothing,
    /// To be an administrator, of whichever role.
    AnyRole,
    /// This permission.
    One(Permission),
    /// One of these.
    Either(Permission, Permission),
}

impl Needs {
    /// Whether a role suffices.
    pub const fn allow(self, role: AdminRole) -> bool {
        match self {
            Self::Nothing | Self::AnyRole => true,
            Self::One(permission) => allows(role, permission),
            Self::Either(one, other) => allows(role, one) || allows(role, other),
        }
    }

    /// The permissions, as the description of the API says them.
    pub(crate) fn names(self) -> Vec<&'static str> {
        match self {
            Self::Nothing | Self::AnyRole => Vec::new(),
            Self::One(permission) => vec![permission.as_str()],
            Self::Either(one, other) => vec![one.as_str(), other.as_str()],
        }
    }
}

/// Operations that are one thing to an administrator.
#[derive(Debug)]
pub struct Act {
    /// What it is, in words.
    pub words: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// Methods in upper case, and paths below `/admin/v1`.
    pub operations: &'static [(&'static str, &'static str)],
}

const READ: Needs = Needs::One(Permission::Read);
const WRITE: Needs = Needs::One(Permission::Write);
const APPROVE: Needs = Needs::One(Permission::Approve);
const ADMINISTER: Needs = Needs::One(Permission::Administer);
const SERVE: Needs = Needs::One(Permission::ServeGateway);

/// Every operation of the API.
pub const ACTS: &[Act] = &[
    Act {
        words: "learn where administrators sign in; trade the one-time token",
        needs: Needs::Nothing,
        operations: &[("GET", "/sign-in"), ("POST", "/claim")],
    },
    Act {
        words: "learn who one is",
        needs: Needs::AnyRole,
        operations: &[("GET", "/whoami")],
    },
    Act {
        words: "see people, groups, their keys, second factors and sessions",
        needs: READ,
        operations: &[
            ("GET", "/users"),
            ("GET", "/users/{username}"),
            ("GET", "/users/{username}/factors"),
            ("GET", "/users/{username}/keys"),
            ("GET", "/users/{username}/sessions"),
            ("GET", "/groups"),
            ("GET", "/groups/{name}/members"),
        ],
    },
    Act {
        words: "see administrators, agents, clients, connectors, audiences, resources, trusts, rules, keys, tokens, grants, identity providers, provisioning clients",
        needs: READ,
        operations: &[
            ("GET", "/administrators"),
            ("GET", "/agents"),
            ("GET", "/agents/{name}"),
            ("GET", "/clients"),
            ("GET", "/clients/{side}/{client_id}"),
            ("GET", "/connectors"),
            ("GET", "/connectors/{name}"),
            ("GET", "/audiences"),
            ("GET", "/resources"),
            ("GET", "/trusts"),
            ("GET", "/rules"),
            ("GET", "/keys"),
            ("GET", "/tokens"),
            ("GET", "/grants"),
            ("GET", "/identity-providers"),
            ("GET", "/identity-providers/{name}"),
            ("GET", "/identity-providers/{name}/links"),
            ("GET", "/identity-providers/{name}/metadata"),
            ("GET", "/directories"),
            ("GET", "/directories/{name}/tokens"),
        ],
    },
    Act {
        words: "ask what policy would say",
        needs: READ,
        operations: &[("POST", "/policy/test")],
    },
    Act {
        words: "read and export the audit log",
        needs: READ,
        operations: &[
            ("GET", "/audit"),
            ("GET", "/audit/export"),
            ("GET", "/audit/checkpoint"),
        ],
    },
    Act {
        words: "approve or turn down a staged agent, confirm an agent, approve a staged connector",
        needs: APPROVE,
        operations: &[
            ("POST", "/agents/{name}/activate"),
            ("POST", "/agents/{name}/deactivate"),
            ("POST", "/agents/{name}/review"),
            ("POST", "/connectors/{name}/activate"),
        ],
    },
    Act {
        words: "change people: make, cut off, let in again, password, second factors, keys; end their sessions",
        needs: WRITE,
        operations: &[
            ("PUT", "/users/{username}"),
            ("POST", "/users/{username}/deactivate"),
            ("POST", "/users/{username}/reactivate"),
            ("POST", "/users/{username}/password"),
            ("POST", "/users/{username}/sign-out"),
            ("DELETE", "/users/{username}/sessions"),
            ("DELETE", "/users/{username}/sessions/{id}"),
            ("POST", "/users/{username}/factors/reset"),
            ("DELETE", "/users/{username}/keys/{kid}"),
        ],
    },
    Act {
        words: "change groups and who is in them",
        needs: WRITE,
        operations: &[
            ("PUT", "/groups/{name}"),
            ("DELETE", "/groups/{name}"),
            ("PUT", "/groups/{name}/members/{username}"),
            ("DELETE", "/groups/{name}/members/{username}"),
        ],
    },
    Act {
        words: "change agents, their owners and keys; stop an agent",
        needs: WRITE,
        operations: &[
            ("PUT", "/agents/{name}"),
            ("DELETE", "/agents/{name}"),
            ("POST", "/agents/{name}/suspend"),
            ("PUT", "/agents/{name}/owners/{username}"),
            ("DELETE", "/agents/{name}/owners/{username}"),
            ("POST", "/agents/{name}/keys"),
            ("DELETE", "/agents/{name}/keys/{kid}"),
        ],
    },
    Act {
        words: "change clients and their secrets",
        needs: WRITE,
        operations: &[
            ("PUT", "/clients/{side}/{client_id}"),
            ("POST", "/clients/{side}/{client_id}/secrets"),
            ("POST", "/clients/{side}/{client_id}/disable"),
        ],
    },
    Act {
        words: "change connectors, resources and rules",
        needs: WRITE,
        operations: &[
            ("PUT", "/connectors/{name}"),
            ("DELETE", "/connectors/{name}"),
            ("PUT", "/resources"),
            ("DELETE", "/resources"),
            ("PUT", "/rules"),
            ("DELETE", "/rules/{id}"),
        ],
    },
    Act {
        words: "apply a document; each entry needs what its own act needs",
        needs: WRITE,
        operations: &[("POST", "/apply")],
    },
    Act {
        words: "change audiences and trusts",
        needs: ADMINISTER,
        operations: &[
            ("PUT", "/audiences"),
            ("DELETE", "/audiences"),
            ("PUT", "/trusts"),
            ("DELETE", "/trusts/{id}"),
        ],
    },
    Act {
        words: "change and test identity providers, link people to their accounts there",
        needs: ADMINISTER,
        operations: &[
            ("PUT", "/identity-providers/{name}"),
            ("DELETE", "/identity-providers/{name}"),
            ("POST", "/identity-providers/{name}/test"),
            ("POST", "/saml-metadata"),
            ("GET", "/identity-providers/{name}/test/{id}"),
            ("POST", "/identity-providers/{name}/links"),
            ("DELETE", "/identity-providers/{name}/links/{username}"),
        ],
    },
    Act {
        words: "change provisioning clients, make and revoke their tokens",
        needs: ADMINISTER,
        operations: &[
            ("PUT", "/directories"),
            ("DELETE", "/directories/{name}"),
            ("POST", "/directories/{name}/tokens"),
            ("DELETE", "/directories/{name}/tokens/{id}"),
        ],
    },
    Act {
        words: "give and take roles, make and revoke administrator tokens",
        needs: ADMINISTER,
        operations: &[
            ("PUT", "/administrators"),
            ("DELETE", "/administrators/{kind}/{name}"),
            ("POST", "/tokens"),
            ("DELETE", "/tokens/{id}"),
        ],
    },
    Act {
        words: "rotate and remove signing keys",
        needs: ADMINISTER,
        operations: &[("POST", "/keys/rotate"), ("DELETE", "/keys/{kid}")],
    },
    Act {
        words: "read routes and revocations",
        needs: Needs::Either(Permission::ServeGateway, Permission::Read),
        operations: &[("GET", "/routes"), ("GET", "/revocations")],
    },
    Act {
        words: "deliver call events",
        needs: SERVE,
        operations: &[("POST", "/calls")],
    },
];

/// The act of an operation, `method` in upper case and `path` below `/admin/v1`.
pub fn act_of(method: &str, path: &str) -> Option<&'static Act> {
    ACTS.iter().find(|act| act.operations.contains(&(method, path)))
}

/// The roles that an administrator can have, strongest first.
pub const ROLES: [AdminRole; 5] = [
    AdminRole::Owner,
    AdminRole::Operator,
    AdminRole::Approver,
    AdminRole::Auditor,
    AdminRole::Gateway,
];
