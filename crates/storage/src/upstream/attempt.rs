//! Rows of `sign_in_attempts`.

use lanyard_core::store::StoreError;
use lanyard_core::upstream::attempt::{Purpose, SignInAttempt};

use crate::row::Row;
use crate::sql::SqlTx;

fn attempt(row: &mut Row<'_>) -> Result<SignInAttempt, StoreError> {
    Ok(SignInAttempt {
        handle_hash: row.hash()?,
        browser_hash: row.hash()?,
        connection: row.id()?,
        connection_version: row.int()?,
        purpose: row.one_of(&Purpose::ALL, Purpose::as_str)?,
        request: row.text()?,
        nonce: row.text()?,
        sealed_verifier: row.maybe_bytes()?.map(<[u8]>::to_vec),
        max_age: row.maybe_int()?,
        asked_at: row.time()?,
        expires_at: row.time()?,
        used_at: row.maybe_time()?,
        report: row.maybe_text()?,
    })
}

impl SqlTx<'_> {
    pub(super) fn attempt_of_handle(&mut self, handle_hash: &[u8; 32]) -> Result<Option<SignInAttempt>, StoreError> {
        self.find(
            "SELECT handle_hash, browser_hash, connection, connection_version, purpose, request, nonce, verifier,
             max_age, asked_at, expires_at, used_at, report FROM sign_in_attempts WHERE handle_hash = $1",
            &[handle_hash.into()],
            attempt,
        )
    }

    pub(super) fn add_attempt(&mut self, attempt: &SignInAttempt) -> Result<(), StoreError> {
        self.add(
            "sign-in attempt",
            "INSERT INTO sign_in_attempts (handle_hash, browser_hash, connection, connection_version, purpose, request,
             nonce, verifier, max_age, asked_at, expires_at, used_at, report)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
            &[
                (&attempt.handle_hash).into(),
                (&attempt.browser_hash).into(),
                (&attempt.connection).into(),
                attempt.connection_version.into(),
                attempt.purpose.as_str().into(),
                (&attempt.request).into(),
                (&attempt.nonce).into(),
                attempt.sealed_verifier.as_deref().into(),
                attempt.max_age.into(),
                attempt.asked_at.into(),
                attempt.expires_at.into(),
                attempt.used_at.into(),
                attempt.report.as_ref().into(),
            ],
        )
    }
}
