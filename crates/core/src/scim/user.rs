//! What a directory may do to its people: make, replace, change, remove (SC-06 to SC-14, SC-20).
//!
//! Owns the link between a person and the directory that provisions them. Cutting off goes through
//! `directory/provision.rs`, as for everybody else.

mod change;

use lanyard_protocol::scim::patch::Operation;
use lanyard_protocol::scim::schema::USERS;
use serde_json::{Value, json};

use crate::admin::standing;
use crate::audit::record::{NewEvent, record};
use crate::directory::provision;
use crate::directory::user::{User, UserStatus};
use crate::id::{DirectoryId, UserId};
use crate::outcome::Outcome;
use crate::scim::denial::ScimDenial;
use crate::scim::document::Document;
use crate::scim::facts::Facts;
use crate::scim::patch;
use crate::scim::provisioner::{Done, IfMatch, Provisioner};
use crate::scim::search::{Found, Search, UserTest};
use crate::store::{StoreError, Tx};

/// A person and what their directory says about them.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvisionedUser {
    /// The person.
    pub user: User,
    /// Who provisions them.
    pub directory: DirectoryId,
    /// The directory's own id of the person; unique in it, meaningless elsewhere (SC-20).
    pub external_id: Option<String>,
    /// The other attributes. `active` is the person's, and stands here only after the directory took it away.
    pub document: Document,
}

impl ProvisionedUser {
    /// Every attribute as it stands now. An administrator may have changed the user name or the status meanwhile.
    pub fn current(&self) -> Document {
        let mut document = self.document.clone();
        let same = document
            .text("userName")
            .is_some_and(|name| name.trim().to_lowercase() == self.user.username);
        if !same {
            document.set(None, "userName", Some(json!(self.user.username)));
        }
        let withdrawn = document.take("active").is_some() && !self.user.is_active();
        document.set(None, "active", (!withdrawn).then(|| json!(self.user.is_active())));
        document.set(None, "externalId", self.external_id.clone().map(Value::from));
        document
    }
}

/// How an act of a directory ends.
pub type Act<T> = Result<Outcome<T, ScimDenial>, StoreError>;

/// The person of this id, if the directory has them.
///
/// # Errors
/// [`StoreError`].
pub fn find(tx: &mut dyn Tx, directory: &DirectoryId, id: &str) -> Act<ProvisionedUser> {
    Ok(match load(tx, directory, id, &IfMatch::Any)? {
        Ok(person) => Outcome::Granted(person),
        Err(denial) => Outcome::Denied(denial),
    })
}

/// The person that a directory calls by this id: the explicit mapping between its accounts and ours (SC-20).
///
/// # Errors
/// [`StoreError`].
pub fn person_of(tx: &mut dyn Tx, directory: &DirectoryId, external_id: &str) -> Result<Option<User>, StoreError> {
    match tx.find_user_by_external_id(directory, external_id)? {
        Some(id) => tx.find_user(&id),
        None => Ok(None),
    }
}

/// People of the directory.
///
/// # Errors
/// [`StoreError`].
pub fn search(
    tx: &mut dyn Tx,
    directory: &DirectoryId,
    search: &Search<UserTest>,
) -> Result<Found<ProvisionedUser>, StoreError> {
    tx.search_provisioned_users(directory, search)
}

