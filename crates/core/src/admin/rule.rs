//! Policy rules: set, remove.

use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::scope::ScopeSet;

use crate::admin::change::{Change, Kinds, note, state};
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::requirement::RequirementSpec;
use crate::admin::spec::{AllOr, RuleSpec};
use crate::admin::token::Admin;
use crate::client::registration::Side;
use crate::cx::Cx;
use crate::id::{ClientKey, ConnectorId, RuleId};
use crate::outcome::Outcome;
use crate::policy::rule::{People, Rule, ScopeSelection, Selection};
use crate::store::{StoreError, Tx};

const KINDS: Kinds = Kinds {
    created: "admin.rule.created",
    changed: "admin.rule.changed",
    removed: "admin.rule.removed",
};

/// The document of a rule, by names. What a name no longer exists for is shown by its id.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn describe(tx: &mut dyn Tx, rule: &Rule) -> Result<RuleSpec, StoreError> {
    let mut groups = Vec::new();
    let mut users = Vec::new();
    if let People::Some {
        groups: group_ids,
        users: user_ids,
    } = &rule.people
    {
        for id in group_ids {
            groups.push(tx.find_group(id)?.map_or_else(|| id.to_string(), |group| group.name));
        }
        for id in user_ids {
            users.push(tx.find_user(id)?.map_or_else(|| id.to_string(), |user| user.username));
        }
    }
    let clients = match &rule.clients {
        Selection::All => AllOr::ALL,
        Selection::Only(keys) => {
            let mut names = Vec::new();
            for key in keys {
                let client = tx.find_client_by_key(key)?;
                names.push(client.map_or_else(|| key.to_string(), |client| client.client_id.to_string()));
            }
            AllOr::Only(names)
        }
    };
    let connectors = match &rule.connectors {
        Selection::All => AllOr::ALL,
        Selection::Only(ids) => {
            let mut names = Vec::new();
            for id in ids {
                names.push(
                    tx.find_connector(id)?
                        .map_or_else(|| id.to_string(), |connector| connector.name),
                );
            }
            AllOr::Only(names)
        }
    };
    let scopes = match &rule.scopes {
        ScopeSelection::All => AllOr::ALL,
        ScopeSelection::Only(set) => AllOr::Only(set.iter().map(ToString::to_string).collect()),
    };
    Ok(RuleSpec {
        title: rule.title.clone(),
        effect: rule.effect,
        everyone: rule.people == People::Everyone,
        groups,
        users,
        clients,
        connectors,
        scopes,
        requires: rule.requires.as_ref().map(RequirementSpec::of),
        enabled: rule.enabled,
    })
}

/// Makes or changes the rule of `spec.title`.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn put(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    spec: &RuleSpec,
) -> Result<Outcome<(Rule, Change), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Write) {
        return Ok(Outcome::Denied(denial));
    }
    let wanted = match resolve(cx, tx, spec)? {
        Ok(wanted) => wanted,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let before = tx.find_rule_by_title(&wanted.title)?;
    let before_spec = match &before {
        Some(before) => Some(describe(tx, before)?),
        None => None,
    };
    let (after, change) = match before {
        None => {
            tx.insert_rule(&wanted)?;
            (wanted, Change::Created)
        }
        Some(before) => {
            let after = Rule {
                id: before.id.clone(),
                version: before.version,
                created_at: before.created_at,
                updated_at: before.updated_at,
                ..wanted
            };
            if after == before {
                (after, Change::Unchanged)
            } else {
                let after = Rule {
                    version: before.version + 1,
                    updated_at: cx.now,
                    ..after
                };
                tx.update_rule(&after)?;
                (after, Change::Changed)
            }
        }
    };
    let after_spec = describe(tx, &after)?;
    let states = (before_spec.as_ref().and_then(state), state(&after_spec));
    note(cx, tx, admin, KINDS, change, &after.title, states)?;
    Ok(Outcome::Granted((after, change)))
}

