//! What an act of an administrator changed, and its audit event with before and after.

use serde::Serialize;
use serde_json::Value;

use crate::admin::token::Admin;
use crate::audit::record::{self, NewEvent};
use crate::cx::Cx;
use crate::directory::user::User;
use crate::store::{StoreError, Tx};

/// What happened to a record.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Created,
    /// It is different now.
    Changed,
    /// It already was as wanted; nothing was written.
    Unchanged,
    /// It is gone.
    Removed,
}

/// The audit kinds of one sort of record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kinds {
    pub(crate) created: &'static str,
    pub(crate) changed: &'static str,
    pub(crate) removed: &'static str,
}

/// Records a change with before and after, as the administrator would read them. Neither holds a secret.
pub(crate) fn note(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    kinds: Kinds,
    change: Change,
    target: &str,
    states: (Option<Value>, Option<Value>),
) -> Result<(), StoreError> {
    match event(admin, kinds, change, target, states) {
        Some(event) => record::record(cx, tx, event).map(|_| ()),
        None => Ok(()),
    }
}

/// As [`note`], for a change of a person: it is found under their id too.
pub(crate) fn note_person(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    kinds: Kinds,
    change: Change,
    user: &User,
    states: (Option<Value>, Option<Value>),
) -> Result<(), StoreError> {
    match event(admin, kinds, change, &user.username, states) {
        Some(event) => record::record(cx, tx, event.subject(user.id.as_str())).map(|_| ()),
        None => Ok(()),
    }
}

fn event(
    admin: &Admin,
    kinds: Kinds,
    change: Change,
    target: &str,
    (before, after): (Option<Value>, Option<Value>),
) -> Option<NewEvent> {
    let kind = match change {
        Change::Created => kinds.created,
        Change::Changed => kinds.changed,
        Change::Removed => kinds.removed,
        Change::Unchanged => return None,
    };
    let event = NewEvent::granted(kind).actor(admin.actor()).target(target);
    Some(event.detail_if("before", before).detail_if("after", after))
}

/// A record as JSON for an audit event.
pub(crate) fn state<T: Serialize>(record: &T) -> Option<Value> {
    serde_json::to_value(record).ok()
}
