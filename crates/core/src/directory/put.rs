//! Setting a person or a group from a document: the admin API's `PUT`, `lanyard apply`, the lab.
//!
//! Owns "as the document says, and nothing if it is so already". Cutting off goes through `provision.rs`.

use std::collections::BTreeSet;

use lanyard_protocol::issuer::Issuer;
use serde_json::{Value, json};

use crate::admin::change::{Change, Kinds, note, note_person, state};
use crate::admin::denial::AdminDenial;
use crate::admin::spec::{GroupSpec, UserSpec};
use crate::admin::standing::{self, Guard};
use crate::admin::token::Admin;
use crate::cx::Cx;
use crate::directory::group::Group;
use crate::directory::name::check_group_name;
use crate::directory::provision::{self, Act, check_fields, permitted};
use crate::directory::user::{Credential, User, UserStatus};
use crate::id::{GroupId, UserId};
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};

const GROUPS: Kinds = Kinds {
    created: "directory.group.created",
    changed: "directory.group.changed",
    removed: "directory.group.removed",
};

const USERS: Kinds = Kinds {
    created: "directory.user.created",
    changed: "directory.user.changed",
    removed: "directory.user.removed",
};

/// The person of this id or user name.
///
/// # Errors
/// [`StoreError`].
pub fn find_user(tx: &mut dyn Tx, key: &str) -> Result<Option<User>, StoreError> {
    if let Ok(id) = UserId::parse(key)
        && let Some(user) = tx.find_user(&id)?
    {
        return Ok(Some(user));
    }
    tx.find_user_by_username(&key.to_lowercase())
}

/// The group or role of this id or name.
///
/// # Errors
/// [`StoreError`].
pub fn find_group(tx: &mut dyn Tx, key: &str) -> Result<Option<Group>, StoreError> {
    if let Ok(id) = GroupId::parse(key)
        && let Some(group) = tx.find_group(&id)?
    {
        return Ok(Some(group));
    }
    tx.find_group_by_name(key)
}

/// The names of a person's groups and roles, sorted.
///
/// # Errors
/// [`StoreError`].
pub fn group_names(tx: &mut dyn Tx, user: &UserId) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for id in tx.list_group_ids_of(user)? {
        names.extend(tx.find_group(&id)?.map(|group| group.name));
    }
    names.sort();
    Ok(names)
}

/// Makes or changes the group of this name.
///
/// # Errors
/// [`StoreError`].
pub fn put_group(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, spec: &GroupSpec) -> Act<(Group, Change)> {
    let name = spec.name.trim();
    if let Err(denial) = permitted(admin).and_then(|()| check_group_name(name)) {
        return Ok(Outcome::Denied(denial));
    }
    let (group, change, before) = match tx.find_group_by_name(name)? {
        Some(group) if group.kind == spec.kind => return Ok(Outcome::Granted((group, Change::Unchanged))),
        Some(before) => {
            let group = Group {
                kind: spec.kind,
                version: before.version + 1,
                updated_at: cx.now,
                ..before.clone()
            };
            tx.update_group(&group)?;
            (group, Change::Changed, Some(json!({"kind": before.kind.as_str()})))
        }
        None => {
            let group = Group {
                id: cx.new_id(),
                name: name.to_owned(),
                kind: spec.kind,
                version: 1,
                created_at: cx.now,
                updated_at: cx.now,
            };
            tx.insert_group(&group)?;
            (group, Change::Created, None)
        }
    };
    note(cx, tx, admin, GROUPS, change, &group.name, (before, state(spec)))?;
    Ok(Outcome::Granted((group, change)))
}

/// Makes or changes the person of this user name. A password hash replaces the password and ends what the old one
/// may have opened; `active: false` cuts an active person off, with jobs for the worker; `issuer` is the IdP's, whose
/// subjects are cut off.
///
/// # Errors
/// [`StoreError`].
pub fn put_user(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    issuer: Option<&Issuer>,
    admin: &Admin,
    spec: &UserSpec,
    password_hash: Option<&str>,
) -> Act<(User, Change)> {
    let username = spec.username.trim().to_lowercase();
    let display_name = spec.display_name.as_deref().filter(|name| !name.trim().is_empty());
    let checked = permitted(admin)
        .and_then(|()| check_fields(&username, spec.email.as_deref(), display_name.unwrap_or_default()));
    if let Err(denial) = checked {
        return Ok(Outcome::Denied(denial));
    }
    let groups = match &spec.groups {
        Some(names) => match resolve(tx, names)? {
            Ok(groups) => Some(groups),
            Err(denial) => return Ok(Outcome::Denied(denial)),
        },
        None => None,
    };
    let email = spec.email.clone().filter(|email| !email.is_empty());
    let known = tx.find_user_by_username(&username)?;
    let reach = reaches(tx, admin, known.as_ref(), groups.as_ref(), password_hash.is_some())?;
    if let Err(denial) = reach {
        return Ok(Outcome::Denied(denial));
    }
    match known {
        None => {
            let user = User {
                id: cx.new_id(),
                display_name: display_name.unwrap_or(&username).to_owned(),
                username,
                email,
                status: if spec.active == Some(false) {
                    UserStatus::Deactivated
                } else {
                    UserStatus::Active
                },
                not_before: None,
                version: 1,
                created_at: cx.now,
                updated_at: cx.now,
            };
            tx.insert_user(&user)?;
            if !user.is_active() {
                tx.keep_out(&user.id, cx.now)?;
            }
            set_password(cx, tx, &user.id, password_hash)?;
            set_groups(cx, tx, &user.id, groups.as_ref())?;
            let after = shown(tx, &user)?;
            note_person(cx, tx, admin, USERS, Change::Created, &user, (None, Some(after)))?;
            Ok(Outcome::Granted((user, Change::Created)))
        }
        Some(before) => {
            let shown_before = shown(tx, &before)?;
            let mut user = before.clone();
            if let Some(name) = display_name {
                name.clone_into(&mut user.display_name);
            }
            if spec.email.is_some() {
                user.email = email;
            }
            let mut changed = user != before;
            if changed {
                user.version += 1;
                user.updated_at = cx.now;
                tx.update_user(&user)?;
            }
            changed |= set_groups(cx, tx, &user.id, groups.as_ref())?;
            if password_hash.is_some() {
                set_password(cx, tx, &user.id, password_hash)?;
                provision::end_all(cx, tx, issuer.map(|issuer| (vault, issuer)), &mut user)?;
                changed = true;
            }
            if changed {
                let mut after = shown(tx, &user)?;
                if let (Some(_), Some(after)) = (password_hash, after.as_object_mut()) {
                    after.insert("password".to_owned(), json!("new"));
                }
                note_person(
                    cx,
                    tx,
                    admin,
                    USERS,
                    Change::Changed,
                    &user,
                    (Some(shown_before), Some(after)),
                )?;
            }
            let user = match set_active(cx, tx, vault, issuer, admin, user, spec.active)? {
                Outcome::Granted(user) => user,
                Outcome::Denied(denial) => return Ok(Outcome::Denied(denial)),
            };
            let change = if changed || user.version != before.version {
                Change::Changed
            } else {
                Change::Unchanged
            };
            Ok(Outcome::Granted((user, change)))
        }
    }
}

