//! Members by the thousand: a few statements, one event.

use std::collections::BTreeSet;

use serde_json::Value;

use super::about;
use crate::admin::standing;
use crate::audit::record::record;
use crate::directory::group::Group;
use crate::id::UserId;
use crate::scim::denial::ScimDenial;
use crate::scim::members::{MemberChange, no_member};
use crate::scim::provisioner::Provisioner;
use crate::store::{StoreError, Tx};

/// How many people an event names; the rest is counted.
const NAMED: usize = 20;

/// Applies the changes in their order; whether anybody moved. Only people of the directory are members for it: those
/// whom somebody else put into the group stay (SC-20).
pub(super) fn apply(
    at: &Provisioner<'_>,
    tx: &mut dyn Tx,
    group: &Group,
    changes: &[MemberChange],
) -> Result<Result<bool, ScimDenial>, StoreError> {
    let (mut added, mut removed) = (BTreeSet::new(), BTreeSet::new());
    let directory = &at.directory.id;
    for change in changes {
        let own = match change {
            MemberChange::Add(ids) | MemberChange::Remove(ids) | MemberChange::Set(ids) => {
                let own = tx.list_provisioned_among(directory, ids)?;
                if own.len() < ids.len() && !matches!(change, MemberChange::Remove(_)) {
                    return Ok(Err(no_member()));
                }
                own
            }
        };
        let (new, gone) = match change {
            MemberChange::Add(_) => (own, BTreeSet::new()),
            MemberChange::Remove(_) => (BTreeSet::new(), own),
            MemberChange::Set(_) => {
                let stands: BTreeSet<UserId> = tx.list_provisioned_members(directory, &group.id)?.into_iter().collect();
                (&own - &stands, &stands - &own)
            }
        };
        if new.is_empty() && gone.is_empty() {
            continue;
        }
        // Whoever fills a group with an administrator's role makes administrators.
        if let Err(denial) = standing::over_members_of(tx, &at.admin(), &group.id)? {
            return Ok(Err(denial.into()));
        }
        let new = tx.insert_members(&group.id, &new, at.cx.now)?;
        let gone = tx.remove_members(&group.id, &gone)?;
        for id in gone {
            if !added.remove(&id) {
                removed.insert(id);
            }
        }
        for id in new {
            if !removed.remove(&id) {
                added.insert(id);
            }
        }
    }
    tell(at, tx, group, &added, &removed)?;
    Ok(Ok(!added.is_empty() || !removed.is_empty()))
}

fn tell(
    at: &Provisioner<'_>,
    tx: &mut dyn Tx,
    group: &Group,
    added: &BTreeSet<UserId>,
    removed: &BTreeSet<UserId>,
) -> Result<(), StoreError> {
    // One person's event is found under that person.
    let event = match (added.len(), removed.len()) {
        (0, 0) => return Ok(()),
        (1, 0) => about("directory.membership.added", at, group).subject(only(added)),
        (0, 1) => about("directory.membership.removed", at, group).subject(only(removed)),
        (new, gone) => about("directory.membership.changed", at, group)
            .detail("added", new)
            .detail("removed", gone)
            .detail("added_people", names(tx, added)?)
            .detail("removed_people", names(tx, removed)?),
    };
    record(at.cx, tx, event)?;
    Ok(())
}

fn only(ids: &BTreeSet<UserId>) -> String {
    ids.first().map(ToString::to_string).unwrap_or_default()
}

fn names(tx: &mut dyn Tx, ids: &BTreeSet<UserId>) -> Result<Vec<Value>, StoreError> {
    let mut names = Vec::new();
    for id in ids.iter().take(NAMED) {
        names.extend(tx.find_user(id)?.map(|user| Value::from(user.username)));
    }
    Ok(names)
}
