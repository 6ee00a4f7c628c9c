//! Provisioned people: the person, their link, their document.

use lanyard_core::id::{DirectoryId, UserId};
use lanyard_core::scim::facts::Searchable;
use lanyard_core::scim::search::{Found, Search, UserTest};
use lanyard_core::scim::user::ProvisionedUser;
use lanyard_core::store::StoreError;

use super::condition::{self, Statement};
use crate::directory::user;
use crate::row::{Row, doc};
use crate::sql::SqlTx;

fn person(row: &mut Row<'_>) -> Result<ProvisionedUser, StoreError> {
    Ok(ProvisionedUser {
        user: user(row)?,
        directory: row.id()?,
        external_id: row.maybe_text()?,
        document: row.doc()?,
    })
}

pub(super) fn find(
    tx: &mut SqlTx<'_>,
    directory: &DirectoryId,
    id: &UserId,
) -> Result<Option<ProvisionedUser>, StoreError> {
    tx.find(
        "SELECT u.id, u.username, u.email, u.display_name, u.status, u.not_before, u.version, u.created_at,
         u.updated_at, s.directory, s.external_id, s.document FROM scim_users s JOIN users u ON u.id = s.user_id
         WHERE s.user_id = $1 AND s.directory = $2",
        &[id.into(), directory.into()],
        person,
    )
}

pub(super) fn put(tx: &mut SqlTx<'_>, person: &ProvisionedUser) -> Result<(), StoreError> {
    let id = &person.user.id;
    let searchable = Searchable::of(&person.document);
    // Nobody's person changes hands by being written again.
    tx.change(
        "provisioned user",
        "INSERT INTO scim_users (user_id, directory, external_id, display_name, given_name, family_name,
         employee_number, manager, document) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (user_id) DO UPDATE SET external_id = excluded.external_id,
         display_name = excluded.display_name, given_name = excluded.given_name, family_name = excluded.family_name,
         employee_number = excluded.employee_number, manager = excluded.manager,
         document = excluded.document
         WHERE scim_users.directory = excluded.directory",
        &[
            id.into(),
            (&person.directory).into(),
            person.external_id.as_ref().into(),
            searchable.display_name.as_ref().into(),
            searchable.given_name.as_ref().into(),
            searchable.family_name.as_ref().into(),
            searchable.employee_number.as_ref().into(),
            searchable.manager.as_ref().into(),
            (&doc(&person.document)?).into(),
        ],
    )?;
    tx.execute("DELETE FROM scim_emails WHERE user_id = $1", &[id.into()])?;
    for (place, email) in (0_i64..).zip(&searchable.emails) {
        tx.execute(
            "INSERT INTO scim_emails (user_id, place, value, kind, is_primary) VALUES ($1, $2, $3, $4, $5)",
            &[
                id.into(),
                place.into(),
                (&email.value).into(),
                email.kind.as_ref().into(),
                email.primary.into(),
            ],
        )?;
    }
    Ok(())
}

pub(super) fn search(
    tx: &mut SqlTx<'_>,
    directory: &DirectoryId,
    search: &Search<UserTest>,
) -> Result<Found<ProvisionedUser>, StoreError> {
    match &search.condition {
        None => all(tx, directory, search),
        Some(condition) => {
            let statement = Statement {
                columns: "u.id, u.username, u.email, u.display_name, u.status, u.not_before, u.version, u.created_at, \
                          u.updated_at, s.directory, s.external_id, s.document",
                from: "scim_users s JOIN users u ON u.id = s.user_id",
                key: "s.user_id",
            };
            condition::search(
                tx,
                &statement,
                directory,
                (condition, search.offset, search.limit),
                person,
            )
        }
    }
}

/// A page of everybody: those left out are counted on the index and not looked at.
fn all(
    tx: &mut SqlTx<'_>,
    directory: &DirectoryId,
    search: &Search<UserTest>,
) -> Result<Found<ProvisionedUser>, StoreError> {
    let total = tx.only(
        "SELECT count(*) FROM scim_users WHERE directory = $1",
        &[directory.into()],
        |row| row.int(),
    )?;
    let items = if search.limit == 0 {
        Vec::new()
    } else {
        tx.list(
            "SELECT u.id, u.username, u.email, u.display_name, u.status, u.not_before, u.version, u.created_at,
             u.updated_at, s.directory, s.external_id, s.document
             FROM (SELECT user_id FROM scim_users WHERE directory = $1 ORDER BY user_id LIMIT $2 OFFSET $3) page
             JOIN scim_users s ON s.user_id = page.user_id JOIN users u ON u.id = s.user_id ORDER BY s.user_id",
            &[directory.into(), search.limit.into(), search.offset.into()],
            person,
        )?
    };
    Ok(Found { total, items })
}
