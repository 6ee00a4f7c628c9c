//! Browser sessions, codes and refresh tokens.
//!
//! Owns the tables `sessions`, `codes`, `refresh_families` and `refresh_tokens`. Never sees a secret.

mod purge;

use lanyard_core::clock::Timestamp;
use lanyard_core::id::{ClientKey, ConnectionId, FamilyId, SessionId, UserId};
use lanyard_core::session::code::AuthorizationCode;
use lanyard_core::session::record::{Authentication, Session};
use lanyard_core::session::refresh::{RefreshFamily, RefreshToken};
use lanyard_core::session::strength::Strength;
use lanyard_core::store::StoreError;
use lanyard_core::store::page::{Page, PageRequest};
use lanyard_core::store::session::{LogoutClient, SessionStore};

use crate::paging::{below, fetch, page};
use crate::row::{Row, doc};
use crate::sql::SqlTx;

fn authentication(row: &mut Row<'_>) -> Result<Authentication, StoreError> {
    Ok(Authentication {
        auth_time: row.time()?,
        acr: row.text()?,
        amr: row.doc()?,
        strength: row.one_of(&Strength::ALL, Strength::as_str)?,
    })
}

fn session(row: &mut Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.id()?,
        user: row.id()?,
        secret_hash: row.hash()?,
        authentication: authentication(row)?,
        connection: row.maybe_id()?,
        upstream_session: row.maybe_text()?,
        agent: row.maybe_text()?,
        peer: row.maybe_text()?,
        created_at: row.time()?,
        last_used_at: row.time()?,
        expires_at: row.time()?,
        ended_at: row.maybe_time()?,
        ended_by_admin: row.flag()?,
    })
}

fn code(row: &mut Row<'_>) -> Result<AuthorizationCode, StoreError> {
    Ok(AuthorizationCode {
        hash: row.hash()?,
        client: row.id()?,
        user: row.id()?,
        session: row.id()?,
        redirect_uri: row.text()?,
        scope: row.scopes()?,
        nonce: row.maybe_text()?,
        code_challenge: row.text()?,
        authentication: authentication(row)?,
        created_at: row.time()?,
        expires_at: row.time()?,
        used_at: row.maybe_time()?,
        family: row.maybe_id()?,
    })
}

fn family(row: &mut Row<'_>) -> Result<RefreshFamily, StoreError> {
    Ok(RefreshFamily {
        id: row.id()?,
        client: row.id()?,
        bound_kid: row.maybe_text()?,
        user: row.id()?,
        session: row.id()?,
        offline: row.flag()?,
        scope: row.scopes()?,
        authentication: authentication(row)?,
        created_at: row.time()?,
        expires_at: row.time()?,
        ended_at: row.maybe_time()?,
    })
}

fn logout_client(row: &mut Row<'_>) -> Result<LogoutClient, StoreError> {
    Ok(LogoutClient {
        session: row.id()?,
        user: row.id()?,
        client: row.id()?,
    })
}

fn token(row: &mut Row<'_>) -> Result<RefreshToken, StoreError> {
    Ok(RefreshToken {
        hash: row.hash()?,
        family: row.id()?,
        generation: row.int()?,
        issued_at: row.time()?,
        expires_at: row.time()?,
        rotated_at: row.maybe_time()?,
    })
}

