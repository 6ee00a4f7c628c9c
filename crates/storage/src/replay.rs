//! Identifiers that may be used once.
//!
//! Owns the table `used_once`. Never knows what an identifier belongs to.

use lanyard_core::clock::Timestamp;
use lanyard_core::store::StoreError;
use lanyard_core::store::replay::{ReplayKind, ReplayStore};

use crate::sql::SqlTx;

impl ReplayStore for SqlTx<'_> {
    fn record_use(
        &mut self,
        scope: &str,
        kind: ReplayKind,
        issuer: &str,
        jti: &str,
        keep_until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.touched(
            "INSERT INTO used_once (scope, kind, issuer, jti, keep_until) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (scope, kind, issuer, jti) DO NOTHING",
            &[
                scope.into(),
                kind.as_str().into(),
                issuer.into(),
                jti.into(),
                keep_until.into(),
            ],
        )
    }

    fn purge_uses(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM used_once WHERE (scope, kind, issuer, jti) IN
             (SELECT scope, kind, issuer, jti FROM used_once WHERE keep_until < $1 ORDER BY keep_until LIMIT $2)",
            &[before.into(), limit.into()],
        )
    }
}
