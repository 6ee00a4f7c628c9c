//! The registry of agents: set, show, remove. Its acts, owners and keys are in `admin/agent/`.
//!
//! Owns which client belongs to an agent and what it is called at each RAS: only operators set that (MT-09).

pub mod keys;
pub mod owners;
pub mod status;

use std::collections::{BTreeMap, BTreeSet};

use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;

use crate::admin::change::{Change, Kinds, note, state};
use crate::admin::client;
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::sign_in::ADMIN_SCOPE;
use crate::admin::spec::AgentSpec;
use crate::admin::token::Admin;
use crate::agent::orphan;
use crate::agent::record::{Agent, AgentStatus};
use crate::agent::warning::{self, Credentials};
use crate::client::registration::{Client, Side};
use crate::cx::Cx;
use crate::directory::user::User;
use crate::id::ClientKey;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};
use crate::trust::audience::ClientMapping;

pub(super) const KINDS: Kinds = Kinds {
    created: "admin.agent.created",
    changed: "admin.agent.changed",
    removed: "admin.agent.removed",
};

/// An agent with everything an administrator wants to see of it.
pub struct Shown {
    /// The record.
    pub agent: Agent,
    /// Its document.
    pub document: AgentSpec,
    /// The keys and secrets of its client.
    pub credentials: Credentials,
    /// What to look at.
    pub warnings: Vec<String>,
}

/// The agent of this name, for whoever reads.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn show(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, name: &str) -> Result<Outcome<Shown, AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Read) {
        return Ok(Outcome::Denied(denial));
    }
    Ok(match tx.find_agent_by_name(name)? {
        Some(agent) => Outcome::Granted(shown(cx, tx, agent)?),
        None => Outcome::Denied(missing(name)),
    })
}

/// A record with its document, credentials and warnings.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn shown(cx: &Cx, tx: &mut dyn Tx, agent: Agent) -> Result<Shown, StoreError> {
    let document = describe(tx, &agent)?;
    let people = orphan::owners(tx, &agent.id)?;
    let credentials = match &agent.client {
        None => Credentials::default(),
        Some(key) => Credentials {
            auth: tx.find_client_by_key(key)?.map(|client| client.auth),
            keys: tx.list_client_keys(key)?,
            secrets: tx.list_client_secrets(key)?,
        },
    };
    let warnings = warning::warnings(cx.now, &agent, &people, &credentials);
    Ok(Shown {
        agent,
        document,
        credentials,
        warnings,
    })
}

/// The document of a record.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn describe(tx: &mut dyn Tx, agent: &Agent) -> Result<AgentSpec, StoreError> {
    let mut client_ids = BTreeMap::new();
    let client = match &agent.client {
        None => None,
        Some(key) => {
            for audience in tx.list_audiences()? {
                if let Some(there) = tx.find_mapping(key, &audience.id)? {
                    client_ids.insert(audience.issuer.to_string(), there.to_string());
                }
            }
            tx.find_client_by_key(key)?.map(|client| client.client_id.to_string())
        }
    };
    let owners = orphan::owners(tx, &agent.id)?;
    Ok(AgentSpec {
        name: agent.name.clone(),
        title: Some(agent.title.clone()),
        purpose: Some(agent.purpose.clone()),
        vendor: agent.vendor.clone(),
        software: agent.software.clone(),
        owners: Some(owners.into_iter().map(|owner| owner.username).collect()),
        client,
        client_ids: agent.client.is_some().then_some(client_ids),
        status: Some(agent.status),
    })
}