impl SessionStore for SqlTx<'_> {
    fn find_session(&mut self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.find(
            "SELECT id, user_id, secret_hash, auth_time, acr, amr, strength, connection, upstream_session, agent, peer,
             created_at, last_used_at, expires_at, ended_at, ended_by_admin FROM sessions WHERE id = $1",
            &[id.into()],
            session,
        )
    }

    fn find_session_by_secret(&mut self, hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        self.find(
            "SELECT id, user_id, secret_hash, auth_time, acr, amr, strength, connection, upstream_session, agent, peer,
             created_at, last_used_at, expires_at, ended_at, ended_by_admin FROM sessions WHERE secret_hash = $1",
            &[hash.into()],
            session,
        )
    }

    fn list_sessions_of(&mut self, user: &UserId, request: &PageRequest) -> Result<Page<Session>, StoreError> {
        let items = self.list(
            "SELECT id, user_id, secret_hash, auth_time, acr, amr, strength, connection, upstream_session, agent, peer,
             created_at, last_used_at, expires_at, ended_at, ended_by_admin FROM sessions WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
            &[user.into(), below(request).into(), fetch(request).into()],
            session,
        )?;
        Ok(page(items, request, |session| session.id.as_str()))
    }

    fn list_sessions_of_upstream(
        &mut self,
        connection: &ConnectionId,
        upstream_session: &str,
    ) -> Result<Vec<Session>, StoreError> {
        self.list(
            "SELECT id, user_id, secret_hash, auth_time, acr, amr, strength, connection, upstream_session, agent, peer,
             created_at, last_used_at, expires_at, ended_at, ended_by_admin FROM sessions
             WHERE connection = $1 AND upstream_session = $2 AND ended_at IS NULL ORDER BY id",
            &[connection.into(), upstream_session.into()],
            session,
        )
    }

    fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.add(
            "session",
            "INSERT INTO sessions (id, user_id, secret_hash, auth_time, acr, amr, strength, connection, upstream_session,
             agent, peer, created_at, last_used_at, expires_at, ended_at, ended_by_admin)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING",
            &[
                (&session.id).into(),
                (&session.user).into(),
                (&session.secret_hash).into(),
                session.authentication.auth_time.into(),
                (&session.authentication.acr).into(),
                (&doc(&session.authentication.amr)?).into(),
                session.authentication.strength.as_str().into(),
                session.connection.as_ref().into(),
                session.upstream_session.as_ref().into(),
                session.agent.as_ref().into(),
                session.peer.as_ref().into(),
                session.created_at.into(),
                session.last_used_at.into(),
                session.expires_at.into(),
                session.ended_at.into(),
                session.ended_by_admin.into(),
            ],
        )
    }

    fn touch_session(&mut self, id: &SessionId, at: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "UPDATE sessions SET last_used_at = $1 WHERE id = $2 AND last_used_at < $1",
            &[at.into(), id.into()],
        )?;
        Ok(())
    }

    fn end_session(&mut self, id: &SessionId, at: Timestamp, by_admin: bool) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE sessions SET ended_at = $1, ended_by_admin = $2 WHERE id = $3 AND ended_at IS NULL",
            &[at.into(), by_admin.into(), id.into()],
        )
    }

    fn end_sessions_of(&mut self, user: &UserId, at: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE sessions SET ended_at = $1, ended_by_admin = 1 WHERE user_id = $2 AND ended_at IS NULL",
            &[at.into(), user.into()],
        )
    }

    fn end_sessions_of_connection(&mut self, connection: &ConnectionId, at: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE refresh_families SET ended_at = $1 WHERE ended_at IS NULL AND session_id IN
             (SELECT id FROM sessions WHERE connection = $2)",
            &[at.into(), connection.into()],
        )?;
        self.execute(
            "UPDATE sessions SET ended_at = $1, ended_by_admin = 1 WHERE connection = $2 AND ended_at IS NULL",
            &[at.into(), connection.into()],
        )
    }

    fn list_logout_clients(&mut self, session: &SessionId) -> Result<Vec<LogoutClient>, StoreError> {
        self.list(
            "SELECT DISTINCT s.id, s.user_id, c.id FROM sessions s JOIN refresh_families f ON f.session_id = s.id
             JOIN clients c ON c.id = f.client
             WHERE s.id = $1 AND c.backchannel_logout_uri IS NOT NULL AND c.enabled = 1 ORDER BY s.id, c.id",
            &[session.into()],
            logout_client,
        )
    }

    fn list_logout_clients_of_user(&mut self, user: &UserId) -> Result<Vec<LogoutClient>, StoreError> {
        self.list(
            "SELECT DISTINCT s.id, s.user_id, c.id FROM sessions s JOIN refresh_families f ON f.session_id = s.id
             JOIN clients c ON c.id = f.client
             WHERE s.user_id = $1 AND s.ended_at IS NULL AND c.backchannel_logout_uri IS NOT NULL AND c.enabled = 1
             ORDER BY s.id, c.id",
            &[user.into()],
            logout_client,
        )
    }

    fn list_logout_clients_of_connection(
        &mut self,
        connection: &ConnectionId,
    ) -> Result<Vec<LogoutClient>, StoreError> {
        self.list(
            "SELECT DISTINCT s.id, s.user_id, c.id FROM sessions s JOIN refresh_families f ON f.session_id = s.id
             JOIN clients c ON c.id = f.client
             WHERE s.connection = $1 AND s.ended_at IS NULL AND c.backchannel_logout_uri IS NOT NULL AND c.enabled = 1
             ORDER BY s.id, c.id",
            &[connection.into()],
            logout_client,
        )
    }

    fn insert_code(&mut self, code: &AuthorizationCode) -> Result<(), StoreError> {
        self.add(
            "authorization code",
            "INSERT INTO codes (hash, client, user_id, session_id, redirect_uri, scope, nonce, code_challenge,
             auth_time, acr, amr, strength, created_at, expires_at, used_at, family)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING",
            &[
                (&code.hash).into(),
                (&code.client).into(),
                (&code.user).into(),
                (&code.session).into(),
                (&code.redirect_uri).into(),
                (&code.scope.to_string()).into(),
                code.nonce.as_ref().into(),
                (&code.code_challenge).into(),
                code.authentication.auth_time.into(),
                (&code.authentication.acr).into(),
                (&doc(&code.authentication.amr)?).into(),
                code.authentication.strength.as_str().into(),
                code.created_at.into(),
                code.expires_at.into(),
                code.used_at.into(),
                code.family.as_ref().into(),
            ],
        )
    }

    fn find_code(&mut self, hash: &[u8; 32]) -> Result<Option<AuthorizationCode>, StoreError> {
        self.find(
            "SELECT hash, client, user_id, session_id, redirect_uri, scope, nonce, code_challenge, auth_time, acr, amr,
             strength, created_at, expires_at, used_at, family FROM codes WHERE hash = $1",
            &[hash.into()],
            code,
        )
    }

    fn use_code(&mut self, hash: &[u8; 32], at: Timestamp, family: Option<&FamilyId>) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE codes SET used_at = $1, family = $2 WHERE hash = $3 AND used_at IS NULL",
            &[at.into(), family.into(), hash.into()],
        )
    }

    fn insert_family(&mut self, family: &RefreshFamily) -> Result<(), StoreError> {
        self.add(
            "refresh token family",
            "INSERT INTO refresh_families (id, client, bound_kid, user_id, session_id, offline, scope, auth_time, acr,
             amr, strength, created_at, expires_at, ended_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING",
            &[
                (&family.id).into(),
                (&family.client).into(),
                family.bound_kid.as_ref().into(),
                (&family.user).into(),
                (&family.session).into(),
                family.offline.into(),
                (&family.scope.to_string()).into(),
                family.authentication.auth_time.into(),
                (&family.authentication.acr).into(),
                (&doc(&family.authentication.amr)?).into(),
                family.authentication.strength.as_str().into(),
                family.created_at.into(),
                family.expires_at.into(),
                family.ended_at.into(),
            ],
        )
    }

    fn find_family(&mut self, id: &FamilyId) -> Result<Option<RefreshFamily>, StoreError> {
        self.find(
            "SELECT id, client, bound_kid, user_id, session_id, offline, scope, auth_time, acr, amr, strength, created_at,
             expires_at, ended_at FROM refresh_families WHERE id = $1",
            &[id.into()],
            family,
        )
    }

    fn list_families_of(
        &mut self,
        user: &UserId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<RefreshFamily>, StoreError> {
        self.list(
            "SELECT id, client, bound_kid, user_id, session_id, offline, scope, auth_time, acr, amr, strength, created_at,
             expires_at, ended_at FROM refresh_families WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
             ORDER BY id DESC LIMIT $3",
            &[user.into(), now.into(), limit.into()],
            family,
        )
    }

    fn bind_family(&mut self, id: &FamilyId, kid: &str) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE refresh_families SET bound_kid = $1 WHERE id = $2 AND bound_kid IS NULL",
            &[kid.into(), id.into()],
        )
    }

    fn end_family(&mut self, id: &FamilyId, at: Timestamp) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE refresh_families SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL",
            &[at.into(), id.into()],
        )
    }

    fn end_families_of_session(&mut self, id: &SessionId, offline: bool, at: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE refresh_families SET ended_at = $1 WHERE session_id = $2 AND ended_at IS NULL AND offline <= $3",
            &[at.into(), id.into(), offline.into()],
        )
    }

    fn end_families_of_user(&mut self, user: &UserId, at: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE refresh_families SET ended_at = $1 WHERE user_id = $2 AND ended_at IS NULL",
            &[at.into(), user.into()],
        )
    }

    fn end_families_of_client(&mut self, client: &ClientKey, at: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE refresh_families SET ended_at = $1 WHERE client = $2 AND ended_at IS NULL",
            &[at.into(), client.into()],
        )
    }

    fn end_families_of_key(&mut self, client: &ClientKey, kid: &str, at: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE refresh_families SET ended_at = $1 WHERE client = $2 AND bound_kid = $3 AND ended_at IS NULL",
            &[at.into(), client.into(), kid.into()],
        )
    }

    fn insert_refresh_token(&mut self, token: &RefreshToken) -> Result<(), StoreError> {
        self.add(
            "refresh token",
            "INSERT INTO refresh_tokens (hash, family, generation, issued_at, expires_at, rotated_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            &[
                (&token.hash).into(),
                (&token.family).into(),
                token.generation.into(),
                token.issued_at.into(),
                token.expires_at.into(),
                token.rotated_at.into(),
            ],
        )
    }

    fn find_refresh_token(&mut self, hash: &[u8; 32]) -> Result<Option<RefreshToken>, StoreError> {
        self.find(
            "SELECT hash, family, generation, issued_at, expires_at, rotated_at FROM refresh_tokens WHERE hash = $1",
            &[hash.into()],
            token,
        )
    }

    fn rotate_refresh_token(&mut self, hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE refresh_tokens SET rotated_at = $1 WHERE hash = $2 AND rotated_at IS NULL",
            &[at.into(), hash.into()],
        )
    }

    fn newest_generation(&mut self, family: &FamilyId) -> Result<i64, StoreError> {
        self.only(
            "SELECT coalesce(max(generation), 0) FROM refresh_tokens WHERE family = $1",
            &[family.into()],
            |row| row.int(),
        )
    }

    fn purge_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.purge_dead_sessions(before, limit)
    }
}