/// Makes a person, or adopts one of the administrator by their user name where the directory may.
///
/// # Errors
/// [`StoreError`].
pub fn create(at: &Provisioner<'_>, tx: &mut dyn Tx, mut document: Document) -> Act<Done<ProvisionedUser>> {
    let active = document.take("active").and_then(|active| active.as_bool());
    let external_id = external_id(&mut document);
    let facts = match Facts::of(&document) {
        Ok(facts) => facts,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    if is_external_id_taken(at, tx, external_id.as_deref(), None)? {
        return Ok(Outcome::Denied(ScimDenial::Taken {
            attribute: "externalId",
        }));
    }
    match tx.find_user_by_username(&facts.username)? {
        None => {
            let person = new(at, facts, external_id, document, active);
            tx.insert_user(&person.user)?;
            tx.put_provisioned_user(&person)?;
            let event = about("directory.user.created", at, &person.user);
            record(at.cx, tx, event.detail("after", change::shown(&person)))?;
            Ok(Outcome::Granted(Done {
                resource: person,
                cut_off: false,
            }))
        }
        Some(user) if at.directory.adopts && tx.find_owner_of_user(&user.id)?.is_none() => {
            // Whoever provisions a person names them: not an administrator who was made here.
            if let Err(denial) = standing::over_sign_in_of(tx, &at.admin(), &user.id)? {
                return Ok(Outcome::Denied(denial.into()));
            }
            let before = ProvisionedUser {
                user,
                directory: at.directory.id.clone(),
                external_id: None,
                document: Document::default(),
            };
            change::adopt(at, tx, before, (facts, external_id, document), active)
        }
        // Whoever it belongs to: the directory learns no more than that the name is taken.
        Some(_) => Ok(Outcome::Denied(ScimDenial::Taken { attribute: "userName" })),
    }
}

fn new(
    at: &Provisioner<'_>,
    facts: Facts,
    external_id: Option<String>,
    document: Document,
    active: Option<bool>,
) -> ProvisionedUser {
    let status = if active == Some(false) {
        UserStatus::Deactivated
    } else {
        UserStatus::Active
    };
    ProvisionedUser {
        user: User {
            id: at.cx.new_id(),
            username: facts.username,
            email: facts.email,
            display_name: facts.display_name,
            status,
            not_before: None,
            version: 1,
            created_at: at.cx.now,
            updated_at: at.cx.now,
        },
        directory: at.directory.id.clone(),
        external_id,
        document,
    }
}

/// Puts what the client says in the place of what there is (RFC 7644, section 3.5.1). Without `active`, the person
/// stays as active as they are.
///
/// # Errors
/// [`StoreError`].
pub fn replace(
    at: &Provisioner<'_>,
    tx: &mut dyn Tx,
    id: &str,
    if_match: &IfMatch,
    document: Document,
) -> Act<Done<ProvisionedUser>> {
    match load(tx, &at.directory.id, id, if_match)? {
        Ok(before) => change::write(at, tx, before, document, false),
        Err(denial) => Ok(Outcome::Denied(denial)),
    }
}

/// Applies operations, all or none. A directory that takes `active` away says no longer that the person is: they are
/// cut off as by `false`.
///
/// # Errors
/// [`StoreError`].
pub fn patch(
    at: &Provisioner<'_>,
    tx: &mut dyn Tx,
    id: &str,
    if_match: &IfMatch,
    operations: &[Operation],
) -> Act<Done<ProvisionedUser>> {
    let before = match load(tx, &at.directory.id, id, if_match)? {
        Ok(before) => before,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    match patch::apply(&USERS, before.current(), operations, at.directory.strict_paths) {
        Ok(document) => {
            let withdrawn = document.get(None, "active").is_none();
            change::write(at, tx, before, document, withdrawn)
        }
        Err(denial) => Ok(Outcome::Denied(denial)),
    }
}

/// Removes a person: cut off like a deactivated one, out of every group, and gone for the directory. The record stays
/// without its names, so that the audit log can be read and the id is never given again; the user name is free. Whom an
/// administrator cut off keeps name and links, or the next sign-in would make them anew. Whether somebody was cut off.
///
/// # Errors
/// [`StoreError`].
pub fn remove(at: &Provisioner<'_>, tx: &mut dyn Tx, id: &str, if_match: &IfMatch) -> Act<bool> {
    let person = match load(tx, &at.directory.id, id, if_match)? {
        Ok(person) => person,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let id = person.user.id.clone();
    let was_active = person.user.is_active();
    let user = match provision::deactivate(at.cx, tx, at.vault, at.issuer, &at.admin(), &id)? {
        Outcome::Granted(done) => done.user,
        Outcome::Denied(denial) => return Ok(Outcome::Denied(denial.into())),
    };
    let groups = tx.list_group_ids_of(&id)?;
    for group in &groups {
        tx.remove_member(group, &id)?;
        // Its members are others now (SC-19).
        tx.touch_group(group, at.cx.now)?;
    }
    tx.remove_provisioned_user(&id)?;
    let after = if tx.is_kept_out(&id)? {
        provision::shown(&user)
    } else {
        forget_sign_in(tx, &id)?;
        tx.update_user(&User {
            username: id.to_string(),
            email: None,
            display_name: "(removed)".to_owned(),
            version: user.version + 1,
            updated_at: at.cx.now,
            ..user
        })?;
        json!({"username": id.as_str(), "status": "deactivated"})
    };
    let event = about("directory.user.removed", at, &person.user)
        .detail("before", change::shown(&person))
        .detail("groups", groups.len())
        .detail("after", after);
    record(at.cx, tx, event)?;
    Ok(Outcome::Granted(was_active))
}

/// How a person signed in belongs to whoever comes next with the same account: links to identity providers, and second
/// factors with them.
fn forget_sign_in(tx: &mut dyn Tx, id: &UserId) -> Result<(), StoreError> {
    for link in tx.list_links_of_person(id)? {
        tx.remove_person_link(&link.connection, &link.subject)?;
    }
    for passkey in tx.list_passkeys(id)? {
        tx.remove_passkey(id, &passkey.id)?;
    }
    tx.remove_app_secret(id)?;
    Ok(())
}

fn load(
    tx: &mut dyn Tx,
    directory: &DirectoryId,
    id: &str,
    if_match: &IfMatch,
) -> Result<Result<ProvisionedUser, ScimDenial>, StoreError> {
    let found = match UserId::parse(id) {
        Ok(id) => tx.find_provisioned_user(directory, &id)?,
        Err(_) => None,
    };
    let Some(person) = found else {
        return Ok(Err(ScimDenial::NotFound {
            what: "user",
            id: id.chars().take(80).collect(),
        }));
    };
    Ok(if_match.check(person.user.version).map(|()| person))
}

/// Takes the client's id out of a document.
pub(super) fn external_id(document: &mut Document) -> Option<String> {
    match document.take("externalId") {
        Some(Value::String(id)) if !id.is_empty() => Some(id),
        _ => None,
    }
}

fn is_external_id_taken(
    at: &Provisioner<'_>,
    tx: &mut dyn Tx,
    external_id: Option<&str>,
    own: Option<&UserId>,
) -> Result<bool, StoreError> {
    let Some(external_id) = external_id else {
        return Ok(false);
    };
    let other = tx.find_user_by_external_id(&at.directory.id, external_id)?;
    Ok(other.is_some_and(|other| Some(&other) != own))
}

fn about(kind: &'static str, at: &Provisioner<'_>, user: &User) -> NewEvent {
    NewEvent::granted(kind)
        .actor(at.actor())
        .subject(user.id.as_str())
        .target(&user.username)
}
