//! Offline verification of an exported log (P2): no store, no network, constant memory.
//!
//! Owns what is checked and in which words a fault is named. Never repairs and never trusts a key by itself: without an
//! expected key it says that the keys come from the file.

mod fault;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io::{self, BufRead};

use lanyard_jose::jwk::KeySet;
use serde::Deserialize;

pub use self::fault::{Broken, Fault};
use crate::audit::event::Checkpoint;
use crate::audit::export::{Counts, Header, VERSION};
use crate::audit::seal::{chain_hash, verify_checkpoint};

/// The longest line that is read, in bytes.
const MAX_LINE: usize = 1024 * 1024;

/// What the verifier knows from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Thumbprints of audit keys; when there are any, no other key counts.
    pub keys: Vec<String>,
    /// A checkpoint that was kept somewhere else: finds rewriting and a cut tail.
    pub since: Option<Checkpoint>,
}

/// What was found. The file is sound if `problem` is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The sequence before the first entry of the file: 0 for a complete export.
    pub after: i64,
    /// The last sequence whose chain was verified.
    pub last: i64,
    /// The last sequence that a valid checkpoint covers; what lies beyond is chained and not signed.
    pub signed: i64,
    /// What was read.
    pub counts: Counts,
    /// Thumbprints of the keys that signed checkpoints here.
    pub signers: Vec<String>,
    /// Whether the keys were expected by the caller, or only stated by the file itself.
    pub keys_expected: bool,
    /// Whether the kept checkpoint was met; `None` without one, or when it lies before this file.
    pub since_met: Option<bool>,
    /// The first fault.
    pub problem: Option<Broken>,
}

impl Report {
    /// Entries that are chained and that no checkpoint covers yet.
    pub const fn unsigned(&self) -> i64 {
        self.last.saturating_sub(self.signed)
    }

    /// Whether nothing is wrong.
    pub const fn is_sound(&self) -> bool {
        self.problem.is_none()
    }
}