/// Makes or changes the agent of this name. What the document leaves out stays. An agent that may not act any more loses
/// what its client holds: then it is written with the reserve, and the jobs carry it to the RAS.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn put(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    spec: &AgentSpec,
) -> Result<Outcome<(Agent, Change), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Write).and_then(|()| check(spec)) {
        return Ok(Outcome::Denied(denial));
    }
    let before = tx.find_agent_by_name(&spec.name)?;
    if let Some(before) = &before {
        tx.hold_agent(&before.id)?;
    }
    let mut wanted = match wanted(cx, tx, before.as_ref(), spec)? {
        Ok(wanted) => wanted,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let people = match owners::resolve(tx, before.as_ref(), spec.owners.as_deref())? {
        Ok(people) => people,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    wanted.orphaned &= !people.iter().any(User::is_active);
    let ids = match mappings(tx, wanted.client.as_ref(), spec.client_ids.as_ref())? {
        Ok(ids) => ids,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    if let Err(denial) = status::may_be(&wanted, before.as_ref(), &people) {
        return Ok(Outcome::Denied(denial));
    }
    let before_spec = match &before {
        Some(before) => Some(describe(tx, before)?),
        None => None,
    };
    let after = write(cx, tx, before.as_ref(), wanted)?;
    owners::set(cx, tx, &after.id, &people)?;
    if let (Some(client), Some(ids)) = (&after.client, ids) {
        map(tx, client, ids)?;
    }
    orphan::follow(cx, tx, before.as_ref(), &after)?;
    let after_spec = describe(tx, &after)?;
    let change = match &before_spec {
        None => Change::Created,
        Some(before) if *before == after_spec => Change::Unchanged,
        Some(_) => Change::Changed,
    };
    let states = (before_spec.as_ref().and_then(state), state(&after_spec));
    note(cx, tx, admin, KINDS, change, &after.name, states)?;
    Ok(Outcome::Granted((after, change)))
}

/// Removes an agent that does not act, and switches its client off: what is not in the registry any more is not free to
/// act. Written with the reserve.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn remove(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    own_ras: Option<&Issuer>,
    name: &str,
) -> Result<Outcome<(), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Write) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(before) = tx.find_agent_by_name(name)? else {
        return Ok(Outcome::Denied(missing(name)));
    };
    if before.status == AgentStatus::Active {
        let problem = "the agent is active; deactivate it first";
        return Ok(Outcome::Denied(AdminDenial::invalid("status", problem)));
    }
    let spec = describe(tx, &before)?;
    tx.remove_agent(&before.id)?;
    if let Some(key) = &before.client
        && let Some(client) = tx.find_client_by_key(key)?
    {
        client::switch_off(cx, tx, admin, own_ras, &Client { agent: None, ..client })?;
    }
    note(cx, tx, admin, KINDS, Change::Removed, name, (state(&spec), None))?;
    Ok(Outcome::Granted(()))
}

pub(super) fn missing(name: &str) -> AdminDenial {
    AdminDenial::NotFound {
        what: "agent",
        name: name.to_owned(),
    }
}

fn write(cx: &Cx, tx: &mut dyn Tx, before: Option<&Agent>, wanted: Agent) -> Result<Agent, StoreError> {
    match before {
        None => {
            tx.insert_agent(&wanted)?;
            Ok(wanted)
        }
        Some(before) if *before == wanted => Ok(wanted),
        Some(before) => {
            let after = Agent {
                version: before.version + 1,
                updated_at: cx.now,
                ..wanted
            };
            tx.update_agent(&after)?;
            Ok(after)
        }
    }
}

fn check(spec: &AgentSpec) -> Result<(), AdminDenial> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if spec.name.is_empty() || spec.name.len() > 63 || !spec.name.bytes().all(good) {
        let problem = "1 to 63 lower-case letters, digits and - are needed, as in ticket-helper";
        return Err(AdminDenial::invalid("name", problem));
    }
    let texts = [
        ("title", &spec.title, 128),
        ("purpose", &spec.purpose, 1000),
        ("vendor", &spec.vendor, 128),
        ("software", &spec.software, 128),
    ];
    for (field, text, longest) in texts {
        let bad = |text: &str| text.chars().count() > longest || text.chars().any(char::is_control);
        if text.as_deref().is_some_and(bad) {
            let problem = format!("at most {longest} characters without control characters");
            return Err(AdminDenial::invalid(field, problem));
        }
    }
    Ok(())
}

/// The record as the document wants it; what is left out is as before.
fn wanted(
    cx: &Cx,
    tx: &mut dyn Tx,
    before: Option<&Agent>,
    spec: &AgentSpec,
) -> Result<Result<Agent, AdminDenial>, StoreError> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let optional = |text: &Option<String>, old: Option<&String>| match text {
        Some(_) => given(text),
        None => old.cloned(),
    };
    let client = match wanted_client(tx, before, spec.client.as_deref())? {
        Ok(client) => client,
        Err(denial) => return Ok(Err(denial)),
    };
    let old = before;
    let Some(purpose) = given(&spec.purpose).or_else(|| old.map(|old| old.purpose.clone())) else {
        let problem = "say what the agent is for: whoever approves it reads this";
        return Ok(Err(AdminDenial::invalid("purpose", problem)));
    };
    let title = given(&spec.title).or_else(|| old.map(|old| old.title.clone()));
    let status = spec.status.or(old.map(|old| old.status));
    let status = status.unwrap_or(AgentStatus::Staged);
    Ok(Ok(Agent {
        id: old.map_or_else(|| cx.new_id(), |old| old.id.clone()),
        name: spec.name.clone(),
        title: title.unwrap_or_else(|| spec.name.clone()),
        purpose,
        vendor: optional(&spec.vendor, old.and_then(|old| old.vendor.as_ref())),
        software: optional(&spec.software, old.and_then(|old| old.software.as_ref())),
        orphaned: status != AgentStatus::Active && old.is_some_and(|old| old.orphaned),
        status,
        client,
        reviewed_at: old.and_then(|old| old.reviewed_at),
        version: old.map_or(1, |old| old.version),
        created_at: old.map_or(cx.now, |old| old.created_at),
        updated_at: old.map_or(cx.now, |old| old.updated_at),
    }))
}

