//! Second factors, and sign-ins that wait for one.
//!
//! Owns the tables `app_secrets`, `recovery_codes`, `passkeys`, `sign_in_steps`, `factor_failures` and the column
//! `sessions.confirmed_at`. Never sees a secret that is not sealed or hashed.

use lanyard_core::clock::Timestamp;
use lanyard_core::directory::factor::{AppSecret, Passkey};
use lanyard_core::id::{PasskeyId, SessionId, UserId};
use lanyard_core::idp::second_factor::{Failures, Step};
use lanyard_core::store::StoreError;
use lanyard_core::store::factor::FactorStore;

use crate::row::Row;
use crate::sql::SqlTx;

fn app_secret(row: &mut Row<'_>) -> Result<AppSecret, StoreError> {
    Ok(AppSecret {
        sealed: row.bytes()?.to_vec(),
        created_at: row.time()?,
        confirmed_at: row.maybe_time()?,
    })
}

fn passkey(row: &mut Row<'_>) -> Result<Passkey, StoreError> {
    Ok(Passkey {
        id: row.id()?,
        user: row.id()?,
        credential: row.text()?,
        name: row.text()?,
        record: row.text()?,
        created_at: row.time()?,
        last_used_at: row.maybe_time()?,
    })
}

fn step(row: &mut Row<'_>) -> Result<Step, StoreError> {
    Ok(Step {
        hash: row.hash()?,
        browser: row.hash()?,
        user: row.id()?,
        enrols: row.flag()?,
        attempts: row.int()?,
        created_at: row.time()?,
        expires_at: row.time()?,
    })
}

fn failures(row: &mut Row<'_>) -> Result<Failures, StoreError> {
    Ok(Failures {
        count: row.int()?,
        wait_until: row.time()?,
        keep_until: row.time()?,
    })
}

