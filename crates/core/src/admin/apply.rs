//! A whole organisation in one transaction: `lanyard apply -f org.toml`, the lab and the demo.
//!
//! Owns the order and the report. Each record is set by its own service.

use std::collections::{HashMap, HashSet};

use lanyard_protocol::issuer::Issuer;
use serde::Serialize;

use crate::admin::change::Change;
use crate::admin::denial::AdminDenial;
use crate::admin::spec::Organisation;
use crate::admin::token::Admin;
use crate::admin::{administrators, agent, audience, client, connection, connector, resource, rule, trust};
use crate::cx::Cx;
use crate::directory::put;
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};

/// Who this deployment is: the issuers of its own roles.
#[derive(Debug, Clone, Default)]
pub struct Deployment {
    /// The issuer of the IdP role, if it runs here.
    pub idp: Option<Issuer>,
    /// The issuer of the RAS role, if it runs here.
    pub ras: Option<Issuer>,
}

/// What `apply` did to one record.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// `user`, `group`, `administrator`, `client`, `audience`, `agent`, `connector`, `resource`, `trust`, `rule` or
    /// `identity provider`.
    pub what: &'static str,
    /// Its name in the document.
    pub name: String,
    /// What happened.
    pub change: Change,
}

/// Which entry of the document was refused, and why. Nothing of the document was applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {name}: {denial}")]
pub struct ApplyDenial {
    /// The kind of entry.
    pub what: &'static str,
    /// Its name in the document.
    pub name: String,
    /// The exact reason.
    pub denial: AdminDenial,
}

/// Sets everything the document names, in an order in which names can be resolved. `password_hashes` holds the PHC
/// string of each user name (lower case) whose entry carries a password: hashing happens before the transaction.
///
/// On a denial the caller rolls the unit back.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn apply(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    admin: &Admin,
    deployment: &Deployment,
    organisation: &Organisation,
    password_hashes: &HashMap<String, String>,
) -> Result<Outcome<Vec<Applied>, ApplyDenial>, StoreError> {
    let mut done = Vec::new();
    macro_rules! each {
        ($what:literal, $entries:expr, |$entry:ident| $name:expr, $put:expr) => {
            let mut seen = HashSet::new();
            for $entry in $entries {
                let name: String = $name;
                if !seen.insert(name.clone()) {
                    let denial = AdminDenial::invalid("name", "it is named twice; which entry counts is not guessed");
                    return Ok(Outcome::Denied(ApplyDenial {
                        what: $what,
                        name,
                        denial,
                    }));
                }
                match $put? {
                    Outcome::Granted((_, change)) => done.push(Applied {
                        what: $what,
                        name,
                        change,
                    }),
                    Outcome::Denied(denial) => {
                        return Ok(Outcome::Denied(ApplyDenial {
                            what: $what,
                            name,
                            denial,
                        }));
                    }
                }
            }
        };
    }
    each!(
        "group",
        &organisation.groups,
        |spec| spec.name.clone(),
        put::put_group(cx, tx, admin, spec)
    );
    each!(
        "user",
        &organisation.users,
        |spec| spec.username.trim().to_lowercase(),
        {
            let hash = password_hashes
                .get(&spec.username.trim().to_lowercase())
                .map(String::as_str);
            put::put_user(cx, tx, vault, deployment.idp.as_ref(), admin, spec, hash)
        }
    );
    each!(
        "administrator",
        &organisation.administrators,
        |spec| spec.person.clone().or_else(|| spec.group.clone()).unwrap_or_default(),
        administrators::put(cx, tx, admin, spec)
    );
    each!(
        "client",
        &organisation.clients,
        |spec| format!("{} ({})", spec.client_id, spec.side.as_str()),
        client::put(cx, tx, vault, admin, deployment.ras.as_ref(), spec)
    );
    each!(
        "audience",
        &organisation.audiences,
        |spec| spec.issuer.clone(),
        audience::put(cx, tx, admin, deployment.idp.as_ref(), spec)
    );
    each!(
        "agent",
        &organisation.agents,
        |spec| spec.name.clone(),
        agent::put(cx, tx, admin, spec)
    );
    each!(
        "connector",
        &organisation.connectors,
        |spec| spec.name.clone(),
        connector::put(cx, tx, admin, deployment.ras.as_ref(), spec)
    );
    each!(
        "resource",
        &organisation.resources,
        |spec| spec.id.clone(),
        resource::put(cx, tx, admin, spec)
    );
    each!(
        "trust",
        &organisation.trusts,
        |spec| match &spec.tenant_claim {
            Some(claim) => format!("{} ({claim})", spec.issuer),
            None => spec.issuer.clone(),
        },
        trust::put(cx, tx, admin, deployment.ras.as_ref(), spec)
    );
    each!(
        "rule",
        &organisation.rules,
        |spec| spec.title.clone(),
        rule::put(cx, tx, admin, spec)
    );
    // Naming one is the owner's; a document without any asks for no such permission.
    each!(
        "identity provider",
        &organisation.identity_providers,
        |spec| spec.name.clone(),
        connection::put(cx, tx, vault, admin, spec)
    );
    Ok(Outcome::Granted(done))
}
