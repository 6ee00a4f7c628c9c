//! Who administers: roles given to people and to groups, changed and taken back by owners.
//!
//! Owns the grants and their events. The guards against raising oneself are in `admin/standing.rs`.

use crate::admin::change::{Change, Kinds, note, state};
use crate::admin::denial::AdminDenial;
use crate::admin::grant::{Holder, RoleGrant};
use crate::admin::permission::{Permission, require};
use crate::admin::spec::AdministratorSpec;
use crate::admin::standing;
use crate::admin::token::{Admin, AdminRole};
use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::directory::put;
use crate::directory::user::User;
use crate::outcome::Outcome;
use crate::store::page::PageRequest;
use crate::store::{StoreError, Tx};

const KINDS: Kinds = Kinds {
    created: "admin.grant.created",
    changed: "admin.grant.changed",
    removed: "admin.grant.removed",
};

/// As many people of a group as a listing names.
const SHOWN: u32 = PageRequest::MAX;

/// A grant with the people who act by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The grant.
    pub grant: RoleGrant,
    /// Its document.
    pub document: AdministratorSpec,
    /// The person, or those of the group, at most a thousand; also the ones who are deactivated.
    pub people: Vec<User>,
}

/// Every grant, with who acts by it.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn list(tx: &mut dyn Tx, admin: &Admin) -> Result<Outcome<Vec<Shown>, AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Read) {
        return Ok(Outcome::Denied(denial));
    }
    let mut shown = Vec::new();
    for grant in tx.list_grants()? {
        let people = match &grant.holder {
            Holder::Person(id) => tx.find_user(id)?.into_iter().collect(),
            Holder::Group(id) => tx.list_members(id, &PageRequest::new(None, SHOWN))?.items,
        };
        shown.push(Shown {
            document: describe(tx, &grant)?,
            grant,
            people,
        });
    }
    Ok(Outcome::Granted(shown))
}

/// The document of a grant. A holder that is gone is shown by its id.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn describe(tx: &mut dyn Tx, grant: &RoleGrant) -> Result<AdministratorSpec, StoreError> {
    let (person, group) = match &grant.holder {
        Holder::Person(id) => {
            let name = tx.find_user(id)?.map(|user| user.username);
            (Some(name.unwrap_or_else(|| id.to_string())), None)
        }
        Holder::Group(id) => {
            let name = tx.find_group(id)?.map(|group| group.name);
            (None, Some(name.unwrap_or_else(|| id.to_string())))
        }
    };
    Ok(AdministratorSpec {
        person,
        group,
        role: grant.role,
        provisioned: grant.provisioned,
    })
}

/// Gives a role to a person or a group, or another one than before. For owners.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn put(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    spec: &AdministratorSpec,
) -> Result<Outcome<(RoleGrant, Change), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Administer).and_then(|()| check(spec)) {
        return Ok(Outcome::Denied(denial));
    }
    let (holder, name) = match holder(tx, spec.person.as_deref(), spec.group.as_deref())? {
        Ok(found) => found,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let wanted = RoleGrant {
        holder,
        role: spec.role,
        provisioned: spec.provisioned,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    };
    let Some(before) = tx.find_grant(&wanted.holder)? else {
        tx.insert_grant(&wanted)?;
        let after = state(&describe(tx, &wanted)?);
        note(cx, tx, admin, KINDS, Change::Created, &name, (None, after))?;
        return Ok(Outcome::Granted((wanted, Change::Created)));
    };
    if before.role == wanted.role && before.provisioned == wanted.provisioned {
        return Ok(Outcome::Granted((before, Change::Unchanged)));
    }
    if before.role == AdminRole::Owner
        && wanted.role != AdminRole::Owner
        && let Err(denial) = standing::owner_remains(tx, |holder, _| *holder == wanted.holder)?
    {
        return Ok(Outcome::Denied(denial));
    }
    let after = RoleGrant {
        version: before.version + 1,
        created_at: before.created_at,
        ..wanted
    };
    tx.update_grant(&after)?;
    let states = (state(&describe(tx, &before)?), state(&describe(tx, &after)?));
    note(cx, tx, admin, KINDS, Change::Changed, &name, states)?;
    Ok(Outcome::Granted((after, Change::Changed)))
}

/// Takes a role back: whoever acted by it is refused at the next request. For owners; the last owner stays.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn remove(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    person: Option<&str>,
    group: Option<&str>,
) -> Result<Outcome<(), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Administer) {
        return Ok(Outcome::Denied(denial));
    }
    let (holder, name) = match holder(tx, person, group)? {
        Ok(found) => found,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let Some(before) = tx.find_grant(&holder)? else {
        return Ok(Outcome::Denied(missing("administrator", &name)));
    };
    if before.role == AdminRole::Owner
        && let Err(denial) = standing::owner_remains(tx, |path, _| *path == holder)?
    {
        return Ok(Outcome::Denied(denial));
    }
    let state = state(&describe(tx, &before)?);
    tx.remove_grant(&holder)?;
    note(cx, tx, admin, KINDS, Change::Removed, &name, (state, None))?;
    Ok(Outcome::Granted(()))
}

/// Gives the role owner to whoever holds the one-time token, by the program itself.
pub(super) fn make_owner(cx: &Cx, tx: &mut dyn Tx, user: &User, actor: Actor) -> Result<(), StoreError> {
    let owner = RoleGrant {
        holder: Holder::Person(user.id.clone()),
        role: AdminRole::Owner,
        provisioned: false,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    };
    let before = tx.find_grant(&owner.holder)?;
    let (kind, before) = match before {
        None => {
            tx.insert_grant(&owner)?;
            (KINDS.created, None)
        }
        Some(before) if before.role == AdminRole::Owner => return Ok(()),
        Some(before) => {
            tx.update_grant(&RoleGrant {
                version: before.version + 1,
                created_at: before.created_at,
                ..owner.clone()
            })?;
            (KINDS.changed, state(&describe(tx, &before)?))
        }
    };
    let event = NewEvent::granted(kind).actor(actor).target(&user.username);
    let after = state(&describe(tx, &owner)?);
    let event = event.subject(user.id.as_str()).detail_if("before", before);
    record(cx, tx, event.detail_if("after", after)).map(|_| ())
}

fn check(spec: &AdministratorSpec) -> Result<(), AdminDenial> {
    if !AdminRole::OF_PEOPLE.contains(&spec.role) {
        let problem = "owner, operator, approver or auditor; the other roles are for programs";
        return Err(AdminDenial::invalid("role", problem));
    }
    if spec.provisioned && spec.group.is_none() {
        let problem = "it says who may fill a group; a person has no members";
        return Err(AdminDenial::invalid("provisioned", problem));
    }
    Ok(())
}

type Found = Result<(Holder, String), AdminDenial>;

/// The one who is named, and the name for the log.
fn holder(tx: &mut dyn Tx, person: Option<&str>, group: Option<&str>) -> Result<Found, StoreError> {
    Ok(match (person, group) {
        (Some(name), None) => match put::find_user(tx, name)? {
            Some(user) => Ok((Holder::Person(user.id), user.username)),
            None => Err(missing("user", name)),
        },
        (None, Some(name)) => match put::find_group(tx, name)? {
            Some(group) => Ok((Holder::Group(group.id), group.name)),
            None => Err(missing("group or role", name)),
        },
        _ => Err(AdminDenial::invalid("person", "give either a person or a group")),
    })
}

fn missing(what: &'static str, name: &str) -> AdminDenial {
    AdminDenial::NotFound {
        what,
        name: name.to_owned(),
    }
}
