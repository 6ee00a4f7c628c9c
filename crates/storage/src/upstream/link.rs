//! Rows of `person_links`.

use lanyard_core::id::{ConnectionId, UserId};
use lanyard_core::store::StoreError;
use lanyard_core::store::page::{Page, PageRequest};
use lanyard_core::upstream::link::{Link, LinkOrigin};

use crate::paging::{after, fetch, page};
use crate::row::Row;
use crate::sql::SqlTx;

fn link(row: &mut Row<'_>) -> Result<Link, StoreError> {
    Ok(Link {
        connection: row.id()?,
        subject: row.text()?,
        user: row.id()?,
        origin: row.one_of(&LinkOrigin::ALL, LinkOrigin::as_str)?,
        linked_at: row.time()?,
        last_seen_at: row.maybe_time()?,
    })
}

impl SqlTx<'_> {
    pub(super) fn link_of_subject(
        &mut self,
        connection: &ConnectionId,
        subject: &str,
    ) -> Result<Option<Link>, StoreError> {
        self.find(
            "SELECT connection, subject, user_id, origin, linked_at, last_seen_at FROM person_links
             WHERE connection = $1 AND subject = $2",
            &[connection.into(), subject.into()],
            link,
        )
    }

    pub(super) fn link_of_person(
        &mut self,
        connection: &ConnectionId,
        user: &UserId,
    ) -> Result<Option<Link>, StoreError> {
        self.find(
            "SELECT connection, subject, user_id, origin, linked_at, last_seen_at FROM person_links
             WHERE connection = $1 AND user_id = $2",
            &[connection.into(), user.into()],
            link,
        )
    }

    pub(super) fn links_of_person(&mut self, user: &UserId) -> Result<Vec<Link>, StoreError> {
        self.list(
            "SELECT connection, subject, user_id, origin, linked_at, last_seen_at FROM person_links
             WHERE user_id = $1 ORDER BY connection",
            &[user.into()],
            link,
        )
    }

    pub(super) fn links_of_connection(
        &mut self,
        connection: &ConnectionId,
        request: &PageRequest,
    ) -> Result<Page<Link>, StoreError> {
        let items = self.list(
            "SELECT connection, subject, user_id, origin, linked_at, last_seen_at FROM person_links
             WHERE connection = $1 AND subject > $2 ORDER BY subject LIMIT $3",
            &[connection.into(), after(request).into(), fetch(request).into()],
            link,
        )?;
        Ok(page(items, request, |link| &link.subject))
    }

    pub(super) fn add_link(&mut self, link: &Link) -> Result<(), StoreError> {
        self.add(
            "link",
            "INSERT INTO person_links (connection, subject, user_id, origin, linked_at, last_seen_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            &[
                (&link.connection).into(),
                (&link.subject).into(),
                (&link.user).into(),
                link.origin.as_str().into(),
                link.linked_at.into(),
                link.last_seen_at.into(),
            ],
        )
    }
}
