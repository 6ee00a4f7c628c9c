//! A person's groups, as their identity provider names them at each sign-in.
//!
//! Owns the memberships that a connection made: it adds them and takes them away. Never touches one that somebody
//! else made, nor who is in a group that makes administrators unless an owner said so.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::admin::standing;
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::directory::group::{Group, GroupKind};
use crate::directory::name::is_name;
use crate::directory::user::User;
use crate::id::GroupId;
use crate::store::{StoreError, Tx};
use crate::upstream::connection::Connection;
use crate::upstream::mapping::{GroupMapping, Unlisted};
use crate::upstream::profile::actor;

/// Makes the memberships what the provider said; policy reads them at the next decision. A connection that does not
/// map groups (any more) has made none.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn set(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &Connection,
    user: &User,
    values: Option<&BTreeSet<String>>,
) -> Result<(), StoreError> {
    let wanted = match (&connection.mapping.groups, values) {
        (Some(mapping), Some(values)) => wanted(cx, tx, connection, mapping, values)?,
        _ => BTreeSet::new(),
    };
    let made: BTreeSet<GroupId> = tx
        .list_upstream_memberships(&connection.id, &user.id)?
        .into_iter()
        .collect();
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for group in &wanted {
        if !standing::is_open_to_provisioning(tx, group)? {
            continue;
        }
        // Also when we made it before: an administrator may have taken it away meanwhile.
        if tx.insert_member(group, &user.id, cx.now)? {
            if !made.contains(group) {
                tx.insert_upstream_membership(&connection.id, &user.id, group)?;
            }
            added.push(name(tx, group)?);
        }
    }
    for group in made.difference(&wanted) {
        if !standing::is_open_to_provisioning(tx, group)? {
            continue;
        }
        tx.remove_upstream_membership(&connection.id, &user.id, group)?;
        if tx.remove_member(group, &user.id)? {
            removed.push(name(tx, group)?);
        }
    }
    if added.is_empty() && removed.is_empty() {
        return Ok(());
    }
    let event = NewEvent::granted("directory.membership.synchronised")
        .actor(actor(connection))
        .subject(user.id.as_str())
        .target(&user.username)
        .detail("added", Value::from(added))
        .detail("removed", Value::from(removed));
    record(cx, tx, event.detail("connection", connection.name.as_str())).map(|_| ())
}

fn wanted(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &Connection,
    mapping: &GroupMapping,
    values: &BTreeSet<String>,
) -> Result<BTreeSet<GroupId>, StoreError> {
    let mut wanted = BTreeSet::new();
    for value in values {
        if let Some(group) = mapping.names.get(value) {
            if tx.find_group(group)?.is_some() {
                wanted.insert(group.clone());
            }
            continue;
        }
        match mapping.unlisted {
            Unlisted::Ignore => {}
            Unlisted::Match | Unlisted::Create => match tx.find_group_by_name(value)? {
                // A role is power over others' access: a provider gives it only where the table says so.
                Some(group) if group.kind == GroupKind::Group => {
                    wanted.insert(group.id);
                }
                Some(_) => {}
                None if mapping.unlisted == Unlisted::Create && is_name(value) => {
                    wanted.insert(create(cx, tx, connection, value)?);
                }
                None => {}
            },
        }
    }
    Ok(wanted)
}

fn create(cx: &Cx, tx: &mut dyn Tx, connection: &Connection, value: &str) -> Result<GroupId, StoreError> {
    let group = Group {
        id: cx.new_id(),
        name: value.to_owned(),
        kind: GroupKind::Group,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    };
    tx.insert_group(&group)?;
    let event = NewEvent::granted("directory.group.created")
        .actor(actor(connection))
        .target(value)
        .detail("kind", group.kind.as_str())
        .detail("id", group.id.as_str())
        .detail("after", json!({"name": value}));
    record(cx, tx, event.detail("connection", connection.name.as_str()))?;
    Ok(group.id)
}

fn name(tx: &mut dyn Tx, group: &GroupId) -> Result<String, StoreError> {
    Ok(tx
        .find_group(group)?
        .map_or_else(|| group.to_string(), |group| group.name))
}

/// Each value with the group it leads to, without making one: for a dry run.
///
/// # Errors
/// [`StoreError`].
pub fn foresee(
    tx: &mut dyn Tx,
    connection: &Connection,
    values: &BTreeSet<String>,
) -> Result<Vec<(String, Option<String>)>, StoreError> {
    let Some(mapping) = &connection.mapping.groups else {
        return Ok(Vec::new());
    };
    let mut seen = Vec::new();
    for value in values {
        let found = match mapping.names.get(value) {
            Some(group) => tx.find_group(group)?,
            None if mapping.unlisted == Unlisted::Ignore => None,
            None => match tx.find_group_by_name(value)? {
                None if mapping.unlisted == Unlisted::Create && is_name(value) => {
                    seen.push((value.clone(), Some(value.clone())));
                    continue;
                }
                found => found.filter(|group| group.kind == GroupKind::Group),
            },
        };
        let open = match &found {
            Some(group) => standing::is_open_to_provisioning(tx, &group.id)?,
            None => false,
        };
        seen.push((value.clone(), found.filter(|_| open).map(|group| group.name)));
    }
    Ok(seen)
}