/// The client that is named, if it is free. Another one than before is refused: what an agent is allowed stands on its
/// client, and the old one would be nobody's.
fn wanted_client(
    tx: &mut dyn Tx,
    before: Option<&Agent>,
    named: Option<&str>,
) -> Result<Result<Option<ClientKey>, AdminDenial>, StoreError> {
    let old = before.and_then(|before| before.client.clone());
    let Some(named) = named else { return Ok(Ok(old)) };
    let found = match ClientId::parse(named) {
        Ok(id) => tx.find_client(Side::Idp, &id)?,
        Err(_) => None,
    };
    let Some(client) = found else {
        return Ok(Err(AdminDenial::NotFound {
            what: "client at the issuer",
            name: named.to_owned(),
        }));
    };
    match old {
        Some(old) if old == client.key => return Ok(Ok(Some(old))),
        Some(_) => {
            let problem = "the agent has a client already; another client is another agent";
            return Ok(Err(AdminDenial::invalid("client", problem)));
        }
        None => {}
    }
    if client.scopes.contains_str(ADMIN_SCOPE) {
        let problem = "administrators sign in with this client; it is no agent";
        return Ok(Err(AdminDenial::invalid("client", problem)));
    }
    if let Some(other) = tx.find_agent_of_client(&client.key)? {
        let name = format!("{named} (agent {})", other.name);
        let what = "client of an agent";
        return Ok(Err(AdminDenial::Taken { what, name }));
    }
    Ok(Ok(Some(client.key)))
}

/// What the document calls the client at each RAS; `None` leaves it as it is.
type Ids = Option<Vec<ClientMapping>>;

fn mappings(
    tx: &mut dyn Tx,
    client: Option<&ClientKey>,
    wanted: Option<&BTreeMap<String, String>>,
) -> Result<Result<Ids, AdminDenial>, StoreError> {
    let Some(wanted) = wanted else { return Ok(Ok(None)) };
    let Some(client) = client else {
        if wanted.is_empty() {
            return Ok(Ok(None));
        }
        let problem = "name the agent's client at the issuer first";
        return Ok(Err(AdminDenial::invalid("client_ids", problem)));
    };
    let mut ids = Vec::new();
    for (issuer, there) in wanted {
        let field = format!("client_ids.{issuer}");
        let audience = match Issuer::parse(issuer.as_str()) {
            Ok(issuer) => tx.find_audience(&issuer)?,
            Err(_) => None,
        };
        let Some(audience) = audience else {
            return Ok(Err(AdminDenial::NotFound {
                what: "audience",
                name: issuer.clone(),
            }));
        };
        let ras_client_id = match ClientId::parse(there.as_str()) {
            Ok(id) => id,
            Err(error) => return Ok(Err(AdminDenial::invalid(field, error.to_string()))),
        };
        let taken = |other: &ClientMapping| other.ras_client_id == ras_client_id && other.client != *client;
        if tx.list_mappings(&audience.id)?.iter().any(taken) {
            let what = "client id at the audience";
            let name = format!("{there} ({issuer})");
            return Ok(Err(AdminDenial::Taken { what, name }));
        }
        ids.push(ClientMapping {
            client: client.clone(),
            audience: audience.id,
            ras_client_id,
        });
    }
    Ok(Ok(Some(ids)))
}

/// Exactly these ids.
fn map(tx: &mut dyn Tx, client: &ClientKey, ids: Vec<ClientMapping>) -> Result<(), StoreError> {
    let named: BTreeSet<_> = ids.iter().map(|mapping| mapping.audience.clone()).collect();
    for audience in tx.list_audiences()? {
        if !named.contains(&audience.id) {
            tx.remove_mapping(client, &audience.id)?;
        }
    }
    for mapping in &ids {
        tx.put_mapping(mapping)?;
    }
    Ok(())
}

/// Whether it is a client of the issuer that belongs to no agent, and none that administrators sign in with.
pub fn is_unregistered(client: &Client) -> bool {
    client.side == Side::Idp && client.agent.is_none() && !client.scopes.contains_str(ADMIN_SCOPE)
}
