//! Links of people to their subject at an identity provider: an administrator's word, which nothing else replaces
//! (AL-03, AL-04).

use serde_json::json;

use crate::admin::connection::not_found;
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::standing;
use crate::admin::token::Admin;
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::directory::put::find_user;
use crate::directory::user::User;
use crate::outcome::Outcome;
use crate::store::page::{Page, PageRequest};
use crate::store::{StoreError, Tx};
use crate::upstream::connection::Connection;
use crate::upstream::groups;
use crate::upstream::link::{Link, LinkOrigin};

/// Links a person (by id or user name) to a subject. A link that stands is not moved: remove it first.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn link(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    connection: &str,
    subject: &str,
    person: &str,
) -> Result<Outcome<Link, AdminDenial>, StoreError> {
    let denied = |denial| Ok(Outcome::Denied(denial));
    let (connection, user) = match both(tx, admin, connection, person)? {
        Ok(found) => found,
        Err(denial) => return denied(denial),
    };
    if subject.is_empty() || subject.chars().count() > 255 || subject.chars().any(char::is_control) {
        return denied(AdminDenial::invalid(
            "subject",
            "1 to 255 characters without control characters are needed",
        ));
    }
    if let Some(other) = tx.find_person_link(&connection.id, subject)? {
        if other.user == user.id {
            return Ok(Outcome::Granted(other));
        }
        return denied(AdminDenial::Taken {
            what: "link of the subject",
            name: subject.to_owned(),
        });
    }
    if let Some(other) = tx.find_link_of_person(&connection.id, &user.id)? {
        return denied(AdminDenial::Taken {
            what: "link of the person, to the subject",
            name: other.subject,
        });
    }
    let link = Link {
        connection: connection.id.clone(),
        subject: subject.to_owned(),
        user: user.id.clone(),
        origin: LinkOrigin::Administrator,
        linked_at: cx.now,
        last_seen_at: None,
    };
    tx.insert_person_link(&link)?;
    let event = about("idp.link.created", admin, &connection, &link, &user);
    record(cx, tx, event.detail("after", json!({"origin": link.origin.as_str()})))?;
    Ok(Outcome::Granted(link))
}

/// Removes a person's link at a connection, with the memberships that the connection made for them and the sessions
/// they have.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn unlink(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    connection: &str,
    person: &str,
) -> Result<Outcome<(), AdminDenial>, StoreError> {
    let denied = |denial| Ok(Outcome::Denied(denial));
    let (connection, user) = match both(tx, admin, connection, person)? {
        Ok(found) => found,
        Err(denial) => return denied(denial),
    };
    let Some(link) = tx.find_link_of_person(&connection.id, &user.id)? else {
        return denied(AdminDenial::NotFound {
            what: "link of the person",
            name: user.username,
        });
    };
    groups::set(cx, tx, &connection, &user, None)?;
    tx.remove_person_link(&connection.id, &link.subject)?;
    tx.end_sessions_of(&user.id, cx.now)?;
    tx.end_families_of_user(&user.id, cx.now)?;
    let event = about("idp.link.removed", admin, &connection, &link, &user);
    record(cx, tx, event.detail("before", json!({"origin": link.origin.as_str()})))?;
    Ok(Outcome::Granted(()))
}

/// A link with its person's user name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The link.
    pub link: Link,
    /// The person's user name.
    pub username: String,
}

/// The links of a connection.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn list(
    tx: &mut dyn Tx,
    admin: &Admin,
    connection: &str,
    page: &PageRequest,
) -> Result<Outcome<Page<Linked>, AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Read) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(found) = tx.find_connection_by_name(connection)? else {
        return Ok(Outcome::Denied(not_found(connection)));
    };
    let links = tx.list_person_links(&found.id, page)?;
    let mut items = Vec::with_capacity(links.items.len());
    for link in links.items {
        let username = tx.find_user(&link.user)?.map(|user| user.username);
        items.push(Linked {
            username: username.unwrap_or_default(),
            link,
        });
    }
    Ok(Outcome::Granted(Page {
        items,
        next: links.next,
    }))
}

fn both(
    tx: &mut dyn Tx,
    admin: &Admin,
    connection: &str,
    person: &str,
) -> Result<Result<(Connection, User), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Administer) {
        return Ok(Err(denial));
    }
    let Some(found) = tx.find_connection_by_name(connection)? else {
        return Ok(Err(not_found(connection)));
    };
    let Some(user) = find_user(tx, person)? else {
        return Ok(Err(AdminDenial::NotFound {
            what: "user",
            name: person.to_owned(),
        }));
    };
    Ok(standing::over_sign_in_of(tx, admin, &user.id)?.map(|()| (found, user)))
}

fn about(kind: &'static str, admin: &Admin, connection: &Connection, link: &Link, user: &User) -> NewEvent {
    NewEvent::granted(kind)
        .actor(admin.actor())
        .subject(user.id.as_str())
        .target(&user.username)
        .detail("connection", connection.name.as_str())
        .detail("upstream_subject", link.subject.as_str())
}
