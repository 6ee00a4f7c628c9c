//! Directories: set, list, remove. For administrators.

use crate::admin::change::{Change, Kinds, note, state};
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::spec::DirectorySpec;
use crate::admin::token::Admin;
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::outcome::Outcome;
use crate::scim::directory::Directory;
use crate::store::{StoreError, Tx};

const KINDS: Kinds = Kinds {
    created: "admin.directory.created",
    changed: "admin.directory.changed",
    removed: "admin.directory.removed",
};

/// How an administrator's act here ends.
type Act<T> = Result<Outcome<T, AdminDenial>, StoreError>;

impl DirectorySpec {
    /// The document of a record.
    pub fn of(directory: &Directory) -> Self {
        Self {
            name: directory.name.clone(),
            adopt_by_user_name: directory.adopts,
            strict_paths: directory.strict_paths,
            enabled: directory.enabled,
        }
    }
}

/// Makes or changes the directory of `spec.name`.
///
/// # Errors
/// [`StoreError`].
pub fn put(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, spec: &DirectorySpec) -> Act<(Directory, Change)> {
    if let Err(denial) = require(admin, Permission::Administer) {
        return Ok(Outcome::Denied(denial));
    }
    let name = spec.name.trim();
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(|c| c.is_control() || c == '/') {
        let problem = "use 1 to 64 characters without control characters and slashes";
        return Ok(Outcome::Denied(AdminDenial::invalid("name", problem)));
    }
    let before = tx.find_directory_by_name(name)?;
    let base = before.clone().unwrap_or_else(|| Directory {
        id: cx.new_id(),
        name: name.to_owned(),
        adopts: false,
        strict_paths: false,
        enabled: true,
        version: 0,
        created_at: cx.now,
        updated_at: cx.now,
    });
    let directory = Directory {
        adopts: spec.adopt_by_user_name,
        strict_paths: spec.strict_paths,
        enabled: spec.enabled,
        ..base
    };
    if before.as_ref() == Some(&directory) {
        return Ok(Outcome::Granted((directory, Change::Unchanged)));
    }
    let directory = Directory {
        version: directory.version + 1,
        updated_at: cx.now,
        ..directory
    };
    let change = if before.is_some() {
        tx.update_directory(&directory)?;
        Change::Changed
    } else {
        tx.insert_directory(&directory)?;
        Change::Created
    };
    let states = (
        before.and_then(|before| state(&DirectorySpec::of(&before))),
        state(&DirectorySpec::of(&directory)),
    );
    note(cx, tx, admin, KINDS, change, &directory.name, states)?;
    Ok(Outcome::Granted((directory, change)))
}

/// Every directory, by name.
///
/// # Errors
/// [`StoreError`].
pub fn list(tx: &mut dyn Tx, admin: &Admin) -> Act<Vec<Directory>> {
    if let Err(denial) = require(admin, Permission::Read) {
        return Ok(Outcome::Denied(denial));
    }
    Ok(Outcome::Granted(tx.list_directories()?))
}

/// Removes a directory and its tokens. Its people and groups stay as they are and are the administrator's from then on:
/// a mistake here cuts nobody off.
///
/// # Errors
/// [`StoreError`].
pub fn remove(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, name: &str) -> Act<()> {
    if let Err(denial) = require(admin, Permission::Administer) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(directory) = tx.find_directory_by_name(name)? else {
        return Ok(Outcome::Denied(not_found(name)));
    };
    let (users, groups) = tx.remove_directory(&directory.id)?;
    let event = NewEvent::granted(KINDS.removed)
        .actor(admin.actor())
        .target(&directory.name)
        .detail_if("before", state(&DirectorySpec::of(&directory)));
    record(cx, tx, event.detail("people", users).detail("groups", groups))?;
    Ok(Outcome::Granted(()))
}

/// There is no directory of this name.
pub(super) fn not_found(name: &str) -> AdminDenial {
    AdminDenial::NotFound {
        what: "directory",
        name: name.to_owned(),
    }
}
