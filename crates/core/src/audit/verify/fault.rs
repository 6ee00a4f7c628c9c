//! What can be wrong with an exported log, in words for the person who has to act.

use std::fmt;

use crate::audit::seal::CheckpointError;

/// The first fault of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub fault: Fault,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The first line is not the header of an export.
    #[error("this is not the first line of an audit export")]
    NoHeader,
    /// A format of another program version.
    #[error("the export has format version {0}, which this program does not read")]
    Version(u32),
    /// A line that no export has here.
    #[error("this is not a line that an audit export has here; it was damaged or inserted")]
    NotALine,
    /// The sequence does not go on.
    #[error("{}", out_of_place(*.expected, *.found))]
    OutOfPlace {
        /// What must stand here.
        expected: i64,
        /// What stands here.
        found: i64,
    },
    /// The hash does not fit.
    #[error("entry {sequence} does not give its hash: it was altered, or the hash of the entry before it was")]
    Altered {
        /// The entry.
        sequence: i64,
    },
    /// A checkpoint that no audit key signed.
    #[error("the checkpoint is not signed by an accepted audit key: {0}")]
    CheckpointInvalid(#[source] CheckpointError),
    /// A checkpoint at another place.
    #[error("a checkpoint for entry {sequence} stands after entry {last}")]
    CheckpointOutOfPlace {
        /// What it covers.
        sequence: i64,
        /// Where it stands.
        last: i64,
    },
    /// The chain was rewritten.
    #[error("the chain does not meet the checkpoint signed at entry {sequence}: entries before it were rewritten")]
    CheckpointMismatch {
        /// What it covers.
        sequence: i64,
    },
    /// The checkpoint in the header is not signed.
    #[error("the checkpoint in the header is not signed by an accepted audit key: {0}")]
    HeadInvalid(#[source] CheckpointError),
    /// The chain was rewritten after the export began.
    #[error("entry {sequence} is not the one that the checkpoint in the header was signed for: it was rewritten")]
    HeadRewritten {
        /// What it covers.
        sequence: i64,
    },
    /// The kept checkpoint is not signed.
    #[error("the kept checkpoint is not signed by an accepted audit key: {0}")]
    SinceInvalid(#[source] CheckpointError),
    /// The chain was rewritten since the kept checkpoint.
    #[error("entry {sequence} is not the one that the kept checkpoint was signed for: history was rewritten since")]
    SinceRewritten {
        /// What it covers.
        sequence: i64,
    },
    /// Entries at the end are gone.
    #[error("the log ends at entry {last}, but entry {signed} was signed before: the tail was cut off")]
    CutTail {
        /// The last entry here.
        last: i64,
        /// The entry that was signed.
        signed: i64,
    },
    /// The last line is missing.
    #[error("the export has no last line: it was cut off here")]
    Truncated,
    /// The numbers of the last line are not those of the file.
    #[error("the last line counts other entries than the file has")]
    Counts,
    /// Something follows the last line.
    #[error("something follows the last line of the export")]
    AfterEnd,
}

fn out_of_place(expected: i64, found: i64) -> String {
    if found > expected {
        let last = found.saturating_sub(1);
        let missing = if last == expected {
            format!("entry {expected} is")
        } else {
            format!("entries {expected} to {last} are")
        };
        format!("entry {found} stands here, so {missing} missing: removed or moved")
    } else {
        format!("entry {found} stands here instead of {expected}: inserted, repeated or moved")
    }
}
