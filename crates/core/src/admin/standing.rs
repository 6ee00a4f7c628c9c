//! How far an administrator reaches: nobody raises anybody, also not through a group, and somebody stays owner.
//!
//! Owns these guards, for every room that changes people, groups or how somebody signs in. Never changes anything.

use crate::admin::denial::AdminDenial;
use crate::admin::grant::Holder;
use crate::admin::permission::{Permission, require};
use crate::admin::token::{Admin, AdminRole, Administrator};
use crate::id::{GroupId, UserId};
use crate::store::StoreError;
use crate::store::admin::AdminStore;

/// How a guard answers.
pub type Guard = Result<Result<(), AdminDenial>, StoreError>;

/// The role of a person: the furthest of their own and of their groups. `None` for everybody who administers nothing.
/// Says nothing about whether the person is active.
///
/// # Errors
/// [`StoreError`].
pub fn role_of(tx: &mut dyn AdminStore, user: &UserId) -> Result<Option<AdminRole>, StoreError> {
    let roles = tx.list_roles_of(user)?;
    Ok(roles.into_iter().max_by_key(|role| role.reach()))
}

/// Whether `admin` may decide how this person signs in (password, second factors, links to identity providers): whoever
/// does could become that person, so only as far as the own role reaches, and no directory for any administrator.
///
/// # Errors
/// [`StoreError`].
pub fn over_sign_in_of(tx: &mut dyn AdminStore, admin: &Admin, user: &UserId) -> Guard {
    over(tx, admin, user, "how an administrator of a further role signs in")
}

/// Whether `admin` may let this person in again: as far as the own role reaches, and a directory whomever it has.
///
/// # Errors
/// [`StoreError`].
pub fn over_return_of(tx: &mut dyn AdminStore, admin: &Admin, user: &UserId) -> Guard {
    if matches!(admin.who, Administrator::Directory(_)) {
        return Ok(Ok(()));
    }
    over(tx, admin, user, "letting an administrator of a further role in again")
}

/// Whether `admin` may cut this person off. A directory always may: who left has left, whatever they were. Else only as
/// far as the own role reaches, and never the last owner.
///
/// # Errors
/// [`StoreError`].
pub fn over_access_of(tx: &mut dyn AdminStore, admin: &Admin, user: &UserId) -> Guard {
    if matches!(admin.who, Administrator::Directory(_)) {
        return Ok(Ok(()));
    }
    if let Err(denial) = over(tx, admin, user, "cutting off an administrator of a further role")? {
        return Ok(Err(denial));
    }
    if role_of(tx, user)? != Some(AdminRole::Owner) {
        return Ok(Ok(()));
    }
    owner_remains(tx, |_, owner| owner == user)
}

/// Whether `admin` may change who is in a group. In a group that a role is given to that is raising somebody: for
/// owners, and for directories where an owner allowed it.
///
/// # Errors
/// [`StoreError`].
pub fn over_members_of(tx: &mut dyn AdminStore, admin: &Admin, group: &GroupId) -> Guard {
    let Some(grant) = tx.find_grant(&Holder::Group(group.clone()))? else {
        return Ok(Ok(()));
    };
    let allowed = match &admin.who {
        Administrator::Directory(_) => grant.provisioned,
        Administrator::Token(_) | Administrator::Person(_) => require(admin, Permission::Administer).is_ok(),
    };
    Ok(if allowed {
        Ok(())
    } else {
        Err(out_of_reach(
            admin,
            "changing who is in a group that has an administrator's role",
        ))
    })
}

/// Whether something that no administrator does by hand, such as the claims of an identity provider at a sign-in, may
/// change who is in a group.
///
/// # Errors
/// [`StoreError`].
pub fn is_open_to_provisioning(tx: &mut dyn AdminStore, group: &GroupId) -> Result<bool, StoreError> {
    let grant = tx.find_grant(&Holder::Group(group.clone()))?;
    Ok(grant.is_none_or(|grant| grant.provisioned))
}

/// As [`over_members_of`], for taking somebody out: the last owner stays in.
///
/// # Errors
/// [`StoreError`].
pub fn over_leaving(tx: &mut dyn AdminStore, admin: &Admin, group: &GroupId, user: &UserId) -> Guard {
    if let Err(denial) = over_members_of(tx, admin, group)? {
        return Ok(Err(denial));
    }
    let held = Holder::Group(group.clone());
    let grant = tx.find_grant(&held)?;
    if matches!(admin.who, Administrator::Directory(_)) || grant.is_none_or(|grant| grant.role != AdminRole::Owner) {
        return Ok(Ok(()));
    }
    owner_remains(tx, |holder, owner| *holder == held && owner == user)
}

/// Whether somebody is still owner when these ways of being owner are gone: an active person, or the holder of an owner
/// token without an end. To be asked in the unit that takes them away.
///
/// # Errors
/// [`StoreError`].
pub fn owner_remains(tx: &mut dyn AdminStore, gone: impl Fn(&Holder, &UserId) -> bool) -> Guard {
    tx.hold_owners()?;
    let people = tx.list_owners()?;
    if people.iter().any(|(holder, owner)| !gone(holder, owner)) {
        return Ok(Ok(()));
    }
    let token = tx
        .list_admin_tokens()?
        .into_iter()
        .any(|token| token.is_lasting_owner());
    Ok(if token { Ok(()) } else { Err(AdminDenial::LastOwner) })
}

fn over(tx: &mut dyn AdminStore, admin: &Admin, user: &UserId, what: &'static str) -> Guard {
    if admin.role == AdminRole::Owner {
        return Ok(Ok(()));
    }
    let theirs = role_of(tx, user)?.map_or(0, AdminRole::reach);
    Ok(if theirs == 0 || theirs <= admin.role.reach() {
        Ok(())
    } else {
        Err(out_of_reach(admin, what))
    })
}

/// What is an owner's alone.
pub(crate) fn out_of_reach(admin: &Admin, what: &'static str) -> AdminDenial {
    AdminDenial::OutOfReach {
        role: admin.role.as_str(),
        what,
        needed: "an owner",
    }
}
