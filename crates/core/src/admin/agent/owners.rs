//! The people who answer for an agent: at least one, two are advised.

use crate::admin::agent::{KINDS, describe, missing};
use crate::admin::change::{Change, note, state};
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::token::Admin;
use crate::agent::orphan;
use crate::agent::record::{Agent, AgentStatus};
use crate::cx::Cx;
use crate::directory::put as directory;
use crate::directory::user::User;
use crate::id::AgentId;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};

/// Adds somebody who answers for an agent; one who does already stays.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn add(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    name: &str,
    person: &str,
) -> Result<Outcome<Change, AdminDenial>, StoreError> {
    change(cx, tx, admin, name, |tx, people| {
        let user = match find(tx, person)? {
            Ok(user) => user,
            Err(denial) => return Ok(Err(denial)),
        };
        if !user.is_active() {
            return Ok(Err(inactive(&user)));
        }
        if !people.iter().any(|owner| owner.id == user.id) {
            people.push(user);
        }
        Ok(Ok(()))
    })
}

/// Takes somebody out who answers for an agent. The last active one stays: add another first.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn remove(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    name: &str,
    person: &str,
) -> Result<Outcome<Change, AdminDenial>, StoreError> {
    change(cx, tx, admin, name, |tx, people| {
        let user = match find(tx, person)? {
            Ok(user) => user,
            Err(denial) => return Ok(Err(denial)),
        };
        let had = people.iter().any(User::is_active);
        people.retain(|owner| owner.id != user.id);
        let problem = "somebody active must answer for the agent; add another owner first";
        Ok(if people.is_empty() || (had && !people.iter().any(User::is_active)) {
            Err(AdminDenial::invalid("owners", problem))
        } else {
            Ok(())
        })
    })
}

type Edited = Result<Result<(), AdminDenial>, StoreError>;

fn change(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    name: &str,
    edit: impl FnOnce(&mut dyn Tx, &mut Vec<User>) -> Edited,
) -> Result<Outcome<Change, AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Write) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(listed) = tx.find_agent_by_name(name)? else {
        return Ok(Outcome::Denied(missing(name)));
    };
    tx.hold_agent(&listed.id)?;
    let Some(agent) = tx.find_agent_by_name(name)? else {
        return Ok(Outcome::Denied(missing(name)));
    };
    let before = describe(tx, &agent)?;
    let mut people = orphan::owners(tx, &agent.id)?;
    if let Err(denial) = edit(tx, &mut people)? {
        return Ok(Outcome::Denied(denial));
    }
    set(cx, tx, &agent.id, &people)?;
    let after = describe(tx, &agent)?;
    if before == after {
        return Ok(Outcome::Granted(Change::Unchanged));
    }
    tx.update_agent(&Agent {
        orphaned: agent.orphaned && !people.iter().any(User::is_active),
        version: agent.version + 1,
        updated_at: cx.now,
        ..agent
    })?;
    note(
        cx,
        tx,
        admin,
        KINDS,
        Change::Changed,
        name,
        (state(&before), state(&after)),
    )?;
    Ok(Outcome::Granted(Change::Changed))
}

/// The owners that a document names, or those of before. Somebody active must be among them, unless an agent without
/// anybody is only changed in other ways.
pub(super) fn resolve(
    tx: &mut dyn Tx,
    before: Option<&Agent>,
    named: Option<&[String]>,
) -> Result<Result<Vec<User>, AdminDenial>, StoreError> {
    let old = match before {
        Some(before) => orphan::owners(tx, &before.id)?,
        None => Vec::new(),
    };
    let Some(named) = named else {
        return Ok(if before.is_some() { Ok(old) } else { Err(nobody()) });
    };
    let mut people: Vec<User> = Vec::new();
    for name in named {
        let user = match find(tx, name)? {
            Ok(user) => user,
            Err(denial) => return Ok(Err(denial)),
        };
        let stays = old.iter().any(|owner| owner.id == user.id);
        if !stays && !user.is_active() {
            return Ok(Err(inactive(&user)));
        }
        if !people.iter().any(|owner| owner.id == user.id) {
            people.push(user);
        }
    }
    let same = before.is_some_and(|before| before.status != AgentStatus::Active) && people.len() == old.len();
    let same = same && old.iter().all(|owner| people.iter().any(|other| other.id == owner.id));
    Ok(if same || people.iter().any(User::is_active) {
        Ok(people)
    } else {
        Err(nobody())
    })
}

/// Exactly these owners.
pub(super) fn set(cx: &Cx, tx: &mut dyn Tx, agent: &AgentId, people: &[User]) -> Result<(), StoreError> {
    for old in tx.list_agent_owners(agent)? {
        if !people.iter().any(|owner| owner.id == old) {
            tx.remove_agent_owner(agent, &old)?;
        }
    }
    for owner in people {
        tx.insert_agent_owner(agent, &owner.id, cx.now)?;
    }
    Ok(())
}

fn find(tx: &mut dyn Tx, name: &str) -> Result<Result<User, AdminDenial>, StoreError> {
    Ok(directory::find_user(tx, name)?.ok_or_else(|| AdminDenial::NotFound {
        what: "user",
        name: name.to_owned(),
    }))
}

fn inactive(user: &User) -> AdminDenial {
    AdminDenial::invalid(
        "owners",
        format!("{} is deactivated and cannot answer for anything", user.username),
    )
}

fn nobody() -> AdminDenial {
    let problem = "at least one active person must answer for the agent; two are advised";
    AdminDenial::invalid("owners", problem)
}