fn set_active(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    issuer: Option<&Issuer>,
    admin: &Admin,
    user: User,
    active: Option<bool>,
) -> Act<User> {
    match (active, user.is_active()) {
        (Some(true), false) => provision::reactivate(cx, tx, admin, &user.id),
        // Also of somebody whom only the directory has switched off: from now on it does not bring them back.
        (Some(false), is_active) if is_active || (issuer.is_some() && !tx.is_kept_out(&user.id)?) => {
            let Some(issuer) = issuer else {
                let problem = "people are deactivated where the issuer role runs";
                return Ok(Outcome::Denied(AdminDenial::invalid("active", problem)));
            };
            Ok(match provision::deactivate(cx, tx, vault, issuer, admin, &user.id)? {
                Outcome::Granted(done) => Outcome::Granted(done.user),
                Outcome::Denied(denial) => Outcome::Denied(denial),
            })
        }
        (Some(true), true) | (Some(false), _) | (None, _) => Ok(Outcome::Granted(user)),
    }
}

fn resolve(tx: &mut dyn Tx, names: &[String]) -> Result<Result<BTreeSet<GroupId>, AdminDenial>, StoreError> {
    let mut ids = BTreeSet::new();
    for name in names {
        match tx.find_group_by_name(name.trim())? {
            Some(group) => ids.insert(group.id),
            None => {
                return Ok(Err(AdminDenial::NotFound {
                    what: "group or role",
                    name: name.clone(),
                }));
            }
        };
    }
    Ok(Ok(ids))
}

/// Whether the administrator may set this password and change these memberships.
fn reaches(
    tx: &mut dyn Tx,
    admin: &Admin,
    known: Option<&User>,
    wanted: Option<&BTreeSet<GroupId>>,
    new_password: bool,
) -> Guard {
    if let Some(user) = known.filter(|_| new_password)
        && let Err(denial) = standing::over_sign_in_of(tx, admin, &user.id)?
    {
        return Ok(Err(denial));
    }
    let Some(wanted) = wanted else { return Ok(Ok(())) };
    let own: BTreeSet<GroupId> = match known {
        Some(user) => tx.list_group_ids_of(&user.id)?.into_iter().collect(),
        None => BTreeSet::new(),
    };
    for group in wanted.difference(&own) {
        if let Err(denial) = standing::over_members_of(tx, admin, group)? {
            return Ok(Err(denial));
        }
    }
    let Some(user) = known else { return Ok(Ok(())) };
    for group in own.difference(wanted) {
        if let Err(denial) = standing::over_leaving(tx, admin, group, &user.id)? {
            return Ok(Err(denial));
        }
    }
    Ok(Ok(()))
}

/// Exactly these memberships; whether any changed.
fn set_groups(cx: &Cx, tx: &mut dyn Tx, user: &UserId, wanted: Option<&BTreeSet<GroupId>>) -> Result<bool, StoreError> {
    let Some(wanted) = wanted else { return Ok(false) };
    let own: BTreeSet<GroupId> = tx.list_group_ids_of(user)?.into_iter().collect();
    for group in wanted.difference(&own) {
        tx.insert_member(group, user, cx.now)?;
    }
    for group in own.difference(wanted) {
        tx.remove_member(group, user)?;
    }
    Ok(own != *wanted)
}

fn set_password(cx: &Cx, tx: &mut dyn Tx, user: &UserId, hash: Option<&str>) -> Result<(), StoreError> {
    match hash {
        Some(hash) => tx.put_credential(
            user,
            &Credential {
                password_hash: hash.to_owned(),
                changed_at: cx.now,
            },
        ),
        None => Ok(()),
    }
}

/// A person as the log shows it, with groups.
fn shown(tx: &mut dyn Tx, user: &User) -> Result<Value, StoreError> {
    let mut value = provision::shown(user);
    if let Some(members) = value.as_object_mut() {
        members.insert("id".to_owned(), json!(user.id.as_str()));
        members.insert("groups".to_owned(), json!(group_names(tx, &user.id)?));
    }
    Ok(value)
}