/// Removes a rule.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn remove(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, id: &RuleId) -> Result<Outcome<(), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Write) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(before) = tx.find_rule(id)? else {
        return Ok(Outcome::Denied(AdminDenial::NotFound {
            what: "rule",
            name: id.to_string(),
        }));
    };
    let spec = describe(tx, &before)?;
    tx.remove_rule(id)?;
    note(
        cx,
        tx,
        admin,
        KINDS,
        Change::Removed,
        &before.title,
        (state(&spec), None),
    )?;
    Ok(Outcome::Granted(()))
}

fn resolve(cx: &Cx, tx: &mut dyn Tx, spec: &RuleSpec) -> Result<Result<Rule, AdminDenial>, StoreError> {
    let title = spec.title.trim();
    if title.is_empty() || title.len() > 200 {
        return Ok(Err(AdminDenial::invalid(
            "title",
            "1 to 200 characters; the people it admits will read it",
        )));
    }
    let requires = match spec
        .requires
        .as_ref()
        .map(|requires| requires.parse("requires"))
        .transpose()
    {
        Ok(requires) => requires,
        Err(denial) => return Ok(Err(denial)),
    };
    let people = match people(tx, spec)? {
        Ok(people) => people,
        Err(denial) => return Ok(Err(denial)),
    };
    let clients = match &spec.clients {
        AllOr::All(_) => Selection::All,
        AllOr::Only(names) => {
            let mut keys: Vec<ClientKey> = Vec::new();
            for name in names {
                let client = match ClientId::parse(name.as_str()) {
                    Ok(id) => tx.find_client(Side::Idp, &id)?,
                    Err(_) => None,
                };
                match client {
                    Some(client) => keys.push(client.key),
                    None => return Ok(Err(missing("client at the issuer", name))),
                }
            }
            keys.sort();
            Selection::Only(keys)
        }
    };
    let connectors = match &spec.connectors {
        AllOr::All(_) => Selection::All,
        AllOr::Only(names) => {
            let mut ids: Vec<ConnectorId> = Vec::new();
            for name in names {
                match tx.find_connector_by_name(name)? {
                    Some(connector) => ids.push(connector.id),
                    None => return Ok(Err(missing("connector", name))),
                }
            }
            ids.sort();
            Selection::Only(ids)
        }
    };
    let scopes = match &spec.scopes {
        AllOr::All(_) => ScopeSelection::All,
        AllOr::Only(names) => match ScopeSet::parse(&names.join(" ")) {
            Ok(set) => ScopeSelection::Only(set),
            Err(error) => return Ok(Err(AdminDenial::invalid("scopes", error.to_string()))),
        },
    };
    Ok(Ok(Rule {
        id: cx.new_id::<RuleId>(),
        title: title.to_owned(),
        effect: spec.effect,
        people,
        clients,
        connectors,
        scopes,
        requires,
        enabled: spec.enabled,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    }))
}

fn people(tx: &mut dyn Tx, spec: &RuleSpec) -> Result<Result<People, AdminDenial>, StoreError> {
    if spec.everyone {
        if !spec.groups.is_empty() || !spec.users.is_empty() {
            let problem = "everyone is everybody already; take groups and users out, or set everyone = false";
            return Ok(Err(AdminDenial::invalid("everyone", problem)));
        }
        return Ok(Ok(People::Everyone));
    }
    let mut groups = Vec::new();
    for name in &spec.groups {
        match tx.find_group_by_name(name)? {
            Some(group) => groups.push(group.id),
            None => return Ok(Err(missing("group", name))),
        }
    }
    let mut users = Vec::new();
    for name in &spec.users {
        match tx.find_user_by_username(&name.to_lowercase())? {
            Some(user) => users.push(user.id),
            None => return Ok(Err(missing("user", name))),
        }
    }
    groups.sort();
    users.sort();
    Ok(Ok(People::Some { groups, users }))
}

fn missing(what: &'static str, name: &str) -> AdminDenial {
    AdminDenial::NotFound {
        what,
        name: name.to_owned(),
    }
}
