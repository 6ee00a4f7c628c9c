//! Changing groups, roles and who is in them.
//!
//! Owns what every surface does alike. Policy reads memberships at every decision, so a change bites at once.

use serde_json::{Value, json};

use crate::admin::denial::AdminDenial;
use crate::admin::grant::Holder;
use crate::admin::standing;
use crate::admin::token::Admin;
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::directory::group::{Group, GroupKind};
use crate::directory::name::check_group_name;
use crate::directory::provision::{Act, actor, permitted, refuse};
use crate::directory::user::User;
use crate::id::{GroupId, UserId};
use crate::outcome::Outcome;
use crate::policy::rule::People;
use crate::store::{StoreError, Tx};

const MEMBERSHIP_REFUSED: &str = "directory.membership.change_refused";

/// Makes a group or role.
///
/// # Errors
/// [`StoreError`].
pub fn create_group(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, name: &str, kind: GroupKind) -> Act<Group> {
    let name = name.trim();
    if let Err(denial) = check_name(tx, admin, name)? {
        return refuse(cx, tx, admin, "directory.group.creation_refused", name, denial);
    }
    let group = Group {
        id: cx.new_id(),
        name: name.to_owned(),
        kind,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    };
    tx.insert_group(&group)?;
    let event = about("directory.group.created", admin, &group).detail("after", shown(&group));
    record(cx, tx, event.detail("id", group.id.as_str()))?;
    Ok(Outcome::Granted(group))
}

/// Renames a group or role.
///
/// # Errors
/// [`StoreError`].
pub fn rename_group(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, id: &GroupId, name: &str) -> Act<Group> {
    const REFUSED: &str = "directory.group.change_refused";
    let mut group = match find_group(tx, admin, id)? {
        Ok(group) => group,
        Err(denial) => return refuse(cx, tx, admin, REFUSED, id.as_str(), denial),
    };
    let name = name.trim();
    if group.name == name {
        return Ok(Outcome::Granted(group));
    }
    if let Err(denial) = check_name(tx, admin, name)? {
        return refuse(cx, tx, admin, REFUSED, &group.name, denial);
    }
    let before = std::mem::replace(&mut group.name, name.to_owned());
    group.version += 1;
    group.updated_at = cx.now;
    tx.update_group(&group)?;
    let event = about("directory.group.changed", admin, &group).detail("before", json!({"name": before}));
    record(cx, tx, event.detail("after", json!({"name": name})))?;
    Ok(Outcome::Granted(group))
}

/// Removes a group or role that no rule names.
///
/// # Errors
/// [`StoreError`].
pub fn remove_group(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, id: &GroupId) -> Act<()> {
    const REFUSED: &str = "directory.group.removal_refused";
    let group = match find_group(tx, admin, id)? {
        Ok(group) => group,
        Err(denial) => return refuse(cx, tx, admin, REFUSED, id.as_str(), denial),
    };
    // A deny rule that names a group must not lose it without anybody seeing it.
    let names = |people: &People| matches!(people, People::Some { groups, .. } if groups.contains(id));
    if let Some(rule) = tx.list_rules()?.into_iter().find(|rule| names(&rule.people)) {
        let denial = AdminDenial::invalid(
            "group",
            format!("the rule \"{}\" names it; change the rule first", rule.title),
        );
        return refuse(cx, tx, admin, REFUSED, &group.name, denial);
    }
    // Nor may a role be lost with the group that it was given to.
    if let Some(grant) = tx.find_grant(&Holder::Group(id.clone()))? {
        let problem = format!(
            "it has the role {}; an owner takes that back first",
            grant.role.as_str()
        );
        let denial = AdminDenial::invalid("group", problem);
        return refuse(cx, tx, admin, REFUSED, &group.name, denial);
    }
    tx.remove_group(id)?;
    record(
        cx,
        tx,
        about("directory.group.removed", admin, &group)
            .detail("id", id.as_str())
            .detail("before", shown(&group)),
    )?;
    Ok(Outcome::Granted(()))
}

/// Puts a person into a group; `false` when it was so already.
///
/// # Errors
/// [`StoreError`].
pub fn add_member(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, group: &GroupId, user: &UserId) -> Act<bool> {
    let (found, person) = match find_both(tx, admin, group, user)? {
        Ok(found) => found,
        Err(denial) => return refuse(cx, tx, admin, MEMBERSHIP_REFUSED, group.as_str(), denial),
    };
    if let Err(denial) = standing::over_members_of(tx, admin, group)? {
        return refuse(cx, tx, admin, MEMBERSHIP_REFUSED, group.as_str(), denial);
    }
    let added = tx.insert_member(group, user, cx.now)?;
    if added {
        let event = about("directory.membership.added", admin, &found).subject(user.as_str());
        record(cx, tx, event.detail("after", member(&found, &person)))?;
    }
    Ok(Outcome::Granted(added))
}

/// Takes a person out of a group; `false` when it was so already.
///
/// # Errors
/// [`StoreError`].
pub fn remove_member(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, group: &GroupId, user: &UserId) -> Act<bool> {
    let (found, person) = match find_both(tx, admin, group, user)? {
        Ok(found) => found,
        Err(denial) => return refuse(cx, tx, admin, MEMBERSHIP_REFUSED, group.as_str(), denial),
    };
    if let Err(denial) = standing::over_leaving(tx, admin, group, user)? {
        return refuse(cx, tx, admin, MEMBERSHIP_REFUSED, group.as_str(), denial);
    }
    let removed = tx.remove_member(group, user)?;
    if removed {
        let event = about("directory.membership.removed", admin, &found).subject(user.as_str());
        record(cx, tx, event.detail("before", member(&found, &person)))?;
    }
    Ok(Outcome::Granted(removed))
}

/// A group as the log shows it.
fn shown(group: &Group) -> Value {
    json!({"name": group.name, "kind": group.kind.as_str()})
}

/// A membership as the log shows it.
fn member(group: &Group, user: &User) -> Value {
    json!({"group": group.name, "username": user.username})
}

fn about(kind: &'static str, admin: &Admin, group: &Group) -> NewEvent {
    NewEvent::granted(kind).actor(actor(admin)).target(&group.name)
}

fn check_name(tx: &mut dyn Tx, admin: &Admin, name: &str) -> Result<Result<(), AdminDenial>, StoreError> {
    if let Err(denial) = permitted(admin).and_then(|()| check_group_name(name)) {
        return Ok(Err(denial));
    }
    let taken = tx.find_group_by_name(name)?.is_some();
    Ok(if taken {
        Err(AdminDenial::Taken {
            what: "group",
            name: name.to_owned(),
        })
    } else {
        Ok(())
    })
}

fn find_group(tx: &mut dyn Tx, admin: &Admin, id: &GroupId) -> Result<Result<Group, AdminDenial>, StoreError> {
    if let Err(denial) = permitted(admin) {
        return Ok(Err(denial));
    }
    let group = tx.find_group(id)?;
    Ok(group.ok_or_else(|| AdminDenial::NotFound {
        what: "group",
        name: id.as_str().to_owned(),
    }))
}

fn find_both(
    tx: &mut dyn Tx,
    admin: &Admin,
    group: &GroupId,
    user: &UserId,
) -> Result<Result<(Group, User), AdminDenial>, StoreError> {
    let found = match find_group(tx, admin, group)? {
        Ok(found) => found,
        Err(denial) => return Ok(Err(denial)),
    };
    let person = tx.find_user(user)?.ok_or_else(|| AdminDenial::NotFound {
        what: "user",
        name: user.as_str().to_owned(),
    });
    Ok(person.map(|person| (found, person)))
}
