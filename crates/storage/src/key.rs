//! Signing keys.
//!
//! Owns the table `signing_keys`. Never opens a sealed private half.

use lanyard_core::clock::Timestamp;
use lanyard_core::keys::record::{KeyState, Ring, StoredKey};
use lanyard_core::store::StoreError;
use lanyard_core::store::key::KeyStore;
use lanyard_jose::algorithm::Algorithm;

use crate::row::{Row, corrupt, doc};
use crate::sql::SqlTx;
use crate::version::Counter;

const RINGS: [Ring; 4] = [Ring::Idp, Ring::Ras, Ring::Audit, Ring::Saml];
const STATES: [KeyState; 4] = [KeyState::Next, KeyState::Active, KeyState::Retired, KeyState::Removed];

fn key(row: &mut Row<'_>) -> Result<StoredKey, StoreError> {
    Ok(StoredKey {
        kid: row.text()?,
        ring: row.one_of(&RINGS, Ring::as_str)?,
        algorithm: Algorithm::parse(row.str()?).ok_or_else(|| corrupt("a key has an unknown algorithm"))?,
        state: row.one_of(&STATES, KeyState::as_str)?,
        public: row.doc()?,
        sealed_private: row.bytes()?.to_vec(),
        created_at: row.time()?,
        activates_at: row.time()?,
        retired_at: row.maybe_time()?,
        remove_after: row.maybe_time()?,
    })
}

impl KeyStore for SqlTx<'_> {
    fn list_keys(&mut self, ring: Ring) -> Result<Vec<StoredKey>, StoreError> {
        self.list(
            "SELECT kid, ring, algorithm, state, public, private, created_at, activates_at, retired_at, remove_after
             FROM signing_keys WHERE ring = $1 ORDER BY created_at, kid",
            &[ring.as_str().into()],
            key,
        )
    }

    fn keys_version(&mut self) -> Result<i64, StoreError> {
        self.counter(Counter::Keys)
    }

    fn insert_key(&mut self, key: &StoredKey) -> Result<(), StoreError> {
        self.add(
            "key identifier",
            "INSERT INTO signing_keys (kid, ring, algorithm, state, public, private, created_at, activates_at,
             retired_at, remove_after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
            &[
                (&key.kid).into(),
                key.ring.as_str().into(),
                key.algorithm.as_str().into(),
                key.state.as_str().into(),
                (&doc(&key.public)?).into(),
                key.sealed_private.as_slice().into(),
                key.created_at.into(),
                key.activates_at.into(),
                key.retired_at.into(),
                key.remove_after.into(),
            ],
        )?;
        self.advance(Counter::Keys).map(|_| ())
    }

    fn move_key(
        &mut self,
        kid: &str,
        from: KeyState,
        to: KeyState,
        at: Timestamp,
        remove_after: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let values = [
            to.as_str().into(),
            at.into(),
            remove_after.into(),
            kid.into(),
            from.as_str().into(),
        ];
        let moved = match to {
            KeyState::Next | KeyState::Active => self.touched(
                "UPDATE signing_keys SET state = $1, activates_at = $2, remove_after = $3
                 WHERE kid = $4 AND state = $5",
                &values,
            )?,
            KeyState::Retired => self.touched(
                "UPDATE signing_keys SET state = $1, retired_at = $2, remove_after = $3 WHERE kid = $4 AND state = $5",
                &values,
            )?,
            KeyState::Removed => self.touched(
                "UPDATE signing_keys SET state = $1, retired_at = coalesce(retired_at, $2),
                 remove_after = coalesce($3, remove_after), private = $4 WHERE kid = $5 AND state = $6",
                &[
                    to.as_str().into(),
                    at.into(),
                    remove_after.into(),
                    b"".as_slice().into(),
                    kid.into(),
                    from.as_str().into(),
                ],
            )?,
        };
        if moved {
            self.advance(Counter::Keys)?;
        }
        Ok(moved)
    }
}
