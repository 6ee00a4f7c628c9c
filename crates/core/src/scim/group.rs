//! What a directory may do to its groups and their members (SC-12, SC-16, SC-20).
//!
//! Owns the link between a group and the directory that provisions it. Policy reads memberships at every decision, so
//! a change bites at the next exchange.

mod membership;

use std::collections::BTreeSet;

use lanyard_protocol::scim::schema::GROUPS;
use serde_json::{Value, json};

use crate::admin::grant::Holder;
use crate::admin::standing;
use crate::audit::record::{NewEvent, record};
use crate::directory::group::{Group, GroupKind};
use crate::directory::name::is_name;
use crate::id::{DirectoryId, GroupId, UserId};
use crate::outcome::Outcome;
use crate::policy::rule::People;
use crate::scim::denial::ScimDenial;
use crate::scim::document::Document;
use crate::scim::members::{GroupPatch, MemberChange, certain};
use crate::scim::patch;
use crate::scim::provisioner::{IfMatch, Provisioner};
use crate::scim::search::{Found, GroupTest, Search};
use crate::scim::user::{Act, external_id};
use crate::store::{StoreError, Tx};

/// A group and what its directory calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionedGroup {
    /// The group.
    pub group: Group,
    /// Who provisions it.
    pub directory: DirectoryId,
    /// The directory's own id of the group; unique in it.
    pub external_id: Option<String>,
}

/// What a POST or PUT says about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupBody {
    name: String,
    external_id: Option<String>,
    members: BTreeSet<UserId>,
}

impl GroupBody {
    /// Reads a document of the group schema.
    ///
    /// # Errors
    /// [`ScimDenial::Value`].
    pub fn read(mut document: Document) -> Result<Self, ScimDenial> {
        let members = match document.take("members") {
            Some(members) => certain(members)?,
            None => BTreeSet::new(),
        };
        let (name, external_id) = names(document)?;
        Ok(Self {
            name,
            external_id,
            members,
        })
    }
}

fn names(mut document: Document) -> Result<(String, Option<String>), ScimDenial> {
    let external_id = external_id(&mut document);
    let name = document.text("displayName").unwrap_or_default().trim().to_owned();
    if !is_name(&name) {
        let problem = "use 1 to 128 characters, none of them hidden";
        return Err(ScimDenial::value("displayName", problem));
    }
    Ok((name, external_id))
}

/// The group of this id, if the directory has it.
///
/// # Errors
/// [`StoreError`].
pub fn find(tx: &mut dyn Tx, directory: &DirectoryId, id: &str) -> Act<ProvisionedGroup> {
    Ok(match load(tx, directory, id, &IfMatch::Any)? {
        Ok(group) => Outcome::Granted(group),
        Err(denial) => Outcome::Denied(denial),
    })
}

/// Groups of the directory.
///
/// # Errors
/// [`StoreError`].
pub fn search(
    tx: &mut dyn Tx,
    directory: &DirectoryId,
    search: &Search<GroupTest>,
) -> Result<Found<ProvisionedGroup>, StoreError> {
    tx.search_provisioned_groups(directory, search)
}

/// Makes a group, or adopts one of the administrator by its name where the directory may.
///
/// # Errors
/// [`StoreError`].
pub fn create(at: &Provisioner<'_>, tx: &mut dyn Tx, body: &GroupBody) -> Act<ProvisionedGroup> {
    if let Some(taken) = taken(at, tx, body, None)? {
        return Ok(Outcome::Denied(taken));
    }
    let (group, kind) = match tx.find_group_by_name(&body.name)? {
        None => {
            let group = Group {
                id: at.cx.new_id(),
                name: body.name.clone(),
                kind: GroupKind::Group,
                version: 1,
                created_at: at.cx.now,
                updated_at: at.cx.now,
            };
            tx.insert_group(&group)?;
            (group, "directory.group.created")
        }
        Some(group) if at.directory.adopts && tx.find_owner_of_group(&group.id)?.is_none() => {
            if let Err(denial) = standing::over_members_of(tx, &at.admin(), &group.id)? {
                return Ok(Outcome::Denied(denial.into()));
            }
            let group = touched(at, group);
            tx.update_group(&group)?;
            (group, "directory.group.adopted")
        }
        Some(_) => {
            return Ok(Outcome::Denied(ScimDenial::Taken {
                attribute: "displayName",
            }));
        }
    };
    let group = ProvisionedGroup {
        group,
        directory: at.directory.id.clone(),
        external_id: body.external_id.clone(),
    };
    tx.put_provisioned_group(&group)?;
    let event = about(kind, at, &group.group).detail("id", group.group.id.as_str());
    record(at.cx, tx, event.detail("after", shown(&group)))?;
    let set = [MemberChange::Set(body.members.clone())];
    Ok(match membership::apply(at, tx, &group.group, &set)? {
        Ok(_) => Outcome::Granted(group),
        Err(denial) => Outcome::Denied(denial),
    })
}

/// Puts what the client says in the place of what there is. Without members the group is empty.
///
/// # Errors
/// [`StoreError`].
pub fn replace(
    at: &Provisioner<'_>,
    tx: &mut dyn Tx,
    id: &str,
    if_match: &IfMatch,
    body: &GroupBody,
) -> Act<ProvisionedGroup> {
    match load(tx, &at.directory.id, id, if_match)? {
        Ok(before) => write(at, tx, before, body, &[MemberChange::Set(body.members.clone())]),
        Err(denial) => Ok(Outcome::Denied(denial)),
    }
}

