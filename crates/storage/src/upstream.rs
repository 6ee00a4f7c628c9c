//! Upstream identity providers and links of people to them.
//!
//! Owns the tables `connections`, `connection_domains`, `person_links`, `upstream_memberships` and
//! `sign_in_attempts`. Never opens a sealed secret.

mod attempt;
mod link;

use lanyard_core::clock::Timestamp;
use lanyard_core::id::{ConnectionId, GroupId, UserId};
use lanyard_core::store::StoreError;
use lanyard_core::store::page::{Page, PageRequest};
use lanyard_core::store::upstream::UpstreamStore;
use lanyard_core::upstream::attempt::SignInAttempt;
use lanyard_core::upstream::connection::{Connection, Kind, LinkBy, Preset};
use lanyard_core::upstream::link::Link;

use crate::row::{Row, corrupt, doc};
use crate::sql::SqlTx;

fn connection(row: &mut Row<'_>) -> Result<Connection, StoreError> {
    Ok(Connection {
        id: row.id()?,
        name: row.text()?,
        title: row.text()?,
        kind: match row.str()? {
            "oidc" => Kind::Oidc(row.doc()?),
            "saml" => Kind::Saml(row.doc()?),
            _ => return Err(corrupt("a connection has an unknown kind")),
        },
        preset: row.one_of(&Preset::ALL, Preset::as_str)?,
        domains: row.doc()?,
        is_default: row.flag()?,
        enabled: row.flag()?,
        just_in_time: row.flag()?,
        link_by: row.one_of(&LinkBy::ALL, LinkBy::as_str)?,
        mapping: row.doc()?,
        sealed_secret: row.maybe_bytes()?.map(<[u8]>::to_vec),
        version: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

fn settings(kind: &Kind) -> Result<String, StoreError> {
    match kind {
        Kind::Oidc(settings) => doc(settings),
        Kind::Saml(settings) => doc(settings),
    }
}

impl UpstreamStore for SqlTx<'_> {
    fn find_connection(&mut self, id: &ConnectionId) -> Result<Option<Connection>, StoreError> {
        self.find(
            "SELECT id, name, title, kind, settings, preset, domains, is_default, enabled, just_in_time, link_by,
             mapping, secret, version, created_at, updated_at FROM connections WHERE id = $1",
            &[id.into()],
            connection,
        )
    }

    fn find_connection_by_name(&mut self, name: &str) -> Result<Option<Connection>, StoreError> {
        self.find(
            "SELECT id, name, title, kind, settings, preset, domains, is_default, enabled, just_in_time, link_by,
             mapping, secret, version, created_at, updated_at FROM connections WHERE name = $1",
            &[name.into()],
            connection,
        )
    }

    fn find_connection_of_domain(&mut self, domain: &str) -> Result<Option<Connection>, StoreError> {
        self.find(
            "SELECT c.id, c.name, c.title, c.kind, c.settings, c.preset, c.domains, c.is_default, c.enabled,
             c.just_in_time, c.link_by, c.mapping, c.secret, c.version, c.created_at, c.updated_at
             FROM connection_domains d JOIN connections c ON c.id = d.connection WHERE d.domain = $1",
            &[domain.into()],
            connection,
        )
    }

    fn list_connections(&mut self) -> Result<Vec<Connection>, StoreError> {
        self.list(
            "SELECT id, name, title, kind, settings, preset, domains, is_default, enabled, just_in_time, link_by,
             mapping, secret, version, created_at, updated_at FROM connections ORDER BY name",
            &[],
            connection,
        )
    }

    fn insert_connection(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.add(
            "identity provider",
            "INSERT INTO connections (id, name, title, kind, settings, preset, domains, is_default, enabled,
             just_in_time, link_by, mapping, secret, version, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING",
            &[
                (&connection.id).into(),
                (&connection.name).into(),
                (&connection.title).into(),
                connection.kind.as_str().into(),
                (&settings(&connection.kind)?).into(),
                connection.preset.as_str().into(),
                (&doc(&connection.domains)?).into(),
                connection.is_default.into(),
                connection.enabled.into(),
                connection.just_in_time.into(),
                connection.link_by.as_str().into(),
                (&doc(&connection.mapping)?).into(),
                connection.sealed_secret.as_deref().into(),
                connection.version.into(),
                connection.created_at.into(),
                connection.updated_at.into(),
            ],
        )?;
        self.add_domains(connection)
    }

    fn update_connection(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.change(
            "identity provider",
            "UPDATE connections SET name = $1, title = $2, kind = $3, settings = $4, preset = $5, domains = $6,
             is_default = $7, enabled = $8, just_in_time = $9, link_by = $10, mapping = $11, secret = $12,
             version = $13, updated_at = $14 WHERE id = $15 AND version = $16",
            &[
                (&connection.name).into(),
                (&connection.title).into(),
                connection.kind.as_str().into(),
                (&settings(&connection.kind)?).into(),
                connection.preset.as_str().into(),
                (&doc(&connection.domains)?).into(),
                connection.is_default.into(),
                connection.enabled.into(),
                connection.just_in_time.into(),
                connection.link_by.as_str().into(),
                (&doc(&connection.mapping)?).into(),
                connection.sealed_secret.as_deref().into(),
                connection.version.into(),
                connection.updated_at.into(),
                (&connection.id).into(),
                connection.version.saturating_sub(1).into(),
            ],
        )?;
        self.execute(
            "DELETE FROM connection_domains WHERE connection = $1",
            &[(&connection.id).into()],
        )?;
        self.add_domains(connection)
    }

    fn remove_connection(&mut self, id: &ConnectionId) -> Result<bool, StoreError> {
        self.execute("DELETE FROM connection_domains WHERE connection = $1", &[id.into()])?;
        self.execute("DELETE FROM person_links WHERE connection = $1", &[id.into()])?;
        self.execute("DELETE FROM upstream_memberships WHERE connection = $1", &[id.into()])?;
        self.execute("DELETE FROM sign_in_attempts WHERE connection = $1", &[id.into()])?;
        self.touched("DELETE FROM connections WHERE id = $1", &[id.into()])
    }

    fn find_person_link(&mut self, connection: &ConnectionId, subject: &str) -> Result<Option<Link>, StoreError> {
        self.link_of_subject(connection, subject)
    }

    fn find_link_of_person(&mut self, connection: &ConnectionId, user: &UserId) -> Result<Option<Link>, StoreError> {
        self.link_of_person(connection, user)
    }

    fn list_links_of_person(&mut self, user: &UserId) -> Result<Vec<Link>, StoreError> {
        self.links_of_person(user)
    }

    fn list_person_links(&mut self, connection: &ConnectionId, page: &PageRequest) -> Result<Page<Link>, StoreError> {
        self.links_of_connection(connection, page)
    }

    fn insert_person_link(&mut self, link: &Link) -> Result<(), StoreError> {
        self.add_link(link)
    }

    fn touch_person_link(&mut self, connection: &ConnectionId, subject: &str, at: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "UPDATE person_links SET last_seen_at = $1 WHERE connection = $2 AND subject = $3",
            &[at.into(), connection.into(), subject.into()],
        )?;
        Ok(())
    }

    fn remove_person_link(&mut self, connection: &ConnectionId, subject: &str) -> Result<bool, StoreError> {
        self.touched(
            "DELETE FROM person_links WHERE connection = $1 AND subject = $2",
            &[connection.into(), subject.into()],
        )
    }

    fn list_upstream_memberships(
        &mut self,
        connection: &ConnectionId,
        user: &UserId,
    ) -> Result<Vec<GroupId>, StoreError> {
        self.list(
            "SELECT group_id FROM upstream_memberships WHERE connection = $1 AND user_id = $2 ORDER BY group_id",
            &[connection.into(), user.into()],
            |row| row.id(),
        )
    }

    fn insert_upstream_membership(
        &mut self,
        connection: &ConnectionId,
        user: &UserId,
        group: &GroupId,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO upstream_memberships (connection, user_id, group_id) VALUES ($1, $2, $3)
             ON CONFLICT (connection, user_id, group_id) DO NOTHING",
            &[connection.into(), user.into(), group.into()],
        )?;
        Ok(())
    }

    fn remove_upstream_membership(
        &mut self,
        connection: &ConnectionId,
        user: &UserId,
        group: &GroupId,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM upstream_memberships WHERE connection = $1 AND user_id = $2 AND group_id = $3",
            &[connection.into(), user.into(), group.into()],
        )?;
        Ok(())
    }

    fn insert_attempt(&mut self, attempt: &SignInAttempt) -> Result<(), StoreError> {
        self.add_attempt(attempt)
    }

    fn find_attempt(&mut self, handle_hash: &[u8; 32]) -> Result<Option<SignInAttempt>, StoreError> {
        self.attempt_of_handle(handle_hash)
    }

    fn use_attempt(&mut self, handle_hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE sign_in_attempts SET used_at = $1 WHERE handle_hash = $2 AND used_at IS NULL",
            &[at.into(), handle_hash.into()],
        )
    }

    fn report_attempt(&mut self, handle_hash: &[u8; 32], report: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE sign_in_attempts SET report = $1 WHERE handle_hash = $2",
            &[report.into(), handle_hash.into()],
        )?;
        Ok(())
    }

    fn purge_attempts(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM sign_in_attempts WHERE handle_hash IN
             (SELECT handle_hash FROM sign_in_attempts WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            &[before.into(), limit.into()],
        )
    }
}

impl SqlTx<'_> {
    fn add_domains(&mut self, connection: &Connection) -> Result<(), StoreError> {
        for domain in &connection.domains {
            self.add(
                "domain",
                "INSERT INTO connection_domains (domain, connection) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                &[domain.into(), (&connection.id).into()],
            )?;
        }
        Ok(())
    }
}
