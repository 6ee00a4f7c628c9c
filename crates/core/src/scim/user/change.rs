//! Bringing a person to what their directory says now, with before and after in the log.
//!
//! Owns what counts as a change. What is as wanted already is not written again.

use serde_json::{Map, Value, json};

use super::{Act, ProvisionedUser, about, external_id, is_external_id_taken};
use crate::audit::record::record;
use crate::directory::provision;
use crate::directory::user::User;
use crate::outcome::Outcome;
use crate::scim::denial::ScimDenial;
use crate::scim::document::Document;
use crate::scim::facts::Facts;
use crate::scim::provisioner::{Done, Provisioner};
use crate::store::Tx;

/// How much of a text the log keeps, in characters.
const LOGGED: usize = 256;
/// How many values of an attribute the log keeps.
const LOGGED_VALUES: usize = 10;

/// Takes a person of the administrator over.
pub(super) fn adopt(
    at: &Provisioner<'_>,
    tx: &mut dyn Tx,
    before: ProvisionedUser,
    (facts, external_id, document): (Facts, Option<String>, Document),
    active: Option<bool>,
) -> Act<Done<ProvisionedUser>> {
    let after = ProvisionedUser {
        user: changed(at, &before.user, facts),
        external_id,
        document,
        ..before.clone()
    };
    tx.update_user(&after.user)?;
    tx.put_provisioned_user(&after)?;
    let event = about("directory.user.adopted", at, &after.user);
    let event = event.detail("before", shown(&before)).detail("after", shown(&after));
    record(at.cx, tx, event)?;
    set_active(at, tx, after, active)
}

/// Writes what is different. `withdrawn` says that `active` was taken away.
pub(super) fn write(
    at: &Provisioner<'_>,
    tx: &mut dyn Tx,
    before: ProvisionedUser,
    mut document: Document,
    withdrawn: bool,
) -> Act<Done<ProvisionedUser>> {
    let said = document.take("active").and_then(|active| active.as_bool());
    let active = if withdrawn { Some(false) } else { said };
    document.set(None, "active", withdrawn.then(|| json!(false)));
    let external_id = external_id(&mut document);
    let facts = match Facts::of(&document) {
        Ok(facts) => facts,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let id = &before.user.id;
    if external_id != before.external_id && is_external_id_taken(at, tx, external_id.as_deref(), Some(id))? {
        return Ok(Outcome::Denied(ScimDenial::Taken {
            attribute: "externalId",
        }));
    }
    if facts.username != before.user.username && tx.find_user_by_username(&facts.username)?.is_some() {
        return Ok(Outcome::Denied(ScimDenial::Taken { attribute: "userName" }));
    }
    if external_id == before.external_id && document == before.document && is_same(&facts, &before.user) {
        return set_active(at, tx, before, active);
    }
    let after = ProvisionedUser {
        user: changed(at, &before.user, facts),
        external_id,
        document,
        ..before.clone()
    };
    tx.update_user(&after.user)?;
    tx.put_provisioned_user(&after)?;
    let (was, is) = difference(shown(&before), shown(&after));
    let event = about("directory.user.changed", at, &after.user);
    record(at.cx, tx, event.detail("before", was).detail("after", is))?;
    set_active(at, tx, after, active)
}

fn is_same(facts: &Facts, user: &User) -> bool {
    facts.username == user.username && facts.email == user.email && facts.display_name == user.display_name
}

fn changed(at: &Provisioner<'_>, before: &User, facts: Facts) -> User {
    User {
        username: facts.username,
        email: facts.email,
        display_name: facts.display_name,
        version: before.version + 1,
        updated_at: at.cx.now,
        ..before.clone()
    }
}

/// Cuts off or brings back, through the services that everybody uses (SC-14).
fn set_active(
    at: &Provisioner<'_>,
    tx: &mut dyn Tx,
    person: ProvisionedUser,
    active: Option<bool>,
) -> Act<Done<ProvisionedUser>> {
    let id = &person.user.id;
    let (done, cut_off) = match (active, person.user.is_active()) {
        (Some(false), true) => {
            let done = provision::deactivate(at.cx, tx, at.vault, at.issuer, &at.admin(), id)?;
            (done.into_result().map(|done| done.user), true)
        }
        (Some(true), false) => {
            let done = provision::reactivate(at.cx, tx, &at.admin(), id)?;
            (done.into_result(), false)
        }
        _ => (Ok(person.user.clone()), false),
    };
    Ok(match done {
        Ok(user) => Outcome::Granted(Done {
            resource: ProvisionedUser { user, ..person },
            cut_off,
        }),
        Err(denial) => Outcome::Denied(denial.into()),
    })
}

/// A person as the log shows them: what the rest of Lanyard knows, then what the directory says.
pub(super) fn shown(person: &ProvisionedUser) -> Map<String, Value> {
    let mut shown = match provision::shown(&person.user) {
        Value::Object(shown) => shown,
        _ => Map::new(),
    };
    shown.extend(
        person
            .external_id
            .iter()
            .map(|id| ("external_id".to_owned(), logged(&json!(id)))),
    );
    let attributes: Map<String, Value> = person
        .document
        .members()
        .iter()
        .map(|(name, value)| (name.clone(), logged(value)))
        .collect();
    if !attributes.is_empty() {
        shown.insert("attributes".to_owned(), Value::Object(attributes));
    }
    shown
}

/// A value as the log keeps it: a photograph does not belong there.
fn logged(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > LOGGED => json!(format!("({} bytes)", text.len())),
        Value::Array(list) => {
            let mut kept: Vec<Value> = list.iter().take(LOGGED_VALUES).map(logged).collect();
            if list.len() > LOGGED_VALUES {
                kept.push(json!(format!("({} more)", list.len() - LOGGED_VALUES)));
            }
            Value::Array(kept)
        }
        Value::Object(parts) => {
            let parts = parts.iter().map(|(name, value)| (name.clone(), logged(value)));
            Value::Object(parts.collect())
        }
        other => other.clone(),
    }
}

/// Only what differs, attribute by attribute.
fn difference(before: Map<String, Value>, after: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let mut was = differing(&before, &after);
    let mut is = differing(&after, &before);
    if let (Some(Value::Object(old)), Some(Value::Object(new))) = (before.get("attributes"), after.get("attributes")) {
        was.insert("attributes".to_owned(), Value::Object(differing(old, new)));
        is.insert("attributes".to_owned(), Value::Object(differing(new, old)));
    }
    (was, is)
}

fn differing(these: &Map<String, Value>, those: &Map<String, Value>) -> Map<String, Value> {
    let differing = these.iter().filter(|(name, value)| those.get(*name) != Some(*value));
    differing.map(|(name, value)| (name.clone(), value.clone())).collect()
}
