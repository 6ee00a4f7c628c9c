//! The export of the log as lines of JSON, and the shape of those lines.
//!
//! Owns the format. Never verifies it (`verify.rs`) and never filters: a chain with holes proves nothing.
//!
//! 1. `{"lanyard_audit_export":1,"exported_at":…,"keys":[…],"removed":[…],"after":{"sequence","hash"},"head":…}`:
//!    the public audit keys, the entry before the first one here, and the newest checkpoint at that time.
//! 2. `{"sequence":…,"hash":"…","event":"…"}` for each sealed event; `event` is the JSON text that was hashed.
//! 3. `{"checkpoint":{…}}` right after the event it covers.
//! 4. `{"unsealed":"…"}` for each event that has no place in the chain yet.
//! 5. `{"end":{"events":…,"checkpoints":…,"unsealed":…}}`, the last line.

use lanyard_jose::jwk::Jwk;
use serde::{Deserialize, Serialize};

use crate::audit::event::Checkpoint;
use crate::clock::Timestamp;
use crate::keys::record::{KeyState, Ring};
use crate::store::{StoreError, Tx};

/// The format's version.
pub const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`VERSION`].
    pub lanyard_audit_export: u32,
    /// When the export began.
    pub exported_at: Timestamp,
    /// Every public key of the audit ring.
    pub keys: Vec<Jwk>,
    /// Those of them that were removed in an emergency: what they signed counts as unsigned.
    pub removed: Vec<String>,
    /// The entry before the first one of the file.
    pub after: Entry,
    /// The newest checkpoint; the file must reach it.
    pub head: Option<Checkpoint>,
}

/// A place in the chain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its sequence; 0 before the first.
    pub sequence: i64,
    /// Its hash; empty before the first.
    pub hash: String,
}

/// The last line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Sealed events in the file.
    pub events: u64,
    /// Checkpoints in the file.
    pub checkpoints: u64,
    /// Events that have no place in the chain yet.
    pub unsealed: u64,
}

#[derive(Serialize)]
struct EventLine<'a> {
    sequence: i64,
    hash: &'a str,
    event: &'a str,
}

#[derive(Serialize)]
struct CheckpointLine<'a> {
    checkpoint: &'a Checkpoint,
}

#[derive(Serialize)]
struct UnsealedLine<'a> {
    unsealed: &'a str,
}

#[derive(Serialize)]
struct EndLine {
    end: Counts,
}

/// An export under way; each chunk is read in a unit of its own, so that writers are never held up.
#[derive(Debug, Clone)]
pub struct Export {
    after: i64,
    counts: Counts,
    done: bool,
}

impl Export {
    /// Begins an export at `first` (1 for everything); the header line.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin(tx: &mut dyn Tx, now: Timestamp, first: i64) -> Result<(Self, String), StoreError> {
        let after = match first.saturating_sub(1) {
            before @ 1.. => match tx.list_sealed(before, 1)?.into_iter().find_map(|event| event.seal) {
                Some((sequence, hash)) if sequence == before => Entry { sequence, hash },
                _ => Entry::default(),
            },
            _ => Entry::default(),
        };
        let ring = tx.list_keys(Ring::Audit)?;
        let header = Header {
            lanyard_audit_export: VERSION,
            exported_at: now,
            removed: ring
                .iter()
                .filter(|key| key.state == KeyState::Removed)
                .map(|key| key.kid.clone())
                .collect(),
            keys: ring.into_iter().map(|key| key.public).collect(),
            head: tx.last_checkpoint()?.filter(|head| head.sequence > after.sequence),
            after,
        };
        let export = Self {
            after: header.after.sequence,
            counts: Counts::default(),
            done: false,
        };
        let mut out = String::new();
        push(&mut out, &header)?;
        Ok((export, out))
    }

    /// Whether the last line was given out.
    pub const fn is_done(&self) -> bool {
        self.done
    }

    /// The next lines, with at most `limit` sealed events.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn chunk(&mut self, tx: &mut dyn Tx, limit: u32) -> Result<String, StoreError> {
        let mut out = String::new();
        if self.done {
            return Ok(out);
        }
        let limit = limit.clamp(1, 10_000);
        let events = tx.list_sealed(self.after + 1, limit)?;
        let full = u32::try_from(events.len()).is_ok_and(|count| count == limit);
        let mut checkpoints = tx.list_checkpoints(self.after + 1, limit)?.into_iter().peekable();
        for event in events {
            let Some((sequence, hash)) = &event.seal else {
                return Err(StoreError::Corrupt(
                    "an unsealed event stands among the sealed ones".to_owned(),
                ));
            };
            push(
                &mut out,
                &EventLine {
                    sequence: *sequence,
                    hash,
                    event: &event.text,
                },
            )?;
            self.after = *sequence;
            self.counts.events += 1;
            while let Some(checkpoint) = checkpoints.next_if(|checkpoint| checkpoint.sequence <= *sequence) {
                push(
                    &mut out,
                    &CheckpointLine {
                        checkpoint: &checkpoint,
                    },
                )?;
                self.counts.checkpoints += 1;
            }
        }
        if !full {
            for (_, text) in tx.list_unsealed(10_000)? {
                push(&mut out, &UnsealedLine { unsealed: &text })?;
                self.counts.unsealed += 1;
            }
            push(&mut out, &EndLine { end: self.counts })?;
            self.done = true;
        }
        Ok(out)
    }
}

fn push(out: &mut String, line: &impl Serialize) -> Result<(), StoreError> {
    let text = serde_json::to_string(line)
        .map_err(|_| StoreError::Corrupt("a line of the audit export has no JSON form".to_owned()))?;
    out.push_str(&text);
    out.push('\n');
    Ok(())
}
