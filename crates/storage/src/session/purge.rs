//! Removal of codes, sessions, families and refresh tokens that are dead.
//!
//! Owns the order: a family leaves only after its tokens, and while its session lives it says who hears of the end. Never removes what could still be refused for reuse.

use lanyard_core::clock::Timestamp;
use lanyard_core::store::StoreError;

use crate::sql::SqlTx;

impl SqlTx<'_> {
    /// Removes at most `limit` of each kind; how many in all.
    pub(super) fn purge_dead_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let values = [before.into(), limit.into()];
        let mut removed = self.execute(
            "DELETE FROM codes WHERE hash IN
             (SELECT hash FROM codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            &values,
        )?;
        removed = removed.saturating_add(self.execute(
            "DELETE FROM refresh_tokens WHERE hash IN
             (SELECT hash FROM refresh_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            &values,
        )?);
        removed = removed.saturating_add(self.execute(
            "DELETE FROM refresh_tokens WHERE hash IN
             (SELECT t.hash FROM refresh_families f JOIN refresh_tokens t ON t.family = f.id
             WHERE f.expires_at < $1 OR f.ended_at < $1 LIMIT $2)",
            &values,
        )?);
        removed = removed.saturating_add(self.execute(
            "DELETE FROM refresh_families WHERE id IN
             (SELECT f.id FROM refresh_families f WHERE (f.expires_at < $1 OR f.ended_at < $1)
             AND NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.family = f.id)
             AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = f.session_id AND s.ended_at IS NULL
             AND s.expires_at >= $1) LIMIT $2)",
            &values,
        )?);
        removed = removed.saturating_add(self.execute(
            "DELETE FROM sessions WHERE id IN
             (SELECT id FROM sessions WHERE expires_at < $1 OR ended_at < $1 LIMIT $2)",
            &values,
        )?);
        Ok(removed)
    }
}
