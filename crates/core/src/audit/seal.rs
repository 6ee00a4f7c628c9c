//! The hash chain over recorded events, and the signed checkpoints of it (P2).
//!
//! Owns the chain function and the checkpoint statement. Never changes an event and never signs inside a unit.
//!
//! The hash of entry *n* is SHA-256, in lower-case hexadecimal, over
//! `hash(n - 1) + "\n" + decimal(n) + "\n" + text(n)`, where `hash(0)` is the empty text and `text(n)` is the event's
//! JSON exactly as it was recorded. A checkpoint is a compact JWS of type [`CHECKPOINT_TYP`] over
//! `{"sequence", "hash", "at"}`.

use std::time::Duration;

use lanyard_jose::digest::sha256_hex;
use lanyard_jose::jwk::KeySet;
use lanyard_jose::key::{SignError, SigningKey};
use lanyard_jose::token::verify_statement;
use lanyard_jose::verify::VerifyError;
use serde::{Deserialize, Serialize};

use crate::audit::event::Checkpoint;
use crate::clock::Timestamp;
use crate::store::StoreError;
use crate::store::audit::AuditStore;

/// The `typ` of a checkpoint's signature.
pub const CHECKPOINT_TYP: &str = "lanyard-checkpoint+jwt";

/// When a checkpoint is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealSettings {
    /// At the latest this long after the newest sealed event that no checkpoint covers.
    pub checkpoint_every: Duration,
    /// At the latest after this many events.
    pub checkpoint_events: i64,
}

impl Default for SealSettings {
    fn default() -> Self {
        Self {
            checkpoint_every: Duration::from_secs(60),
            checkpoint_events: 1000,
        }
    }
}

/// The hash of an entry over its predecessor's.
pub fn chain_hash(previous: &str, sequence: i64, text: &str) -> String {
    let mut message = Vec::with_capacity(previous.len() + text.len() + 22);
    message.extend_from_slice(previous.as_bytes());
    message.push(b'\n');
    message.extend_from_slice(sequence.to_string().as_bytes());
    message.push(b'\n');
    message.extend_from_slice(text.as_bytes());
    sha256_hex(&message)
}

/// Seals at most `limit` events in the order of their writing; how many. The worker's step, done under a lease.
///
/// # Errors
/// [`StoreError`]; [`StoreError::Conflict`] when another replica sealed meanwhile.
pub fn seal_batch(tx: &mut dyn AuditStore, limit: u32) -> Result<usize, StoreError> {
    let unsealed = tx.list_unsealed(limit)?;
    if unsealed.is_empty() {
        return Ok(0);
    }
    let (mut sequence, mut hash) = tx.last_seal()?.unwrap_or_default();
    let mut seals = Vec::with_capacity(unsealed.len());
    for (position, text) in unsealed {
        sequence += 1;
        hash = chain_hash(&hash, sequence, &text);
        seals.push((position, sequence, hash.clone()));
    }
    tx.seal_events(&seals)?;
    Ok(seals.len())
}

/// What a checkpoint says of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The last sequence covered.
    pub sequence: i64,
    /// The hash at that sequence.
    pub hash: String,
    /// When it was signed.
    pub at: Timestamp,
}

impl Statement {
    /// Signs the statement.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(self, key: &SigningKey) -> Result<Checkpoint, SignError> {
        let signature = key.sign(CHECKPOINT_TYP, &self)?;
        Ok(Checkpoint {
            sequence: self.sequence,
            hash: self.hash,
            at: self.at,
            signature,
        })
    }
}

/// Why a checkpoint proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// No key of the set signed it.
    #[error(transparent)]
    Signature(#[from] VerifyError),
    /// The signed values are not the ones beside the signature.
    #[error("the signature is for other values")]
    OtherValues,
}