/// Applies operations, all or none.
///
/// # Errors
/// [`StoreError`].
pub fn patch(
    at: &Provisioner<'_>,
    tx: &mut dyn Tx,
    id: &str,
    if_match: &IfMatch,
    patch: &GroupPatch,
) -> Act<ProvisionedGroup> {
    let before = match load(tx, &at.directory.id, id, if_match)? {
        Ok(before) => before,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let mut document = Document::default();
    document.set(None, "displayName", Some(json!(before.group.name)));
    document.set(None, "externalId", before.external_id.clone().map(Value::from));
    let named = patch::apply(&GROUPS, document, &patch.attributes, at.directory.strict_paths).and_then(names);
    let (name, external_id) = match named {
        Ok(named) => named,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let body = GroupBody {
        name,
        external_id,
        members: BTreeSet::new(),
    };
    write(at, tx, before, &body, &patch.members)
}

/// Removes a group. Where a rule names it or a role is given to it, the group stays, empty and the administrator's:
/// neither must be lost without anybody seeing it.
///
/// # Errors
/// [`StoreError`].
pub fn remove(at: &Provisioner<'_>, tx: &mut dyn Tx, id: &str, if_match: &IfMatch) -> Act<()> {
    let group = match load(tx, &at.directory.id, id, if_match)? {
        Ok(group) => group,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let id = &group.group.id;
    let names = |people: &People| matches!(people, People::Some { groups, .. } if groups.contains(id));
    let rules: Vec<String> = tx
        .list_rules()?
        .into_iter()
        .filter(|rule| names(&rule.people))
        .map(|rule| rule.title)
        .collect();
    if let Err(denial) = membership::apply(at, tx, &group.group, &[MemberChange::Set(BTreeSet::new())])? {
        return Ok(Outcome::Denied(denial));
    }
    tx.remove_provisioned_group(id)?;
    let role = tx
        .find_grant(&Holder::Group(id.clone()))?
        .map(|grant| grant.role.as_str());
    let event = if rules.is_empty() && role.is_none() {
        tx.remove_group(id)?;
        about("directory.group.removed", at, &group.group)
    } else {
        let event = about("directory.group.released", at, &group.group);
        event.detail("rules", rules).detail_if("role", role)
    };
    let event = event.detail("id", id.as_str()).detail("before", shown(&group));
    record(at.cx, tx, event)?;
    Ok(Outcome::Granted(()))
}

fn write(
    at: &Provisioner<'_>,
    tx: &mut dyn Tx,
    before: ProvisionedGroup,
    body: &GroupBody,
    members: &[MemberChange],
) -> Act<ProvisionedGroup> {
    let named = body.name != before.group.name || body.external_id != before.external_id;
    if named {
        if let Some(taken) = taken(at, tx, body, Some(&before.group.id))? {
            return Ok(Outcome::Denied(taken));
        }
        let other = tx.find_group_by_name(&body.name)?;
        if other.is_some_and(|other| other.id != before.group.id) {
            return Ok(Outcome::Denied(ScimDenial::Taken {
                attribute: "displayName",
            }));
        }
    }
    let moved = match membership::apply(at, tx, &before.group, members)? {
        Ok(moved) => moved,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    if !named && !moved {
        return Ok(Outcome::Granted(before));
    }
    let after = ProvisionedGroup {
        group: Group {
            name: body.name.clone(),
            ..touched(at, before.group.clone())
        },
        external_id: body.external_id.clone(),
        ..before.clone()
    };
    tx.update_group(&after.group)?;
    if named {
        tx.put_provisioned_group(&after)?;
        let event = about("directory.group.changed", at, &after.group);
        let event = event.detail("before", shown(&before)).detail("after", shown(&after));
        record(at.cx, tx, event)?;
    }
    Ok(Outcome::Granted(after))
}

/// Whether another group of the directory has one of the names.
fn taken(
    at: &Provisioner<'_>,
    tx: &mut dyn Tx,
    body: &GroupBody,
    own: Option<&GroupId>,
) -> Result<Option<ScimDenial>, StoreError> {
    let directory = &at.directory.id;
    if let Some(external_id) = &body.external_id {
        let other = tx.find_group_by_external_id(directory, external_id)?;
        if other.is_some_and(|other| Some(&other) != own) {
            return Ok(Some(ScimDenial::Taken {
                attribute: "externalId",
            }));
        }
    }
    let other = tx.find_provisioned_group_by_name(directory, &body.name.to_lowercase())?;
    Ok(other
        .is_some_and(|other| Some(&other) != own)
        .then_some(ScimDenial::Taken {
            attribute: "displayName",
        }))
}

fn load(
    tx: &mut dyn Tx,
    directory: &DirectoryId,
    id: &str,
    if_match: &IfMatch,
) -> Result<Result<ProvisionedGroup, ScimDenial>, StoreError> {
    let found = match GroupId::parse(id) {
        Ok(id) => tx.find_provisioned_group(directory, &id)?,
        Err(_) => None,
    };
    let Some(group) = found else {
        return Ok(Err(ScimDenial::NotFound {
            what: "group",
            id: id.chars().take(80).collect(),
        }));
    };
    Ok(if_match.check(group.group.version).map(|()| group))
}

fn touched(at: &Provisioner<'_>, group: Group) -> Group {
    Group {
        version: group.version + 1,
        updated_at: at.cx.now,
        ..group
    }
}

fn shown(group: &ProvisionedGroup) -> Value {
    json!({"name": group.group.name, "external_id": group.external_id})
}

fn about(kind: &'static str, at: &Provisioner<'_>, group: &Group) -> NewEvent {
    NewEvent::granted(kind).actor(at.actor()).target(&group.name)
}