impl FactorStore for SqlTx<'_> {
    fn find_app_secret(&mut self, user: &UserId) -> Result<Option<AppSecret>, StoreError> {
        self.find(
            "SELECT sealed, created_at, confirmed_at FROM app_secrets WHERE user_id = $1",
            &[user.into()],
            app_secret,
        )
    }

    fn put_app_secret(&mut self, user: &UserId, secret: &AppSecret) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO app_secrets (user_id, sealed, created_at, confirmed_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at,
             confirmed_at = excluded.confirmed_at",
            &[
                user.into(),
                secret.sealed.as_slice().into(),
                secret.created_at.into(),
                secret.confirmed_at.into(),
            ],
        )?;
        Ok(())
    }

    fn remove_app_secret(&mut self, user: &UserId) -> Result<bool, StoreError> {
        self.touched("DELETE FROM app_secrets WHERE user_id = $1", &[user.into()])
    }

    fn replace_recovery_codes(&mut self, user: &UserId, hashes: &[[u8; 32]], at: Timestamp) -> Result<(), StoreError> {
        self.execute("DELETE FROM recovery_codes WHERE user_id = $1", &[user.into()])?;
        for hash in hashes {
            self.execute(
                "INSERT INTO recovery_codes (user_id, hash, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                &[user.into(), hash.into(), at.into()],
            )?;
        }
        Ok(())
    }

    fn use_recovery_code(&mut self, user: &UserId, hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE recovery_codes SET used_at = $1 WHERE user_id = $2 AND hash = $3 AND used_at IS NULL",
            &[at.into(), user.into(), hash.into()],
        )
    }

    fn count_recovery_codes(&mut self, user: &UserId) -> Result<u64, StoreError> {
        let count = self.only(
            "SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL",
            &[user.into()],
            |row| row.int(),
        )?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn list_passkeys(&mut self, user: &UserId) -> Result<Vec<Passkey>, StoreError> {
        self.list(
            "SELECT id, user_id, credential, name, record, created_at, last_used_at FROM passkeys WHERE user_id = $1
             ORDER BY id",
            &[user.into()],
            passkey,
        )
    }

    fn find_passkey_by_credential(&mut self, credential: &str) -> Result<Option<Passkey>, StoreError> {
        self.find(
            "SELECT id, user_id, credential, name, record, created_at, last_used_at FROM passkeys WHERE credential = $1",
            &[credential.into()],
            passkey,
        )
    }

    fn insert_passkey(&mut self, passkey: &Passkey) -> Result<(), StoreError> {
        self.add(
            "passkey",
            "INSERT INTO passkeys (id, user_id, credential, name, record, created_at, last_used_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            &[
                (&passkey.id).into(),
                (&passkey.user).into(),
                (&passkey.credential).into(),
                (&passkey.name).into(),
                (&passkey.record).into(),
                passkey.created_at.into(),
                passkey.last_used_at.into(),
            ],
        )
    }

    fn rename_passkey(&mut self, user: &UserId, id: &PasskeyId, name: &str) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE passkeys SET name = $1 WHERE user_id = $2 AND id = $3",
            &[name.into(), user.into(), id.into()],
        )
    }

    fn use_passkey(&mut self, id: &PasskeyId, before: &str, after: &str, at: Timestamp) -> Result<bool, StoreError> {
        self.touched(
            "UPDATE passkeys SET record = $1, last_used_at = $2 WHERE id = $3 AND record = $4",
            &[after.into(), at.into(), id.into(), before.into()],
        )
    }

    fn remove_passkey(&mut self, user: &UserId, id: &PasskeyId) -> Result<bool, StoreError> {
        self.touched(
            "DELETE FROM passkeys WHERE user_id = $1 AND id = $2",
            &[user.into(), id.into()],
        )
    }

    fn insert_step(&mut self, step: &Step) -> Result<(), StoreError> {
        self.add(
            "sign-in",
            "INSERT INTO sign_in_steps (hash, browser, user_id, enrols, attempts, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            &[
                (&step.hash).into(),
                (&step.browser).into(),
                (&step.user).into(),
                step.enrols.into(),
                step.attempts.into(),
                step.created_at.into(),
                step.expires_at.into(),
            ],
        )
    }

    fn find_step(&mut self, hash: &[u8; 32]) -> Result<Option<Step>, StoreError> {
        self.find(
            "SELECT hash, browser, user_id, enrols, attempts, created_at, expires_at FROM sign_in_steps WHERE hash = $1",
            &[hash.into()],
            step,
        )
    }

    fn count_step(&mut self, hash: &[u8; 32]) -> Result<i64, StoreError> {
        let counted = self.find(
            "UPDATE sign_in_steps SET attempts = attempts + 1 WHERE hash = $1 RETURNING attempts",
            &[hash.into()],
            |row| row.int(),
        )?;
        Ok(counted.unwrap_or(i64::MAX))
    }

    fn remove_step(&mut self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        self.touched("DELETE FROM sign_in_steps WHERE hash = $1", &[hash.into()])
    }

    fn remove_steps_of(&mut self, user: &UserId) -> Result<u64, StoreError> {
        self.execute("DELETE FROM sign_in_steps WHERE user_id = $1", &[user.into()])
    }

    fn find_failures(&mut self, user: &UserId, browser: &str) -> Result<Option<Failures>, StoreError> {
        self.find(
            "SELECT count, wait_until, keep_until FROM factor_failures WHERE user_id = $1 AND browser = $2",
            &[user.into(), browser.into()],
            failures,
        )
    }

    fn put_failures(&mut self, user: &UserId, browser: &str, failures: &Failures) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO factor_failures (user_id, browser, count, wait_until, keep_until) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (user_id, browser) DO UPDATE SET count = excluded.count, wait_until = excluded.wait_until,
             keep_until = excluded.keep_until",
            &[
                user.into(),
                browser.into(),
                failures.count.into(),
                failures.wait_until.into(),
                failures.keep_until.into(),
            ],
        )?;
        Ok(())
    }

    fn remove_failures(&mut self, user: &UserId, browser: &str) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM factor_failures WHERE user_id = $1 AND browser = $2",
            &[user.into(), browser.into()],
        )?;
        Ok(())
    }

    fn confirm_session(&mut self, id: &SessionId, at: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "UPDATE sessions SET confirmed_at = $1 WHERE id = $2",
            &[at.into(), id.into()],
        )?;
        Ok(())
    }

    fn find_confirmation(&mut self, id: &SessionId) -> Result<Option<Timestamp>, StoreError> {
        let confirmed = self.find("SELECT confirmed_at FROM sessions WHERE id = $1", &[id.into()], |row| {
            row.maybe_time()
        })?;
        Ok(confirmed.flatten())
    }

    fn purge_steps(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let values = [before.into(), limit.into()];
        let steps = self.execute(
            "DELETE FROM sign_in_steps WHERE hash IN
             (SELECT hash FROM sign_in_steps WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            &values,
        )?;
        let failures = self.execute(
            "DELETE FROM factor_failures WHERE (user_id, browser) IN
             (SELECT user_id, browser FROM factor_failures WHERE keep_until < $1 ORDER BY keep_until LIMIT $2)",
            &values,
        )?;
        Ok(steps.saturating_add(failures))
    }
}