/// Verifies a checkpoint by the audit keys; the thumbprint of the key that signed it.
///
/// # Errors
/// [`CheckpointError`].
pub fn verify_checkpoint(checkpoint: &Checkpoint, keys: &KeySet) -> Result<String, CheckpointError> {
    let (kid, signed) = verify_statement::<Statement>(&checkpoint.signature, CHECKPOINT_TYP, keys)?;
    let same = signed.sequence == checkpoint.sequence && signed.hash == checkpoint.hash && signed.at == checkpoint.at;
    if same {
        Ok(kid)
    } else {
        Err(CheckpointError::OtherValues)
    }
}

/// The statement to sign now: one is due when events are sealed beyond the last checkpoint and there are many of
/// them or it is old. With `forced`, whenever there are such events (before an export).
///
/// # Errors
/// [`StoreError`].
pub fn checkpoint_due(
    tx: &mut dyn AuditStore,
    now: Timestamp,
    settings: &SealSettings,
    forced: bool,
) -> Result<Option<Statement>, StoreError> {
    let Some((sequence, hash)) = tx.last_seal()? else {
        return Ok(None);
    };
    let last = tx.last_checkpoint()?;
    let covered = last.as_ref().map_or(0, |checkpoint| checkpoint.sequence);
    let waiting = sequence.saturating_sub(covered);
    let old = last.is_none_or(|checkpoint| now.since(checkpoint.at) >= settings.checkpoint_every);
    let due = waiting > 0 && (forced || old || waiting >= settings.checkpoint_events);
    Ok(due.then_some(Statement {
        sequence,
        hash,
        at: now,
    }))
}

/// Stores a signed checkpoint unless a later one stands already; `false` then.
///
/// # Errors
/// [`StoreError`].
pub fn store_checkpoint(tx: &mut dyn AuditStore, checkpoint: &Checkpoint) -> Result<bool, StoreError> {
    if tx
        .last_checkpoint()?
        .is_some_and(|last| last.sequence >= checkpoint.sequence)
    {
        return Ok(false);
    }
    tx.insert_checkpoint(checkpoint)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lanyard_jose::algorithm::Algorithm;

    fn statement() -> Statement {
        Statement {
            sequence: 7,
            hash: "ab".to_owned(),
            at: Timestamp::from_micros(1_700_000_000_123_456),
        }
    }

    #[test]
    fn the_chain_covers_predecessor_sequence_and_text() {
        let hash = chain_hash("", 1, "{}");
        assert_eq!(hash, sha256_hex(b"\n1\n{}"));
        assert_ne!(hash, chain_hash("", 2, "{}"));
        assert_ne!(hash, chain_hash("", 1, "{ }"));
        assert_ne!(hash, chain_hash(&hash, 1, "{}"));
    }

    #[test]
    fn a_checkpoint_is_good_under_its_key_only_and_with_its_values_only() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys: KeySet = [key.public_jwk()].into_iter().collect();
        let foreign: KeySet = [SigningKey::generate(Algorithm::Es256).unwrap().public_jwk()]
            .into_iter()
            .collect();
        let good = statement().sign(&key).unwrap();
        assert_eq!(verify_checkpoint(&good, &keys).as_deref(), Ok(key.kid()));
        assert!(verify_checkpoint(&good, &foreign).is_err());
        let changes: [fn(&mut Checkpoint); 3] = [
            |c| c.sequence += 1,
            |c| c.hash.push('0'),
            |c| c.at = Timestamp::from_seconds(0),
        ];
        for change in changes {
            let mut bad = good.clone();
            change(&mut bad);
            assert_eq!(verify_checkpoint(&bad, &keys), Err(CheckpointError::OtherValues));
        }
    }

    #[test]
    fn another_signed_type_is_no_checkpoint() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys: KeySet = [key.public_jwk()].into_iter().collect();
        let Statement { sequence, hash, at } = statement();
        let signature = key.sign("at+jwt", &statement()).unwrap();
        assert!(
            verify_checkpoint(
                &Checkpoint {
                    sequence,
                    hash,
                    at,
                    signature
                },
                &keys
            )
            .is_err()
        );
    }
}