/// Verifies an export line by line and stops at the first fault.
///
/// # Errors
/// Those of the reader.
pub fn verify(mut reader: impl BufRead, known: &Known) -> io::Result<Report> {
    let mut verifier = Verifier::new(known);
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX).saturating_add(1);
        let read = io::Read::take(&mut reader, limit).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(verifier.finish());
        }
        if verifier.line(&line).is_err() {
            return Ok(verifier.report);
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventLine<'a> {
    sequence: i64,
    #[serde(borrow)]
    hash: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointLine {
    checkpoint: Checkpoint,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnsealedLine<'a> {
    #[serde(borrow, rename = "unsealed")]
    _text: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine {
    end: Counts,
}

/// The fault was written into the report.
struct Stop;

struct Verifier<'a> {
    known: &'a Known,
    line: u64,
    state: Option<State>,
    report: Report,
}

struct State {
    keys: KeySet,
    removed: Vec<String>,
    hash: String,
    head: Option<Checkpoint>,
    ended: bool,
}

impl<'a> Verifier<'a> {
    fn new(known: &'a Known) -> Self {
        let report = Report {
            keys_expected: !known.keys.is_empty(),
            ..Report::default()
        };
        Self {
            known,
            line: 0,
            state: None,
            report,
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Stop> {
        self.line += 1;
        let judged = match line.strip_suffix(b"\n") {
            Some(text) if text.len() <= MAX_LINE => self.judge(text),
            Some(_) => Err(Fault::NotALine),
            // A line that was cut in the middle, or is longer than any line we write.
            None => Err(Fault::Truncated),
        };
        judged.map_err(|fault| self.stop(fault))
    }

    fn stop(&mut self, fault: Fault) -> Stop {
        self.report.problem = Some(Broken { line: self.line, fault });
        Stop
    }

    fn judge(&mut self, text: &[u8]) -> Result<(), Fault> {
        let Some(mut state) = self.state.take() else {
            return self.header(text);
        };
        let result = self.body(&mut state, text);
        self.state = Some(state);
        result
    }

    fn header(&mut self, text: &[u8]) -> Result<(), Fault> {
        let header: Header = serde_json::from_slice(text).map_err(|_| Fault::NoHeader)?;
        if header.lanyard_audit_export != VERSION {
            return Err(Fault::Version(header.lanyard_audit_export));
        }
        if header.after.sequence < 0 || (header.after.sequence == 0) != header.after.hash.is_empty() {
            return Err(Fault::NoHeader);
        }
        let expected = &self.known.keys;
        let counts = |thumbprint: &String| expected.is_empty() || expected.contains(thumbprint);
        // A key is its thumbprint, whatever name the file gives it.
        let keys: KeySet = header
            .keys
            .iter()
            .filter(|key| counts(&key.thumbprint()))
            .map(|key| key.clone().with_kid(&key.thumbprint()))
            .collect();
        self.report.after = header.after.sequence;
        self.report.last = header.after.sequence;
        self.report.signed = header.after.sequence;
        if let Some(head) = &header.head {
            verify_checkpoint(head, &keys).map_err(Fault::HeadInvalid)?;
        }
        if let Some(since) = &self.known.since {
            verify_checkpoint(since, &keys).map_err(Fault::SinceInvalid)?;
            if since.sequence == header.after.sequence {
                self.report.since_met = Some(since.hash == header.after.hash);
                if since.hash != header.after.hash {
                    return Err(Fault::SinceRewritten {
                        sequence: since.sequence,
                    });
                }
            }
        }
        self.state = Some(State {
            keys,
            removed: header.removed,
            hash: header.after.hash,
            head: header.head,
            ended: false,
        });
        Ok(())
    }

    fn body(&mut self, state: &mut State, text: &[u8]) -> Result<(), Fault> {
        if state.ended {
            return Err(Fault::AfterEnd);
        }
        // The kind of a line is its first member; a line that starts otherwise was not written by us.
        if text.starts_with(br#"{"sequence":"#) {
            self.event(state, text)
        } else if text.starts_with(br#"{"checkpoint":"#) {
            self.checkpoint(state, text)
        } else if text.starts_with(br#"{"unsealed":"#) {
            serde_json::from_slice::<UnsealedLine<'_>>(text).map_err(|_| Fault::NotALine)?;
            self.report.counts.unsealed += 1;
            Ok(())
        } else if text.starts_with(br#"{"end":"#) {
            self.end(state, text)
        } else {
            Err(Fault::NotALine)
        }
    }

    fn event(&mut self, state: &mut State, text: &[u8]) -> Result<(), Fault> {
        if self.report.counts.unsealed > 0 {
            return Err(Fault::NotALine);
        }
        let line: EventLine<'_> = serde_json::from_slice(text).map_err(|_| Fault::NotALine)?;
        let expected = self.report.last.saturating_add(1);
        if line.sequence != expected {
            return Err(Fault::OutOfPlace {
                expected,
                found: line.sequence,
            });
        }
        let hash = chain_hash(&state.hash, line.sequence, &line.event);
        if hash != line.hash {
            return Err(Fault::Altered {
                sequence: line.sequence,
            });
        }
        for (kept, fault) in [
            (
                &state.head,
                Fault::HeadRewritten {
                    sequence: line.sequence,
                },
            ),
            (
                &self.known.since,
                Fault::SinceRewritten {
                    sequence: line.sequence,
                },
            ),
        ] {
            if kept
                .as_ref()
                .is_some_and(|kept| kept.sequence == line.sequence && kept.hash != hash)
            {
                return Err(fault);
            }
        }
        if self
            .known
            .since
            .as_ref()
            .is_some_and(|since| since.sequence == line.sequence)
        {
            self.report.since_met = Some(true);
        }
        state.hash = hash;
        self.report.last = line.sequence;
        self.report.counts.events += 1;
        Ok(())
    }

    fn checkpoint(&mut self, state: &State, text: &[u8]) -> Result<(), Fault> {
        let line: CheckpointLine = serde_json::from_slice(text).map_err(|_| Fault::NotALine)?;
        let checkpoint = line.checkpoint;
        let signer = verify_checkpoint(&checkpoint, &state.keys).map_err(Fault::CheckpointInvalid)?;
        if checkpoint.sequence != self.report.last {
            return Err(Fault::CheckpointOutOfPlace {
                sequence: checkpoint.sequence,
                last: self.report.last,
            });
        }
        if checkpoint.hash != state.hash {
            return Err(Fault::CheckpointMismatch {
                sequence: checkpoint.sequence,
            });
        }
        if !state.removed.contains(&signer) {
            self.report.signed = checkpoint.sequence;
        }
        if !self.report.signers.contains(&signer) {
            self.report.signers.push(signer);
        }
        self.report.counts.checkpoints += 1;
        Ok(())
    }

    fn end(&mut self, state: &mut State, text: &[u8]) -> Result<(), Fault> {
        let line: EndLine = serde_json::from_slice(text).map_err(|_| Fault::NotALine)?;
        self.reached(state)?;
        if line.end != self.report.counts {
            return Err(Fault::Counts);
        }
        state.ended = true;
        Ok(())
    }

    /// Whether the file reaches what was signed at the time, and what the caller kept.
    fn reached(&self, state: &State) -> Result<(), Fault> {
        let last = self.report.last;
        for kept in [&self.known.since, &state.head] {
            if let Some(kept) = kept.as_ref().filter(|kept| kept.sequence > last) {
                return Err(Fault::CutTail {
                    last,
                    signed: kept.sequence,
                });
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Report {
        let end = match &self.state {
            None => Err(Fault::NoHeader),
            Some(state) if state.ended => Ok(()),
            Some(state) => self.reached(state).and(Err(Fault::Truncated)),
        };
        if let Err(fault) = end {
            self.line += 1;
            let Stop = self.stop(fault);
        }
        self.report
    }
}
